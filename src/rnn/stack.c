/* SPDX-License-Identifier: MIT */
/* The passes: who computes which rows, and what happens between the layers. Memory is
 * laid out by layout.c. */
#include "rnn/stack.h"

#include "kernel/gemm.h"

/* Multiply-adds of a step, per layer, that make one more worker worthwhile. */
#define WORTH_JOINING 65536.0
/* Recurrent weights of a layer that are too large for a cache close to the core. */
#define LARGE_WEIGHTS 262144.0

/* The same of a ragged batch: each living row gets the draw that it has in the padded batch. */
static void drop_living(const struct ur__stack_job *job, int l, int b0, int b1, const ur_real *x,
                        ur_real *y)
{
    const struct ur__ragged *r = job->ragged;
    ptrdiff_t n = ur__stack_output(job->stack, l);
    for (int t = 0; t < job->T; t++)
        for (int b = b0; b < b1 && b < r->alive[t]; b++) {
            ptrdiff_t at = (r->at[t] + b) * n;
            ptrdiff_t step = job->stack->variational ? 0 : (ptrdiff_t)t * job->B;
            const struct ur__draws draws = {.seed = job->seed, .step = job->step,
                                            .stream = job->stream + (uint32_t)l,
                                            .first = (uint64_t)((step + r->row[b]) * n)};
            job->k->dropout((size_t)n, job->stack->dropout, &draws, x + at, y + at);
        }
}

/* Dropout on rows [b0,b1) of layer l's outputs, forward or back. */
static void drop(const struct ur__stack_job *job, int l, int b0, int b1, const ur_real *x,
                 ur_real *y)
{
    ptrdiff_t n = ur__stack_output(job->stack, l), row = (ptrdiff_t)b0 * n;
    if (job->ragged) {
        drop_living(job, l, b0, b1, x, y);
        return;
    }
    for (int t = 0; t < job->T; t++) {
        ptrdiff_t at = (ptrdiff_t)t * job->B * n + row;
        ptrdiff_t index = job->stack->variational ? row : at;
        const struct ur__draws draws = {.seed = job->seed, .stream = job->stream + (uint32_t)l,
                                        .step = job->step, .first = (uint64_t)index};
        job->k->dropout((size_t)(b1 - b0) * (size_t)n, job->stack->dropout, &draws, x + at,
                        y + at);
    }
}

static void *own_scratch(const struct ur__stack_job *job, const struct ur__worker *w)
{
    return (char *)job->scratch + (size_t)w->index * ur__gemm_scratch(job->k, 1);
}

/* How many of n workers split the hidden units of every step; 1: rows are split instead. Rows need
 * no barrier, but each worker then reads all weights for its few rows; units need two barriers a
 * step, of some tenths of a microsecond each. */
static int unit_workers(const struct ur__stack_job *job, int n)
{
    int slots = job->stack->layers * job->stack->directions, join;
    double weights = 0;
    for (int i = 0; i < slots; i++) {
        const struct ur__rnn_layer *d = &job->stack->layer[i];
        weights += (double)d->cell->gates * d->H * d->P / slots;
    }
    bool few_rows = (job->B + n - 1) / n < job->k->mr && weights >= LARGE_WEIGHTS;
    if (n <= 1 || (job->B >= n && !few_rows))
        return 1;
    join = weights * job->B / WORTH_JOINING < n ? (int)(weights * job->B / WORTH_JOINING) : n;
    return join < 2 ? 1 : join;
}

/* This worker's rows. */
static void share_rows(const struct ur__stack_job *job, const struct ur__worker *w, int *b0,
                       int *b1)
{
    if (job->ragged)
        ur__ragged_share(job->ragged, job->B, w, b0, b1);
    else
        ur__share(job->B, 1, w->index, w->n, b0, b1);
}

static void gather_input(const struct ur__stack_job *job, const struct ur__rows *rows)
{
    if (!rows->split || rows->split->index == 0)
        ur__ragged_note(job->ragged, rows->b0, rows->b1);
    if (job->ids)
        ur__ragged_gather(rows, sizeof *job->ids, job->ids, job->living_ids);
    else
        ur__ragged_gather(rows, (size_t)job->stack->layer[0].I * sizeof *job->x, job->x,
                          job->living_x);
    if (rows->split)
        ur__team_barrier(rows->split);
}

