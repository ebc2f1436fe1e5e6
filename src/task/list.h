/* SPDX-License-Identifier: MIT */
/* The tasks that there are. */
#ifndef UR_TASK_LIST_H
#define UR_TASK_LIST_H

#include "train/task.h"
#include "unroll/task.h"

extern const struct ur__task ur__task_lm, ur__task_fill;

/* The task of a name. UR_EINVAL: there is none. */
ur_status ur__task_find(const char *name, const struct ur__task **out);

#endif
