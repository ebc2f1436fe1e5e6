/* SPDX-License-Identifier: MIT */
/* A recurrent net on the tape: the whole stack over the whole sequence is one node. Its
 * outputs are y and each layer's final h and c; its inputs x and the initial h and c;
 * gradients of its weights go straight to the parameters' flat gradients. */
#include <limits.h>
#include <string.h>

#include "base/status.h"
#include "kernel/select.h"
#include "layer/params.h"
#include "layer/room.h"
#include "layer/state.h"
#include "tape/tape.h"

/* Trained views of a slot that this node's passes read. */
enum { VIEWS = 7 + UR__CELL_EXTRAS };

struct node {
    const ur_rnn *rnn;
    struct ur__stack_job job;
    ur_tensor *x, *y;
    struct ur__slot_state *slot;        /* [slots]: the tensors in and out */
    const ur_param **reports;           /* [slots][VIEWS] whose gradients to report; or NULL */
    ur_observer see;                    /* the state may be gone when it is called */
    void *user;
};

/* ---- backward ---------------------------------------------------------- */

/* Gradient of an output that may have got none: zeros then. */
static const ur_real *grad_or_zeros(ur_tape *tape, const ur_tensor *y)
{
    if (y->grad)
        return y->grad;
    ur_real *zeros = ur__tape_alloc(tape, y->size, sizeof *zeros);
    if (zeros)
        memset(zeros, 0, y->size * sizeof *zeros);
    return zeros;
}

static ur_status bind_back(ur_tape *tape, struct node *n)
{
    struct ur__stack_job *job = &n->job;
    int slots = n->rnn->slots;
    struct ur__rnn_weights *w = ur__tape_alloc(tape, (size_t)slots, sizeof *w);
    struct ur__rnn_grads *g = ur__tape_alloc(tape, (size_t)slots, sizeof *g);
    job->see = n->see;
    void *memory = ur__tape_alloc(tape, ur__stack_back_bytes(job), 1);
    job->dy = grad_or_zeros(tape, n->y);
    job->dx = NULL;
    if (n->x && n->x->needs_grad)
        job->dx = ur__tape_alloc(tape, n->x->size, sizeof(ur_real));
    job->scratch = ur__tape_scratch(tape, ur__stack_scratch(job->k, ur__tape_team(tape)));
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    for (int i = 0; i < slots; i++) {
        w[i] = ur__rnn_weights_of(n->rnn, i);
        g[i] = ur__rnn_grads_of(n->rnn, i);
    }
    job->grads = g;
    ur__stack_back_place(job, w, memory);
    for (int i = 0; i < slots; i++) {
        const struct ur__held *h = &n->slot[i].at[0], *c = &n->slot[i].at[1];
        job->layer[i].dhT = h->out->grad;
        job->layer[i].dcT = c->out ? c->out->grad : NULL;
    }
    return UR_OK;
}

static void pass_on(const struct ur__kernel *k, ur_tensor *to, const ur_real *grad)
{
    ur_real *sum = to ? ur__grad(to) : NULL;
    if (sum)
        k->add(to->size, sum, grad, sum);
}

static bool reached(const struct node *n)
{
    bool any = n->y->grad;
    for (int i = 0; i < n->rnn->slots; i++)
        for (int j = 0; j < n->rnn->buffers[i].n; j++)
            any = any || n->slot[i].at[j].out->grad;
    return any;
}

static void show_gradients(const struct node *n)
{
    for (int i = 0; i < n->rnn->slots; i++) {
        const struct ur__sequence *q = &n->job.layer[i];
        for (int t = 0; t < q->T; t++)
            n->see(n->user, i, t, q->B, q->d->P, q->seen + (ptrdiff_t)t * q->B * q->d->P);
    }
}

static void report_layer(void *user, int l)
{
    const struct node *n = user;
    int per_layer = n->rnn->stack.directions * VIEWS;
    for (int i = l * per_layer; i < (l + 1) * per_layer; i++)
        if (n->reports[i])
            ur__params_report(n->rnn->params, n->reports[i]);
}

