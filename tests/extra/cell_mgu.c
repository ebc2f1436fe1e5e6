/* SPDX-License-Identifier: MIT */
/*
 * A fused cell in one file, the minimal gated unit (Zhou et al. 2016):
 *
 *   f = σ(W_f x + U_f h + b_f),  n = tanh(W_n x + U_n (f∘h) + b_n),  h = h + f∘(n − h)
 *
 * Weights f,n. Kept f, n, f∘h; backward leaves df, dn in the first two.
 */
#include <string.h>

#include "extra/extra.h"
#include "rnn/cell.h"
#include "rnn/products.h"

enum { F, N, FH };

static void forward(const struct ur__cell_step *s)
{
    ptrdiff_t H = s->d->H;
    ur__rows_times(s, s->h_read, s->ld_read, &s->p->w_hh[F], s->gates, s->ld);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++) {
        ur_real *gates = s->gates + r * s->ld;
        if (!ur__own_row(s->split, r))
            continue;
        s->k->sigmoid((size_t)H, gates, gates);
        s->k->mul((size_t)H, gates, s->h_read + r * s->ld_read, gates + FH * H);
    }
    ur__meet(s->split);
    ur__rows_times(s, s->gates + FH * H, s->ld, &s->p->w_hh[N], s->gates + N * H, s->ld);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++) {
        ur_real *gates = s->gates + r * s->ld, *h = s->h + r * s->ld_h;
        const ur_real *before = s->h_prev + r * s->ld_prev;
        if (!ur__own_row(s->split, r))
            continue;
        s->k->tanh((size_t)H, gates + N * H, gates + N * H);
        for (ptrdiff_t i = 0; i < H; i++)
            h[i] = before[i] + gates[i] * (gates[N * H + i] - before[i]);
    }
}

/* One row: dn in place; work becomes the gradient of f by h's own change, dh what passes by. */
static void open_row(ptrdiff_t H, ur_real *gates, const ur_real *before, ur_real *dh, ur_real *df)
{
    for (ptrdiff_t i = 0; i < H; i++) {
        ur_real f = gates[i], n = gates[N * H + i];
        df[i] = dh[i] * (n - before[i]);
        gates[N * H + i] = dh[i] * f * (1 - n * n);
        dh[i] *= 1 - f;
    }
}

static void close_row(ptrdiff_t H, ur_real *gates, const ur_real *read, const ur_real *df,
                      const ur_real *dfh, ur_real *dh_read)
{
    for (ptrdiff_t i = 0; i < H; i++) {
        ur_real f = gates[i];
        dh_read[i] += dfh[i] * f;
        gates[i] = (df[i] + dfh[i] * read[i]) * f * (1 - f);
    }
}

static void back_gates(const struct ur__cell_step *s)
{
    ptrdiff_t H = s->d->H;
    ur_real *df = s->work, *dfh = s->work + s->rows * H;
    for (int r = 0; r < s->rows; r++)
        open_row(H, s->gates + r * s->ld, s->h_prev + r * s->ld_prev, s->dh + r * H, df + r * H);
    memset(dfh, 0, (size_t)s->rows * (size_t)H * sizeof *dfh);
    ur__rows_times(s, s->gates + N * H, s->ld, &s->pb->w_hh[N], dfh, H);
    for (int r = 0; r < s->rows; r++)
        close_row(H, s->gates + r * s->ld, s->h_read + r * s->ld_read, df + r * H, dfh + r * H,
                  s->dh_read + r * H);
}

static void back_carry(const struct ur__cell_step *s)
{
    ur__rows_times(s, s->next, s->ld, &s->pb->w_hh[F], s->dh_read, s->d->H);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ptrdiff_t H = s->d->H;
    ur__sum_products(s, F, (int)H, dw_hh);
    struct ur__gemm g = {
        .M = (int)H, .N = (int)H, .K = s->rows,
        .a = s->gates + N * H, .a_row = 1, .a_k = 3 * H,
        .b = s->gates + FH * H, .b_k = 3 * H, .b_col = 1,
        .c = dw_hh + H * H, .c_row = H, .accumulate = true,
    };
    ur__gemm_share(s->k, &g, s->w, s->scratch);
}

const struct ur__cell ur__cell_mgu = {
    .name = "mgu", .kind = (ur_cell)UR_CELL_MGU, .gates = 2, .kept = 3, .part = {1, 1}, .work = 2,
    .direct = true, .forward = forward, .back_gates = back_gates, .back_carry = back_carry,
    .back_recurrent = back_recurrent,
};
