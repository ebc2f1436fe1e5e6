/* SPDX-License-Identifier: MIT */
/* The host may have called setlocale() or fesetround(); the library never does. What reads or
 * writes numbers by libc's functions does it in the C locale and the IEEE default mode. */
#ifndef UR_BASE_LOCALE_H
#define UR_BASE_LOCALE_H

#include <stdarg.h>

#include "unroll/base.h"

struct ur__locale {
    void *locale;
    int rounding;       /* of libc's functions: x86 has a word of its own for x87's */
    unsigned mode;
};
/* Both for this thread alone, from the first call to the second, which takes what the first
 * gave. */
struct ur__locale ur__locale_c(void);
void ur__locale_restore(struct ur__locale old);

/* vsnprintf and snprintf in both. */
int ur__vformat(char *to, size_t n, const char *format, va_list args) UR_PRINTF(3, 0);
int ur__format(char *to, size_t n, const char *format, ...) UR_PRINTF(3, 4);

#endif
