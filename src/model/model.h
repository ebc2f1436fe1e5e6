/* SPDX-License-Identifier: MIT */
/* Making and changing models from within the library; the public half is
 * unroll/model.h. */
#ifndef UR_MODEL_MODEL_H
#define UR_MODEL_MODEL_H

#include "unroll/model.h"

/* A network of a configuration over a vocabulary (taken over on success) whose parameters
 * have names and shapes, but no memory yet. */
ur_status ur__model_declare(ur_model **out, const ur_config *config, ur_vocab *vocab);
/* Gives it memory and initial values drawn from seed, and prepares it. */
ur_status ur__model_build(ur_model *model, uint64_t seed);

/* Both at once. */
ur_status ur__model_new(ur_model **out, const ur_config *config, ur_vocab *vocab, uint64_t seed);
/* Copies all parameter values of `from`, which must have the same names and shapes and
 * the same vocabulary (UR_EDATA says which differs). */
ur_status ur__model_copy_values(ur_model *to, const ur_model *from);
/* Sets the training summary (a JSON object as text; copied). */
ur_status ur__model_set_summary(ur_model *model, const char *json);
/* The configuration as a JSON object text, as in the file (ur__free it): the same for
 * equal configurations. */
ur_status ur__config_text(const ur_config *config, char **out);

/* ---- memory, known before it is taken ----------------------------------- */

/* Of models that need not be built. Bytes of the packed weights; what ur_model_state_new makes,
 * without its numbers, for a measuring tape, and the bytes that it would take. */
size_t ur__model_packed_bytes(const ur_model *model);
ur_status ur__model_state_measure(ur_state **out, const ur_model *model, int B, ur_team *team,
                                  size_t *bytes);
/* Bytes of its file as it would be now, and what saving it takes for a while. */
ur_status ur__model_measure_save(const ur_model *model, uint64_t *file, size_t *memory);

#endif
