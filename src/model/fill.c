/* SPDX-License-Identifier: MIT */
/*
 * Filling gaps (docs/MATH.md, section Fill):
 *
 *     logits_t = W [f_{t−1}; g_{t+1}] + b
 *
 * f is a stack of layers over the text, g another over the text read backwards. They meet
 * in the decoder alone: were one layer to read both sides, the next would see x_t through
 * its neighbours.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "layer/state.h"
#include "model/config.h"
#include "model/net.h"
#include "tape/tape.h"

/* ---- on the tape ------------------------------------------------------- */

/* Where the numbers of one pass come from. */
struct places {
    int32_t *reversed;          /* [T,B] each sequence from its own end */
    int32_t *before, *behind;   /* [T,B] rows of a stack's output; T·B: there is none */
};

static void find_places(const struct places *p, ur_ids ids, const int *lengths)
{
    int32_t none = ids.T * ids.B;
    for (int t = 0; t < ids.T; t++) {
        for (int b = 0; b < ids.B; b++) {
            int n = lengths ? lengths[b] : ids.T, at = t * ids.B + b;
            bool inside = t < n;
            p->reversed[at] = ids.id[inside ? (n - 1 - t) * ids.B + b : at];
            p->before[at] = inside && t > 0 ? (t - 1) * ids.B + b : none;
            p->behind[at] = inside && t < n - 1 ? (n - 2 - t) * ids.B + b : none;
        }
    }
}

static ur_tensor *run_stack(ur_tape *tape, const ur_model *m, const ur_rnn *rnn, ur_ids ids,
                            const int *lengths)
{
    if (!m->config.embed)
        return ur_rnn_forward_ids(tape, rnn, ids, lengths, NULL);
    return ur_rnn_forward(tape, rnn, ur_embed(tape, &m->embed, ids), lengths, NULL);
}

/* Rows of h [T,B,P] by place, zeros where there is none. */
static ur_tensor *take(ur_tape *tape, ur_tensor *h, ur_ids place)
{
    const int rows[] = {-1, ur_dim(h, 2)}, row[] = {1, ur_dim(h, 2)};
    if (!h)
        return NULL;
    ur_tensor *const parts[] = {ur_reshape(h, 2, rows), ur_copy_in(tape, 2, row, NULL)};
    return ur_gather(tape, ur_concat(tape, 2, parts, 0), place);
}

/* What the decoder reads of both sides. */
static ur_tensor *both_sides(ur_tape *tape, const ur_model *m, ur_ids ids, const int *lengths)
{
    if (!m || !tape)
        return ur__tape_fail(tape, UR_EINVAL, "the %s is NULL", m ? "tape" : "model");
    if (!m->behind)
        return ur__tape_fail(tape, UR_EINVAL, "a model of task %s fills no gaps", m->config.task);
    if (!ids.id || ids.T < 1 || ids.B < 1 || ids.T > INT32_MAX / ids.B - 1)
        return ur__tape_fail(tape, UR_ESHAPE, "[%d,%d] tokens are none to fill gaps of", ids.T,
                             ids.B);
    for (int b = 0; lengths && b < ids.B; b++)
        if (lengths[b] < 0 || lengths[b] > ids.T)
            return ur__tape_fail(tape, UR_ESHAPE, "sequence %d has length %d, not 0 to %d", b,
                                 lengths[b], ids.T);
    size_t n = (size_t)ids.T * (size_t)ids.B;
    int32_t *memory = ur__tape_alloc(tape, 3 * n, sizeof *memory);
    if (!memory)
        return NULL;
    struct places p = {memory, memory + n, memory + 2 * n};
    find_places(&p, ids, lengths);
    ur_ids back = {p.reversed, ids.T, ids.B}, before = {p.before, ids.T, ids.B};
    ur_ids behind = {p.behind, ids.T, ids.B};
    ur_tensor *const sides[] = {
        take(tape, run_stack(tape, m, m->rnn, ids, lengths), before),
        take(tape, run_stack(tape, m, m->behind, back, lengths), behind)
    };
    ur_tensor *h = ur_concat(tape, 2, sides, 2);
    return ur_dropout(h, m->config.dropout);
}

ur_tensor *ur_model_fill(ur_tape *tape, const ur_model *m, ur_ids ids, const int *lengths)
{
    ur_tensor *h = both_sides(tape, m, ids, lengths);
    return h ? ur_linear(tape, &m->decoder, h) : NULL;
}

ur_tensor *ur_model_fill_loss(ur_tape *tape, const ur_model *m, ur_ids ids, const int *lengths,
                              ur_ids targets)
{
    ur_tensor *h = both_sides(tape, m, ids, lengths);
    return h ? ur_linear_cross_entropy(tape, &m->decoder, h, targets) : NULL;
}

/* ---- one gap ----------------------------------------------------------- */

struct ur_filler {
    const ur_model *model;
    ur_team *team;
    ur_state *before, *behind;
    int32_t *ids;               /* [piece] */
    ur_real *x;                 /* [piece,E] vectors of tokens; NULL: one-hot */
    ur_real *h;                 /* what the decoder reads */
    ur_real *logits;            /* [V] */
    ur_real *share;             /* [V] probabilities; −1: taken */
};

