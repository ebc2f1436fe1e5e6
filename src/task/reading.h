/* SPDX-License-Identifier: MIT */
/* Options of a task by which files of examples are read once there is a model. */
#ifndef UR_TASK_READING_H
#define UR_TASK_READING_H

#include "unroll/task.h"

/* Sets an option that has one of the flags UR_OPTION_READS...; UR_EINVAL: it has none, or there is
 * no such option. */
ur_status ur__options_set_reading(ur_options *o, unsigned flags, const char *name,
                                  const char *text);
/* Those that files are to be measured by. */
ur_status ur__options_set_measured(ur_options *o, const ur_eval_options *options);

#endif
