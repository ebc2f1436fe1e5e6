/* SPDX-License-Identifier: MIT */
/* A sequence forward. */
#include "rnn/sequence.h"

#include <string.h>

#include "rnn/noise.h"
#include "rnn/order.h"

/* Rows of x's product taken at once: enough for the register tile to run at speed, few
 * enough for their gates to stay in the cache until the recurrence reads them. */
enum { PROJECT_ROWS = 128 };

int ur__layer_output(const struct ur__rnn_layer *d)
{
    return d->O ? d->O : d->P;
}

/* ---- the input's product ----------------------------------------------- */

/* One-hot rows: the product with W is a row of W. W's panels are [N/nr][I][nr]. */
static void gather_input(const struct ur__sequence *s, int t, int b0, int b1)
{
    const struct ur__kernel *k = s->k;
    const struct ur__rnn_layer *d = s->d;
    int N = d->cell->gates * d->H;
    ptrdiff_t ld = ur__gates_row(d), at = (ptrdiff_t)t * s->B + b0;
    for (int n = 0; n < N; n += k->nr) {
        int width = N - n < k->nr ? N - n : k->nr;
        const ur_real *panel = s->p->w_ih + (ptrdiff_t)n * d->I;
        k->gather(b1 - b0, width, s->ids + at, panel, k->nr, s->p->start + n,
                  s->kept.gates + at * ld + n, ld);
    }
}

/* gates[t,b,0..G·H) = W x + biases for `steps` steps from t on. */
static void project(const struct ur__sequence *s, int t, int steps, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (s->ids) {
        for (int i = 0; i < steps; i++)
            gather_input(s, t + i, b0, b1);
        return;
    }
    int rows = b1 - b0, N = d->cell->gates * d->H;
    ptrdiff_t ld = ur__gates_row(d), at = (ptrdiff_t)t * s->B + b0;
    struct ur__gemm g = {
        .M = steps * rows, .N = N, .K = d->I, .group = rows,
        .a = s->x + at * d->I, .a_row = d->I, .a_k = 1, .a_group = (ptrdiff_t)s->B * d->I,
        .b = s->p->w_ih, .packed = true,
        .c = s->kept.gates + at * ld, .c_row = ld, .c_group = (ptrdiff_t)s->B * ld,
        .start = s->p->start,
    };
    s->k->gemm(&g, 0, g.M, 0, N, scratch);
}

/* The i-th step is about to be computed: every `chunk` steps those to come are projected. */
static void project_ahead(const struct ur__sequence *s, int i, int b0, int b1, void *scratch)
{
    int chunk = PROJECT_ROWS / (b1 - b0);
    chunk = chunk < 1 ? 1 : chunk;
    if (i % chunk)
        return;
    int steps = s->T - i < chunk ? s->T - i : chunk, t = ur__time(s, i);
    project(s, s->d->reverse ? t - steps + 1 : t, steps, b0, b1, scratch);
}

/* ---- what follows the cell --------------------------------------------- */

/* h[t] = W_hr m[t] for rows [b,end). */
static void project_state(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b;
    struct ur__gemm g = {
        .M = end - b, .N = d->P, .K = d->H,
        .a = s->kept.m + at * d->H, .a_row = d->H, .a_k = 1,
        .b = s->p->w_hr, .packed = true,
        .c = s->kept.h + at * s->kept.ld_h, .c_row = s->kept.ld_h,
    };
    s->k->gemm(&g, 0, g.M, 0, d->P, scratch);
}

/* y[t] = a(h[t] W_hy + b_hy) for rows [b,end). */
static void map_output(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b;
    struct ur__gemm g = {
        .M = end - b, .N = d->O, .K = d->P,
        .a = kept->h + at * kept->ld_h, .a_row = kept->ld_h, .a_k = 1,
        .b = s->p->w_hy, .packed = true,
        .c = kept->y + at * kept->ld_y, .c_row = kept->ld_y, .start = s->p->start_y,
    };
    s->k->gemm(&g, 0, g.M, 0, d->O, scratch);
    for (int r = 0; d->output_activation == UR_TANH && r < end - b; r++)
        s->k->tanh((size_t)d->O, g.c + r * g.c_row, g.c + r * g.c_row);
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
    if (s->d->cell->has_c)
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
        if (!s->d->cell->has_c)
            continue;
        const ur_real *c = some ? kept->c + at * H : kept->c0 + b * H;
        memcpy(s->cT + b * H, c, (size_t)H * sizeof *c);
    }
}

void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (b0 >= b1)
        return;
    keep_start(s, b0, b1);
    ur__draw_drop(s, b0, b1);
    for (int i = 0; i < s->T; i++) {
        int t = ur__time(s, i);
        project_ahead(s, i, b0, b1, scratch);
        for (int b = b0, end; ur__next_run(s, t, UR__ALIVE, b1, &b, &end); b = end) {
            struct ur__cell_step c = ur__step_at(s, t, b, end, scratch);
            ur__drop_read(s, &c, t, b);
            d->cell->forward(&c);
            if (s->kept.m)
                project_state(s, t, b, end, scratch);
            ur__zone(s, &c, t, b);
            if (d->O)
                map_output(s, t, b, end, scratch);
        }
        clear_padding(s, t, b0, b1);
    }
    finish_state(s, b0, b1);
}
