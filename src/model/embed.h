/* SPDX-License-Identifier: MIT */
/* Tokens as a stack reads them: one-hot by number, or vectors of an embedding. */
#ifndef UR_MODEL_EMBED_H
#define UR_MODEL_EMBED_H

#include "model/model.h"

/* The configuration of a network over one text: a stack (of each side that it reads), and tokens
 * that enter by vectors of that size, -1: left open. */
struct ur__text_net {
    ur_rnn_options stack;
    int embed;
    bool tie;                   /* the vectors also decode */
};

/* Its rows; what: what --tie sets embed to. */
#define UR__TEXT_NET_ROWS(what)                                                                   \
    UR__STACK_ROWS("", struct ur__text_net, stack, "2", "0"),                                     \
    {.name = "embed", .arg = "N", .shown = "0: one-hot",                                          \
     .kind = UR_OPTION_INT, .max = 65536, .at = offsetof(struct ur__text_net, embed),             \
     .help = "size of learnt token vectors"},                                                     \
    {.name = "tie", .kind = UR_OPTION_FLAG, .at = offsetof(struct ur__text_net, tie),             \
     .help = "the token vectors also decode; sets --embed to " what}

/* Leaves embed open. */
void ur__text_net_open(void *config);
/* Fills in what is open, for a decoder that reads so many sides. UR_EINVAL: it is impossible. */
ur_status ur__text_net_resolve(struct ur__text_net *c, int sides);

ur_ids ur__field_ids(const ur_field *field);

/* The stack over tokens [T,B], which enter by the embedding, or one-hot if it is NULL. */
ur_tensor *ur__embedded_forward(ur_tape *tape, const ur_rnn *rnn, const ur_embedding *embedding,
                                ur_ids ids, const int *lengths, ur_state *state);

#endif
