/* SPDX-License-Identifier: MIT */
/* Failing with a message. The lowest function that knows writes the text; those
 * above forward the status with UR__TRY and add nothing. */
#ifndef UR_BASE_STATUS_H
#define UR_BASE_STATUS_H

#include "unroll/base.h"

/* Sets this thread's message and returns status. Text: one line, no capital at
 * the start, no full stop, names the thing and both values. An argument may be
 * ur_errmsg() itself, for a message that goes round the one before. */
ur_status ur__fail(ur_status status, const char *format, ...) UR_PRINTF(2, 3);

/* Test hook: empties this thread's message. */
void ur__clear_error(void);

#define UR__TRY(expr)                                                         \
    do {                                                                      \
        ur_status ur__try_status = (expr);                                    \
        if (ur__try_status != UR_OK)                                          \
            return ur__try_status;                                            \
    } while (0)

/* A pointer that the caller owes: UR_EINVAL and a sentence if it is NULL, in every build. name:
 * what the header calls it. */
#define UR__NEED(p, name)                                                     \
    do {                                                                      \
        if (!(p))                                                             \
            return ur__fail(UR_EINVAL, "%s: %s is NULL", __func__, name);     \
    } while (0)
/* The same in a function that returns no status but value (nothing: void). */
#define UR__NEED_OR(p, name, value)                                           \
    do {                                                                      \
        if (!(p)) {                                                           \
            ur__fail(UR_EINVAL, "%s: %s is NULL", __func__, name);            \
            return value;                                                     \
        }                                                                     \
    } while (0)

/* Wrong use by the programmer: traps in debug builds, a status in release. */
#ifdef UR_DEBUG
#define UR__ASSERT(cond)                                                      \
    do {                                                                      \
        if (!(cond))                                                          \
            __builtin_trap();                                                 \
    } while (0)
#else
#define UR__ASSERT(cond) ((void)0)
#endif

#endif
