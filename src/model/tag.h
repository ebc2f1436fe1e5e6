/* SPDX-License-Identifier: MIT */
/* How a network that labels each step (arch_tag.c) relates the labels of a sequence to each
 * other. */
#ifndef UR_MODEL_TAG_H
#define UR_MODEL_TAG_H

#include "model/feedback.h"

/* The chain that they are; NULL: they are none. */
const ur_crf_layer *ur__tag_chain(const ur_model *m);
/* What feeds them back; NULL: nothing does. */
const struct ur__feedback *ur__tag_feedback(const ur_model *m);
/* What that reads of each step of a batch, [T,B,D·P]. */
ur_tensor *ur__tag_steps(ur_tape *tape, const ur_model *m, const ur_batch *batch);

#endif
