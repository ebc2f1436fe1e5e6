/* SPDX-License-Identifier: MIT */
/* The passes: who computes which rows, and what happens between the layers. Memory is
 * laid out by layout.c. */
#include "rnn/stack.h"

#include "kernel/gemm.h"

/* Recurrent weights of a layer from which on sharing out its units pays: with fewer rows than
 * workers, and with few rows for each worker. */
#define WORTH_SPLITTING 32768.0
#define WORTH_MEETING 262144.0

/* Dropout on rows [b0,b1) of layer l's outputs, forward or back. */
static void drop(const struct ur__stack_job *job, int l, int b0, int b1, const ur_real *x,
                 ur_real *y)
{
    ptrdiff_t n = ur__stack_output(job->stack, l), row = (ptrdiff_t)b0 * n;
    for (int t = 0; t < job->T; t++) {
        ptrdiff_t at = (ptrdiff_t)t * job->B * n + row;
        ptrdiff_t index = job->stack->variational ? row : at;
        job->k->dropout((size_t)(b1 - b0) * (size_t)n, job->stack->dropout, job->seed,
                        job->stream + (uint32_t)l, job->step, (uint64_t)index, x + at, y + at);
    }
}

static void *own_scratch(const struct ur__stack_job *job, const struct ur__worker *w)
{
    return (char *)job->scratch + (size_t)w->index * ur__gemm_scratch(job->k, 1);
}

/* Whether n workers should share out the hidden units of every step, not the rows. Rows need
 * no meeting, but each worker then reads all weights for its few rows; units need two meetings
 * a step, some tenths of a microsecond each. */
static bool splits_units(const struct ur__stack_job *job, int n)
{
    double weights = 0;
    int slots = job->stack->layers * job->stack->directions;
    for (int i = 0; i < slots; i++) {
        const struct ur__rnn_layer *d = &job->stack->layer[i];
        weights += (double)d->cell->gates * d->H * d->P / slots;
    }
    if (n <= 1 || weights < WORTH_SPLITTING)
        return false;
    return job->B < n || ((job->B + n - 1) / n < job->k->mr && weights >= WORTH_MEETING);
}

static void forward(const struct ur__worker *w, void *arg)
{
    struct ur__stack_job *job = arg;
    int b0 = 0, b1 = job->B, D = job->stack->directions;
    const struct ur__worker *split = splits_units(job, w->n) ? w : NULL;
    if (!split)
        ur__share(job->B, 1, w->index, w->n, &b0, &b1);
    for (int l = 0; l < job->stack->layers; l++) {
        for (int d = 0; d < D; d++)
            ur__sequence_forward(&job->layer[l * D + d], b0, b1, split, own_scratch(job, w));
        if (job->dropped[l] && b0 < b1 && (!split || w->index == 0))
            drop(job, l, b0, b1, job->out[l], job->dropped[l]);
        if (job->dropped[l] && split)
            ur__team_barrier(w);
    }
}

static void backward(const struct ur__worker *w, void *arg)
{
    struct ur__stack_job *job = arg;
    int b0, b1, D = job->stack->directions;
    ur__share(job->B, 1, w->index, w->n, &b0, &b1);
    for (int l = job->stack->layers - 1; l >= 0; l--) {
        for (int d = 0; d < D; d++)
            ur__sequence_backward(&job->layer[l * D + d], b0, b1, own_scratch(job, w));
        ur_real *dx = job->layer[l * D].dx;
        if (l > 0 && job->dropped[l - 1] && b0 < b1)
            drop(job, l - 1, b0, b1, dx, dx);
    }
    ur__team_barrier(w);
    for (int i = 0; i < job->stack->layers * D; i++)
        ur__sequence_sums(&job->layer[i], &job->grads[i], w, job->scratch, job->columns);
}

void ur__stack_forward(struct ur__stack_job *job, ur_team *team)
{
    bool worth = job->B > 1 || splits_units(job, ur_team_size(team));
    ur__team_run(worth ? team : NULL, forward, job);
}

void ur__stack_backward(struct ur__stack_job *job, ur_team *team)
{
    ur__team_run(team, backward, job);
}
