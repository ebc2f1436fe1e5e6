/* SPDX-License-Identifier: MIT */
/* The form of a recurrent net (layer/rnn_form.h) as a string beside its first tensor. */
#ifndef UR_EXCHANGE_FORM_H
#define UR_EXCHANGE_FORM_H

#include "io/safetensors.h"
#include "unroll/layer.h"

/* Writes what differs from the defaults as "form.TENSOR"; nothing where nothing does. */
ur_status ur__form_write(struct ur__st_out *out, const char *tensor, const ur_rnn_options *o);
/* Sets the options that are part of a form to what the file says of the net whose first tensor
 * that is. *said: it says something. UR_EDATA: not what a form can be. */
ur_status ur__form_read(const struct ur__st_file *f, const char *path, const char *tensor,
                        ur_rnn_options *o, bool *said);
/* UR_EDATA naming the option that the file has otherwise. */
ur_status ur__form_check(const struct ur__st_file *f, const char *path, const char *tensor,
                         const ur_rnn_options *o);

#endif
