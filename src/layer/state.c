/* SPDX-License-Identifier: MIT */
/* What a net remembers, and running it without a tape: the same passes as in training,
 * a few steps at a time in memory that was taken once. */
#include "layer/state.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "tape/tape.h"

/* Steps in a piece: enough rows for the register tile when the batch is small. */
enum { PIECE_ROWS = 64, PIECE_STEPS = 16 };

static struct ur__stack_job job_of(const ur_state *s, int T)
{
    return (struct ur__stack_job){
        .k = s->rnn->k, .stack = &s->rnn->stack, .T = T, .B = s->B, .scratch = s->scratch,
    };
}

static ur_status take_memory(ur_state *s)
{
    const ur_rnn *rnn = s->rnn;
    size_t L = (size_t)rnn->stack.layers, n = 0;
    for (size_t l = 0; l < L; l++)
        n += (rnn->layer[l].cell->has_c ? 2u : 1u) * (size_t)s->B * (size_t)rnn->layer[l].H;
    s->size = n;
    s->data = ur__calloc(n, sizeof(ur_real));
    s->layer = ur__calloc(L, sizeof *s->layer);
    s->scratch = ur__alloc(ur__stack_scratch(rnn->k, s->team), 1);
    struct ur__stack_job job = job_of(s, s->piece);
    size_t out;
    if (!ur__mul(&out, (size_t)s->piece * (size_t)s->B, (size_t)ur_rnn_output(rnn)))
        return ur__fail(UR_ENOMEM, "a state for %d sequences does not fit in memory", s->B);
    s->memory = ur__alloc(ur__stack_bytes(&job), 1);
    s->out = ur__alloc(out, sizeof(ur_real));
    if (!s->data || !s->layer || !s->scratch || !s->memory || !s->out)
        return UR_ENOMEM;
    ur_real *at = s->data;
    for (size_t l = 0; l < L; l++) {
        size_t BH = (size_t)s->B * (size_t)rnn->layer[l].H;
        s->layer[l].h = at;
        at += BH;
        if (rnn->layer[l].cell->has_c) {
            s->layer[l].c = at;
            at += BH;
        }
    }
    return UR_OK;
}

