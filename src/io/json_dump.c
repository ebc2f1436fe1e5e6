/* SPDX-License-Identifier: MIT */
/* Writing JSON: one line, members in order of insertion, reals in the fewest digits
 * that read back. The same tree gives the same bytes on every machine. */
#include "io/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/status.h"
#include "io/json_tree.h"

#define REAL_SIZE 40    /* a sign, 17 digits, a point, an exponent, padding zeros */

/* Raises the last digit of "-d.ddde-xx" by one unit. False if it carries out of
 * the first digit: then fewer digits would have done. */
static bool round_up(char *s)
{
    for (char *c = strchr(s, 'e') - 1; c >= s; c--) {
        if (*c == '9')
            *c = '0';
        else if (*c >= '0' && *c < '9')
            return ++*c;
    }
    return false;
}

/* With so many digits: does the nearest decimal, or at a power of two (where the
 * doubles below lie closer than those above) the next one up, read back? */
static bool reads_back(double value, int digits, char text[REAL_SIZE])
{
    int exponent;
    ur__format(text, REAL_SIZE, "%.*e", digits - 1, value);
    if (strtod(text, NULL) == value)
        return true;
    return fabs(frexp(value, &exponent)) == 0.5 && round_up(text) && strtod(text, NULL) == value;
}

/* The fewest digits that read back to the same double: 0.001, 12.5, 1e+20. It
 * always has a point or an exponent, so that a real stays a real. */
static ur_status put_real(struct ur__buf *to, double value)
{
    char text[REAL_SIZE], digits[20] = "";
    struct ur__locale old = ur__locale_c();
    for (int n = 1; n <= 17 && !reads_back(value, n, text); n++)
        ;
    ur__locale_restore(old);
    const char *sign = text[0] == '-' ? "-" : "";
    int n = 0;
    const char *at = text + (*sign == '-');
    for (; *at != 'e'; at++) {
        if (*at != '.')
            digits[n++] = *at;
    }
    int exponent = (int)strtol(at + 1, NULL, 10);
    if (exponent < -4 || exponent > 15)     /* 1e+16 and 1.5e-05, not "1.0e+16" */
        return ur__buf_printf(to, "%s%c%s%se%+03d", sign, digits[0], n > 1 ? "." : "",
                              digits + 1, exponent);
    if (exponent < 0)
        return ur__buf_printf(to, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
    if (n > exponent + 1)
        return ur__buf_printf(to, "%s%.*s.%s", sign, exponent + 1, digits, digits + exponent + 1);
    return ur__buf_printf(to, "%s%s%.*s.0", sign, digits, exponent + 1 - n, "000000000000000");
}

static ur_status put_string(struct ur__buf *to, const char *s)
{
    UR__TRY(ur__buf_puts(to, "\""));
    for (;;) {
        size_t plain = 0;
        while ((unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\')
            plain++;
        UR__TRY(ur__buf_put(to, s, plain));
        s += plain;
        if (!*s)
            return ur__buf_puts(to, "\"");
        const char *at = strchr("\"\"\\\\\nn\tt\rr", *s);   /* pairs: character, its letter */
        if (at)
            UR__TRY(ur__buf_printf(to, "\\%c", at[1]));
        else
            UR__TRY(ur__buf_printf(to, "\\u%04x", (unsigned)(unsigned char)*s));
        s++;
    }
}

static ur_status put_value(const struct ur__json *j, struct ur__buf *to);

static ur_status put_list(const struct ur__json *j, struct ur__buf *to)
{
    bool object = j->kind == UR__JSON_OBJECT;
    if (j->failed == UR_ENOMEM)
        return ur__fail(UR_ENOMEM, "out of memory: building json");
    if (j->failed != UR_OK)
        return ur__fail(j->failed, "json: text that is not utf-8, or a member set in no object");
    UR__TRY(ur__buf_puts(to, object ? "{" : "["));
    for (size_t i = 0; i < j->u.list.n; i++) {
        if (i)
            UR__TRY(ur__buf_puts(to, ","));
        if (object) {
            UR__TRY(put_string(to, j->u.list.members[i].key));
            UR__TRY(ur__buf_puts(to, ":"));
        }
        UR__TRY(put_value(j->u.list.members[i].value, to));
    }
    return ur__buf_puts(to, object ? "}" : "]");
}

static ur_status put_value(const struct ur__json *j, struct ur__buf *to)
{
    switch (j->kind) {
    case UR__JSON_NULL:
        return ur__buf_puts(to, "null");
    case UR__JSON_BOOL:
        return ur__buf_puts(to, j->u.boolean ? "true" : "false");
    case UR__JSON_INT:
        return ur__buf_printf(to, "%" PRId64, j->u.integer);
    case UR__JSON_REAL:
        return put_real(to, j->u.real);
    case UR__JSON_STRING:
        return put_string(to, j->u.string);
    case UR__JSON_ARRAY:
    case UR__JSON_OBJECT:
        break;
    }
    return put_list(j, to);
}

ur_status ur__json_dump(const struct ur__json *j, struct ur__buf *to)
{
    if (!j)
        return ur__fail(UR_ENOMEM, "out of memory: building json");
    size_t before = to->size;
    ur_status status = put_value(j, to);
    if (status != UR_OK && to->data) {  /* no half values */
        to->size = before;
        to->data[before] = '\0';
    }
    return status;
}
