/* SPDX-License-Identifier: MIT */
/* A sequence forward. */
#include "rnn/sequence.h"

#include <string.h>

#include "rnn/noise.h"
#include "rnn/order.h"
#include "rnn/products.h"

/* Rows of x's product taken at once: enough for the register tile to run at speed, few
 * enough for their gates to stay in the cache until the recurrence reads them. */
enum { PROJECT_ROWS = 128 };

int ur__layer_output(const struct ur__rnn_layer *d)
{
    return d->O ? d->O : d->P;
}

/* Rows [b0,b1) of a sequence, and who computes them. */
struct part {
    const struct ur__sequence *s;
    int b0, b1;
    const struct ur__worker *split;
};

/* This worker's columns of [0,N). */
static void own_columns(const struct part *p, int N, int *n0, int *n1)
{
    *n0 = 0;
    *n1 = N;
    if (p->split)
        ur__share(N, p->s->k->nr, p->split->index, p->split->n, n0, n1);
}

/* ---- the input's product ----------------------------------------------- */

/* gates[t,b,0..G·H) = W x + biases for `steps` steps from t on. */
static void project(const struct part *p, int t, int steps)
{
    const struct ur__sequence *s = p->s;
    const struct ur__rnn_layer *d = s->d;
    int rows = p->b1 - p->b0, N = d->cell->gates * d->H, n0, n1;
    ptrdiff_t ld = ur__gates_row(d), at = (ptrdiff_t)t * s->B + p->b0;
    struct ur__gemm g = {
        .M = steps * rows, .N = N, .K = d->I, .group = rows < s->B ? rows : 0, .w = &s->p->w_ih,
        .c = s->kept.gates + at * ld, .c_row = ld, .c_group = (ptrdiff_t)s->B * ld,
        .start = s->p->start,
    };
    if (s->ids) {
        g.id = s->ids + at;
        g.a_group = s->B;
    } else {
        g.a = s->x + at * d->I;
        g.a_row = d->I;
        g.a_k = 1;
        g.a_group = (ptrdiff_t)s->B * d->I;
    }
    own_columns(p, N, &n0, &n1);
    s->k->gemm(&g, 0, g.M, n0, n1, NULL);
}

/* The i-th step is about to be computed: every `chunk` steps those to come are projected. */
static void project_ahead(const struct part *p, int i)
{
    const struct ur__sequence *s = p->s;
    int chunk = PROJECT_ROWS / (p->b1 - p->b0);
    chunk = chunk < 1 ? 1 : chunk;
    if (i % chunk)
        return;
    int steps = s->T - i < chunk ? s->T - i : chunk, t = ur__time(s, i);
    project(p, s->d->reverse ? t - steps + 1 : t, steps);
    ur__meet(p->split);
}

/* ---- what follows the cell --------------------------------------------- */

/* h[t] = W_hr m[t] for the rows of a step from b on. */
static void project_state(const struct ur__sequence *s, const struct ur__cell_step *c, int t,
                          int b)
{
    ur_real *h = s->kept.h + ((ptrdiff_t)t * s->B + b) * s->kept.ld_h;
    ur__meet(c->split);
    ur__rows_from(c, c->h, c->ld_h, &s->p->w_hr, NULL, h, s->kept.ld_h);
}

/* y[t] = a(h[t] W_hy + b_hy) for the rows of a step from b on. */
static void map_output(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b;
    ur_real *y = kept->y + at * kept->ld_y;
    ur__meet(c->split);
    ur__rows_from(c, kept->h + at * kept->ld_h, kept->ld_h, &s->p->w_hy, s->p->start_y, y,
                  kept->ld_y);
    if (d->output_activation != UR_ACT_TANH)
        return;
    ur__meet(c->split);
    for (int r = 0; r < c->rows; r++)
        if (ur__own_row(c->split, r))
            s->k->tanh((size_t)d->O, y + r * kept->ld_y, y + r * kept->ld_y);
}

/* Padded rows of step t: output 0, and nothing that backward's sums would trip over. */
static void clear_padding(const struct ur__sequence *s, int t, int b0, int b1)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    for (int b = b0; s->lengths && b < b1; b++) {
        ptrdiff_t at = (ptrdiff_t)t * s->B + b;
        if (s->lengths[b] > t)
            continue;
        memset(kept->h + at * kept->ld_h, 0, (size_t)d->P * sizeof(ur_real));
        if (kept->y)
            memset(kept->y + at * kept->ld_y, 0, (size_t)d->O * sizeof(ur_real));
        if (kept->m)
            memset(kept->m + at * d->H, 0, (size_t)d->H * sizeof(ur_real));
        if (kept->h_read)
            memset(kept->h_read + at * d->P, 0, (size_t)d->P * sizeof(ur_real));
    }
}

/* ---- the whole --------------------------------------------------------- */

static void keep_start(const struct ur__sequence *s, int b0, int b1)
{
    size_t rows = (size_t)(b1 - b0) * sizeof(ur_real);
    ptrdiff_t P = s->d->P, H = s->d->H;
    memcpy(s->kept.h0 + b0 * P, s->h0 + b0 * P, rows * (size_t)P);
    if (s->d->cell->c)
        memcpy(s->kept.c0 + b0 * H, s->c0 + b0 * H, rows * (size_t)H);
}

static void finish_state(const struct ur__sequence *s, int b0, int b1)
{
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t P = s->d->P, H = s->d->H;
    for (int b = b0; b < b1; b++) {
        bool some = ur__length(s, b) > 0;
        ptrdiff_t at = some ? (ptrdiff_t)ur__last_time(s, b) * s->B + b : 0;
        const ur_real *h = some ? kept->h + at * kept->ld_h : kept->h0 + b * P;
        memcpy(s->hT + b * P, h, (size_t)P * sizeof *h);
        if (!s->d->cell->c)
            continue;
        const ur_real *c = some ? kept->c + at * H : kept->c0 + b * H;
        memcpy(s->cT + b * H, c, (size_t)H * sizeof *c);
    }
}

static void step(const struct part *p, int t, int b, int end)
{
    const struct ur__sequence *s = p->s;
    struct ur__cell_step c = ur__step_at(s, t, b, end, NULL);
    c.split = p->split;
    if (s->kept.drop) {
        ur__drop_read(s, &c, t, b);
        ur__meet(c.split);
    }
    s->d->cell->forward(&c);
    if (s->kept.m)
        project_state(s, &c, t, b);
    if (s->kept.m && s->d->zoneout_h > 0)
        ur__meet(c.split);
    ur__zone(s, &c, t, b);
    if (s->d->O)
        map_output(s, &c, t, b);
}

void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1,
                          const struct ur__worker *split)
{
    struct part p = {s, b0, b1, split};
    bool first = !split || split->index == 0;
    if (b0 >= b1)
        return;
    if (first) {
        keep_start(s, b0, b1);
        ur__draw_drop(s, b0, b1);
    }
    for (int i = 0; i < s->T; i++) {
        int t = ur__time(s, i);
        project_ahead(&p, i);
        for (int b = b0, end; ur__next_run(s, t, UR__ALIVE, b1, &b, &end); b = end)
            step(&p, t, b, end);
        if (first)
            clear_padding(s, t, b0, b1);
        ur__meet(split);
    }
    if (first)
        finish_state(s, b0, b1);
    ur__meet(split);
}
