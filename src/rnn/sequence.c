/* SPDX-License-Identifier: MIT */
#include "rnn/sequence.h"

#include <string.h>

#include "kernel/gemm.h"

/* Rows of x's product taken at once: enough for the register tile to run at speed, few
 * enough for their gates to stay in the cache until the recurrence reads them. */
enum { PROJECT_ROWS = 128 };

int ur__layer_output(const struct ur__rnn_layer *d)
{
    return d->O ? d->O : d->H;
}

static ptrdiff_t gates_row(const struct ur__rnn_layer *d)
{
    return (ptrdiff_t)d->cell->kept * d->H;
}

/* The next run [*b,*end) of rows in [*b,b1) whose sequences are alive at time t. */
static bool next_alive(const int *lengths, int t, int b1, int *b, int *end)
{
    int first = *b;
    if (!lengths) {
        *end = b1;
        return first < b1;
    }
    while (first < b1 && lengths[first] <= t)
        first++;
    int stop = first;
    while (stop < b1 && lengths[stop] > t)
        stop++;
    *b = first;
    *end = stop;
    return first < stop;
}

static int length_of(const struct ur__sequence *s, int b)
{
    return s->lengths ? s->lengths[b] : s->T;
}

static void copy_row(ur_real *to, const ur_real *from, int b, int H)
{
    memcpy(to + (ptrdiff_t)b * H, from + (ptrdiff_t)b * H, (size_t)H * sizeof(ur_real));
}

/* ---- forward ----------------------------------------------------------- */

/* One-hot rows: the product with W is a row of W. W's panels are [N/nr][I][nr]. */
static void gather_input(const struct ur__sequence *s, int t, int b0, int b1)
{
    const struct ur__kernel *k = s->k;
    const struct ur__rnn_layer *d = s->d;
    int N = d->cell->gates * d->H;
    ptrdiff_t ld = gates_row(d), at = (ptrdiff_t)t * s->B + b0;
    for (int n = 0; n < N; n += k->nr) {
        int width = N - n < k->nr ? N - n : k->nr;
        const ur_real *panel = s->p->w_ih + (ptrdiff_t)n * d->I;
        k->gather(b1 - b0, width, s->ids + at, panel, k->nr, s->p->start + n,
                  s->kept.gates + at * ld + n, ld);
    }
}

/* gates[t,b,0..G·H) = W x + biases for T' steps from t on. */
static void project(const struct ur__sequence *s, int t, int steps, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (s->ids) {
        for (int i = 0; i < steps; i++)
            gather_input(s, t + i, b0, b1);
        return;
    }
    int rows = b1 - b0, N = d->cell->gates * d->H;
    ptrdiff_t ld = gates_row(d), at = (ptrdiff_t)t * s->B + b0;
    struct ur__gemm g = {
        .M = steps * rows, .N = N, .K = d->I, .group = rows,
        .a = s->x + at * d->I, .a_row = d->I, .a_k = 1, .a_group = (ptrdiff_t)s->B * d->I,
        .b = s->p->w_ih, .packed = true,
        .c = s->kept.gates + at * ld, .c_row = ld, .c_group = (ptrdiff_t)s->B * ld,
        .start = s->p->start,
    };
    s->k->gemm(&g, 0, g.M, 0, N, scratch);
}

/* y[t] = a(h[t] W_hy + b_hy) for rows [b0,b1). */
static void map_output(const struct ur__sequence *s, int t, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b0;
    ur_real *y = s->kept.y + at * d->O;
    struct ur__gemm g = {
        .M = b1 - b0, .N = d->O, .K = d->H,
        .a = s->kept.h + at * d->H, .a_row = d->H, .a_k = 1,
        .b = s->p->w_hy, .packed = true,
        .c = y, .c_row = d->O, .start = s->p->start_y,
    };
    s->k->gemm(&g, 0, g.M, 0, d->O, scratch);
    if (d->output_activation == UR_TANH)
        s->k->tanh((size_t)(b1 - b0) * (size_t)d->O, y, y);
}

