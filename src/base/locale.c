/* SPDX-License-Identifier: MIT */
/* Switching a thread to the C locale and back. */
#define _POSIX_C_SOURCE 200809L     /* newlocale, uselocale */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#endif

#include "base/locale.h"

#include <fenv.h>
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
    int rounding = fegetround();
    unsigned mode = ur__fpmode_default();
    if (rounding != FE_TONEAREST)
        fesetround(FE_TONEAREST);
    return (struct ur__locale){(void *)uselocale(c_locale), rounding, mode};
}

void ur__locale_restore(struct ur__locale old)
{
    uselocale((locale_t)old.locale);
    if (old.rounding != FE_TONEAREST)
        fesetround(old.rounding);
    ur__fpmode_restore(old.mode);
}

int ur__vformat(char *to, size_t n, const char *format, va_list args)
{
    struct ur__locale old = ur__locale_c();
    int length = vsnprintf(to, n, format, args);
    ur__locale_restore(old);
    return length;
}

int ur__format(char *to, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = ur__vformat(to, n, format, args);
    va_end(args);
    return length;
}
