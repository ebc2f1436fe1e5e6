/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

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

/* ---- what may be shown ------------------------------------------------- */

/* Unicode 15: Cc, Zl, Zp, noncharacters, the annotation marks, and what is
 * Default_Ignorable_Code_Point, as it shows nothing or turns the direction of what is
 * around it. U+FE00 to U+FE0F only choose among the looks of the letter before. */
bool ur__is_printable(uint32_t code)
{
    static const struct { uint32_t first, last; } hidden[] = {
        {0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164}, {0xd800, 0xdfff}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return false;
    return code <= 0x10ffff && (code & 0xfffe) != 0xfffe;
}

size_t ur__show_next(const char *text, size_t n, enum ur__show as, const char **shown,
                     size_t *size)
{
    uint32_t code = 0;
    int length = ur__utf8_decode((const unsigned char *)text, n, &code);
    size_t used = length > 0 ? (size_t)length : 1;
    bool layout = as == UR__SHOW_TEXT && (code == '\n' || code == '\t');
    bool fits = length > 0 && (ur__is_printable(code) || layout ||
                               (as == UR__SHOW_UTF8 && code != 0));
    *shown = fits ? text : "\xEF\xBF\xBD";
    *size = fits ? used : 3;
    return used;
}

bool ur__is_plain(const char *text)
{
    const char *shown;
    size_t n = strlen(text), size;
    for (size_t at = 0; at < n; at += size) {
        ur__show_next(text + at, n - at, UR__SHOW_LINE, &shown, &size);
        if (shown != text + at)
            return false;
    }
    return true;
}

size_t ur__show_line(char *to, size_t room, const char *text)
{
    size_t n = strlen(text), used = 0;
    for (size_t at = 0, size; at < n; used += size) {
        const char *shown;
        at += ur__show_next(text + at, n - at, UR__SHOW_LINE, &shown, &size);
        if (size >= room - used)
            break;
        memcpy(to + used, shown, size);
    }
    to[used] = '\0';
    return used;
}
