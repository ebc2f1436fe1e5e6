/* SPDX-License-Identifier: MIT */
/* Calls that make no sense: each must end in a status and a sentence, or give nothing and leave
 * a sentence; none may crash or pass. */
#ifndef UR_TESTS_SUPPORT_MISUSE_H
#define UR_TESTS_SUPPORT_MISUSE_H

#include "unroll/base.h"

/* expr gives this status, and says why. */
#define REFUSED(status, expr)                                                          \
    do {                                                                               \
        misuse_begin();                                                                \
        misuse_refused((status), (expr), #expr, __FILE__, __LINE__);                   \
    } while (0)
/* expr, no status, is false (0, NULL, NaN is not), and a sentence says why. */
#define NOTHING(expr)                                                                  \
    do {                                                                               \
        misuse_begin();                                                                \
        bool misuse_something = (expr) != 0;                                           \
        misuse_nothing(misuse_something, #expr, __FILE__, __LINE__);                   \
    } while (0)
/* expr, whose value is void or of no interest, leaves a sentence. */
#define SAYS(expr)                                                                     \
    do {                                                                               \
        misuse_begin();                                                                \
        (void)(expr);                                                                  \
        misuse_nothing(false, #expr, __FILE__, __LINE__);                              \
    } while (0)
/* expr is false as the header says of it, without a sentence: there is nothing wrong with it. */
#define QUIET(expr)                                                                    \
    do {                                                                               \
        bool misuse_something = (expr) != 0;                                           \
        misuse_quiet(misuse_something, #expr, __FILE__, __LINE__);                     \
    } while (0)

void misuse_begin(void);
void misuse_refused(ur_status want, ur_status got, const char *what, const char *file, int line);
void misuse_nothing(bool something, const char *what, const char *file, int line);
void misuse_quiet(bool something, const char *what, const char *file, int line);
/* Fails unless so many cases were tried. */
void misuse_total(int least);

#endif
