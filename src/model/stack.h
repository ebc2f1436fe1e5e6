/* SPDX-License-Identifier: MIT */
/* What a model asks of the options of its stacks beyond what a net does. */
#ifndef UR_MODEL_STACK_H
#define UR_MODEL_STACK_H

#include "layer/rnn_options.h"

/* Fills in what was left open: layers, a size for each, biases. UR_EINVAL: a stack of these is
 * impossible. */
ur_status ur__stack_resolve(ur_rnn_options *o, int layers);
/* Numbers that the last layer puts out. */
int ur__stack_top(const ur_rnn_options *o);

#endif
