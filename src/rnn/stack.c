/* SPDX-License-Identifier: MIT */
#include "rnn/stack.h"

#include <string.h>

#include "kernel/gemm.h"
#include "rnn/pack.h"

/* ---- the cells there are ----------------------------------------------- */

static const struct ur__cell *const cells[] = {&ur__cell_rnn, &ur__cell_lstm, &ur__cell_gru};
enum { N_CELLS = sizeof cells / sizeof *cells };

const struct ur__cell *ur__cell_of(ur_cell kind)
{
    for (int i = 0; i < N_CELLS; i++)
        if (cells[i]->kind == kind)
            return cells[i];
    return NULL;
}

const char *ur_cell_name(ur_cell kind)
{
    const struct ur__cell *cell = ur__cell_of(kind);
    return cell ? cell->name : NULL;
}

bool ur_cell_find(const char *name, ur_cell *out)
{
    for (int i = 0; name && i < N_CELLS; i++)
        if (!strcmp(cells[i]->name, name)) {
            *out = cells[i]->kind;
            return true;
        }
    return false;
}

void ur_moments(size_t n, const ur_real *x, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    *mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *variance = n > 1 ? squares / (double)(n - 1) : 0;
}

/* ---- memory ------------------------------------------------------------ */

/* Hands out 64-byte aligned pieces; with base NULL it only counts. */
struct pieces {
    char *base;
    size_t used;
};

static void *piece(struct pieces *p, size_t n, size_t size)
{
    void *at = p->base ? p->base + p->used : NULL;
    p->used += (n * size + 63) / 64 * 64;
    return n ? at : NULL;
}

static ur_real *reals(struct pieces *p, size_t n)
{
    return piece(p, n, sizeof(ur_real));
}

static bool drops(const struct ur__stack_job *job, int l)
{
    return job->training && job->stack->dropout > 0 && l + 1 < job->stack->layers;
}

static void lay_out(struct ur__stack_job *job, struct pieces *p)
{
    int L = job->stack->layers;
    struct ur__sequence *layer = piece(p, (size_t)L, sizeof *layer);
    ur_real **dropped = piece(p, (size_t)L, sizeof *dropped);
    if (layer) {
        memset(layer, 0, (size_t)L * sizeof *layer);
        job->layer = layer;
        job->dropped = dropped;
    }
    for (int l = 0; l < L; l++) {
        const struct ur__rnn_layer *d = &job->stack->layer[l];
        size_t B = (size_t)job->B, TB = (size_t)job->T * B, H = (size_t)d->H;
        bool last = l + 1 == L;
        struct ur__kept kept = {
            .gates = reals(p, TB * (size_t)d->cell->kept * H),
            .c = reals(p, d->cell->has_c ? TB * H : 0),
            .h = last && !d->O ? job->y : reals(p, TB * H),
            .y = !d->O ? NULL : last ? job->y : reals(p, TB * (size_t)d->O),
            .h0 = reals(p, B * H),
            .c0 = reals(p, d->cell->has_c ? B * H : 0),
        };
        ur_real *out = reals(p, drops(job, l) ? TB * (size_t)ur__layer_output(d) : 0);
        if (layer) {
            layer[l].kept = kept;
            dropped[l] = out;
        }
    }
}

static void lay_out_back(struct ur__stack_job *job, struct pieces *p)
{
    size_t columns = 0;
    for (int l = 0; l < job->stack->layers; l++) {
        const struct ur__rnn_layer *d = &job->stack->layer[l];
        size_t B = (size_t)job->B, TB = (size_t)job->T * B, H = (size_t)d->H;
        struct ur__packed_back *pb = piece(p, 1, sizeof *pb);
        ur_real *packed = reals(p, ur__packed_back_size(job->k, d));
        bool own_dy = l + 1 < job->stack->layers || d->O;
        ur_real *dy = reals(p, own_dy ? TB * (size_t)ur__layer_output(d) : 0);
        ur_real *dh_all = reals(p, d->O ? TB * H : 0);
        ur_real *dh = reals(p, B * H);
        ur_real *dc = reals(p, d->cell->has_c ? B * H : 0);
        ur_real *drh = reals(p, d->reset_before ? B * H : 0);
        if (l == 0 && job->ids)
            columns = ur__sequence_columns(d);
        if (!p->base)
            continue;
        ur__packed_back_place(pb, job->k, d, packed);
        struct ur__sequence *s = &job->layer[l];
        s->pb = pb;
        s->dy = dy;
        s->dh_all = dh_all;
        s->dh = dh;
        s->dc = dc;
        s->drh = drh;
    }
    job->columns = reals(p, columns);
}

