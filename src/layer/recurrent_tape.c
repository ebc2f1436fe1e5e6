/* SPDX-License-Identifier: MIT */
/* A recurrent net on the tape: the whole stack over the whole sequence is one node. Its
 * outputs are y and each layer's final h and c; its inputs x and the initial h and c;
 * gradients of its weights go straight to the parameters' flat gradients. */
#include <limits.h>
#include <string.h>

#include "base/status.h"
#include "layer/params.h"
#include "layer/state.h"
#include "tape/tape.h"

/* Trained views of a slot that this node's passes read. */
enum { VIEWS = 7 + UR__CELL_EXTRAS };

/* The numbers that a slot starts from. */
struct start {
    const ur_real *at[UR__BUFFERS];
};

struct node {
    const ur_rnn *rnn;
    struct ur__stack_job job;
    ur_tensor *x, *y;
    struct ur__slot_state *slot;        /* [slots]: the tensors in and out */
    struct start *start;                /* [slots] */
    void *memory;                       /* of the pass, then of the way back */
    struct ur__rnn_weights *w;          /* [slots], these two while running back */
    struct ur__rnn_grads *g;
    const ur_param **reports;           /* [slots][VIEWS] whose gradients to report; or NULL */
    ur_observer see;                    /* the state may be gone when it is called */
    void *user;
};

/* ---- backward ---------------------------------------------------------- */

/* Takes all memory of the way back, and finds where the gradients of the inputs go. */
static ur_status take_back(ur_tape *tape, struct node *n)
{
    struct ur__stack_job *job = &n->job;
    size_t slots = (size_t)n->rnn->slots;
    n->w = ur__tape_record_alloc(tape, slots, sizeof *n->w);
    n->g = ur__tape_record_alloc(tape, slots, sizeof *n->g);
    job->see = n->see;
    n->memory = ur__tape_alloc(tape, ur__stack_back_bytes(job), 1);
    /* An output that got no gradient has zeros. */
    job->dy = n->y->grad ? n->y->grad : ur__tape_zeros(tape, n->y->size, sizeof *job->dy);
    job->dx = NULL;
    if (n->x && n->x->needs_grad)
        job->dx = ur__tape_alloc(tape, n->x->size, sizeof *job->dx);
    if (n->x)
        ur__grad(n->x);
    for (size_t i = 0; i < slots; i++)
        for (int j = 0; j < n->rnn->buffers[i].n; j++)
            if (n->slot[i].at[j].in)
                ur__grad(n->slot[i].at[j].in);
    job->scratch = ur__tape_scratch(tape, ur__stack_scratch(job->k, ur__tape_team(tape)));
    return ur__tape_poisoned(tape) ? ur_tape_status(tape) : UR_OK;
}

static void bind_back(struct node *n)
{
    struct ur__stack_job *job = &n->job;
    for (int i = 0; i < n->rnn->slots; i++) {
        n->w[i] = ur__rnn_weights_of(n->rnn, i);
        n->g[i] = ur__rnn_grads_of(n->rnn, i);
    }
    job->grads = n->g;
    ur__stack_back_place(job, n->w, n->memory);
    for (int i = 0; i < n->rnn->slots; i++) {
        const struct ur__held *h = &n->slot[i].at[0], *c = &n->slot[i].at[1];
        job->layer[i].dhT = h->out->grad;
        job->layer[i].dcT = c->out ? c->out->grad : NULL;
        job->layer[i].ends_at_start = !h->in && !c->in;
    }
}

