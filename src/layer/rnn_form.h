/* SPDX-License-Identifier: MIT */
/* The form of a recurrent stack: what the same tensors would mean under other options, and which
 * of it PyTorch has. The one place that knows. */
#ifndef UR_LAYER_RNN_FORM_H
#define UR_LAYER_RNN_FORM_H

#include "layer/rnn_options.h"

/* The i-th option that is part of a form; NULL: no more. */
const ur_option *ur__rnn_form_row(int i);
/* "weight_hh", PyTorch's name, unless PyTorch would compute something else with it. */
enum { UR__RECURRENT_NAME = 48 };
void ur__rnn_recurrent_name(const ur_rnn_options *options, char out[UR__RECURRENT_NAME]);
/* Does PyTorch's module of this cell compute the same from the same tensors? */
bool ur__rnn_is_torch(const ur_rnn_options *options);

#endif
