/* SPDX-License-Identifier: MIT */
/* Status codes by name and the one message a thread keeps: that of its last
 * failure. The message has a fixed size, so that failing needs no memory. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/locale.h"

#define MESSAGE_SIZE 1024

static _Thread_local char message[MESSAGE_SIZE];

const char *ur_status_name(ur_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, meaning) case UR_##name: return #name;
        UR_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "?";
}

const char *ur_errmsg(void)
{
    return message;
}

const char *ur_version(void)
{
    return UR_VERSION;
}

/* Bytes of the UTF-8 sequence at s, judged by its lead and the number of continuation
 * bytes; 0: a byte that belongs to none. */
static int sequence_length(const char *s)
{
    unsigned char c = (unsigned char)s[0];
    int length = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* A control character (below U+0020, U+007F to U+009F), a separator of lines or a mark
 * that turns the direction of writing (U+2028 to U+202E, U+2066 to U+2069). */
static bool is_control(const char *s, int length)
{
    const unsigned char *c = (const unsigned char *)s;
    if (length == 1)
        return c[0] < 0x20 || c[0] == 0x7f;
    if (length == 2)
        return c[0] == 0xc2 && c[1] < 0xa0;
    return length == 3 && c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
                                           (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* Paths and pieces of data end up in messages: a line break or an escape sequence in
 * them must not reach a terminal or split a log line, and what is no UTF-8 may be one
 * in the terminal's eyes. */
static void make_one_line(char *s)
{
    while (*s) {
        int length = sequence_length(s);
        if (length == 0 || is_control(s, length)) {
            memset(s, '?', length ? (size_t)length : 1);
            length = length ? length : 1;
        }
        s += length;
    }
}

/* A message cut at the buffer's end may have lost part of its last character: it
 * goes whole. */
static void drop_partial_utf8(char *s, size_t n)
{
    size_t tail = 0;    /* continuation bytes at the end */
    while (tail < 3 && tail < n && ((unsigned char)s[n - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == n)
        return;
    unsigned char lead = (unsigned char)s[n - 1 - tail];
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (tail < wanted)
        s[n - 1 - tail] = '\0';
}

ur_status ur__fail(ur_status status, const char *format, ...)
{
    int saved = errno;
    char text[MESSAGE_SIZE];    /* the arguments may point into `message` */
    va_list args;
    va_start(args, format);
    int n = ur__vformat(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        text[0] = '\0';
    if (n >= (int)sizeof text)
        drop_partial_utf8(text, sizeof text - 1);
    make_one_line(text);
    memcpy(message, text, sizeof message);
    errno = saved;
    return status;
}

void ur__clear_error(void)
{
    message[0] = '\0';
}
