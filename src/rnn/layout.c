/* SPDX-License-Identifier: MIT */
/* The memory of a pass: what each slot keeps, and how slots are bound to each other. */
#include <string.h>

#include "base/arena.h"
#include "kernel/gemm.h"
#include "rnn/noise.h"
#include "rnn/pack.h"
#include "rnn/stack.h"

static ur_real *reals(struct ur__carve *p, size_t n)
{
    return ur__carve(p, n, sizeof(ur_real));
}

int ur__stack_output(const struct ur__stack *stack, int l)
{
    int D = stack->directions;
    return D * ur__layer_output(&stack->layer[l * D]);
}

size_t ur__stack_scratch(const struct ur__kernel *k, ur_team *team)
{
    return ur__gemm_scratch(k, ur_team_size(team));
}

/* ---- random streams ---------------------------------------------------- */

static int between_layers(const struct ur__stack *stack)
{
    return stack->dropout > 0 ? stack->layers - 1 : 0;
}

/* Streams of one slot: recurrent dropout, zoneout of h and of c. */
static int streams_of(const struct ur__rnn_layer *d)
{
    bool zones = ur__zoneout(d, 0) > 0 || ur__zoneout(d, 1) > 0;
    return d->recurrent_dropout > 0 || zones ? 1 + UR__CELL_BUFFERS : 0;
}

int ur__stack_streams(const struct ur__stack *stack)
{
    int n = between_layers(stack);
    for (int i = 0; i < stack->layers * stack->directions; i++)
        n += streams_of(&stack->layer[i]);
    return n;
}

static void bind_noise(struct ur__stack_job *job)
{
    uint32_t stream = job->stream + (uint32_t)between_layers(job->stack);
    for (int i = 0; i < job->stack->layers * job->stack->directions; i++) {
        job->layer[i].noise = (struct ur__noise){
            .seed = job->seed, .step = job->step,
            .drop = stream, .zone = {stream + 1, stream + 2},
        };
        stream += (uint32_t)streams_of(&job->stack->layer[i]);
    }
}

/* ---- forward ----------------------------------------------------------- */

static bool drops(const struct ur__stack_job *job, int l)
{
    return job->training && job->stack->dropout > 0 && l + 1 < job->stack->layers;
}

/* A slot's own memory; out is its part of the layer's output, rows ld apart. */
static struct ur__kept keep(const struct ur__stack_job *job, const struct ur__rnn_layer *d,
                            ur_real *out, ptrdiff_t ld, struct ur__carve *p)
{
    size_t B = (size_t)job->B, TB = (size_t)job->T * B, H = (size_t)d->H, P = (size_t)d->P;
    bool c = d->cell->c, train = job->training;
    bool recurrent = train && d->recurrent_dropout > 0;
    struct ur__kept kept = {
        .gates = reals(p, TB * (size_t)d->cell->kept * H),
        .c = reals(p, c ? TB * H : 0),
        .c_new = reals(p, ur__zoneout(d, 1) > 0 ? TB * H : 0),
        .m = reals(p, P != H ? TB * H : 0),
        .h = d->O ? reals(p, TB * P) : out,
        .y = d->O ? out : NULL,
        .ld_h = d->O ? (ptrdiff_t)P : ld,
        .ld_y = ld,
        .h_read = reals(p, recurrent ? TB * P : 0),
        .h0 = reals(p, B * P),
        .c0 = reals(p, c ? B * H : 0),
        .h_prev = reals(p, job->lengths ? TB * P : 0),
        .c_prev = reals(p, job->lengths && c && d->reverse ? TB * H : 0),
        .drop = reals(p, recurrent ? B * P : 0),
    };
    for (int i = 0; i < UR__CELL_BUFFERS; i++)
        kept.zone[i] = reals(p, train && ur__zoneout(d, i) > 0 ? TB * ur__buffer_size(d, i) : 0);
    if (!kept.c_new)
        kept.c_new = kept.c;
    if (!job->ragged)
        kept.h_prev = kept.c_prev = NULL;
    return kept;
}

static void lay_out(struct ur__stack_job *job, struct ur__carve *p)
{
    int L = job->stack->layers, D = job->stack->directions;
    size_t TB = (size_t)job->T * (size_t)job->B, I = (size_t)job->stack->layer[0].I;
    bool lengths = job->lengths;
    struct ur__sequence *layer = ur__carve(p, (size_t)(L * D), sizeof *layer);
    ur_real **out = ur__carve(p, (size_t)L, sizeof *out);
    ur_real **dropped = ur__carve(p, (size_t)L, sizeof *dropped);
    struct ur__ragged *ragged = ur__carve(p, lengths, sizeof *ragged);
    struct ur__ragged held = lengths ? ur__ragged_carve(p, job->T, job->B) : (struct ur__ragged){0};
    ur_real *living_x = reals(p, lengths && job->x ? TB * I : 0);
    int32_t *living_ids = ur__carve(p, lengths && job->ids ? TB : 0, sizeof *living_ids);
    if (layer) {
        memset(layer, 0, (size_t)(L * D) * sizeof *layer);
        job->ragged = NULL;
        if (ur__ragged_needed(job->T, job->B, job->lengths)) {
            *ragged = held;
            ur__ragged_fill(ragged, job->T, job->B, job->lengths);
            job->ragged = ragged;
        }
        job->living_x = living_x;
        job->living_ids = living_ids;
        job->layer = layer;
        job->out = out;
        job->dropped = dropped;
    }
    for (int l = 0; l < L; l++) {
        size_t width = (size_t)ur__stack_output(job->stack, l);
        ur_real *all = reals(p, l + 1 < L || lengths ? TB * width : 0);
        if (l + 1 == L && !(layer && job->ragged))
            all = job->y;
        for (int d = 0; d < D; d++) {
            const struct ur__rnn_layer *desc = &job->stack->layer[l * D + d];
            ur_real *own = all ? all + d * ur__layer_output(desc) : NULL;
            struct ur__kept kept = keep(job, desc, own, (ptrdiff_t)width, p);
            if (layer)
                layer[l * D + d].kept = kept;
        }
        ur_real *after = reals(p, drops(job, l) ? TB * width : 0);
        if (layer) {
            out[l] = all;
            dropped[l] = after;
        }
    }
}