static void forward_layers(struct ur__stack_job *job, int b0, int b1,
                           const struct ur__worker *split)
{
    int D = job->stack->directions, top = job->stack->layers - 1;
    const struct ur__rows rows = {job->ragged, job->T, job->B, b0, b1, split};
    if (job->ragged)
        gather_input(job, &rows);
    for (int l = 0; l < job->stack->layers; l++) {
        for (int d = 0; d < D; d++)
            ur__sequence_forward(&job->layer[l * D + d], b0, b1, split);
        if (!job->dropped[l])
            continue;
        if (b0 < b1 && (!split || split->index == 0))
            drop(job, l, b0, b1, job->out[l], job->dropped[l]);
        if (split)
            ur__team_barrier(split);
    }
    if (job->ragged)
        ur__ragged_spread(&rows, (size_t)ur__stack_output(job->stack, top) * sizeof *job->y,
                          job->out[top], job->y);
}

static void forward(const struct ur__worker *w, void *arg)
{
    struct ur__stack_job *job = arg;
    struct ur__worker some = *w;
    int b0, b1;
    some.n = unit_workers(job, w->n);
    if (some.n > 1 && some.index < some.n) {
        forward_layers(job, 0, job->B, &some);
    } else if (some.n == 1) {
        share_rows(job, w, &b0, &b1);
        forward_layers(job, b0, b1, NULL);
    }
}

/* Layer l's chain through time, this worker's rows. */
static void chain_layer(const struct ur__stack_job *job, const struct ur__worker *w, int l)
{
    int b0, b1, D = job->stack->directions;
    share_rows(job, w, &b0, &b1);
    if (job->ragged && l == job->stack->layers - 1) {
        const struct ur__rows rows = {job->ragged, job->T, job->B, b0, b1, NULL};
        ur__ragged_note(job->ragged, b0, b1);
        ur__ragged_gather(&rows, (size_t)ur__stack_output(job->stack, l) * sizeof *job->dy,
                          job->dy, job->layer[l * D].dy);
    }
    for (int d = 0; d < D; d++)
        ur__sequence_backward(&job->layer[l * D + d], b0, b1, own_scratch(job, w));
    ur_real *dx = job->layer[l * D].dx;
    if (l > 0 && job->dropped[l - 1] && b0 < b1)
        drop(job, l - 1, b0, b1, dx, dx);
}

/* Layer l's weight gradients, this worker's share. */
static void sum_layer(const struct ur__stack_job *job, const struct ur__worker *w, int l)
{
    for (int i = l * job->stack->directions; i < (l + 1) * job->stack->directions; i++)
        ur__sequence_sums(&job->layer[i], &job->grads[i], w, job->scratch, job->columns);
}

static void backward(const struct ur__worker *w, void *arg)
{
    const struct ur__stack_job *job = arg;
    for (int l = job->stack->layers - 1; l >= 0; l--)
        chain_layer(job, w, l);
    ur__team_barrier(w);
    for (int l = 0; l < job->stack->layers; l++)
        sum_layer(job, w, l);
}

struct layer_job {
    const struct ur__stack_job *job;
    int l;
};

static void backward_layer(const struct ur__worker *w, void *arg)
{
    const struct layer_job *one = arg;
    chain_layer(one->job, w, one->l);
    ur__team_barrier(w);
    sum_layer(one->job, w, one->l);
}

void ur__stack_forward(struct ur__stack_job *job, ur_team *team)
{
    if (unit_workers(job, ur_team_size(team)) > 1)
        ur__team_run_brief(team, forward, job);
    else
        ur__team_run(job->B > 1 ? team : NULL, forward, job);
}

void ur__stack_backward(struct ur__stack_job *job, ur_team *team)
{
    if (!job->done) {
        ur__team_run(team, backward, job);
        return;
    }
    for (int l = job->stack->layers - 1; l >= 0; l--) {
        struct layer_job one = {job, l};
        ur__team_run(team, backward_layer, &one);
        job->done(job->user, l);
    }
}

void ur__stack_add_dx(const struct ur__stack_job *job, ur_real *to)
{
    const struct ur__ragged *r = job->ragged;
    size_t I = (size_t)job->stack->layer[0].I;
    if (!r)
        job->k->add((size_t)job->T * (size_t)job->B * I, to, job->dx, to);
    for (int t = 0; r && t < job->T; t++)
        for (int b = 0; b < r->alive[t]; b++) {
            ur_real *row = to + ((size_t)t * (size_t)job->B + (size_t)r->row[b]) * I;
            job->k->add(I, row, job->dx + (size_t)(r->at[t] + b) * I, row);
        }
}

void ur__stack_add_state(const struct ur__stack_job *job, size_t n, const ur_real *grad,
                         ur_real *to)
{
    for (int b = 0; b < job->B; b++) {
        ur_real *row = to + n * (size_t)(job->ragged ? job->ragged->row[b] : b);
        job->k->add(n, row, grad + n * (size_t)b, row);
    }
}
