/* SPDX-License-Identifier: MIT */
/* What a step and a validation compute, whole or as one shard of several. */
#ifndef UR_TRAIN_STEP_H
#define UR_TRAIN_STEP_H

#include "train/run.h"

/* Loss of the step `at` of the epoch, and gradients added to the parameters'; those of all
 * shards. *items: predictions. UR_ENUMERIC: the loss is not finite. */
ur_status ur__run_gradients(struct ur__run *r, int64_t at, double *value, int64_t *items);
/* Figures of the part held out, to r->metrics. UR_ECANCELED: watch said so. */
ur_status ur__run_score(struct ur__run *r, const struct ur__watch *watch);

#endif
