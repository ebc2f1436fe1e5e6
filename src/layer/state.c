/* SPDX-License-Identifier: MIT */
/* What a net remembers, and running it without a tape: the same passes as in training,
 * a few steps at a time in memory that was taken once. */
#include "layer/state.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "layer/room.h"
#include "tape/tape.h"

/* Steps in a piece: enough rows for the register tile when the batch is small. */
enum { PIECE_ROWS = 64, PIECE_STEPS = 16 };

static struct ur__stack_job job_of(const ur_state *s, int T)
{
    return (struct ur__stack_job){
        .k = s->rnn->k, .stack = &s->rnn->stack, .T = T, .B = s->B, .scratch = s->scratch,
    };
}

/* Numbers of one slot's h and c. */
static size_t slot_size(const ur_state *s, int i)
{
    const struct ur__rnn_layer *d = &s->rnn->layer[i];
    return (size_t)s->B * ((size_t)d->P + (d->cell->c ? (size_t)d->H : 0));
}

static void bind_slots(ur_state *s)
{
    ur_real *at = s->data;
    for (int i = 0; i < s->rnn->slots; i++) {
        const struct ur__rnn_layer *d = &s->rnn->layer[i];
        s->layer[i].h = at;
        s->layer[i].c = d->cell->c ? at + (size_t)s->B * (size_t)d->P : NULL;
        at += slot_size(s, i);
    }
}

static void measure(ur_state *s)
{
    s->piece = PIECE_ROWS / s->B;
    s->piece = s->piece < 1 ? 1 : s->piece > PIECE_STEPS ? PIECE_STEPS : s->piece;
    for (int i = 0; i < s->rnn->slots; i++)
        s->size += slot_size(s, i);
}

static ur_status take_memory(ur_state *s)
{
    const ur_rnn *rnn = s->rnn;
    size_t widest = 0, out;
    for (int i = 0; i < rnn->slots; i++) {
        size_t P = (size_t)rnn->layer[i].P;
        widest = P > widest ? P : widest;
    }
    s->data = ur__calloc(s->size, sizeof(ur_real));
    s->layer = ur__calloc((size_t)rnn->slots, sizeof *s->layer);
    s->scratch = ur__alloc(ur__stack_scratch(rnn->k, s->team), 1);
    struct ur__stack_job job = job_of(s, s->piece);
    if (!ur__mul(&out, (size_t)s->piece * (size_t)s->B, (size_t)ur_rnn_output(rnn)))
        return ur__fail(UR_ENOMEM, "a state for %d sequences does not fit in memory", s->B);
    s->memory = ur__alloc(ur__stack_bytes(&job), 1);
    s->out = ur__alloc(out, sizeof(ur_real));
    if (!s->data || !s->layer || !s->scratch || !s->memory || !s->out)
        return UR_ENOMEM;
    if (rnn->stack.directions > 1 && !(s->row = ur__alloc((size_t)s->B * widest, sizeof *s->row)))
        return UR_ENOMEM;
    if (ur__rnn_learns_state(rnn) && !(s->start = ur__calloc(s->size, sizeof *s->start)))
        return UR_ENOMEM;
    bind_slots(s);
    return UR_OK;
}

/* ---- learned initial states -------------------------------------------- */

/* As on the tape, where they are added to zeros. */
static void spread(const ur_state *s, const ur_param *p, ur_real *to)
{
    const ur_real *from = ur_param_data(s->rnn->params, p);
    for (size_t b = 0; b < (size_t)s->B; b++)
        for (size_t i = 0; i < p->size; i++)
            to[b * p->size + i] = 0 + from[i];
}

static void fill_start(ur_state *s)
{
    unsigned mode = ur__fpmode_default();   /* zeros are added */
    for (int i = 0; s->start && i < s->rnn->slots; i++) {
        const struct ur__rnn_views *v = &s->rnn->views[i];
        spread(s, v->h_0, s->layer[i].h);
        if (v->c_0)
            spread(s, v->c_0, s->layer[i].c);
    }
    if (s->start)
        memcpy(s->start, s->data, s->size * sizeof *s->start);
    ur__fpmode_restore(mode);
}

bool ur__state_starts(ur_state *s)
{
    if (!s->start || s->steps || memcmp(s->data, s->start, s->size * sizeof *s->start) != 0)
        return false;
    fill_start(s);
    return true;
}

