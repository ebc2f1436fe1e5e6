/* SPDX-License-Identifier: MIT */
/* What a run will do and take, known when its text has been read and before its net takes
 * any memory. */
#ifndef UR_TRAIN_PLAN_H
#define UR_TRAIN_PLAN_H

#include "model/task.h"
#include "unroll/train.h"

struct ur__account;

/* Fills in all but what only a run that is open knows: steps done, and time. UR_ENOMEM if that
 * is more than options->memory_limit; then, too, *plan is filled in. text: opened before the text
 * was read. */
ur_status ur__plan_make(const ur_train_options *options, const struct ur__facts *facts,
                        int64_t steps, const struct ur__account *text, ur_plan *plan);

#endif
