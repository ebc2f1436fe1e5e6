/* SPDX-License-Identifier: MIT */
/* Making models, for the floors above. */
#ifndef UR_MODEL_MODEL_H
#define UR_MODEL_MODEL_H

#include "model/block.h"

/* What a model's metadata has as its format and version; version 1 is read as well. A training
 * state's format is another, so that it is not taken for a model. */
#define UR__MODEL_FORMAT "unroll"
#define UR__MODEL_VERSION 2
#define UR__STATE_FORMAT "unroll-state"

/* A network of a configuration over vocabularies (taken over on success) whose parameters
 * have names and shapes, but no memory yet. */
ur_status ur__model_declare(ur_model **out, const ur_options *config, int n,
                            ur_vocab *const *vocabs);
/* Gives it memory and initial values drawn from seed, and prepares it. */
ur_status ur__model_build(ur_model *model, uint64_t seed);
/* What a token of its first vocabulary is: "char"; NULL: it has none. Static. */
const char *ur__model_token(const ur_model *model);
/* Bytes of its file as it would be now, and what saving it takes for a while. */
ur_status ur__model_measure_save(const ur_model *model, uint64_t *file, size_t *memory);
/* Sets the training summary (a JSON object as text; copied), and the task's name. */
ur_status ur__model_set_summary(ur_model *model, const char *json);
ur_status ur__model_set_task(ur_model *model, const char *task);

#endif