static ur_status back(ur_tape *tape, void *saved)
{
    struct node *n = saved;
    if (!reached(n)) {
        for (int l = n->rnn->stack.layers - 1; n->reports && l >= 0; l--)
            report_layer(n, l);
        return UR_OK;
    }
    UR__TRY(bind_back(tape, n));
    n->job.done = n->reports ? report_layer : NULL;
    n->job.user = n;
    ur__stack_backward(&n->job, ur__tape_team(tape));
    pass_on(n->job.k, n->job.dx ? n->x : NULL, n->job.dx);
    for (int i = 0; i < n->rnn->slots; i++) {
        pass_on(n->job.k, n->slot[i].at[0].in, n->job.layer[i].dh);
        pass_on(n->job.k, n->slot[i].at[1].in, n->job.layer[i].dc);
    }
    if (n->see)
        show_gradients(n);
    return UR_OK;
}

/* ---- forward ----------------------------------------------------------- */

/* Where a buffer starts from: a tensor, the state's numbers, or zeros. */
static const ur_real *initial(ur_tape *tape, const struct ur__held *held, size_t n)
{
    if (held->in)
        return held->in->data;
    if (held->data)
        return held->data;
    ur_real *zeros = ur__tape_alloc(tape, n, sizeof *zeros);
    if (zeros)
        memset(zeros, 0, n * sizeof *zeros);
    return zeros;
}

static void bind_state(ur_tape *tape, struct node *n, int i, const ur_state *s, bool starts)
{
    const struct ur__buffers *b = &n->rnn->buffers[i];
    struct ur__sequence *q = &n->job.layer[i];
    const ur_real *first[2] = {NULL, NULL};
    ur_real *last[2] = {NULL, NULL};
    n->slot[i] = (struct ur__slot_state){0};
    for (int j = 0; j < b->n; j++) {
        struct ur__held *io = &n->slot[i].at[j];
        int dim[2] = {n->job.B, b->at[j].size};
        if (s) {
            io->data = s->slot[i].at[j].data;
            io->in = ur__held_tensor(&s->slot[i].at[j]);
        }
        if (starts && b->at[j].start && !io->in)
            io->in = ur__state_learned(tape, n->rnn, b->at[j].start, n->job.B);
        io->out = ur__tensor_new(tape, 2, dim, true);
        first[j] = initial(tape, io, (size_t)dim[0] * (size_t)dim[1]);
        last[j] = io->out ? io->out->data : NULL;
    }
    q->p = &n->rnn->packed[i];
    q->h0 = first[0];
    q->hT = last[0];
    q->c0 = first[1];
    q->cT = last[1];
}

/* x, or a copy of it whose padding is zero where x's is not finite: the products of
 * backward take padding times a gradient of zero. */
static const ur_real *sound_input(ur_tape *tape, const struct ur__kernel *k, const ur_tensor *x,
                                  const int *lengths)
{
    size_t B = (size_t)x->dim[1], I = (size_t)x->dim[2], rows = (size_t)x->dim[0] * B;
    ur_real *copy = NULL;
    for (size_t r = 0; r < rows; r++) {
        if (r / B < (size_t)lengths[r % B] || k->find_nonfinite(I, x->data + r * I) == I)
            continue;
        if (!copy) {
            copy = ur__tape_alloc(tape, x->size, sizeof *copy);
            if (!copy)
                return NULL;
            memcpy(copy, x->data, x->size * sizeof *copy);
        }
        memset(copy + r * I, 0, I * sizeof *copy);
    }
    return copy ? copy : x->data;
}

