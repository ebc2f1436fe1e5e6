/* SPDX-License-Identifier: MIT */
/* Status codes by name and the one message a thread keeps: that of its last
 * failure. The message has a fixed size, so that failing needs no memory. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/locale.h"
#include "base/utf8.h"

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
    /* Paths and pieces of data end up in messages: a line break or an escape sequence in
     * them must not reach a terminal or split a line of a log. */
    ur__show_line(message, sizeof message, text);
    errno = saved;
    return status;
}

void ur__clear_error(void)
{
    message[0] = '\0';
}
