/* SPDX-License-Identifier: MIT */
/* A vocabulary as it stands in a model file (docs/FORMAT.md). */
#ifndef UR_MODEL_VOCAB_TEXT_H
#define UR_MODEL_VOCAB_TEXT_H

#include "io/json.h"
#include "unroll/data.h"

/* Appends it as a JSON object. */
ur_status ur__vocab_text(const ur_vocab *vocab, struct ur__buf *to);
/* From a JSON object. UR_EFORMAT names the token; free with ur_vocab_free. */
ur_status ur__vocab_parse(ur_vocab **out, const struct ur__json *j);

#endif
