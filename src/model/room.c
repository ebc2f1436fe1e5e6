/* SPDX-License-Identifier: MIT */
/*
 * How much memory a model will take, from its shapes alone: what the tape holds of a pass is
 * the sum of what its operations keep, written down once more here. test_plan.c holds the
 * sums against what is really taken.
 */
#include <string.h>

#include "data/vocab.h"
#include "kernel/select.h"
#include "layer/room.h"
#include "model/config.h"
#include "model/model.h"
#include "model/net.h"

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A stack of layers with the vectors of its tokens. */
static size_t stack_bytes(const ur_model *m, const ur_rnn *rnn, const struct ur__pass *p)
{
    size_t TB = (size_t)p->T * (size_t)p->B, bytes = ur__rnn_tape_bytes(rnn, p);
    if (m->config.embed)
        bytes += UR__ROOM_SMALL + TB * ((size_t)m->config.embed * sizeof(ur_real)
                               + (p->back ? sizeof(int32_t) : 0));
    return bytes;
}

/* One side of a gap: the outputs with a row of zeros, and the rows that are taken of them. */
static size_t side_bytes(const ur_model *m, const ur_rnn *rnn, const struct ur__pass *p)
{
    size_t TB = (size_t)p->T * (size_t)p->B, P = (size_t)ur_rnn_output(rnn);
    size_t each = p->back ? 2 : 1;      /* with gradients */
    return 8 * UR__ROOM_SMALL + stack_bytes(m, rnn, p)
        + (each * (2 * TB + 1) + 1) * P * sizeof(ur_real)
        + (p->back ? TB * sizeof(int32_t) : 0);
}

static size_t sides_bytes(const ur_model *m, const struct ur__pass *p)
{
    size_t TB = (size_t)p->T * (size_t)p->B, top = (size_t)ur__config_top(&m->config);
    return side_bytes(m, m->rnn, p) + side_bytes(m, m->behind, p) + 8 * UR__ROOM_SMALL
        + TB * (3 * sizeof(int32_t) + (p->back ? 2 : 1) * top * sizeof(ur_real));
}

struct ur__room ur__model_loss_room(const ur_model *m, int T, int B, bool see, ur_team *team)
{
    const struct ur__pass p = {
        .T = T, .B = B, .ids = !m->config.embed, .lengths = m->behind, .state = !m->behind,
        .back = true, .see = see,
    };
    size_t TB = (size_t)T * (size_t)B, top = (size_t)ur__config_top(&m->config);
    struct ur__room room = {
        .arena = m->behind ? sides_bytes(m, &p) : stack_bytes(m, m->rnn, &p),
        .scratch = larger(ur__rnn_tape_scratch(team),
                          ur__linear_cross_entropy_scratch(&m->decoder, TB, team)),
    };
    if (m->config.dropout > 0)      /* its result and the gradient of that */
        room.arena += 2 * UR__ROOM_SMALL + 2 * TB * top * sizeof(ur_real);
    room.arena += ur__linear_cross_entropy_bytes(&m->decoder, TB);
    return room;
}

struct ur__room ur__model_fill_room(const ur_model *m, int T, int B, ur_team *team)
{
    const struct ur__pass p = {.T = T, .B = B, .ids = !m->config.embed, .lengths = true};
    size_t logits = (size_t)T * (size_t)B * (size_t)m->decoder.O;
    return (struct ur__room){
        .arena = sides_bytes(m, &p) + 8 * UR__ROOM_SMALL + 2 * logits * sizeof(ur_real),
        .scratch = ur__rnn_tape_scratch(team),
    };
}

size_t ur__model_packed_bytes(const ur_model *m)
{
    const struct ur__kernel *k = ur__kernel();
    size_t bytes = ur__rnn_packed_bytes(m->rnn);
    if (m->behind)
        bytes += ur__rnn_packed_bytes(m->behind);
    return bytes + k->packed_bytes(&(struct ur__matrix){.K = m->decoder.I, .N = m->decoder.O});
}

size_t ur__model_state_bytes(const ur_model *m, int B, ur_team *team, size_t *carried)
{
    /* A piece is at most 16 steps and 64 rows, but at least a step. */
    size_t rows = (size_t)(B > 64 ? B : B > 4 ? 64 : 16 * B);
    size_t vectors = rows * (size_t)m->config.embed * sizeof(ur_real);
    return ur__state_bytes(m->rnn, B, team, carried) + vectors;
}

/* ---- files ------------------------------------------------------------- */

/* Bytes of the vocabulary as a JSON string within JSON. */
static size_t vocab_bytes(const ur_vocab *vocab)
{
    bool words = ur__is_words(ur_vocab_kind(vocab));
    size_t bytes = 0, n;
    for (int i = 0; i < ur_vocab_size(vocab); i++) {
        uint32_t code = words ? 0 : ur__vocab_codes(vocab)[i];
        n = code < 100 ? 2 : code < 1000 ? 3 : 5;
        if (words)
            ur_vocab_text(vocab, i, &n);
        bytes += n + (words ? 5 : 1);       /* quotes, escaped, and a comma */
    }
    return bytes;
}

size_t ur__model_header_bytes(const ur_model *m)
{
    size_t bytes = 1200 + vocab_bytes(m->vocab);    /* configuration and summary */
    for (int i = 0; i < ur_params_count(m->params); i++)
        bytes += 80 + strlen(ur_params_at(m->params, i)->name);
    return bytes;
}

/* The vocabulary as a tree of JSON values, then as text several times over. */
size_t ur__model_saving_bytes(const ur_model *m)
{
    size_t each = ur__is_words(ur_vocab_kind(m->vocab)) ? 300 : 150;
    return ((size_t)128 << 10) + (size_t)ur_vocab_size(m->vocab) * each
        + 4 * ur__model_header_bytes(m);
}
