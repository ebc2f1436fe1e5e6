/* SPDX-License-Identifier: MIT */
/* Growing text and numbers, the same in every locale. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define BUF_DEFAULT_MAX ((size_t)1 << 30)

/* ---- growing text ------------------------------------------------------ */

/* Room for n more bytes and the zero. */
static ur_status reserve(struct ur__buf *b, size_t n)
{
    size_t max = b->max ? b->max : BUF_DEFAULT_MAX;
    if (n > max || b->size > max - n)
        return ur__fail(UR_EDATA, "text grows beyond %zu bytes", max);
    size_t want = b->size + n;
    if (b->data && want < b->capacity)
        return UR_OK;
    size_t capacity = b->capacity > max / 2 ? max : 2 * b->capacity;
    if (capacity < want)
        capacity = want;
    if (capacity < 48)
        capacity = 48;
    char *data;
    size_t bytes;
    if (!ur__add(&bytes, capacity, 1))
        bytes = SIZE_MAX;   /* fails below, with the message */
    data = ur__realloc(b->data, bytes, 1);
    if (!data)
        return UR_ENOMEM;
    b->data = data;
    b->capacity = bytes;
    return UR_OK;
}

ur_status ur__buf_put(struct ur__buf *b, const void *bytes, size_t n)
{
    UR__TRY(reserve(b, n));
    if (n)
        memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = '\0';
    return UR_OK;
}

ur_status ur__buf_puts(struct ur__buf *b, const char *s)
{
    return ur__buf_put(b, s, strlen(s));
}

ur_status ur__buf_printf(struct ur__buf *b, const char *format, ...)
{
    UR__TRY(reserve(b, 0));
    size_t room = b->capacity - b->size;    /* at least 1: the zero */
    va_list args;
    va_start(args, format);
    int n = ur__vformat(b->data + b->size, room, format, args);
    va_end(args);
    b->data[b->size] = '\0';
    if (n < 0)
        return ur__fail(UR_EINVAL, "text cannot be formatted by \"%s\"", format);
    UR__TRY(reserve(b, (size_t)n));
    va_start(args, format);
    ur__vformat(b->data + b->size, (size_t)n + 1, format, args);
    va_end(args);
    b->size += (size_t)n;
    return UR_OK;
}

void ur__buf_free(struct ur__buf *b)
{
    ur__free(b->data);
    *b = (struct ur__buf){.max = b->max};
}

/* What a terminal may have, as it is; the rest as U+FFFD. */
ur_status ur__buf_show(struct ur__buf *b, const char *text, size_t n, enum ur__show as)
{
    for (size_t at = 0, size; at < n; ) {
        const char *shown;
        at += ur__show_next(text + at, n - at, as, &shown, &size);
        UR__TRY(ur__buf_put(b, shown, size));
    }
    return UR_OK;
}

/* ---- numbers ----------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_sign(const char *s)
{
    return *s == '-' || *s == '+' ? s + 1 : s;
}

bool ur__parse_int(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    /* Below zero all the way: the negative half holds one value more. */
    int64_t value = 0;
    const char *digit = skip_sign(s);
    if (!is_digit(*digit))
        return false;
    for (; is_digit(*digit); digit++) {
        int d = *digit - '0';
        if (value < (INT64_MIN + d) / 10)
            return false;
        value = value * 10 - d;
    }
    if (*digit || (!negative && value == INT64_MIN))
        return false;
    *out = negative ? value : -value;
    return true;
}

bool ur__parse_real(const char *s, double *out)
{
    /* Our own grammar, libc's rounding. */
    const char *at = skip_sign(s);
    bool digits = is_digit(*at);
    while (is_digit(*at))
        at++;
    if (*at == '.') {
        at++;
        digits = digits || is_digit(*at);
        while (is_digit(*at))
            at++;
    }
    if (!digits)
        return false;
    if (*at == 'e' || *at == 'E') {
        at = skip_sign(at + 1);
        if (!is_digit(*at))
            return false;
        while (is_digit(*at))
            at++;
    }
    if (*at)
        return false;
    int saved = errno;
    struct ur__locale old = ur__locale_c();
    double value = strtod(s, NULL);
    ur__locale_restore(old);
    errno = saved;
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

const char *ur__nonfinite_name(double x)
{
    return isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
}

/* ---- names ------------------------------------------------------------- */

size_t ur__without(const char *name, size_t n, const char *ending)
{
    size_t m = strlen(ending);
    return n > m && memcmp(name + n - m, ending, m) == 0 ? n - m : n;
}

int ur__find_name(const char *const *names, int n, const char *name)
{
    for (int i = 0; name && i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}
