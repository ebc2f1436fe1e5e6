/* SPDX-License-Identifier: MIT */
/* The tasks that the roof lists (tasks.c). */
#ifndef UR_TASK_LIST_H
#define UR_TASK_LIST_H

#include "model/task.h"
#include "unroll/task.h"

extern const struct ur__task ur__task_lm;
ur_status ur__lm_evaluate(const ur_model *model, const ur_eval_options *options,
                          ur_metrics *out);

extern const struct ur__task ur__task_fill;
ur_status ur__fill_evaluate(const ur_model *model, const ur_eval_options *options,
                            ur_metrics *out);

#endif
