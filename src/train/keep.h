/* SPDX-License-Identifier: MIT */
/* Keeping models and states on a disk that may refuse them. */
#ifndef UR_TRAIN_KEEP_H
#define UR_TRAIN_KEEP_H

#include "train/run.h"

/* The model at hand is the best so far: writes it, or holds a copy until it can be written. */
ur_status ur__run_keep_best(struct ur__run *r);
/* Sees that the run has a state on disk, this step's if need be, before its first model. */
ur_status ur__run_keep_first(struct ur__run *r);
/* Writes all that a checkpoint is. What cannot be written (UR_EOUTPUT) is a warning and
 * comes again with the next checkpoint, unless this is the last one. UR_ENUMERIC: a number
 * is not finite. */
ur_status ur__run_keep(struct ur__run *r, bool is_last);
void ur__run_keep_free(struct ur__run *r);
/* All numbers of a store, those that are not trained among them. */
size_t ur__count_values(const ur_params *params);

#endif
