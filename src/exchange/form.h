/* SPDX-License-Identifier: MIT */
/* The form of a recurrent net (layer/rnn_form.h) as a string beside its first tensor. */
#ifndef UR_EXCHANGE_FORM_H
#define UR_EXCHANGE_FORM_H

#include "io/safetensors.h"
#include "unroll/layer.h"

/* Writes what differs from the defaults as "form.TENSOR"; nothing if nothing does. */
ur_status ur__form_write(struct ur__st_out *out, const char *tensor, const ur_rnn_options *o);
/* Sets the options of a form to what the file says of the net that begins with this tensor. *said:
 * whether it says anything. UR_EDATA: it is not a possible form. */
ur_status ur__form_read(const struct ur__st_file *f, const char *path, const char *tensor,
                        ur_rnn_options *o, bool *said);
/* UR_EDATA names the option that differs in the file. */
ur_status ur__form_check(const struct ur__st_file *f, const char *path, const char *tensor,
                         const ur_rnn_options *o);

#endif
