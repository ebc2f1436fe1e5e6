/* SPDX-License-Identifier: MIT */
/*
 * GRU. Cho et al. 2014; docs/MATH.md, section GRU. Weights r,z,n; four kept blocks.
 *
 *   reset after   (cuDNN, PyTorch)   n = tanh(x_n + r∘(U_n h + b_hn))   kept r, z, n, U_n h + b_hn
 *   reset before  (the paper)        n = tanh(x_n + U_n (r∘h))          kept r, z, n, r∘h
 *
 * Backward leaves dr, dz, dn in blocks 0..2, so that W sees them side by side, and in
 * block 3 what the product with U_n needs: dn∘r (after) or still r∘h (before).
 */
#include <string.h>

#include "rnn/cell.h"
#include "rnn/products.h"

/* The recurrent weights of r and z, and those of n. */
enum { RZ, N };

/* ---- reset after ------------------------------------------------------- */

static void forward(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times(s, s->h_read, s->ld_read, &s->p->w_hh[RZ], s->gates, s->ld);
    ur__rows_from(s, &(struct ur__product){.a = s->h_read, .lda = s->ld_read, .w = &s->p->w_hh[N],
                                           .start = s->p->start_apart,
                                           .c = s->gates + 3 * (ptrdiff_t)H, .ldc = s->ld});
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++)
        if (ur__own_row(s->split, r))
            s->k->gru_forward(H, s->gates + r * s->ld, s->h_prev + r * s->ld_prev,
                              s->h + r * s->ld_h);
}

static void back_gates(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++)
        s->k->gru_backward(H, s->gates + r * s->ld, s->h_prev + r * s->ld_prev,
                           s->dh + (ptrdiff_t)r * H);
}

static void back_carry(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times(s, s->next, s->ld, &s->pb->w_hh[RZ], s->dh_read, H);
    ur__rows_times(s, s->next + 3 * (ptrdiff_t)H, s->ld, &s->pb->w_hh[N], s->dh_read, H);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ptrdiff_t H = s->d->H;
    ur__sum_products(s, 0, (int)(2 * H), dw_hh);
    ur__sum_products(s, 3, (int)H, dw_hh + 2 * H * H);
}

/* ---- reset before ------------------------------------------------------ */

static void forward_before(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times(s, s->h_read, s->ld_read, &s->p->w_hh[RZ], s->gates, s->ld);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++)
        if (ur__own_row(s->split, r))
            s->k->gru_before_open(H, s->gates + r * s->ld, s->h_read + r * s->ld_read);
    ur__meet(s->split);
    ur__rows_times(s, s->gates + 3 * (ptrdiff_t)H, s->ld, &s->p->w_hh[N],
                   s->gates + 2 * (ptrdiff_t)H, s->ld);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++)
        if (ur__own_row(s->split, r))
            s->k->gru_before_close(H, s->gates + r * s->ld, s->h_prev + r * s->ld_prev,
                                   s->h + r * s->ld_h);
}

static void back_gates_before(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++)
        s->k->gru_before_back_open(H, s->gates + r * s->ld, s->h_prev + r * s->ld_prev,
                                   s->dh + (ptrdiff_t)r * H);
    memset(s->work, 0, (size_t)s->rows * (size_t)H * sizeof(ur_real));
    ur__rows_times(s, s->gates + 2 * (ptrdiff_t)H, s->ld, &s->pb->w_hh[N], s->work, H);
    for (int r = 0; r < s->rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->gru_before_back_close(H, s->gates + r * s->ld, s->h_read + r * s->ld_read,
                                    s->work + at, s->dh_read + at);
    }
}

static void back_carry_before(const struct ur__cell_step *s)
{
    ur__rows_times(s, s->next, s->ld, &s->pb->w_hh[RZ], s->dh_read, s->d->H);
}

static void back_recurrent_before(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ptrdiff_t H = s->d->H;
    ur__sum_products(s, 0, (int)(2 * H), dw_hh);
    struct ur__gemm g = {
        .M = (int)H, .N = (int)H, .K = s->rows,
        .a = s->gates + 2 * H, .a_row = 1, .a_k = 4 * H,
        .b = s->gates + 3 * H, .b_k = 4 * H, .b_col = 1,
        .c = dw_hh + 2 * H * H, .c_row = H, .accumulate = true,
    };
    ur__gemm_share(s->k, &g, s->w, s->scratch);
}

/* ---- the plug ---------------------------------------------------------- */

extern const struct ur__cell ur__cell_gru;
static const struct ur__cell before;

static const struct ur__cell *form(const struct ur__rnn_layer *d)
{
    return d->reset_before ? &before : &ur__cell_gru;
}

static const char *const options[] = {"reset", NULL};

const struct ur__cell ur__cell_gru = {
    .name = "gru", .kind = UR_CELL_GRU, .torch = true, .options = options, .form = form,
    .gates = 3, .kept = 4, .part = {2, 1}, .apart = 1, .direct = true,
    .forward = forward, .back_gates = back_gates, .back_carry = back_carry,
    .back_recurrent = back_recurrent,
};

static const struct ur__cell before = {
    .name = "gru", .kind = UR_CELL_GRU, .torch = true, .options = options, .form = form,
    .gates = 3, .kept = 4, .part = {2, 1}, .work = 1, .direct = true,
    .forward = forward_before, .back_gates = back_gates_before,
    .back_carry = back_carry_before, .back_recurrent = back_recurrent_before,
};