/* Random streams for a pass in training: neighbours, the first one is the job's. */
static void take_streams(ur_tape *tape, struct ur__stack_job *job)
{
    for (int i = 0; i < ur__stack_streams(job->stack); i++) {
        uint32_t stream;
        job->training = ur__tape_next_dropout(tape, &job->seed, &stream, &job->step);
        job->stream = i == 0 ? stream : job->stream;
    }
}

/* A copy in the arena, or NULL of NULL: backward comes after the caller's arrays may be
 * gone. */
static void *own(ur_tape *tape, const void *from, size_t n, size_t size)
{
    void *copy = from ? ur__tape_alloc(tape, n, size) : NULL;
    return copy ? memcpy(copy, from, n * size) : NULL;
}

/* Notes which gradients this node is the last to add to. */
static void claim(ur_tape *tape, struct node *n)
{
    const ur_rnn *rnn = n->rnn;
    if (!ur__params_reports(rnn->params))
        return;
    n->reports = ur__tape_alloc(tape, (size_t)rnn->slots * VIEWS, sizeof *n->reports);
    for (int i = 0; n->reports && i < rnn->slots; i++) {
        const struct ur__rnn_views *v = &rnn->views[i];
        const ur_param *all[VIEWS] = {v->w_ih, v->w_hh, v->b_ih, v->b_hh, v->w_hr, v->w_hy, v->b_hy,
                                      v->extra[0], v->extra[1]};
        for (int j = 0; j < VIEWS; j++) {
            bool mine = all[j] && ur__params_claim(rnn->params, tape, all[j]);
            n->reports[i * VIEWS + j] = mine ? all[j] : NULL;
        }
    }
}

static ur_status compute(ur_tape *tape, struct node *n, ur_state *s)
{
    const ur_rnn *rnn = n->rnn;
    claim(tape, n);
    take_streams(tape, &n->job);
    void *memory = ur__tape_alloc(tape, ur__stack_bytes(&n->job), 1);
    n->slot = ur__tape_alloc(tape, (size_t)rnn->slots, sizeof *n->slot);
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    ur__stack_place(&n->job, memory);
    bool starts = ur__rnn_learns_state(rnn) && (!s || ur__state_starts(s));
    for (int i = 0; i < rnn->slots; i++)
        bind_state(tape, n, i, s, starts);
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    ur__stack_forward(&n->job, ur__tape_team(tape));
    return ur__tape_record(tape, back, n);
}

static ur_tensor *run(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int32_t *ids, int T,
                      int B, const int *lengths, ur_state *s)
{
    ur_status status = ur__rnn_check_pass(tape, rnn, T, B, lengths, s);
    if (status == UR_OK && ids)
        status = ur__rnn_check_ids(rnn, (size_t)T * (size_t)B, ids);
    if (status != UR_OK)
        return ur__tape_failed(tape, status);
    int dim[3] = {T, B, ur_rnn_output(rnn)};
    struct node *n = ur__tape_alloc(tape, 1, sizeof *n);
    lengths = own(tape, lengths, (size_t)B, sizeof *lengths);
    ids = own(tape, ids, (size_t)T * (size_t)B, sizeof *ids);
    ur_tensor *y = ur__tensor_new(tape, 3, dim, true);
    if (ur__tape_poisoned(tape))
        return NULL;
    *n = (struct node){.rnn = rnn, .x = x, .y = y};
    if (s) {
        n->see = s->see_gradients;
        n->user = s->gradients_user;
    }
    n->job = (struct ur__stack_job){
        .k = rnn->k, .stack = &rnn->stack, .T = T, .B = B, .lengths = lengths,
        .x = !x ? NULL : lengths ? sound_input(tape, rnn->k, x, lengths) : x->data,
        .ids = ids, .y = y->data,
        .scratch = ur__tape_scratch(tape, ur__stack_scratch(rnn->k, ur__tape_team(tape))),
    };
    if (ur__tape_poisoned(tape) || compute(tape, n, s) != UR_OK ||
        !ur__tape_note(y, "rnn", x ? 1 : 0, &x))
        return NULL;
    if (s) {
        ur__state_leave(s, tape, n->slot);
        ur__state_advance_job(s, &n->job);
    }
    return y;
}