ur_status ur_state_new(ur_state **out, const ur_rnn *rnn, int B, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(rnn, "rnn");
    UR__TRY(ur__rnn_ready(rnn));
    if (B < 1 || B > (1 << 24))
        return ur__fail(UR_EINVAL, "a state for %d sequences is impossible", B);
    ur_state *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->rnn = rnn;
    s->B = B;
    s->team = team;
    measure(s);
    ur_status status = take_memory(s);
    if (status != UR_OK) {
        ur_state_free(s);
        return status;
    }
    fill_start(s);
    *out = s;
    return UR_OK;
}

size_t ur__state_bytes(const ur_rnn *rnn, int B, ur_team *team, size_t *carried)
{
    const struct ur__kernel *k = ur__kernel();
    ur_state s = {.rnn = rnn, .B = B, .team = team};
    measure(&s);
    *carried = s.size;
    const struct ur__stack_job job = {.k = k, .stack = &rnn->stack, .T = s.piece, .B = B};
    size_t out = (size_t)s.piece * (size_t)B * (size_t)ur_rnn_output(rnn);
    size_t reals = s.size + out + (ur__rnn_learns_state(rnn) ? s.size : 0);
    return sizeof s + (size_t)rnn->slots * sizeof *s.layer + reals * sizeof(ur_real)
        + ur__stack_scratch(k, team) + ur__stack_bytes(&job);
}

void ur_state_free(ur_state *s)
{
    if (!s)
        return;
    ur__free(s->data);
    ur__free(s->layer);
    ur__free(s->start);
    ur__free(s->row);
    ur__free(s->scratch);
    ur__free(s->memory);
    ur__free(s->out);
    ur__free(s->in);
    ur__free(s);
}

ur_status ur__state_idle(const ur_state *s)
{
    if (s->busy)
        return ur__fail(UR_EINVAL, "the state is in use: an observer of it called back");
    return UR_OK;
}

void ur_state_zero(ur_state *s)
{
    UR__NEED_OR(s, "state", );
    if (ur__state_idle(s) != UR_OK)
        return;
    memset(s->data, 0, s->size * sizeof(ur_real));
    fill_start(s);
    s->steps = 0;
    ur_state_detach(s);
}

ur_real *ur_state_h(ur_state *s, int slot)
{
    UR__NEED_OR(s, "state", NULL);
    return slot >= 0 && slot < s->rnn->slots ? s->layer[slot].h : NULL;
}

ur_real *ur_state_c(ur_state *s, int slot)
{
    UR__NEED_OR(s, "state", NULL);
    return slot >= 0 && slot < s->rnn->slots ? s->layer[slot].c : NULL;
}

ur_real *ur_state_data(ur_state *s, size_t *n)
{
    UR__NEED_OR(n, "n", NULL);
    *n = 0;
    UR__NEED_OR(s, "state", NULL);
    *n = s->size;
    return s->data;
}

int64_t ur_state_steps(const ur_state *s)
{
    UR__NEED_OR(s, "state", 0);
    return s->steps;
}

void ur_state_observe(ur_state *s, int every, ur_observer see, void *user)
{
    UR__NEED_OR(s, "state", );
    s->every = see && every > 0 ? every : 0;
    s->see = see;
    s->user = user;
}

void ur_state_observe_gradients(ur_state *s, ur_observer see, void *user)
{
    UR__NEED_OR(s, "state", );
    s->see_gradients = see;
    s->gradients_user = user;
}

static bool fits(const ur_state *s, const ur_tensor *x, int H)
{
    return !x || (ur_rank(x) == 2 && ur_dim(x, 0) == s->B && ur_dim(x, 1) == H);
}

