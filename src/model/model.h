/* SPDX-License-Identifier: MIT */
/* Making and changing models from within the library; the public half is
 * unroll/model.h. */
#ifndef UR_MODEL_MODEL_H
#define UR_MODEL_MODEL_H

#include "unroll/model.h"

/* A new network of a configuration over a vocabulary (taken over on success), with
 * initial values drawn from seed. */
ur_status ur__model_new(ur_model **out, const ur_config *config, ur_vocab *vocab, uint64_t seed);
/* Copies all parameter values of `from`, which must have the same names and shapes and
 * the same vocabulary (UR_EDATA says which differs). */
ur_status ur__model_copy_values(ur_model *to, const ur_model *from);
/* Sets the training summary (a JSON object as text; copied). */
ur_status ur__model_set_summary(ur_model *model, const char *json);
/* The configuration as a JSON object text, as in the file (ur__free it): the same for
 * equal configurations. */
ur_status ur__config_text(const ur_config *config, char **out);

#endif
