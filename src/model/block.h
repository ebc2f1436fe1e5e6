/* SPDX-License-Identifier: MIT */
/*
 * A model's inside: a container of named blocks over one store of parameters. What they
 * compute together is the architecture's business (arch.h).
 *
 * Invariant: blocks never move, so an architecture keeps pointers to them.
 */
#ifndef UR_MODEL_BLOCK_H
#define UR_MODEL_BLOCK_H

#include "base/option.h"
#include "model/stack.h"
#include "unroll/model.h"

struct ur__arch;

enum ur__block_kind {
    UR__BLOCK_STACK, UR__BLOCK_EMBEDDING, UR__BLOCK_LINEAR, UR__BLOCK_ATTENTION
};

/* in, out: which vocabulary the block's inputs (one-hot or by number) or outputs are tokens of;
 * −1: of none. */
struct ur__block {
    const char *name;           /* static: what its parameters' names begin with */
    enum ur__block_kind kind;
    int in, out;
    bool within;                /* a stack that reads what one step is made of: it begins anew at
                                   each, and carries nothing */
    ur_rnn *rnn;
    ur_embedding embedding;
    ur_linear_layer linear;
    ur_attention_layer attention;
};

enum { UR__MAX_BLOCKS = 16, UR__MAX_VOCABS = 4 };

struct ur_model {
    const struct ur__arch *arch;
    ur_options config;          /* nothing in it is left open */
    ur_vocab *vocab[UR__MAX_VOCABS];    /* by the architecture's roles */
    char *task;
    char *summary;              /* a JSON object */
    ur_params *params;
    struct ur__block block[UR__MAX_BLOCKS];
    int n_blocks;
    ur_linear_layer *decoder;   /* one of them, which ends the network; NULL: none does */
    void *net;                  /* the architecture's own pointers */
};

/* ---- for architectures ------------------------------------------------- */

/* Each declares one; in and out as above, input: numbers that a step has. On success *out is
 * borrowed from the model. */
ur_status ur__model_add_stack(ur_model *m, const char *name,
                              const ur_rnn_options *options, int input, int in, ur_rnn **out);
ur_status ur__model_add_embedding(ur_model *m, const char *name, int in, int E,
                                  ur_embedding **out);
/* O outputs, or, for 0, one for each token of the vocabulary `vocab`; tied: the embedding whose
 * weight it shares, or NULL. */
struct ur__linear_shape {
    int I, O, vocab;
    const ur_embedding *tied;
};
ur_status ur__model_add_linear(ur_model *m, const char *name, struct ur__linear_shape shape,
                               ur_linear_layer **out);
struct ur__attention_shape {
    ur_scoring kind;
    int query, memory;
};
ur_status ur__model_add_attention(ur_model *m, const char *name,
                                  const struct ur__attention_shape *shape,
                                  ur_attention_layer **out);
ur_status ur__block_prepare(struct ur__block *block);
void ur__block_free(struct ur__block *block);

#endif