ur_status ur_state_put(ur_state *s, int slot, ur_tensor *h, ur_tensor *c)
{
    UR__NEED(s, "state");
    if (slot < 0 || slot >= s->rnn->slots)
        return ur__fail(UR_EINVAL, "there is no slot %d of %d", slot, s->rnn->slots);
    const struct ur__rnn_layer *d = &s->rnn->layer[slot];
    if (c && !d->cell->c)
        return ur__fail(UR_EINVAL, "slot %d: cell %s has no c", slot, d->cell->name);
    if (!fits(s, h, d->P))
        return ur__fail(UR_ESHAPE, "slot %d: an initial h is %s, not [%d,%d]", slot,
                        ur__shape_text(h), s->B, d->P);
    if (!fits(s, c, d->H))
        return ur__fail(UR_ESHAPE, "slot %d: an initial c is %s, not [%d,%d]", slot,
                        ur__shape_text(c), s->B, d->H);
    if (h && c && h->tape != c->tape)
        return ur__fail(UR_EINVAL, "slot %d: h and c are of different tapes", slot);
    if (h || c)
        s->round = ur__tape_round(h ? h->tape : c->tape);
    s->layer[slot].h_in = h;
    s->layer[slot].c_in = c;
    return UR_OK;
}

void ur_state_tensors(const ur_state *s, int slot, ur_tensor **h, ur_tensor **c)
{
    bool there = s && slot >= 0 && slot < s->rnn->slots;
    if (!s)
        ur__fail(UR_EINVAL, "ur_state_tensors: state is NULL");
    if (h)
        *h = there ? s->layer[slot].h_out : NULL;
    if (c)
        *c = there ? s->layer[slot].c_out : NULL;
}

void ur_state_detach(ur_state *s)
{
    UR__NEED_OR(s, "state", );
    for (int i = 0; i < s->rnn->slots; i++) {
        struct ur__layer_state *x = &s->layer[i];
        x->h_in = x->c_in = x->h_out = x->c_out = NULL;
    }
    s->round = 0;
}

/* h [B,P] of step t, side by side. */
static const ur_real *rows_of(const ur_state *s, const struct ur__sequence *q, int t)
{
    ptrdiff_t P = q->d->P, ld = q->kept.ld_h;
    const ur_real *h = q->kept.h + (ptrdiff_t)t * s->B * ld;
    if (ld == P)
        return h;
    for (ptrdiff_t b = 0; b < s->B; b++)
        memcpy(s->row + b * P, h + b * ld, (size_t)P * sizeof *h);
    return s->row;
}

void ur__state_advance(ur_state *s, const struct ur__stack_job *job)
{
    s->busy = true;
    for (int i = 0; s->every && i < s->rnn->slots; i++) {
        for (int t = 0; t < job->T; t++)
            if ((s->steps + t) % s->every == 0)
                s->see(s->user, i, s->steps + t, s->B, job->layer[i].d->P,
                       rows_of(s, &job->layer[i], t));
    }
    s->busy = false;
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
    for (int i = 0; i < s->rnn->slots; i++) {
        struct ur__sequence *q = &job.layer[i];
        q->p = &s->rnn->packed[i];
        q->h0 = q->hT = s->layer[i].h;
        q->c0 = q->cT = s->layer[i].c;
    }
    ur__stack_forward(&job, s->team);
    ur__state_advance(s, &job);
}

/* Tensors were put and no forward call has read them. */
static bool waits(const ur_state *s)
{
    for (int i = 0; i < s->rnn->slots; i++) {
        const struct ur__layer_state *x = &s->layer[i];
        if ((x->h_in && x->h_in != x->h_out) || (x->c_in && x->c_in != x->c_out))
            return true;
    }
    return false;
}

ur_status ur_rnn_run(const ur_rnn *rnn, ur_state *s, int T, const ur_real *x, const int32_t *ids,
                     ur_real *y)
{
    UR__NEED(rnn, "rnn");
    UR__NEED(s, "state");
    ptrdiff_t B = s->B, I = ur_rnn_input(rnn), O = ur_rnn_output(rnn);
    UR__TRY(ur__rnn_ready(rnn));
    if (s->rnn != rnn)
        return ur__fail(UR_EINVAL, "the state belongs to another net");
    UR__TRY(ur__state_idle(s));
    if (rnn->stack.directions > 1)
        return ur__fail(UR_EINVAL, "a net of two directions needs the whole sequence: "
                        "ur_rnn_forward");
    if (waits(s))
        return ur__fail(UR_EINVAL, "the state waits for ur_rnn_forward with tensors that "
                        "ur_state_put gave it: call ur_state_detach to drop them");
    if ((!x) == (!ids) || T < 0)
        return ur__fail(UR_EINVAL, "a run takes either x or ids, and at least 0 steps");
    if (ids)
        UR__TRY(ur__rnn_check_ids(rnn, (size_t)(T * B), ids));
    ur__state_starts(s);
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
