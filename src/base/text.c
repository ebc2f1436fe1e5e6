/* SPDX-License-Identifier: MIT */
/* Growing text, UTF-8 and numbers, the same in every locale. */
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

/* ---- UTF-8 ------------------------------------------------------------- */

/* Unicode 15, table 3-7: the first byte gives the length and the range of the
 * second, which keeps out overlong forms, surrogates and what is too large. */
int ur__utf8_decode(const unsigned char *s, size_t n, uint32_t *code)
{
    if (n == 0)
        return 0;
    unsigned char first = s[0], low = 0x80, high = 0xbf;
    int length;
    uint32_t value;
    if (first < 0x80) {
        *code = first;
        return 1;
    } else if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
        value = first & 0x1fu;
    } else if ((first & 0xf0) == 0xe0) {
        length = 3;
        value = first & 0x0fu;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
        value = first & 0x07u;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return -1;
    }
    for (int i = 1; i < length; i++) {
        if ((size_t)i == n)
            return 0;
        if (s[i] < low || s[i] > high)
            return -1;
        value = value << 6 | (s[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    *code = value;
    return length;
}

int ur__utf8_encode(uint32_t code, unsigned char out[4])
{
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (length == 1) {
        out[0] = (unsigned char)code;
        return 1;
    }
    for (int i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (unsigned char)(lead[length] | code);
    return length;
}

size_t ur__utf8_check(const unsigned char *s, size_t n)
{
    size_t at = 0;
    uint32_t code;
    while (at < n) {
        int length = ur__utf8_decode(s + at, n - at, &code);
        if (length <= 0)
            break;
        at += (size_t)length;
    }
    return at;
}

bool ur__is_utf8(const char *s)
{
    size_t n = strlen(s);
    return ur__utf8_check((const unsigned char *)s, n) == n;
}

bool ur__has_control(const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0))
            return true;
    }
    return false;
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
    void *old = ur__locale_c();
    double value = strtod(s, NULL);
    ur__locale_restore(old);
    errno = saved;
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

/* ---- names ------------------------------------------------------------- */

int ur__find_name(const char *const *names, int n, const char *name)
{
    for (int i = 0; name && i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}
