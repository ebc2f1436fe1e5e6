/* SPDX-License-Identifier: MIT */
/* LSTM. Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins
 * 2000; docs/MATH.md, sections LSTM and Forms of LSTM. Gates i,f,g,o; coupled i,g,o. */
#include "rnn/cell.h"
#include "rnn/order.h"
#include "rnn/products.h"

static void product(const struct ur__cell_step *s)
{
    ur__rows_times(s, s->h_read, s->ld_read, &s->p->w_hh[0], s->gates, s->ld);
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
    ur__rows_times(s, s->next, s->ld, &s->pb->w_hh[0], s->dh_read, s->d->P);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ur__sum_products(s, 0, s->d->cell->gates * s->d->H, dw_hh);
}

/* ---- other forms ------------------------------------------------------- */

static bool is_coupled(const struct ur__rnn_layer *d)
{
    return d->cell->gates == 3;
}

static struct ur__lstm_form form_of(const struct ur__cell_step *s)
{
    bool coupled = is_coupled(s->d);
    struct ur__lstm_form form = {.H = s->d->H, .clip = s->d->cell_clip, .coupled = coupled};
    if (s->d->peepholes) {
        const ur_real *peep = s->p->extra[0];
        form.peep_i = peep;
        form.peep_f = coupled ? NULL : peep + s->d->H;
        form.peep_o = peep + (ptrdiff_t)(coupled ? 1 : 2) * s->d->H;
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
        s->k->lstm_form_forward(&form, s->gates + r * s->ld, s->c_prev + at, s->c + at,
                                s->h + r * s->ld_h);
    }
}

static void back_gates_form(const struct ur__cell_step *s)
{
    int H = s->d->H;
    struct ur__lstm_form form = form_of(s);
    for (int r = 0; r < s->rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * H;
        s->k->lstm_form_backward(&form, s->gates + r * s->ld, s->c_prev + at, s->c + at,
                                 s->dh + at, s->dc + at);
    }
}

/* dp += sums of dgate∘c: peepholes of i and f see the c before, that of o the new one. */
static void back_extras(const struct ur__sequence *s, ur_real *const *grads,
                        const struct ur__worker *w)
{
    const struct ur__rnn_layer *d = s->d;
    ur_real *dp = grads[0];
    int n0, n1;
    ptrdiff_t H = d->H, ld = ur__gates_row(d), out = is_coupled(d) ? H : 2 * H;
    ur__share(d->H, 16, w->index, w->n, &n0, &n1);
    for (int t = 0; n0 < n1 && t < s->T; t++)
        for (int b = 0; b < ur__alive(s, t); b++) {
            size_t n = (size_t)(n1 - n0);
            struct ur__cell_step c = ur__step_at(s, t, b, b + 1, NULL);
            s->k->muladd(n, c.gates + n0, c.c_prev + n0, dp + n0);
            if (!is_coupled(d))
                s->k->muladd(n, c.gates + H + n0, c.c_prev + n0, dp + H + n0);
            s->k->muladd(n, c.gates + ld - H + n0, c.c + n0, dp + out + n0);
        }
}

/* ---- the plug ---------------------------------------------------------- */

extern const struct ur__cell ur__cell_lstm;
static const struct ur__cell with_extras, coupled;

static const struct ur__cell *form(const struct ur__rnn_layer *d)
{
    return d->coupled ? &coupled : d->peepholes || d->cell_clip > 0 ? &with_extras : &ur__cell_lstm;
}

/* One peephole for each gate but g. */
static int extras(const struct ur__rnn_layer *d, struct ur__cell_extra out[UR__CELL_EXTRAS])
{
    out[0] = (struct ur__cell_extra){"weight_peep", d->cell->gates - 1};
    return d->peepholes ? 1 : 0;
}

#define OPTIONS "projection", "peepholes", "coupled", "cell-clip", "zoneout-cell"
static const char *const options[] = {OPTIONS, "forget-bias", NULL};
static const char *const coupled_options[] = {OPTIONS, NULL};   /* it has no f of its own */

#define LSTM(blocks, asked_by, its_options, way_forward, way_back)                   \
    {                                                                                \
        .name = "lstm", .kind = UR_CELL_LSTM, .torch = true, .when = (asked_by),     \
        .options = (its_options), .form = form, .extras = extras,                    \
        .gates = (blocks), .kept = (blocks), .part = {blocks},                       \
        .forget = 1, .c = "c", .forward = (way_forward), .back_gates = (way_back),   \
        .back_carry = back_carry, .back_recurrent = back_recurrent,                  \
        .back_extras = back_extras,                                                  \
    }

const struct ur__cell ur__cell_lstm = LSTM(4, NULL, options, forward, back_gates);
static const struct ur__cell with_extras =
    LSTM(4, NULL, options, forward_form, back_gates_form);
static const struct ur__cell coupled =
    LSTM(3, "coupled", coupled_options, forward_form, back_gates_form);
