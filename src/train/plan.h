/* SPDX-License-Identifier: MIT */
/* What a run will do and take, known when its text has been read and before its net takes
 * any memory. */
#ifndef UR_TRAIN_PLAN_H
#define UR_TRAIN_PLAN_H

#include "unroll/train.h"

struct ur__account;
struct ur__run;

/* Fills in r->plan but for what only a run that is open knows: steps done, and time; and
 * r->step_room. UR_ENOMEM if the run needs more than its memory limit; then, too, the plan is
 * filled in. reading: an account of what was read. */
ur_status ur__plan_make(struct ur__run *r, const struct ur__account *reading);

#endif
