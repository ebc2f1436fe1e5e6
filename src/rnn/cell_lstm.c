/* SPDX-License-Identifier: MIT */
/* LSTM. Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins
 * 2000; docs/MATH.md, sections LSTM and Forms of LSTM. Gates i,f,g,o; coupled i,g,o. */
#include "rnn/cell.h"
#include "rnn/products.h"

static void product(const struct ur__cell_step *s)
{
    int H = s->d->H;
    ur__rows_times_packed(s, s->h_read, s->ld_read, s->d->P, s->p->w_hh, s->d->cell->gates * H,
                          s->gates, s->ld);
}

static void forward(const struct ur__cell_step *s)
{
    int H = s->d->H;
    product(s);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++) {
        if (!ur__own_row(s->split, r))
            continue;
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->lstm_forward(H, s->gates + r * s->ld, s->c_prev + at, s->c + at,
                           s->h + r * s->ld_h);
    }
}

static void back_gates(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->lstm_backward(H, s->gates + r * s->ld, s->c_prev + at, s->c + at, s->dh + at,
                            s->dc + at);
    }
}

static void back_carry(const struct ur__cell_step *s)
{
    int GH = s->d->cell->gates * s->d->H;
    ur__rows_times_packed(s, s->next, s->ld, GH, s->pb->w_hh, s->d->P, s->dh_read, s->d->P);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ur__sum_products(s, 0, s->d->cell->gates * s->d->H, dw_hh);
}

/* ---- other forms ------------------------------------------------------- */

static struct ur__lstm_form form_of(const struct ur__cell_step *s)
{
    bool coupled = s->d->cell->gates == 3;
    struct ur__lstm_form form = {.clip = s->d->cell_clip, .coupled = coupled};
    if (s->d->peepholes) {
        form.peep_i = s->p->peep;
        form.peep_f = coupled ? NULL : s->p->peep + s->d->H;
        form.peep_o = s->p->peep + (ptrdiff_t)(coupled ? 1 : 2) * s->d->H;
    }
    return form;
}

static void forward_form(const struct ur__cell_step *s)
{
    int H = s->d->H;
    struct ur__lstm_form form = form_of(s);
    product(s);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++) {
        if (!ur__own_row(s->split, r))
            continue;
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->lstm_form_forward(H, &form, s->gates + r * s->ld, s->c_prev + at, s->c + at,
                                s->h + r * s->ld_h);
    }
}

static void back_gates_form(const struct ur__cell_step *s)
{
    int H = s->d->H;
    struct ur__lstm_form form = form_of(s);
    for (int r = 0; r < s->rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->lstm_form_backward(H, &form, s->gates + r * s->ld, s->c_prev + at, s->c + at,
                                 s->dh + at, s->dc + at);
    }
}

#define LSTM(blocks, way_forward, way_back)                                          \
    {                                                                                \
        .name = "lstm", .kind = UR_CELL_LSTM, .gates = (blocks), .kept = (blocks),   \
        .has_c = true, .direct = false, .forward = (way_forward),                    \
        .back_gates = (way_back), .back_carry = back_carry,                          \
        .back_recurrent = back_recurrent,                                            \
    }

const struct ur__cell ur__cell_lstm = LSTM(4, forward, back_gates);
const struct ur__cell ur__cell_lstm_form = LSTM(4, forward_form, back_gates_form);
const struct ur__cell ur__cell_lstm_coupled = LSTM(3, forward_form, back_gates_form);
