/* SPDX-License-Identifier: MIT */
/* The training loop, for any task. */
#ifndef UR_TRAIN_LOOP_H
#define UR_TRAIN_LOOP_H

#include "train/task.h"

/* What ur_train() does, once the task is found. */
ur_status ur__train(const struct ur__task *task, const ur_train_options *options,
                    ur_on_report on, void *user);

struct ur__run;

/* The same of a run that has its task, its own options, on and user, and nothing else yet: for
 * listeners who look into it. */
ur_status ur__train_run(struct ur__run *r);

#endif
