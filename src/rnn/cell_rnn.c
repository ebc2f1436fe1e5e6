/* SPDX-License-Identifier: MIT */
/* The simple recurrent network, h = f(W x + b + U h). Elman 1990; docs/MATH.md, section
 * RNN. The one kept block becomes the gradient of the pre-activation. */
#include "rnn/cell.h"
#include "rnn/products.h"

static void forward(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times_packed(s, s->h_prev, H, H, s->p->w_hh, H, s->gates, s->ld);
    for (int r = 0; r < s->rows; r++)
        s->k->rnn_forward(H, s->d->activation, s->gates + r * s->ld, s->h + (ptrdiff_t)r * H);
}

static void back_gates(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++) {
        size_t at = (size_t)r * (size_t)H;
        s->k->rnn_backward(H, s->d->activation, s->h + at, s->dh + at, s->gates + r * s->ld);
    }
}

static void back_carry(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times_packed(s, s->next, s->ld, H, s->pb->w_hh, H, s->dh, H);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ur__sum_products(s, s->gates, s->d->H, dw_hh);
}

const struct ur__cell ur__cell_rnn = {
    .name = "rnn",
    .kind = UR_RNN,
    .gates = 1,
    .kept = 1,
    .has_c = false,
    .direct = false,
    .forward = forward,
    .back_gates = back_gates,
    .back_carry = back_carry,
    .back_recurrent = back_recurrent,
};
