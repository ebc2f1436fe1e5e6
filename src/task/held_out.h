/* SPDX-License-Identifier: MIT */
/* What a model's training held out of its data, found again. */
#ifndef UR_TASK_HELD_OUT_H
#define UR_TASK_HELD_OUT_H

#include "data/lines.h"
#include "io/json.h"

/* By which seed and which share of this data it was drawn. UR_EDATA: the summary says that it was
 * other data, or does not say. */
ur_status ur__held_out_again(const struct ur__json *summary, const struct ur__tally *data,
                             uint64_t *seed, double *share);

#endif
