/* SPDX-License-Identifier: MIT */
/* The host may have called setlocale(); the library never does. What reads or
 * writes numbers by libc's functions does it in the C locale. */
#ifndef UR_BASE_LOCALE_H
#define UR_BASE_LOCALE_H

#include <stdarg.h>

#include "unroll/base.h"

/* The C locale for this thread alone, from the first call to the second, which
 * takes what the first gave. */
void *ur__locale_c(void);
void ur__locale_restore(void *old);

/* vsnprintf in the C locale. */
int ur__vformat(char *to, size_t n, const char *format, va_list args) UR_PRINTF(3, 0);

#endif
