/* SPDX-License-Identifier: MIT */
/* Which examples are held out, or which part of a cross-validation each belongs to: drawn, a
 * function of the arguments alone. Each label has its share; or, where examples have groups,
 * whole groups are drawn. */
#ifndef UR_DATA_HOLDOUT_H
#define UR_DATA_HOLDOUT_H

#include "data/examples.h"

struct ur__draw {
    uint64_t seed;
    int64_t n;
    int32_t *label;             /* [n], -1: none; NULL: no labels */
    const int32_t *group;       /* [n], -1: alone; NULL: no groups */
};

/* Labels and groups of a set; labels of steps do not count. The caller frees d->label, both of
 * them. */
ur_status ur__draw_of(struct ur__draw *d, const struct ur__examples *x, uint64_t seed);
/* held [n] gets 1 for what is held out, about share·n of them: of a label never all, of groups at
 * least one and never all. *count: how many. UR_EDATA: there is one group only. */
ur_status ur__holdout(const struct ur__draw *d, double share, unsigned char *held, int64_t *count);
/* fold [n] gets numbers below k. UR_EDATA: k below 2 or above the number of what is drawn. */
ur_status ur__folds(const struct ur__draw *d, int k, int32_t *fold);

#endif