ur_status ur_filler_new(ur_filler **out, const ur_model *model, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    if (!model->behind)
        return ur__fail(UR_EINVAL, "a model of task %s fills no gaps", model->config.task);
    ur_filler *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    f->model = model;
    f->team = team;
    ur_status status = ur_state_new(&f->before, model->rnn, 1, team);
    if (status == UR_OK)
        status = ur_state_new(&f->behind, model->behind, 1, team);
    if (status == UR_OK) {
        size_t piece = (size_t)f->before->piece, E = (size_t)model->config.embed;
        f->ids = ur__alloc(piece, sizeof *f->ids);
        f->x = E ? ur__alloc(piece * E, sizeof *f->x) : NULL;
        f->h = ur__alloc((size_t)ur__config_top(&model->config), sizeof *f->h);
        f->logits = ur__calloc((size_t)model->decoder.O, sizeof *f->logits);
        f->share = ur__calloc((size_t)model->decoder.O, sizeof *f->share);
        if (!f->ids || (E && !f->x) || !f->h || !f->logits || !f->share)
            status = UR_ENOMEM;
    }
    if (status != UR_OK) {
        ur_filler_free(f);
        return status;
    }
    *out = f;
    return UR_OK;
}

void ur_filler_free(ur_filler *f)
{
    if (!f)
        return;
    ur_state_free(f->before);
    ur_state_free(f->behind);
    ur__free(f->ids);
    ur__free(f->x);
    ur__free(f->h);
    ur__free(f->logits);
    ur__free(f->share);
    ur__free(f);
}

/* One stack over n tokens, from the last one on if back; its final output goes to h. */
static ur_status read_side(ur_filler *f, ur_state *s, bool back, size_t n, const int32_t *ids,
                           ur_real *h)
{
    size_t P = (size_t)ur_rnn_output(s->rnn), piece = (size_t)f->before->piece;
    ur_state_zero(s);
    for (size_t done = 0, m; done < n; done += m) {
        m = n - done < piece ? n - done : piece;
        for (size_t i = 0; i < m; i++)
            f->ids[i] = ids[back ? n - 1 - done - i : done + i];
        if (f->x)
            UR__TRY(ur_embed_run(&f->model->embed, m, f->ids, f->x));
        UR__TRY(ur_rnn_run(s->rnn, s, (int)m, f->x, f->x ? NULL : f->ids, NULL));
    }
    if (n)
        memcpy(h, ur_state_buffer(s, ur_rnn_layers(s->rnn) - 1, "h", NULL), P * sizeof *h);
    else
        memset(h, 0, P * sizeof *h);
    return UR_OK;
}

static ur_status check_ids(const ur_model *m, size_t n, const int32_t *ids)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= m->decoder.O)
            return ur__fail(UR_EINVAL, "token %ld is not in the vocabulary of %d", (long)ids[i],
                            m->decoder.O);
    }
    return UR_OK;
}

ur_status ur_filler_run(ur_filler *f, size_t n_before, const int32_t *before, size_t n_behind,
                        const int32_t *behind, const ur_real **logits)
{
    UR__NEED(f, "filler");
    UR__NEED(logits, "logits");
    const ur_model *m = f->model;
    *logits = NULL;
    if (n_before > 0)
        UR__NEED(before, "before");
    if (n_behind > 0)
        UR__NEED(behind, "behind");
    UR__TRY(check_ids(m, n_before, before));
    UR__TRY(check_ids(m, n_behind, behind));
    UR__TRY(read_side(f, f->before, false, n_before, before, f->h));
    UR__TRY(read_side(f, f->behind, true, n_behind, behind, f->h + ur_rnn_output(m->rnn)));
    UR__TRY(ur_linear_run(&m->decoder, f->team, 1, f->h, f->logits));
    unsigned mode = ur__fpmode_default();   /* the host may trap what is not finite */
    size_t bad = m->rnn->k->find_nonfinite((size_t)m->decoder.O, f->logits);
    ur__fpmode_restore(mode);
    if (bad < (size_t)m->decoder.O)
        return ur__fail(UR_ENUMERIC, "the logit of token %zu is not finite", bad);
    *logits = f->logits;
    return UR_OK;
}

int ur_filler_best(ur_filler *f, int k, int32_t *ids, double *p)
{
    UR__NEED_OR(f, "filler", 0);
    if (k > 0)
        UR__NEED_OR(ids, "ids", 0);
    if (k > 0)
        UR__NEED_OR(p, "p", 0);
    const ur_model *m = f->model;
    int V = m->decoder.O, found = 0;
    int32_t unknown = ur_vocab_unknown(m->vocab), line_end = ur_vocab_line_end(m->vocab);
    unsigned mode = ur__fpmode_default();
    m->rnn->k->softmax(V, f->logits, f->share);
    if (unknown >= 0)
        f->share[unknown] = -1;
    if (line_end >= 0)
        f->share[line_end] = -1;
    for (; found < k; found++) {
        int best = 0;
        for (int i = 1; i < V; i++)
            best = f->share[i] > f->share[best] ? i : best;
        if (f->share[best] < 0)
            break;
        ids[found] = best;
        p[found] = (double)f->share[best];
        f->share[best] = -1;
    }
    ur__fpmode_restore(mode);
    return found;
}
