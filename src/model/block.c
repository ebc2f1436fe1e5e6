/* SPDX-License-Identifier: MIT */
/* The parts that networks are made of. */
#include <stdio.h>

#include "base/status.h"
#include "layer/rnn_form.h"
#include "model/block.h"

/* ---- declaring --------------------------------------------------------- */

static struct ur__block *next_block(ur_model *m, const char *name, enum ur__block_kind kind)
{
    if (m->n_blocks == UR__MAX_BLOCKS) {
        ur__fail(UR_EINTERNAL, "a model has at most %d blocks", UR__MAX_BLOCKS);
        return NULL;
    }
    struct ur__block *b = &m->block[m->n_blocks];
    *b = (struct ur__block){.name = name, .kind = kind, .in = -1, .out = -1};
    return b;
}

/* Parameters are called NAME.* where PyTorch's module of the same kind computes the same from
 * them, and uNAME.* where it cannot: a strict load then fails. */
ur_status ur__model_add_stack(ur_model *m, const char *name,
                              const ur_rnn_options *options, int input, int in, ur_rnn **out)
{
    struct ur__block *b = next_block(m, name, UR__BLOCK_STACK);
    char prefix[64];
    if (!b)
        return UR_EINTERNAL;
    ur_rnn_options rnn = *options;
    rnn.input = input;
    snprintf(prefix, sizeof prefix, "%s%s", ur__rnn_is_torch(options) ? "" : "u", name);
    UR__TRY(ur_rnn_new(&b->rnn, m->params, prefix, &rnn));
    b->in = in;
    *out = b->rnn;
    m->n_blocks++;
    return UR_OK;
}

ur_status ur__model_add_embedding(ur_model *m, const char *name, int in, int E,
                                  ur_embedding **out)
{
    struct ur__block *b = next_block(m, name, UR__BLOCK_EMBEDDING);
    if (!b)
        return UR_EINTERNAL;
    UR__TRY(ur_embedding_init(&b->embedding, m->params, name, ur_vocab_size(m->vocab[in]), E));
    b->in = in;
    *out = &b->embedding;
    m->n_blocks++;
    return UR_OK;
}

ur_status ur__model_add_linear(ur_model *m, const char *name, struct ur__linear_shape shape,
                               ur_linear_layer **out)
{
    struct ur__block *b = next_block(m, name, UR__BLOCK_LINEAR);
    if (!b)
        return UR_EINTERNAL;
    ur_linear_layer *layer = &b->linear;
    int O = shape.O ? shape.O : ur_vocab_size(m->vocab[shape.vocab]);
    if (shape.tied)
        UR__TRY(ur_linear_init_tied(layer, m->params, name, shape.tied->weight, true));
    else
        UR__TRY(ur_linear_init(layer, m->params, name, shape.I, O, true));
    b->out = shape.O ? -1 : shape.vocab;
    *out = &b->linear;
    m->n_blocks++;
    return UR_OK;
}

ur_status ur__model_add_attention(ur_model *m, const char *name,
                                  const struct ur__attention_shape *shape,
                                  ur_attention_layer **out)
{
    struct ur__block *b = next_block(m, name, UR__BLOCK_ATTENTION);
    if (!b)
        return UR_EINTERNAL;
    UR__TRY(ur_attention_init(&b->attention, m->params, name, shape->kind, shape->query,
                              shape->memory));
    *out = &b->attention;
    m->n_blocks++;
    return UR_OK;
}

/* ---- preparing --------------------------------------------------------- */

ur_status ur__block_prepare(struct ur__block *b)
{
    if (b->kind == UR__BLOCK_STACK)
        return ur_rnn_prepare(b->rnn);
    if (b->kind == UR__BLOCK_ATTENTION)
        return ur_attention_prepare(&b->attention);
    return b->kind == UR__BLOCK_LINEAR ? ur_linear_prepare(&b->linear) : UR_OK;
}

void ur__block_free(struct ur__block *b)
{
    ur_rnn_free(b->rnn);
    ur_linear_free(&b->linear);
    ur_attention_free(&b->attention);
}
