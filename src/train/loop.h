/* SPDX-License-Identifier: MIT */
/* The training loop, for any task. */
#ifndef UR_TRAIN_LOOP_H
#define UR_TRAIN_LOOP_H

#include "model/task.h"
#include "unroll/train.h"

/* What ur_train() does, once the task is found. */
ur_status ur__train(const struct ur__task *task, const ur_train_options *options,
                    ur_on_report on, void *user);

#endif
