/* SPDX-License-Identifier: MIT */
/* The tasks that there are. */
#ifndef UR_TASK_LIST_H
#define UR_TASK_LIST_H

#include "train/task.h"
#include "unroll/task.h"

extern const struct ur__predict_plug ur__fill_gaps, ur__classify_lines, ur__tag_lines,
    ur__translate_lines, ur__forecast_series;

/* The task of a name. UR_EINVAL: there is none. */
ur_status ur__task_find(const char *name, const struct ur__task **out);
/* That of a model. UR_EINVAL: there is none, or it has models of another architecture. */
ur_status ur__task_of_model(const ur_model *model, const struct ur__task **out);
/* UR_EINVAL if a beam of that width is asked for (0: none is) and is impossible for the model. */
ur_status ur__task_check_beam(const struct ur__task *task, const ur_model *model, int beam);
/* UR_EINVAL if texts that are made are to be as no text of the task is. */
ur_status ur__task_check_texts(const struct ur__task *task, double length_power, bool copy,
                               bool draws);

#endif