/* Where step t of row b starts from. */
static struct ur__cell_step step_at(const struct ur__sequence *s, int t, int b, int end,
                                    void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t H = d->H, at = (ptrdiff_t)t * s->B + b, before = at - s->B;
    struct ur__cell_step c = {
        .k = s->k, .d = d, .p = s->p, .pb = s->pb, .scratch = scratch,
        .rows = end - b, .ld = gates_row(d),
        .gates = s->kept.gates + at * gates_row(d),
        .h = s->kept.h + at * H,
        .h_prev = t ? s->kept.h + before * H : s->kept.h0 + b * H,
    };
    if (d->cell->has_c) {
        c.c = s->kept.c + at * H;
        c.c_prev = t ? s->kept.c + before * H : s->kept.c0 + b * H;
    }
    return c;
}

/* Padded rows of step t: output 0. */
static void clear_padding(const struct ur__sequence *s, int t, int b0, int b1)
{
    const struct ur__rnn_layer *d = s->d;
    for (int b = b0; s->lengths && b < b1; b++) {
        ptrdiff_t at = (ptrdiff_t)t * s->B + b;
        if (s->lengths[b] > t)
            continue;
        memset(s->kept.h + at * d->H, 0, (size_t)d->H * sizeof(ur_real));
        if (d->O)
            memset(s->kept.y + at * d->O, 0, (size_t)d->O * sizeof(ur_real));
    }
}

static void finish_state(const struct ur__sequence *s, int b0, int b1)
{
    int H = s->d->H;
    bool has_c = s->d->cell->has_c;
    for (int b = b0; b < b1; b++) {
        int n = length_of(s, b);
        ptrdiff_t last = (ptrdiff_t)(n - 1) * s->B * H;
        copy_row(s->hT, n ? s->kept.h + last : s->kept.h0, b, H);
        if (has_c)
            copy_row(s->cT, n ? s->kept.c + last : s->kept.c0, b, H);
    }
}

void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (b0 >= b1)
        return;
    for (int b = b0; b < b1; b++) {
        copy_row(s->kept.h0, s->h0, b, d->H);
        if (d->cell->has_c)
            copy_row(s->kept.c0, s->c0, b, d->H);
    }
    int chunk = PROJECT_ROWS / (b1 - b0);
    chunk = chunk < 1 ? 1 : chunk;
    for (int t = 0; t < s->T; t++) {
        if (t % chunk == 0)
            project(s, t, s->T - t < chunk ? s->T - t : chunk, b0, b1, scratch);
        for (int b = b0, end; next_alive(s->lengths, t, b1, &b, &end); b = end) {
            struct ur__cell_step c = step_at(s, t, b, end, scratch);
            d->cell->forward(&c);
            if (d->O)
                map_output(s, t, b, end, scratch);
        }
        clear_padding(s, t, b0, b1);
    }
    finish_state(s, b0, b1);
}

/* ---- backward, the chain ----------------------------------------------- */

/* Through the output map, all steps of own rows: dy becomes the gradient of the
 * pre-activation, dh_all what reaches h. Padded rows get zeros. */
static void back_output(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t O = d->O;
    for (int t = 0; t < s->T; t++) {
        ptrdiff_t at = ((ptrdiff_t)t * s->B + b0) * O;
        for (int b = b0; b < b1; b++)
            if (t >= length_of(s, b))
                memset(s->dy + at + (b - b0) * O, 0, (size_t)O * sizeof(ur_real));
        if (d->output_activation == UR_TANH)
            s->k->rnn_backward((b1 - b0) * d->O, UR_TANH, s->kept.y + at, s->dy + at, s->dy + at);
    }
    struct ur__gemm g = {
        .M = s->T * (b1 - b0), .N = d->H, .K = d->O, .group = b1 - b0,
        .a = s->dy + b0 * O, .a_row = O, .a_k = 1, .a_group = s->B * O,
        .b = s->w->w_hy, .b_k = d->H, .b_col = 1,
        .c = s->dh_all + (ptrdiff_t)b0 * d->H, .c_row = d->H, .c_group = (ptrdiff_t)s->B * d->H,
    };
    s->k->gemm(&g, 0, g.M, 0, d->H, scratch);
}

