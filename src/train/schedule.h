/* SPDX-License-Identifier: MIT */
/* The learning rate of each step. */
#ifndef UR_TRAIN_SCHEDULE_H
#define UR_TRAIN_SCHEDULE_H

#include "unroll/train.h"

extern const char *const ur__schedule_words[];      /* names by kind, ended by NULL */

/* What UR_SCHEDULE_PLATEAU remembers; starts as {1, 0}. A run keeps it apart, among what it saves,
 * and factor and worse of its ur_schedule play no part. */
struct ur__plateau {
    double factor;
    int worse;              /* validations since the best or the last cut */
};

/* UR_EINVAL with a sentence if the schedule is impossible. */
ur_status ur__schedule_check(const ur_schedule *s);
/* ur_schedule_value of a schedule that is possible. */
double ur__schedule_lr(const ur_schedule *s, const struct ur__plateau *p, int64_t step,
                       double elapsed);
/* Tells of a validation whose loss was, or was not, the best so far. */
void ur__plateau_see(struct ur__plateau *p, bool better);

#endif
