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
    int projected, rows;        /* steps whose inputs have been multiplied; living rows of them */
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

/* gates[·,0..G·H) = W x + biases for `count` living rows, the from-th in time on. */
static void project(const struct part *p, int from, int count)
{
    const struct ur__sequence *s = p->s;
    const struct ur__rnn_layer *d = s->d;
    int N = d->cell->gates * d->H, n0, n1;
    struct ur__gemm g = {
        .N = N, .K = d->I, .w = &s->p->w_ih, .a = s->x, .a_row = d->I, .a_k = 1, .id = s->ids,
        .c = s->kept.gates, .c_row = ur__gates_row(d), .start = s->p->start,
    };
    ur__stored_rows(s, &g, p->b0, p->b1, from, count);
    own_columns(p, N, &n0, &n1);
    s->k->gemm(&g, 0, g.M, n0, n1, NULL);
}

/* Own rows that live at the i-th step. */
static int rows_at(const struct part *p, int i)
{
    return ur__alive_end(p->s, ur__time(p->s, i), p->b0, p->b1) - p->b0;
}

/* Called before the i-th step; now and then it projects the inputs of the next ones. */
static void project_ahead(struct part *p, int i)
{
    const struct ur__sequence *s = p->s;
    int count = 0, n = i;
    if (i < p->projected)
        return;
    while (n < s->T && (n == i || count + rows_at(p, n) <= PROJECT_ROWS))
        count += rows_at(p, n++);
    int from = s->d->reverse ? ur__living(s, p->b0, p->b1) - p->rows - count : p->rows;
    project(p, from, count);
    p->projected = n;
    p->rows += count;
    ur__meet(p->split);
}

/* ---- what follows the cell --------------------------------------------- */

/* h[t] = W_hr m[t] for the rows of a step from b on. */
static void project_state(const struct ur__sequence *s, const struct ur__cell_step *c, int t,
                          int b)
{
    ur_real *h = s->kept.h + (ur__stored(s, t) + b) * s->kept.ld_h;
    ur__meet(c->split);
    ur__rows_from(c, &(struct ur__product){.a = c->h, .lda = c->ld_h, .w = &s->p->w_hr, .c = h,
                                           .ldc = s->kept.ld_h});
}

/* y[t] = a(h[t] W_hy + b_hy) for the rows of a step from b on. */
static void map_output(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t at = ur__stored(s, t) + b;
    ur_real *y = kept->y + at * kept->ld_y;
    ur__meet(c->split);
    ur__rows_from(c, &(struct ur__product){.a = kept->h + at * kept->ld_h, .lda = kept->ld_h,
                                           .w = &s->p->w_hy, .start = s->p->start_y, .c = y,
                                           .ldc = kept->ld_y});
    if (d->output_activation != UR_ACT_TANH)
        return;
    ur__meet(c->split);
    for (int r = 0; r < c->rows; r++)
        if (ur__own_row(c->split, r))
            s->k->tanh((size_t)d->O, y + r * kept->ld_y, y + r * kept->ld_y);
}

/* ---- the whole --------------------------------------------------------- */

static void keep_row(ptrdiff_t n, const ur_real *from, ur_real *to)
{
    if (from)
        memcpy(to, from, (size_t)n * sizeof *to);
    else
        memset(to, 0, (size_t)n * sizeof *to);
}

static void keep_start(const struct ur__sequence *s, int b0, int b1)
{
    ptrdiff_t P = s->d->P, H = s->d->H;
    for (int b = b0; b < b1; b++) {
        ptrdiff_t row = ur__batch_row(s, b);
        keep_row(P, s->h0 ? s->h0 + row * P : NULL, s->kept.h0 + b * P);
        if (s->d->cell->c)
            keep_row(H, s->c0 ? s->c0 + row * H : NULL, s->kept.c0 + b * H);
    }
}

static void finish_state(const struct ur__sequence *s, int b0, int b1)
{
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t P = s->d->P, H = s->d->H;
    for (int b = b0; b < b1; b++) {
        bool some = ur__length(s, b) > 0;
        ptrdiff_t row = ur__batch_row(s, b);
        ptrdiff_t at = some ? ur__stored(s, ur__last_time(s, b)) + b : 0;
        const ur_real *h = some ? kept->h + at * kept->ld_h : kept->h0 + b * P;
        memcpy(s->hT + row * P, h, (size_t)P * sizeof *h);
        if (!s->d->cell->c)
            continue;
        const ur_real *c = some ? kept->c + at * H : kept->c0 + b * H;
        memcpy(s->cT + row * H, c, (size_t)H * sizeof *c);
    }
}

/* Ragged: brings the states before step t, rows [b,end), side by side. */
static void bring_states(const struct part *p, int t, int b, int end)
{
    const struct ur__sequence *s = p->s;
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t P = s->d->P, H = s->d->H, at = ur__stored(s, t);
    for (int i = b; i < end; i++) {
        bool first = t == ur__first_time(s, i);
        ptrdiff_t before = first ? 0 : ur__stored(s, ur__before(s, t)) + i;
        if (!ur__own_row(p->split, i))
            continue;
        memcpy(kept->h_prev + (at + i) * P,
               first ? kept->h0 + i * P : kept->h + before * kept->ld_h,
               (size_t)P * sizeof(ur_real));
        if (kept->c_prev)
            memcpy(kept->c_prev + (at + i) * H, first ? kept->c0 + i * H : kept->c + before * H,
                   (size_t)H * sizeof(ur_real));
    }
    ur__meet(p->split);
}

/* How many of rows [b,end), which live at step t, have something to read: a state given, or one
 * that they have computed. The others begin with it, and are the last. */
static int fed(const struct ur__sequence *s, int t, int b, int end)
{
    int before = ur__before(s, t);
    if (s->h0)
        return end - b;
    return before < 0 || before >= s->T ? 0 : ur__alive_end(s, before, b, end) - b;
}

static void step(const struct part *p, int t, int b, int end)
{
    const struct ur__sequence *s = p->s;
    if (s->ragged)
        bring_states(p, t, b, end);
    struct ur__cell_step c = ur__step_at(s, t, b, end, NULL);
    c.split = p->split;
    c.fed = fed(s, t, b, end);
    if (s->kept.drop) {
        ur__drop_read(s, &c, t, b);
        ur__meet(c.split);
    }
    s->d->cell->forward(&c);
    if (s->kept.m)
        project_state(s, &c, t, b);
    if (s->kept.m && s->d->zoneout[0] > 0)
        ur__meet(c.split);
    ur__zone(s, &c, t, b);
    if (s->d->O)
        map_output(s, &c, t, b);
}

void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1,
                          const struct ur__worker *split)
{
    struct part p = {s, b0, b1, split, 0, 0};
    bool first = !split || split->index == 0;
    if (b0 >= b1)
        return;
    if (first) {
        keep_start(s, b0, b1);
        ur__draw_drop(s, b0, b1);
    }
    for (int i = 0; i < s->T; i++) {
        int t = ur__time(s, i), end = ur__alive_end(s, t, b0, b1);
        project_ahead(&p, i);
        if (b0 < end)
            step(&p, t, b0, end);
        ur__meet(split);
    }
    if (first)
        finish_state(s, b0, b1);
    ur__meet(split);
}