/* dh[b] before the product: the output's gradient, plus what comes straight from step
 * t+1, or the final state's gradient where the sequence ends. */
static void start_dh(const struct ur__sequence *s, int t, int b)
{
    const struct ur__rnn_layer *d = s->d;
    size_t H = (size_t)d->H;
    ur_real *dh = s->dh + (ptrdiff_t)b * d->H;
    const ur_real *dy = (d->O ? s->dh_all : s->dy) + ((ptrdiff_t)t * s->B + b) * d->H;
    if (t == length_of(s, b) - 1) {
        if (s->dhT)
            s->k->add(H, dy, s->dhT + (ptrdiff_t)b * d->H, dh);
        else
            memcpy(dh, dy, H * sizeof(ur_real));
    } else if (d->cell->direct) {
        s->k->add(H, dy, dh, dh);
    } else {
        memcpy(dh, dy, H * sizeof(ur_real));
    }
}

static void point_back(const struct ur__sequence *s, struct ur__cell_step *c, int t, int b)
{
    ptrdiff_t H = s->d->H;
    c->dh = s->dh + b * H;
    c->dc = s->dc ? s->dc + b * H : NULL;
    c->drh = s->drh ? s->drh + b * H : NULL;
    c->next = s->kept.gates + (((ptrdiff_t)t + 1) * s->B + b) * gates_row(s->d);
}

static void back_step(const struct ur__sequence *s, int t, int b0, int b1, void *scratch)
{
    const struct ur__cell *cell = s->d->cell;
    for (int b = b0; b < b1; b++) {
        if (t < length_of(s, b))
            start_dh(s, t, b);
        else
            memset(s->kept.gates + ((ptrdiff_t)t * s->B + b) * gates_row(s->d), 0,
                   (size_t)gates_row(s->d) * sizeof(ur_real));
    }
    for (int b = b0, end; t + 1 < s->T && next_alive(s->lengths, t + 1, b1, &b, &end); b = end) {
        struct ur__cell_step c = step_at(s, t, b, end, scratch);
        point_back(s, &c, t, b);
        cell->back_carry(&c);
    }
    for (int b = b0, end; next_alive(s->lengths, t, b1, &b, &end); b = end) {
        struct ur__cell_step c = step_at(s, t, b, end, scratch);
        point_back(s, &c, t, b);
        cell->back_gates(&c);
    }
}

/* Turns dh, dc into gradients of h0, c0. */
static void back_to_start(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    size_t bytes = (size_t)d->H * sizeof(ur_real);
    for (int b = b0; b < b1; b++) {
        if (length_of(s, b) == 0 && s->dhT)
            copy_row(s->dh, s->dhT, b, d->H);
        else if (length_of(s, b) == 0 || !d->cell->direct)
            memset(s->dh + (ptrdiff_t)b * d->H, 0, bytes);
    }
    for (int b = b0, end; next_alive(s->lengths, 0, b1, &b, &end); b = end) {
        struct ur__cell_step c = step_at(s, 0, b, end, scratch);
        point_back(s, &c, -1, b);
        d->cell->back_carry(&c);
    }
}

/* dx[t,b] = dG[t,b] W_ih for own rows, all t. */
static void back_input(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t ld = gates_row(d);
    struct ur__gemm g = {
        .M = s->T * (b1 - b0), .N = d->I, .K = d->cell->gates * d->H, .group = b1 - b0,
        .a = s->kept.gates + b0 * ld, .a_row = ld, .a_k = 1, .a_group = s->B * ld,
        .b = s->w->w_ih, .b_k = d->I, .b_col = 1,
        .c = s->dx + (ptrdiff_t)b0 * d->I, .c_row = d->I, .c_group = (ptrdiff_t)s->B * d->I,
    };
    s->k->gemm(&g, 0, g.M, 0, d->I, scratch);
}

void ur__sequence_backward(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (b0 >= b1)
        return;
    size_t rows = (size_t)(b1 - b0) * (size_t)d->H * sizeof(ur_real);
    ptrdiff_t first = (ptrdiff_t)b0 * d->H;
    if (d->cell->has_c && s->dcT)
        memcpy(s->dc + first, s->dcT + first, rows);
    else if (d->cell->has_c)
        memset(s->dc + first, 0, rows);
    if (d->O)
        back_output(s, b0, b1, scratch);
    for (int t = s->T - 1; t >= 0; t--)
        back_step(s, t, b0, b1, scratch);
    back_to_start(s, b0, b1, scratch);
    if (s->dx)
        back_input(s, b0, b1, scratch);
}

