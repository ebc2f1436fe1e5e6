/* SPDX-License-Identifier: MIT */
/* LSTM. Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins
 * 2000; docs/MATH.md, section LSTM. Gates i,f,g,o. */
#include "rnn/cell.h"
#include "rnn/products.h"

static void forward(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times_packed(s, s->h_prev, H, H, s->p->w_hh, 4 * H, s->gates, s->ld);
    for (int r = 0; r < s->rows; r++) {
        size_t at = (size_t)r * (size_t)H;
        s->k->lstm_forward(H, s->gates + r * s->ld, s->c_prev + at, s->c + at, s->h + at);
    }
}

static void back_gates(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++) {
        size_t at = (size_t)r * (size_t)H;
        s->k->lstm_backward(H, s->gates + r * s->ld, s->c_prev + at, s->c + at, s->dh + at,
                            s->dc + at);
    }
}

static void back_carry(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times_packed(s, s->next, s->ld, 4 * H, s->pb->w_hh, H, s->dh, H);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ur__sum_products(s, s->gates, 4 * s->d->H, dw_hh);
}

const struct ur__cell ur__cell_lstm = {
    .name = "lstm",
    .kind = UR_LSTM,
    .gates = 4,
    .kept = 4,
    .has_c = true,
    .direct = false,
    .forward = forward,
    .back_gates = back_gates,
    .back_carry = back_carry,
    .back_recurrent = back_recurrent,
};
