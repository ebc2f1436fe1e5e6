/* SPDX-License-Identifier: MIT */
#ifndef UR_TASK_OPTIONS_H
#define UR_TASK_OPTIONS_H

#include "task/list.h"

/* Reads a caller's options, whose header may be another, and finds the task of the run. UR_EINVAL:
 * there is none, or the options were not initialised for it. */
ur_status ur__options_of_run(ur_train_options *options, const ur_train_options *theirs,
                             const struct ur__task **task);
/* Sets an option that has one of the flags UR_OPTION_READS...; UR_EINVAL: it has none, or there is
 * no such option. */
ur_status ur__options_set_reading(ur_options *o, unsigned flags, const char *name,
                                  const char *text);
/* Those that files are to be measured by. */
ur_status ur__options_set_measured(ur_options *o, const ur_eval_options *options);

#endif
