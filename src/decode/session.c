/* SPDX-License-Identifier: MIT */
/* One running text: the net's state, the logits that follow it, the count of draws. */
#include "unroll/decode.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/status.h"
#include "base/team.h"
#include "decode/sample.h"
#include "kernel/select.h"

struct ur_session {
    const ur_model *model;
    ur_state *state;
    int V;
    uint64_t drawn;         /* tokens since the start or the last reset */
    ur_real *logits;        /* [V] */
    ur_real *weight;        /* [V] work of a draw */
    int32_t *order;         /* [V] the same */
    unsigned char *seen;    /* [V] was it fed since then? */
    ur_real *penalized;     /* [V] work of a draw */
};

ur_status ur_session_new(ur_session **out, const ur_model *model, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    ur_session *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->model = model;
    s->V = ur_vocab_size(ur_model_vocab(model));
    size_t V = (size_t)s->V;
    ur_status status = ur_model_state_new(&s->state, model, 1, team);
    if (status == UR_OK) {
        s->logits = ur__calloc(V, sizeof *s->logits);
        s->weight = ur__alloc(V, sizeof *s->weight);
        s->order = ur__alloc(V, sizeof *s->order);
        s->seen = ur__calloc(V, sizeof *s->seen);
        s->penalized = ur__alloc(V, sizeof *s->penalized);
        if (!s->logits || !s->weight || !s->order || !s->seen || !s->penalized)
            status = UR_ENOMEM;
    }
    if (status != UR_OK) {
        ur_session_free(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

void ur_session_free(ur_session *session)
{
    if (!session)
        return;
    ur_state_free(session->state);
    ur__free(session->logits);
    ur__free(session->weight);
    ur__free(session->order);
    ur__free(session->seen);
    ur__free(session->penalized);
    ur__free(session);
}

void ur_session_reset(ur_session *session)
{
    UR__NEED_OR(session, "session", );
    ur_state_zero(session->state);
    memset(session->logits, 0, (size_t)session->V * sizeof *session->logits);
    memset(session->seen, 0, (size_t)session->V);
    session->drawn = 0;
}

ur_status ur_session_begin(ur_session *session)
{
    UR__NEED(session, "session");
    int32_t line_end = ur_vocab_line_end(ur_model_vocab(session->model));
    return line_end < 0 ? UR_OK : ur_session_feed(session, line_end);
}

ur_status ur_session_feed(ur_session *session, int32_t id)
{
    UR__NEED(session, "session");
    if (id < 0 || id >= session->V)
        return ur__fail(UR_EINVAL, "token %ld is not in the vocabulary of %d", (long)id,
                        session->V);
    UR__TRY(ur_model_run(session->model, session->state, 1, &id, session->logits));
    session->seen[id] = 1;
    unsigned mode = ur__fpmode_default();   /* the host may trap what is not finite */
    size_t bad = ur__kernel()->find_nonfinite((size_t)session->V, session->logits);
    ur__fpmode_restore(mode);
    if (bad < (size_t)session->V)
        return ur__fail(UR_ENUMERIC, "the logit of token %zu is not finite at time step %lld", bad,
                        (long long)ur_state_steps(session->state) - 1);
    return UR_OK;
}

const ur_real *ur_session_logits(const ur_session *session)
{
    UR__NEED_OR(session, "session", NULL);
    return session->logits;
}

ur_state *ur_session_state(ur_session *session)
{
    UR__NEED_OR(session, "session", NULL);
    return session->state;
}

ur_status ur_session_draw(ur_session *session, const ur_sample_options *options, int32_t *id)
{
    UR__NEED(session, "session");
    UR__NEED(options, "options");
    UR__NEED(id, "id");
    UR__TRY(ur_sample_options_check(options));
    double uniform = ur_random_uniform(options->seed, UR__STREAM_SAMPLE, session->drawn, 0);
    /* An unknown word has no text: the draw is among those behind it. */
    int32_t first = ur_vocab_unknown(ur_model_vocab(session->model)) + 1;
    int V = session->V - first;
    const ur_real *logits = session->logits + first;
    unsigned mode = ur__fpmode_default();
    if (options->repetition_penalty != 1) {
        ur__penalize(V, logits, options->repetition_penalty, session->seen + first,
                     session->penalized);
        logits = session->penalized;
    }
    ur_status status = ur__sample(V, logits, options, uniform, session->weight, session->order,
                                  id);
    ur__fpmode_restore(mode);
    if (status != UR_OK)
        return status;
    *id += first;
    session->drawn++;
    return UR_OK;
}
