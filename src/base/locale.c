/* SPDX-License-Identifier: MIT */
/* Switching a thread to the C locale and back. */
#define _POSIX_C_SOURCE 200809L     /* newlocale, uselocale */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#endif

#include "base/locale.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "base/fpmode.h"

/* Made once, never freed: a constant that libc makes us ask for. Without it
 * (no memory) uselocale(0) changes nothing and the host's locale stays. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

struct ur__locale ur__locale_c(void)
{
    pthread_once(&c_locale_once, make_c_locale);
    return (struct ur__locale){(void *)uselocale(c_locale), ur__fpmode_default()};
}

void ur__locale_restore(struct ur__locale old)
{
    uselocale((locale_t)old.locale);
    ur__fpmode_restore(old.mode);
}

int ur__vformat(char *to, size_t n, const char *format, va_list args)
{
    struct ur__locale old = ur__locale_c();
    int length = vsnprintf(to, n, format, args);
    ur__locale_restore(old);
    return length;
}