ur_tensor *ur_rnn_forward(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int *lengths,
                          ur_state *s)
{
    if (!x)
        return NULL;
    if (!tape || x->tape != tape)
        return ur__tape_fail(x->tape, UR_EINVAL, "rnn: x is of another tape");
    if (!rnn)
        return ur__tape_fail(tape, UR_EINVAL, "rnn: the net is NULL");
    if (ur_rank(x) != 3 || ur_dim(x, 2) != ur_rnn_input(rnn))
        return ur__tape_fail(tape, UR_ESHAPE, "rnn: x is %s but the net expects [T,B,%d]",
                             ur__shape_text(x), ur_rnn_input(rnn));
    if (rnn->tape_cell)
        return ur__rnn_unroll(tape, rnn, x, lengths, s);
    return run(tape, rnn, x, NULL, ur_dim(x, 0), ur_dim(x, 1), lengths, s);
}

ur_tensor *ur_rnn_forward_ids(ur_tape *tape, const ur_rnn *rnn, ur_ids ids, const int *lengths,
                              ur_state *s)
{
    if (!tape) {
        ur__fail(UR_EINVAL, "rnn: the tape is NULL");
        return NULL;
    }
    if (!rnn)
        return ur__tape_fail(tape, UR_EINVAL, "rnn: the net is NULL");
    if (!ids.id || ids.T < 1 || ids.B < 1)
        return ur__tape_fail(tape, UR_ESHAPE, "rnn: there are no input numbers ([%d,%d])", ids.T,
                             ids.B);
    if (rnn->tape_cell)
        return ur__rnn_unroll(tape, rnn, ur__rnn_one_hot(tape, rnn, ids), lengths, s);
    return run(tape, rnn, NULL, ids.id, ids.T, ids.B, lengths, s);
}

/* ---- known beforehand -------------------------------------------------- */

static size_t slot_bytes(const struct ur__rnn_layer *d, const struct ur__pass *p, bool learns)
{
    size_t numbers = (size_t)p->B * ((size_t)d->P + (d->cell->c ? (size_t)d->H : 0));
    size_t copies = 1 + (size_t)!p->state + (learns ? 3 : 0);   /* out, in, and what is learnt */
    return 8 * UR__ROOM_SMALL + copies * numbers * sizeof(ur_real);
}

size_t ur__rnn_tape_bytes(const ur_rnn *rnn, const struct ur__pass *p)
{
    static const int32_t some_id;
    static const int some_length;
    size_t TB = (size_t)p->T * (size_t)p->B;
    size_t y = TB * (size_t)ur_rnn_output(rnn) * sizeof(ur_real);
    size_t x = TB * (size_t)ur_rnn_input(rnn) * sizeof(ur_real);
    const struct ur__stack_job job = {
        .k = ur__kernel(), .stack = &rnn->stack, .T = p->T, .B = p->B, .training = p->back,
        .ids = p->ids ? &some_id : NULL, .lengths = p->lengths ? &some_length : NULL,
        .see = p->see,
    };
    size_t bytes = 4 * UR__ROOM_SMALL + y + ur__stack_bytes(&job);
    bytes += p->ids ? TB * sizeof *job.ids : 0;
    bytes += p->lengths ? (size_t)p->B * sizeof *job.lengths : 0;
    for (int i = 0; i < rnn->slots; i++)
        bytes += slot_bytes(&rnn->layer[i], p, ur__rnn_learns_state(rnn));
    if (p->back)    /* the gradient of y; of x what this node finds and what it adds it to */
        bytes += y + ur__stack_back_bytes(&job) + (p->ids ? 0 : 2 * x);
    return bytes;
}

size_t ur__rnn_tape_scratch(ur_team *team)
{
    return ur__stack_scratch(ur__kernel(), team);
}
