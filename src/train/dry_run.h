/* SPDX-License-Identifier: MIT */
/* A run that is planned and not made. */
#ifndef UR_TRAIN_DRY_RUN_H
#define UR_TRAIN_DRY_RUN_H

#include "train/task.h"

/* What ur_train_plan() does, once the task is found. */
ur_status ur__train_plan(const struct ur__task *task, const ur_train_options *options,
                         double seconds, ur_on_param on, void *user, ur_plan *out);

#endif
