/* SPDX-License-Identifier: MIT */
/* Where a run stands: with the numbers of model and optimizer, all that changes. */
#ifndef UR_TRAIN_PROGRESS_H
#define UR_TRAIN_PROGRESS_H

#include "train/schedule.h"

struct ur__progress {
    int64_t step;               /* updates done */
    int64_t evaluated;          /* step of the last evaluation, −1: none yet */
    double loss_sum;            /* of training since then, each loss times its items */
    int64_t loss_items;
    double train_loss;          /* mean between the last two evaluations, or NaN */
    double val_loss;            /* NaN before the first validation */
    double figure;              /* of the last validation: what says which model is best; NaN */
    double best, best_loss;     /* that and the loss of the best model */
    int64_t best_step;          /* −1 */
    int worse;                  /* validations since the best */
    struct ur__plateau plateau;
    double seconds;             /* spent so far; 0 in a run that no time ends */
    /* Of numbers that were not finite (train/guard.h): */
    int64_t skipped;            /* steps left out, */
    int skipped_in_row;         /* since the last that was not */
    int rollbacks;
    double lr_factor;           /* what they have left of the learning rate */
    int64_t base;               /* step of the checkpoint that the next one leads to */
    bool drawn;                 /* the run began with values drawn from its seed */
};

/* Mean loss since the last evaluation, or that at it if nothing came after. */
static inline double ur__progress_train_loss(const struct ur__progress *p)
{
    return p->loss_items > 0 ? p->loss_sum / (double)p->loss_items : p->train_loss;
}

#endif