ur_status ur_state_new(ur_state **out, const ur_rnn *rnn, int B, ur_team *team)
{
    *out = NULL;
    UR__TRY(ur__rnn_ready(rnn));
    if (B < 1 || B > (1 << 24))
        return ur__fail(UR_EINVAL, "a state for %d sequences is impossible", B);
    ur_state *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->rnn = rnn;
    s->B = B;
    s->team = team;
    s->piece = PIECE_ROWS / B;
    s->piece = s->piece < 1 ? 1 : s->piece > PIECE_STEPS ? PIECE_STEPS : s->piece;
    ur_status status = take_memory(s);
    if (status != UR_OK) {
        ur_state_free(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

void ur_state_free(ur_state *s)
{
    if (!s)
        return;
    ur__free(s->data);
    ur__free(s->layer);
    ur__free(s->scratch);
    ur__free(s->memory);
    ur__free(s->out);
    ur__free(s->in);
    ur__free(s);
}

void ur_state_zero(ur_state *s)
{
    memset(s->data, 0, s->size * sizeof(ur_real));
    s->steps = 0;
    ur_state_detach(s);
}

ur_real *ur_state_h(ur_state *s, int layer)
{
    return layer >= 0 && layer < s->rnn->stack.layers ? s->layer[layer].h : NULL;
}

ur_real *ur_state_c(ur_state *s, int layer)
{
    return layer >= 0 && layer < s->rnn->stack.layers ? s->layer[layer].c : NULL;
}

ur_real *ur_state_data(ur_state *s, size_t *n)
{
    *n = s->size;
    return s->data;
}

int64_t ur_state_steps(const ur_state *s)
{
    return s->steps;
}

void ur_state_observe(ur_state *s, int every, ur_observer see, void *user)
{
    s->every = see && every > 0 ? every : 0;
    s->see = see;
    s->user = user;
}

static bool fits(const ur_state *s, const ur_tensor *x, int H)
{
    return !x || (ur_rank(x) == 2 && ur_dim(x, 0) == s->B && ur_dim(x, 1) == H);
}

ur_status ur_state_put(ur_state *s, int layer, ur_tensor *h, ur_tensor *c)
{
    if (layer < 0 || layer >= s->rnn->stack.layers)
        return ur__fail(UR_EINVAL, "there is no layer %d of %d", layer, s->rnn->stack.layers);
    const struct ur__rnn_layer *d = &s->rnn->layer[layer];
    if (!fits(s, h, d->H) || !fits(s, c, d->H))
        return ur__fail(UR_ESHAPE, "layer %d: an initial state is %s, not [%d,%d]", layer,
                        ur__shape_text(fits(s, h, d->H) ? c : h), s->B, d->H);
    if (c && !d->cell->has_c)
        return ur__fail(UR_EINVAL, "layer %d: cell %s has no c", layer, d->cell->name);
    if (h && c && h->tape != c->tape)
        return ur__fail(UR_EINVAL, "layer %d: h and c are of different tapes", layer);
    if (h || c)
        s->round = ur__tape_round(h ? h->tape : c->tape);
    s->layer[layer].h_in = h;
    s->layer[layer].c_in = c;
    return UR_OK;
}

void ur_state_tensors(const ur_state *s, int layer, ur_tensor **h, ur_tensor **c)
{
    bool there = layer >= 0 && layer < s->rnn->stack.layers;
    if (h)
        *h = there ? s->layer[layer].h_out : NULL;
    if (c)
        *c = there ? s->layer[layer].c_out : NULL;
}

void ur_state_detach(ur_state *s)
{
    for (int l = 0; l < s->rnn->stack.layers; l++) {
        struct ur__layer_state *x = &s->layer[l];
        x->h_in = x->c_in = x->h_out = x->c_out = NULL;
    }
    s->round = 0;
}

void ur__state_advance(ur_state *s, const struct ur__stack_job *job)
{
    for (int l = 0; s->every && l < s->rnn->stack.layers; l++) {
        ptrdiff_t H = s->rnn->layer[l].H;
        for (int t = 0; t < job->T; t++)
            if ((s->steps + t) % s->every == 0)
                s->see(s->user, l, s->steps + t, s->B, (int)H,
                       job->layer[l].kept.h + (ptrdiff_t)t * s->B * H);
    }
    s->steps += job->T;
}

/* ---- without a tape ---------------------------------------------------- */

static void run_piece(ur_state *s, int T, const ur_real *x, const int32_t *ids, ur_real *y)
{
    struct ur__stack_job job = job_of(s, T);
    job.x = x;
    job.ids = ids;
    job.y = y ? y : s->out;
    ur__stack_place(&job, s->memory);
    for (int l = 0; l < s->rnn->stack.layers; l++) {
        struct ur__sequence *q = &job.layer[l];
        q->p = &s->rnn->packed[l];
        q->h0 = q->hT = s->layer[l].h;
        q->c0 = q->cT = s->layer[l].c;
    }
    ur__stack_forward(&job, s->team);
    ur__state_advance(s, &job);
}

/* Tensors were put and no forward call has read them. */
static bool waits(const ur_state *s)
{
    for (int l = 0; l < s->rnn->stack.layers; l++) {
        const struct ur__layer_state *x = &s->layer[l];
        if ((x->h_in && x->h_in != x->h_out) || (x->c_in && x->c_in != x->c_out))
            return true;
    }
    return false;
}

ur_status ur_rnn_run(const ur_rnn *rnn, ur_state *s, int T, const ur_real *x, const int32_t *ids,
                     ur_real *y)
{
    ptrdiff_t B = s->B, I = ur_rnn_input(rnn), O = ur_rnn_output(rnn);
    UR__TRY(ur__rnn_ready(rnn));
    if (s->rnn != rnn)
        return ur__fail(UR_EINVAL, "the state belongs to another net");
    if (waits(s))
        return ur__fail(UR_EINVAL, "the state waits for ur_rnn_forward with tensors that "
                        "ur_state_put gave it: call ur_state_detach to drop them");
    if ((!x) == (!ids) || T < 0)
        return ur__fail(UR_EINVAL, "a run takes either x or ids, and at least 0 steps");
    if (ids)
        UR__TRY(ur__rnn_check_ids(rnn, (size_t)(T * B), ids));
    for (int t = 0, steps; t < T; t += steps) {
        steps = T - t < s->piece ? T - t : s->piece;
        run_piece(s, steps, x ? x + t * B * I : NULL, ids ? ids + t * B : NULL,
                  y ? y + t * B * O : NULL);
    }
    return UR_OK;
}

ur_status ur_rnn_step(const ur_rnn *rnn, ur_state *s, const ur_real *x, ur_real *y)
{
    return ur_rnn_run(rnn, s, 1, x, NULL, y);
}

ur_status ur_rnn_step_ids(const ur_rnn *rnn, ur_state *s, const int32_t *ids, ur_real *y)
{
    return ur_rnn_run(rnn, s, 1, NULL, ids, y);
}
