/* SPDX-License-Identifier: MIT */
/* What a network that translates looks at (arch_translate.c). */
#ifndef UR_MODEL_TRANSLATE_H
#define UR_MODEL_TRANSLATE_H

#include "unroll/model.h"

/* Does its decoder look back at the source? */
bool ur__translate_attends(const ur_model *m);
/* Outputs, and how much each input of a batch looks at each step of its source, [B,T,S]: NULL if it
 * does not. */
ur_tensor *ur__translate_weights(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                 ur_tensor **weights);

#endif