size_t ur__stack_bytes(const struct ur__stack_job *job)
{
    struct ur__stack_job copy = *job;
    struct ur__carve p = {NULL, 0};
    lay_out(&copy, &p);
    return p.used;
}

void ur__stack_place(struct ur__stack_job *job, void *memory)
{
    struct ur__carve p = {memory, 0};
    int D = job->stack->directions;
    lay_out(job, &p);
    bind_noise(job);
    const ur_real *first_x = job->ragged ? job->living_x : job->x;
    const int32_t *first_ids = job->ragged ? job->living_ids : job->ids;
    for (int i = 0; i < job->stack->layers * D; i++) {
        struct ur__sequence *s = &job->layer[i];
        int below = i / D - 1;
        s->k = job->k;
        s->d = &job->stack->layer[i];
        s->T = job->T;
        s->B = job->B;
        s->ragged = job->ragged;
        s->x = below < 0 ? first_x : job->dropped[below] ? job->dropped[below] : job->out[below];
        s->ids = below < 0 ? first_ids : NULL;
    }
}

/* ---- backward ---------------------------------------------------------- */

/* A slot's memory for the way back, all but dy and dx. */
static void keep_back(const struct ur__stack_job *job, const struct ur__rnn_layer *d,
                      struct ur__sequence *s, struct ur__carve *p)
{
    size_t B = (size_t)job->B, TB = (size_t)job->T * B, H = (size_t)d->H, P = (size_t)d->P;
    bool c = d->cell->c, projects = P != H, training = job->training;
    struct ur__packed_back *pb = ur__carve(p, 1, sizeof *pb);
    void *packed = ur__carve(p, ur__packed_back_bytes(job->k, d), 1);
    s->dh_all = reals(p, d->O ? TB * P : 0);
    s->seen = reals(p, job->see ? TB * P : 0);
    s->dp = reals(p, projects ? TB * P : 0);
    s->dh = reals(p, B * P);
    s->dc = reals(p, c ? B * H : 0);
    s->work = reals(p, (size_t)d->cell->work * B * H);
    s->dm = reals(p, projects ? B * H : 0);
    s->dh_read = reals(p, training && d->recurrent_dropout > 0 ? B * P : 0);
    for (int i = 0; i < UR__CELL_BUFFERS; i++)
        s->stay[i] = reals(p, ur__zoneout(d, i) > 0 ? B * ur__buffer_size(d, i) : 0);
    s->first = reals(p, d->reverse && job->lengths ? B * (size_t)d->cell->kept * H : 0);
    if (!job->ragged)
        s->first = NULL;
    if (p->base)
        ur__packed_back_place(pb, job->k, d, packed);
    s->pb = pb;
}

static void lay_out_back(struct ur__stack_job *job, struct ur__carve *p)
{
    int L = job->stack->layers, D = job->stack->directions;
    size_t columns = job->ids ? ur__sequence_columns(&job->stack->layer[0]) : 0;
    for (int l = 0; l < L; l++) {
        const struct ur__rnn_layer *desc = &job->stack->layer[l * D];
        size_t width = (size_t)ur__stack_output(job->stack, l);
        /* An output map writes over its gradient; the living rows of one are apart. */
        bool own = l + 1 < L || desc->O || job->lengths;
        ur_real *dy = reals(p, own ? (size_t)job->T * (size_t)job->B * width : 0);
        for (int d = 0; d < D; d++) {
            struct ur__sequence counted, *s = p->base ? &job->layer[l * D + d] : &counted;
            keep_back(job, desc + d, s, p);
            if (p->base) {
                s->dy = (dy ? dy : (ur_real *)job->dy) + d * ur__layer_output(desc);
                s->ld_dy = (ptrdiff_t)width;
            }
        }
    }
    job->columns = reals(p, columns);
}

size_t ur__stack_back_bytes(const struct ur__stack_job *job)
{
    struct ur__stack_job copy = *job;
    struct ur__carve p = {NULL, 0};
    lay_out_back(&copy, &p);
    return p.used;
}

void ur__stack_back_place(struct ur__stack_job *job, const struct ur__rnn_weights *w,
                          void *memory)
{
    struct ur__carve p = {memory, 0};
    int L = job->stack->layers, D = job->stack->directions;
    lay_out_back(job, &p);
    for (int i = 0; i < L * D; i++) {
        struct ur__sequence *s = &job->layer[i];
        s->w = &w[i];
        s->dx = i < D ? job->dx : job->layer[(i / D - 1) * D].dy;
        s->dx_adds = i % D > 0;
        ur__pack_back(s->pb, job->k, s->d, &w[i]);
    }
    struct ur__sequence *top = &job->layer[(L - 1) * D];
    if (top->dy != job->dy && !job->ragged)
        memcpy(top->dy, job->dy, (size_t)job->T * (size_t)job->B *
                                     (size_t)ur__stack_output(job->stack, L - 1) *
                                     sizeof(ur_real));
}
