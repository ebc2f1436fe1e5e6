/* SPDX-License-Identifier: MIT */
/*
 * Running a model without a tape: some steps of the recurrent net into the state's own
 * room, then the decoder over all of them as one product. Each logit is the chain that
 * the tape computes, so the bits are the same.
 */
#include "model/net.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "layer/state.h"

/* Multiplications that a decoder pass needs for a team to be faster than one thread. */
enum { TEAM_WORK = 65536 };

/* ---- preparing --------------------------------------------------------- */

ur_status ur_model_prepare(ur_model *model)
{
    UR__NEED(model, "model");
    UR__TRY(ur_rnn_prepare(model->rnn));
    if (model->behind)
        UR__TRY(ur_rnn_prepare(model->behind));
    const struct ur__kernel *k = model->rnn->k;
    const ur_linear_layer *d = &model->decoder;
    if (!model->packed.data) {
        model->packed = (struct ur__matrix){.K = d->I, .N = d->O};
        model->packed.data = ur__alloc(k->packed_bytes(&model->packed), 1);
        if (!model->packed.data)
            return UR_ENOMEM;
    }
    k->pack(&model->packed, 0, d->O, ur_param_data(model->params, d->weight), 1, d->I);
    return UR_OK;
}

ur_status ur_model_state_new(ur_state **out, const ur_model *model, int B, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    if (model->behind)
        return ur__fail(UR_EINVAL, "a model of task fill does not go on with a text: it has no "
                        "state");
    UR__TRY(ur_state_new(out, model->rnn, B, team));
    if (!model->config.embed)
        return UR_OK;
    size_t rows = (size_t)(*out)->piece * (size_t)B;
    (*out)->in = ur__alloc(rows, (size_t)model->embed.E * sizeof(ur_real));
    if ((*out)->in)
        return UR_OK;
    ur_state_free(*out);
    *out = NULL;
    return UR_ENOMEM;
}

/* ---- the decoder ------------------------------------------------------- */

struct decoding {
    const struct ur__kernel *k;
    struct ur__gemm product;    /* logits [M,V] = h [M,H]·Wᵀ */
    const ur_real *bias;        /* [V] */
};

/* This worker's rows, or, where they are few, its columns. */
static void decode_share(const struct ur__worker *w, void *arg)
{
    const struct decoding *d = arg;
    const struct ur__gemm *g = &d->product;
    int m0 = 0, m1 = g->M, n0 = 0, n1 = g->N;
    if (g->M >= w->n * d->k->mr)
        ur__share(g->M, d->k->mr, w->index, w->n, &m0, &m1);
    else
        ur__share(g->N, d->k->nr, w->index, w->n, &n0, &n1);
    if (m0 == m1 || n0 == n1)
        return;
    d->k->gemm(g, m0, m1, n0, n1, NULL);
    for (int m = m0; m < m1; m++) {
        ur_real *row = g->c + (ptrdiff_t)m * g->c_row + n0;
        d->k->add((size_t)(n1 - n0), row, d->bias + n0, row);
    }
}

void ur__model_decode(const ur_model *model, ur_team *team, int M, const ur_real *h,
                      ur_real *logits)
{
    const ur_linear_layer *l = &model->decoder;
    struct decoding d = {
        .k = model->rnn->k,
        .product = {.M = M, .N = l->O, .K = l->I, .a = h, .a_row = l->I, .a_k = 1,
                    .w = &model->packed, .c = logits, .c_row = l->O},
        .bias = ur_param_data(model->params, l->bias)
    };
    bool large = (double)M * l->O * l->I >= TEAM_WORK;
    if (large && M < d.k->mr)
        ur__team_run_brief(team, decode_share, &d);
    else
        ur__team_run(large ? team : NULL, decode_share, &d);
}

/* ---- running ----------------------------------------------------------- */

void ur__model_embed(const ur_model *model, size_t n, const int32_t *ids, ur_real *x)
{
    const ur_real *w = ur_param_data(model->params, model->embed.weight);
    size_t E = (size_t)model->embed.E;
    for (size_t i = 0; i < n; i++)
        memcpy(x + i * E, w + (size_t)ids[i] * E, E * sizeof *x);
}

ur_status ur_model_run(const ur_model *model, ur_state *state, int T, const int32_t *ids,
                       ur_real *logits)
{
    UR__NEED(model, "model");
    UR__NEED(state, "state");
    size_t B = (size_t)state->B, V = (size_t)model->decoder.O;
    ur_real *x = model->config.embed ? state->in : NULL;
    if (T < 0)
        return ur__fail(UR_EINVAL, "a run of %d steps is impossible", T);
    if (T > 0) {
        UR__NEED(ids, "ids");
        UR__NEED(logits, "logits");
    }
    if (model->behind)
        return ur__fail(UR_EINVAL, "a model of task fill has no next token");
    if (state->rnn != model->rnn)
        return ur__fail(UR_EINVAL, "the state belongs to another net");
    if (model->config.embed && !x)
        return ur__fail(UR_EINVAL, "the state was not made by ur_model_state_new");
    for (size_t i = 0; i < (size_t)T * B; i++) {
        if (ids[i] < 0 || ids[i] >= model->decoder.O)
            return ur__fail(UR_EINVAL, "token %ld at place %zu is not in the vocabulary of %d",
                            (long)ids[i], i, model->decoder.O);
    }
    for (int t = 0, n; t < T; t += n) {
        n = T - t < state->piece ? T - t : state->piece;
        const int32_t *id = ids + (size_t)t * B;
        if (x)
            ur__model_embed(model, (size_t)n * B, id, x);
        UR__TRY(ur_rnn_run(model->rnn, state, n, x, x ? NULL : id, state->out));
        ur__model_decode(model, state->team, n * state->B, state->out, logits + (size_t)t * B * V);
    }
    return UR_OK;
}