static void pass_on(const struct ur__stack_job *job, ur_tensor *to, const ur_real *grad)
{
    if (to && to->grad)
        ur__stack_add_state(job, to->size / (size_t)job->B, grad, to->grad);
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

static void back_work(const struct ur__worker *w, void *arg)
{
    struct node *n = arg;
    (void)w;
    bind_back(n);
    ur__stack_backward(&n->job, ur__tape_team(n->y->tape));
    if (n->job.dx && n->x->grad)
        ur__stack_add_dx(&n->job, n->x->grad);
    for (int i = 0; i < n->rnn->slots; i++) {
        pass_on(&n->job, n->slot[i].at[0].in, n->job.layer[i].dh);
        pass_on(&n->job, n->slot[i].at[1].in, n->job.layer[i].dc);
    }
    if (n->see)
        show_gradients(n);
}

static ur_status back(ur_tape *tape, void *saved)
{
    struct node *n = saved;
    if (!reached(n)) {
        for (int l = n->rnn->stack.layers - 1; n->reports && l >= 0; l--)
            report_layer(n, l);
        return UR_OK;
    }
    UR__TRY(take_back(tape, n));
    n->job.done = n->reports ? report_layer : NULL;
    n->job.user = n;
    ur__tape_run(tape, NULL, back_work, n);
    return UR_OK;
}

/* ---- the record -------------------------------------------------------- */

_Static_assert(UR__CELL_EXTRAS == 2, "views_of names each of them");

static void views_of(const ur_rnn *rnn, int slot, const ur_param *all[VIEWS])
{
    const struct ur__rnn_views *v = &rnn->views[slot];
    const ur_param *const own[VIEWS] = {v->w_ih, v->w_hh, v->b_ih, v->b_hh, v->w_hr, v->w_hy,
                                        v->b_hy, v->extra[0], v->extra[1]};
    memcpy(all, own, sizeof own);
}

/* The parameters of each slot in the order of its views, absent ones left out. */
static bool parameter(const void *of, int i, struct ur__tape_param *out)
{
    const ur_rnn *rnn = of;
    for (int slot = 0; slot < rnn->slots; slot++) {
        const ur_param *all[VIEWS];
        views_of(rnn, slot, all);
        for (int j = 0; j < VIEWS; j++) {
            const ur_param *p = all[j];
            if (!p || i-- > 0)
                continue;
            *out = (struct ur__tape_param){p->name, p->rank, p->dim,
                                           ur_param_data(rnn->params, p)};
            return true;
        }
    }
    return false;
}

static int started(const struct node *n)
{
    int count = 0;
    for (int i = 0; i < n->rnn->slots; i++)
        for (int j = 0; j < n->rnn->buffers[i].n; j++)
            count += n->slot[i].at[j].in != NULL;
    return count;
}

/* Inputs: x, if it has one, and the tensors that buffers of state start from. Where there are
 * any, "from" has the place among the inputs for each slot and buffer, or -1: the state's numbers,
 * or zeros, as for all where there is no "from". */
static ur_tensor *note_inputs(ur_tape *tape, struct node *n)
{
    const int all = n->rnn->slots * n->rnn->buffers[0].n, buffers = n->rnn->buffers[0].n;
    int count = n->x ? 1 : 0;
    if (!started(n))
        return ur__tape_note(n->y, "rnn", count, &n->x);
    ur_tensor **inputs = ur__tape_record_alloc(tape, 1 + (size_t)all, sizeof(ur_tensor *));
    int *from = ur__tape_record_alloc(tape, (size_t)all, sizeof *from);
    if (!inputs || !from)
        return NULL;
    inputs[0] = n->x;
    for (int i = 0; i < all; i++) {
        ur_tensor *in = n->slot[i / buffers].at[i % buffers].in;
        from[i] = in ? count : -1;
        if (in)
            inputs[count++] = in;
    }
    ur_tensor *y = ur__tape_note(n->y, "rnn", count, inputs);
    return ur__tape_lend(y, "from", all, from);
}

static ur_tensor *note(ur_tape *tape, struct node *n)
{
    const ur_rnn *rnn = n->rnn;
    ur_tensor *y = note_inputs(tape, n);
    y = ur__tape_whole(y, "cell", 1, (const int[]){(int)rnn->layer[0].cell->kind});
    y = ur__tape_whole(y, "layers", 1, &rnn->stack.layers);
    y = ur__tape_whole(y, "directions", 1, &rnn->stack.directions);
    y = ur__tape_lend(y, "lengths", n->job.B, n->job.lengths);
    y = ur__tape_lend(y, "ids", n->job.T * n->job.B, n->job.ids);
    if (!y)
        return NULL;
    y->params = parameter;
    y->params_of = rnn;
    /* The final state is made by the same node. */
    for (int i = 0; i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++)
            if (!ur__tape_whole(ur__tape_note(n->slot[i].at[j].out, "rnn_state", 1, &y), "slot", 2,
                                (const int[]){i, j}))
                return NULL;
    return y;
}

/* ---- forward ----------------------------------------------------------- */

/* Where a buffer starts from: a tensor, the state's numbers, or zeros: NULL. */
static const ur_real *initial(const struct ur__held *held)
{
    return held->in ? held->in->data : held->data;
}

/* Where slot i starts from. */
static void take_start(ur_tape *tape, struct node *n, int i, const ur_state *s, bool starts)
{
    const struct ur__buffers *b = &n->rnn->buffers[i];
    n->slot[i] = (struct ur__slot_state){0};
    n->start[i] = (struct start){0};
    for (int j = 0; j < b->n; j++) {
        struct ur__held *io = &n->slot[i].at[j];
        if (s) {
            io->data = s->slot[i].at[j].data;
            io->in = ur__held_tensor(&s->slot[i].at[j]);
        }
        if (starts && b->at[j].start && !io->in)
            io->in = ur__state_learned(tape, n->rnn, b->at[j].start, n->job.B);
        n->start[i].at[j] = initial(io);
    }
}

/* y and the final state: after the tensors that the node starts from, in the order of a walk. */
static void take_outputs(ur_tape *tape, struct node *n)
{
    n->y = ur__tensor_new(tape, 3, (const int[]){n->job.T, n->job.B, ur_rnn_output(n->rnn)}, true);
    n->job.y = n->y ? n->y->data : NULL;
    for (int i = 0; i < n->rnn->slots; i++) {
        const struct ur__buffers *b = &n->rnn->buffers[i];
        for (int j = 0; j < b->n; j++)
            n->slot[i].at[j].out =
                ur__tensor_new(tape, 2, (const int[]){n->job.B, b->at[j].size}, true);
    }
}

/* Consecutive random streams for a training pass; the first is the job's. */
static void take_streams(ur_tape *tape, struct ur__stack_job *job)
{
    for (int i = 0; i < ur__stack_streams(job->stack); i++) {
        uint32_t stream;
        job->training = ur__tape_next_dropout(tape, &job->seed, &stream, &job->step);
        job->stream = i == 0 ? stream : job->stream;
    }
}

static void forward_work(const struct ur__worker *w, void *arg)
{
    struct node *n = arg;
    (void)w;
    ur__stack_place(&n->job, n->memory);
    for (int i = 0; i < n->rnn->slots; i++) {
        const struct ur__held *h = &n->slot[i].at[0], *c = &n->slot[i].at[1];
        struct ur__sequence *q = &n->job.layer[i];
        q->p = &n->rnn->packed[i];
        q->h0 = n->start[i].at[0];
        q->c0 = n->start[i].at[1];
        q->hT = h->out->data;
        q->cT = c->out ? c->out->data : NULL;
    }
    ur__stack_forward(&n->job, ur__tape_team(n->y->tape));
}

/* Notes which gradients this node is the last to add to. */
static void claim(ur_tape *tape, struct node *n)
{
    const ur_rnn *rnn = n->rnn;
    if (!ur__params_reports(rnn->params))
        return;
    n->reports = ur__tape_record_alloc(tape, (size_t)rnn->slots * VIEWS, sizeof *n->reports);
    for (int i = 0; n->reports && i < rnn->slots; i++) {
        const ur_param *all[VIEWS];
        views_of(rnn, i, all);
        for (int j = 0; j < VIEWS; j++) {
            bool mine = all[j] && ur__params_claim(rnn->params, tape, all[j]);
            n->reports[i * VIEWS + j] = mine ? all[j] : NULL;
        }
    }
}

static ur_status compute(ur_tape *tape, struct node *n, ur_state *s)
{
    const ur_rnn *rnn = n->rnn;
    size_t slots = (size_t)rnn->slots;
    claim(tape, n);
    take_streams(tape, &n->job);
    n->memory = ur__tape_alloc(tape, ur__stack_bytes(&n->job), 1);
    n->slot = ur__tape_record_alloc(tape, slots, sizeof *n->slot);
    n->start = ur__tape_record_alloc(tape, slots, sizeof *n->start);
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    bool starts = ur__rnn_learns_state(rnn)
        && (!s || ur__tape_measures(tape) || ur__state_starts(s));
    for (int i = 0; i < rnn->slots; i++)
        take_start(tape, n, i, s, starts);
    take_outputs(tape, n);
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    ur__tape_run(tape, NULL, forward_work, n);
    return ur__tape_record(tape, back, n);
}

/* x [T,B,I], or NULL and ids; T and B are those of `by` either way. */
static ur_tensor *run(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, ur_ids by,
                      const int *lengths, ur_state *s)
{
    const int32_t *ids = by.id;
    int T = by.T, B = by.B;
    ur_status status = ur__rnn_check_pass(tape, rnn, T, B, lengths, s);
    if (status == UR_OK && ids && !ur__tape_measures(tape))
        status = ur__rnn_check_ids(rnn, (size_t)T * (size_t)B, ids);
    if (status != UR_OK)
        return ur__tape_failed(tape, status);
    struct node *n = ur__tape_record_alloc(tape, 1, sizeof *n);
    lengths = ur__tape_copy(tape, lengths, (size_t)B, sizeof *lengths);
    ids = ur__tape_copy(tape, ids, (size_t)T * (size_t)B, sizeof *ids);
    if (ur__tape_poisoned(tape))
        return NULL;
    *n = (struct node){.rnn = rnn, .x = x};
    if (s) {
        n->see = s->see_gradients;
        n->user = s->gradients_user;
    }
    n->job = (struct ur__stack_job){
        .k = rnn->k, .stack = &rnn->stack, .T = T, .B = B, .lengths = lengths,
        .x = x ? x->data : NULL, .ids = ids,
        .scratch = ur__tape_scratch(tape, ur__stack_scratch(rnn->k, ur__tape_team(tape))),
    };
    if (ur__tape_poisoned(tape) || compute(tape, n, s) != UR_OK || !note(tape, n))
        return NULL;
    if (s)
        ur__state_leave(s, tape, n->slot);
    if (s && !ur__tape_measures(tape))
        ur__state_advance_job(s, &n->job);
    return n->y;
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
    return run(tape, rnn, x, (ur_ids){NULL, ur_dim(x, 0), ur_dim(x, 1)}, lengths, s);
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
    if (!ids.id)
        return ur__tape_fail(tape, UR_EINVAL, "rnn: the ids' id is NULL");
    if (ids.T < 1 || ids.B < 1)
        return ur__tape_fail(tape, UR_ESHAPE, "rnn: there are no input numbers ([%d,%d])", ids.T,
                             ids.B);
    if (rnn->tape_cell)
        return ur__rnn_unroll(tape, rnn, ur__rnn_one_hot(tape, rnn, ids), lengths, s);
    return run(tape, rnn, NULL, ids, lengths, s);
}
