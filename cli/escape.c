/* SPDX-License-Identifier: MIT */
#include "cli/escape.h"

#include <string.h>

#include "base/status.h"

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    int i = at != NULL ? (int)(at - digits) : -1;
    return i < 16 ? i : i - 6;
}

/* n hexadecimal digits; fewer are none. */
static bool read_hex(const char *text, int n, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint32_t)digit;
    }
    return true;
}

/* \u and what follows: its length, 0 if it is no character. */
static size_t read_code(const char *text, uint32_t *code)
{
    uint32_t low;
    if (!read_hex(text + 2, 4, code))
        return 0;
    if (*code < 0xd800 || *code > 0xdfff)
        return 6;
    if (*code > 0xdbff || strncmp(text + 6, "\\u", 2) != 0 || !read_hex(text + 8, 4, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return 0;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

/* The escape at text: its length, 0: it is none. */
static size_t read_escape(const char *text, unsigned char bytes[4], int *n)
{
    static const char letters[] = "nrt\\", meant[] = "\n\r\t\\";
    const char *letter = text[1] != '\0' ? strchr(letters, text[1]) : NULL;
    uint32_t code;
    *n = 1;
    if (letter != NULL) {
        bytes[0] = (unsigned char)meant[letter - letters];
        return 2;
    }
    if (text[1] == 'x' && read_hex(text + 2, 2, &code)) {
        bytes[0] = (unsigned char)code;
        return 4;
    }
    size_t used = text[1] == 'u' ? read_code(text, &code) : 0;
    if (used > 0)
        *n = ur__utf8_encode(code, bytes);
    return used;
}

ur_status escape_undo(struct ur__buf *to, const char *text, const char *what)
{
    while (*text != '\0') {
        unsigned char bytes[4];
        int n;
        size_t plain = strcspn(text, "\\");
        UR__TRY(ur__buf_put(to, text, plain));
        text += plain;
        if (*text == '\0')
            break;
        size_t used = read_escape(text, bytes, &n);
        if (used == 0)
            return ur__fail(UR_EINVAL, "%s: \"%.6s\" is not an escape: --escape knows \\n, \\r, "
                            "\\t, \\\\, \\xHH and \\uHHHH", what, text);
        UR__TRY(ur__buf_put(to, bytes, (size_t)n));
        text += used;
    }
    return ur__buf_put(to, "", 0);
}