size_t ur__stack_bytes(const struct ur__stack_job *job)
{
    struct ur__stack_job copy = *job;
    struct pieces p = {NULL, 0};
    lay_out(&copy, &p);
    return p.used;
}

size_t ur__stack_back_bytes(const struct ur__stack_job *job)
{
    struct ur__stack_job copy = *job;
    struct pieces p = {NULL, 0};
    lay_out_back(&copy, &p);
    return p.used;
}

size_t ur__stack_scratch(const struct ur__kernel *k, ur_team *team)
{
    return ur__gemm_scratch(k, ur_team_size(team));
}

static const ur_real *layer_out(const struct ur__sequence *s)
{
    return s->d->O ? s->kept.y : s->kept.h;
}

void ur__stack_place(struct ur__stack_job *job, void *memory)
{
    struct pieces p = {memory, 0};
    lay_out(job, &p);
    for (int l = 0; l < job->stack->layers; l++) {
        struct ur__sequence *s = &job->layer[l];
        s->k = job->k;
        s->d = &job->stack->layer[l];
        s->T = job->T;
        s->B = job->B;
        s->lengths = job->lengths;
        s->x = l == 0 ? job->x : job->dropped[l - 1] ? job->dropped[l - 1] : layer_out(s - 1);
        s->ids = l == 0 ? job->ids : NULL;
    }
}

void ur__stack_back_place(struct ur__stack_job *job, const struct ur__rnn_weights *w,
                          void *memory)
{
    struct pieces p = {memory, 0};
    int L = job->stack->layers;
    lay_out_back(job, &p);
    for (int l = 0; l < L; l++) {
        struct ur__sequence *s = &job->layer[l];
        s->w = &w[l];
        s->dx = l == 0 ? job->dx : job->layer[l - 1].dy;
        ur__pack_back(s->pb, job->k, s->d, &w[l]);
    }
    struct ur__sequence *top = &job->layer[L - 1];
    if (top->dy)    /* the output map writes over its gradient */
        memcpy(top->dy, job->dy, (size_t)job->T * (size_t)job->B * (size_t)top->d->O *
                                     sizeof(ur_real));
    else
        top->dy = (ur_real *)job->dy;
}

/* ---- passes ------------------------------------------------------------ */

/* Dropout on rows [b0,b1) of an [T,B,n] array of layer l. */
static void drop(const struct ur__stack_job *job, int l, int n, int b0, int b1, const ur_real *x,
                 ur_real *y)
{
    for (int t = 0; t < job->T; t++) {
        ptrdiff_t at = ((ptrdiff_t)t * job->B + b0) * n;
        job->k->dropout((size_t)(b1 - b0) * (size_t)n, job->stack->dropout, job->seed,
                        job->stream + (uint32_t)l, job->step, (uint64_t)at, x + at, y + at);
    }
}

static void *own_scratch(const struct ur__stack_job *job, const struct ur__worker *w)
{
    return (char *)job->scratch + (size_t)w->index * ur__gemm_scratch(job->k, 1);
}

static void forward(const struct ur__worker *w, void *arg)
{
    struct ur__stack_job *job = arg;
    int b0, b1;
    ur__share(job->B, 1, w->index, w->n, &b0, &b1);
    for (int l = 0; l < job->stack->layers; l++) {
        struct ur__sequence *s = &job->layer[l];
        ur__sequence_forward(s, b0, b1, own_scratch(job, w));
        if (job->dropped[l])
            drop(job, l, ur__layer_output(s->d), b0, b1, layer_out(s), job->dropped[l]);
    }
}

static void backward(const struct ur__worker *w, void *arg)
{
    struct ur__stack_job *job = arg;
    int b0, b1;
    ur__share(job->B, 1, w->index, w->n, &b0, &b1);
    for (int l = job->stack->layers - 1; l >= 0; l--) {
        struct ur__sequence *s = &job->layer[l];
        ur__sequence_backward(s, b0, b1, own_scratch(job, w));
        if (l > 0 && job->dropped[l - 1])
            drop(job, l - 1, s->d->I, b0, b1, s->dx, s->dx);
    }
    ur__team_barrier(w);
    for (int l = 0; l < job->stack->layers; l++)
        ur__sequence_sums(&job->layer[l], &job->grads[l], w, job->scratch, job->columns);
}

void ur__stack_forward(struct ur__stack_job *job, ur_team *team)
{
    ur__team_run(job->B > 1 ? team : NULL, forward, job);
}

void ur__stack_backward(struct ur__stack_job *job, ur_team *team)
{
    ur__team_run(team, backward, job);
}
