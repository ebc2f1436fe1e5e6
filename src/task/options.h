/* SPDX-License-Identifier: MIT */
#ifndef UR_TASK_OPTIONS_H
#define UR_TASK_OPTIONS_H

#include "task/list.h"

/* The task of a run. UR_EINVAL: there is none, or its options were not initialised for it. */
ur_status ur__options_of_run(const ur_train_options *options, const struct ur__task **task);

#endif
