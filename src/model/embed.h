/* SPDX-License-Identifier: MIT */
/* Tokens as a stack reads them: one-hot by number, or vectors of an embedding. */
#ifndef UR_MODEL_EMBED_H
#define UR_MODEL_EMBED_H

#include "model/model.h"

/* Rows of members embed (−1 at first: left open) and tie; what: what --tie sets embed to. */
#define UR__EMBED_ROWS(type, what)                                                                \
    {.name = "embed", .arg = "N", .shown = "0: one-hot",                                          \
     .kind = UR_OPTION_INT, .max = 65536, .at = offsetof(type, embed),                            \
     .help = "size of learnt token vectors"},                                                     \
    {.name = "tie", .kind = UR_OPTION_FLAG, .at = offsetof(type, tie),                            \
     .help = "the token vectors also decode; sets --embed to " what}

/* embed −1 becomes 0, or top with tie. UR_EINVAL: tie needs another size. */
ur_status ur__embed_resolve(int *embed, bool tie, int top);

ur_ids ur__field_ids(const ur_field *field);

/* The stack over tokens [T,B], which enter by the embedding, or one-hot if it is NULL. */
ur_tensor *ur__embedded_forward(ur_tape *tape, const ur_rnn *rnn, const ur_embedding *embedding,
                                ur_ids ids, const int *lengths, ur_state *state);

#endif