/* ---- backward, the sums over time and batch ---------------------------- */

size_t ur__sequence_columns(const struct ur__rnn_layer *d)
{
    return (size_t)d->I * (size_t)d->cell->gates * (size_t)d->H;
}

/* One-hot inputs: dW's column of a token gathers the gate gradients of its places. */
static void sum_columns(const struct ur__sequence *s, ur_real *dw, const struct ur__worker *w,
                        ur_real *columns)
{
    const struct ur__rnn_layer *d = s->d;
    int N = d->cell->gates * d->H, n0, n1;
    ur__share(N, 16, w->index, w->n, &n0, &n1);
    ptrdiff_t width = n1 - n0;
    if (!width)
        return;
    ur_real *sums = columns + (ptrdiff_t)n0 * d->I;
    memset(sums, 0, (size_t)width * (size_t)d->I * sizeof(ur_real));
    s->k->scatter_add(s->T * s->B, (int)width, s->ids, s->kept.gates + n0, gates_row(d), sums,
                      width);
    for (ptrdiff_t n = 0; n < width; n++)
        for (ptrdiff_t i = 0; i < d->I; i++)
            dw[(n0 + n) * d->I + i] += sums[i * width + n];
}

static void sum_bias(const struct ur__sequence *s, const ur_real *dgates, int N, ur_real *db,
                     const struct ur__worker *w)
{
    int n0, n1;
    ur__share(N, 16, w->index, w->n, &n0, &n1);
    if (n0 < n1)
        s->k->sum_rows(s->T * s->B, n1 - n0, dgates + n0, gates_row(s->d), db + n0);
}

static void sum_output(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    struct ur__gemm m = {
        .M = d->O, .N = d->H, .K = s->T * s->B,
        .a = s->dy, .a_row = 1, .a_k = d->O,
        .b = s->kept.h, .b_k = d->H, .b_col = 1,
        .c = g->w_hy, .c_row = d->H, .accumulate = true,
    };
    ur__gemm_share(s->k, &m, w, scratch);
    int n0, n1;
    ur__share(d->O, 16, w->index, w->n, &n0, &n1);
    if (g->b_hy && n0 < n1)
        s->k->sum_rows(m.K, n1 - n0, s->dy + n0, d->O, g->b_hy + n0);
}

void ur__sequence_sums(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch, ur_real *columns)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t H = d->H, ld = gates_row(d);
    int N = d->cell->gates * d->H;
    if (s->ids) {
        sum_columns(s, g->w_ih, w, columns);
    } else {
        struct ur__gemm m = {
            .M = N, .N = d->I, .K = s->T * s->B,
            .a = s->kept.gates, .a_row = 1, .a_k = ld,
            .b = s->x, .b_k = d->I, .b_col = 1,
            .c = g->w_ih, .c_row = d->I, .accumulate = true,
        };
        ur__gemm_share(s->k, &m, w, scratch);
    }
    struct ur__cell_sums sums = {
        .k = s->k, .d = d, .w = w, .scratch = scratch, .T = s->T, .B = s->B,
        .gates = s->kept.gates, .h0 = s->kept.h0, .h = s->kept.h,
    };
    d->cell->back_recurrent(&sums, g->w_hh);
    if (g->b_ih)
        sum_bias(s, s->kept.gates, N, g->b_ih, w);
    if (g->b_hh && d->cell->kind == UR_GRU && !d->reset_before) {
        sum_bias(s, s->kept.gates, 2 * d->H, g->b_hh, w);
        sum_bias(s, s->kept.gates + 3 * H, d->H, g->b_hh + 2 * H, w);
    } else if (g->b_hh) {
        sum_bias(s, s->kept.gates, N, g->b_hh, w);
    }
    if (d->O)
        sum_output(s, g, w, scratch);
}
