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

/* ---- preparing --------------------------------------------------------- */

ur_status ur_model_prepare(ur_model *model)
{
    UR__NEED(model, "model");
    UR__TRY(ur_rnn_prepare(model->rnn));
    if (model->behind)
        UR__TRY(ur_rnn_prepare(model->behind));
    return ur_linear_prepare(&model->decoder);
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

/* ---- running ----------------------------------------------------------- */

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
            UR__TRY(ur_embed_run(&model->embed, (size_t)n * B, id, x));
        UR__TRY(ur_rnn_run(model->rnn, state, n, x, x ? NULL : id, state->out));
        UR__TRY(ur_linear_run(&model->decoder, state->team, n * state->B, state->out,
                              logits + (size_t)t * B * V));
    }
    return UR_OK;
}
