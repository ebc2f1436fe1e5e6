/* SPDX-License-Identifier: MIT */
/* The linear autoregression that forecasts are measured against. */
#ifndef UR_TASK_LINEAR_H
#define UR_TASK_LINEAR_H

#include "task/signal.h"

/* First rows of windows. */
struct ur__origins {
    const int64_t *at;
    int64_t n;
};
/* Fits each target's steps ahead to its own normalised context by ridge regression (Hoerl and
 * Kennard 1970) over windows to learn from; of some strengths that which has the least absolute
 * error on those held out (none: a hundredth of the mean square). to [N,H,C+1]. */
ur_status ur__linear_fit(const struct ur__signal *s, const struct ur__origins *train,
                         const struct ur__origins *valid, ur_real *to);

#endif
