/* SPDX-License-Identifier: MIT */
#ifndef UR_TASK_OPTIONS_H
#define UR_TASK_OPTIONS_H

#include "task/list.h"

/* Reads a caller's options, whose header may be another, and finds the task of the run. UR_EINVAL:
 * there is none, or the options were not initialised for it. */
ur_status ur__options_of_run(ur_train_options *options, const ur_train_options *theirs,
                             const struct ur__task **task);

#endif
