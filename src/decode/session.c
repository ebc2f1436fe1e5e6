/* SPDX-License-Identifier: MIT */
/* One running text: a runner of one row, and the count of draws. */
#include "unroll/decode.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/status.h"
#include "decode/sample.h"
#include "model/arch.h"

struct ur_session {
    const ur_model *model;
    ur_runner *runner;
    int V;
    uint64_t drawn;         /* tokens since the start or the last reset */
    struct ur__sample_work work;
    unsigned char *seen;    /* [V] was it fed since then? */
    ur_real *penalized;     /* [V] work of a draw */
};

ur_status ur_session_new(ur_session **out, const ur_model *model, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    if (!ur__steps_in_tokens(model))
        return ur__fail(UR_EINVAL, "a model of task %s does not continue texts",
                        ur_model_task(model));
    ur_session *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->model = model;
    ur_status status = ur_runner_new(&s->runner, model, 1, team);
    if (status == UR_OK) {
        s->V = ur_runner_outputs(s->runner);
        size_t V = (size_t)s->V;
        s->work.weight = ur__alloc(V, sizeof *s->work.weight);
        s->work.order = ur__alloc(V, sizeof *s->work.order);
        s->seen = ur__calloc(V, sizeof *s->seen);
        s->penalized = ur__alloc(V, sizeof *s->penalized);
        if (!s->work.weight || !s->work.order || !s->seen || !s->penalized)
            status = UR_ENOMEM;
    }
    if (status != UR_OK) {
        ur_session_free(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

static const ur_vocab *vocab_of(const ur_session *s)
{
    return ur__steps_vocab(s->model);
}

void ur_session_free(ur_session *session)
{
    if (!session)
        return;
    ur_runner_free(session->runner);
    ur__free(session->work.weight);
    ur__free(session->work.order);
    ur__free(session->seen);
    ur__free(session->penalized);
    ur__free(session);
}

ur_status ur_session_reset(ur_session *session)
{
    UR__NEED(session, "session");
    UR__TRY(ur_runner_begin(session->runner, 0, NULL));
    memset(session->seen, 0, (size_t)session->V);
    session->drawn = 0;
    return UR_OK;
}

ur_status ur_session_begin(ur_session *session)
{
    UR__NEED(session, "session");
    int32_t line_end = ur_vocab_line_end(vocab_of(session));
    return line_end < 0 ? UR_OK : ur_session_feed(session, line_end);
}

ur_status ur_session_feed(ur_session *session, int32_t id)
{
    UR__NEED(session, "session");
    UR__TRY(ur_runner_step(session->runner, &id));
    session->seen[id] = 1;
    return UR_OK;
}

const ur_real *ur_session_logits(const ur_session *session)
{
    UR__NEED_OR(session, "session", NULL);
    return ur_runner_output(session->runner, 0);
}

ur_state *ur_session_state(ur_session *session)
{
    UR__NEED_OR(session, "session", NULL);
    return ur_runner_state(session->runner, 0);
}

ur_status ur_session_draw(ur_session *session, const ur_sample_options *options, int32_t *id)
{
    UR__NEED(session, "session");
    UR__NEED(options, "options");
    UR__NEED(id, "id");
    ur_sample_options o;
    UR__TRY(ur__sample_options_read(&o, options));
    double uniform = ur_random_uniform(o.seed, UR__STREAM_SAMPLE, session->drawn, 0);
    /* An unknown word has no text: only the tokens after it are drawn. */
    int32_t first = ur_vocab_unknown(vocab_of(session)) + 1;
    int V = session->V - first;
    const ur_real *logits = ur_session_logits(session) + first;
    unsigned mode = ur__fpmode_default();
    if (o.repetition_penalty != 1) {
        ur__penalize(V, logits, o.repetition_penalty, session->seen + first,
                     session->penalized);
        logits = session->penalized;
    }
    ur_status status = ur__sample(V, logits, &o, uniform, session->work, id);
    ur__fpmode_restore(mode);
    if (status != UR_OK)
        return status;
    *id += first;
    session->drawn++;
    return UR_OK;
}
