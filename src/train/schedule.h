/* SPDX-License-Identifier: MIT */
/* The learning rate of each step. */
#ifndef UR_TRAIN_SCHEDULE_H
#define UR_TRAIN_SCHEDULE_H

#include "unroll/train.h"

extern const char *const ur__schedule_words[];      /* names by kind, ended by NULL */

/* What does not change in a run. */
struct ur__schedule {
    ur_schedule_kind kind;
    double lr;
    int64_t warmup;         /* steps of linear warm-up */
    int64_t steps;          /* of the run; −1: no limit */
    double seconds;         /* of the run; 0: no limit */
    int64_t epoch_steps;
};

/* What UR_SCHEDULE_PLATEAU remembers; starts as {1, 0}. */
struct ur__plateau {
    double factor;
    int worse;              /* validations since the best or the last cut */
};

/* UR_EINVAL with a sentence if the schedule is impossible. */
ur_status ur__schedule_check(const struct ur__schedule *s);
/* The learning rate of update `step` (0 is the first). elapsed counts only in a run that
 * a time ends. */
double ur__schedule_lr(const struct ur__schedule *s, const struct ur__plateau *p, int64_t step,
                       double elapsed);
/* Tells of a validation whose loss was, or was not, the best so far. */
void ur__plateau_see(struct ur__plateau *p, bool better);

#endif
