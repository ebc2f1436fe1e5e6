/* SPDX-License-Identifier: MIT */
/* A sequence back: the sums over time and batch, which are the weights' gradients. Each
 * element is one chain over (t,b) in one order, computed by one worker. */
#include <string.h>

#include "kernel/gemm.h"
#include "rnn/order.h"
#include "rnn/sequence.h"

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
    const struct ur__table_rows rows = {.M = ur__living(s, 0, s->B), .N = (int)width, .id = s->ids,
                                        .ld_table = width, .ld = ur__gates_row(d)};
    s->k->scatter_add(&rows, s->kept.gates + n0, sums);
    for (ptrdiff_t n = 0; n < width; n++)
        for (ptrdiff_t i = 0; i < d->I; i++)
            dw[(n0 + n) * d->I + i] += sums[i * width + n];
}

static void sum_input(const struct ur__sequence *s, ur_real *dw, const struct ur__worker *w,
                      void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    struct ur__gemm m = {
        .M = d->cell->gates * d->H, .N = d->I, .K = ur__living(s, 0, s->B),
        .a = s->kept.gates, .a_row = 1, .a_k = ur__gates_row(d),
        .b = s->x, .b_k = d->I, .b_col = 1,
        .c = dw, .c_row = d->I, .accumulate = true,
    };
    ur__gemm_share(s->k, &m, w, scratch);
}

static void sum_bias(const struct ur__sequence *s, const ur_real *dgates, int N, ur_real *db,
                     const struct ur__worker *w)
{
    int n0, n1;
    ur__share(N, 16, w->index, w->n, &n0, &n1);
    if (n0 < n1)
        s->k->sum_rows(ur__living(s, 0, s->B), n1 - n0, dgates + n0, ur__gates_row(s->d), db + n0);
}

static void sum_projection(const struct ur__sequence *s, ur_real *dw, const struct ur__worker *w,
                           void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    struct ur__gemm m = {
        .M = d->P, .N = d->H, .K = ur__living(s, 0, s->B),
        .a = s->dp, .a_row = 1, .a_k = d->P,
        .b = s->kept.m, .b_k = d->H, .b_col = 1,
        .c = dw, .c_row = d->H, .accumulate = true,
    };
    ur__gemm_share(s->k, &m, w, scratch);
}

static void sum_output(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    struct ur__gemm m = {
        .M = d->O, .N = d->P, .K = ur__living(s, 0, s->B),
        .a = s->dy, .a_row = 1, .a_k = s->ld_dy,
        .b = s->kept.h, .b_k = s->kept.ld_h, .b_col = 1,
        .c = g->w_hy, .c_row = d->P, .accumulate = true,
    };
    ur__gemm_share(s->k, &m, w, scratch);
    int n0, n1;
    ur__share(d->O, 16, w->index, w->n, &n0, &n1);
    if (g->b_hy && n0 < n1)
        s->k->sum_rows(m.K, n1 - n0, s->dy + n0, s->ld_dy, g->b_hy + n0);
}

static void sum_biases(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w)
{
    int GH = s->d->cell->gates * s->d->H, apart = s->d->cell->apart * s->d->H;
    if (g->b_ih)
        sum_bias(s, s->kept.gates, GH, g->b_ih, w);
    if (g->b_hh)
        sum_bias(s, s->kept.gates, GH - apart, g->b_hh, w);
    if (g->b_hh && apart)
        sum_bias(s, s->kept.gates + GH, apart, g->b_hh + GH - apart, w);
}

void ur__sequence_sums(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch, ur_real *columns)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    if (s->ids)
        sum_columns(s, g->w_ih, w, columns);
    else
        sum_input(s, g->w_ih, w, scratch);
    struct ur__cell_sums sums = {
        .k = s->k, .d = d, .w = w, .scratch = scratch, .rows = ur__living(s, 0, s->B), .B = s->B,
        .fresh = s->h0 ? 0 : ur__alive(s, ur__time(s, 0)),
        .gates = kept->gates, .h_read = kept->h_read ? kept->h_read : kept->h_prev,
        .h0 = kept->h0, .h = kept->h, .ld_h = kept->ld_h,
    };
    d->cell->back_recurrent(&sums, g->w_hh);
    sum_biases(s, g, w);
    if (g->w_hr)
        sum_projection(s, g->w_hr, w, scratch);
    if (g->extra[0])
        d->cell->back_extras(s, g->extra, w);
    if (d->O)
        sum_output(s, g, w, scratch);
}
