/* SPDX-License-Identifier: MIT */
/* The simple recurrent network, h = f(W x + b + U h). Elman 1990; docs/MATH.md, section
 * RNN. The one kept block becomes the gradient of the pre-activation. */
#include "rnn/cell.h"
#include "rnn/products.h"

static void product(const struct ur__cell_step *s)
{
    ur__rows_times(s, s->h_read, s->ld_read, &s->p->w_hh[0], s->gates, s->ld);
}

static void forward(const struct ur__cell_step *s)
{
    product(s);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++)
        if (ur__own_row(s->split, r))
            s->k->rnn_forward(s->d->H, s->d->activation, s->gates + r * s->ld,
                              s->h + r * s->ld_h);
}

static void back_gates(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++)
        s->k->rnn_backward(H, s->d->activation, s->h + r * s->ld_h, s->dh + (ptrdiff_t)r * H,
                           s->gates + r * s->ld);
}

static void back_carry(const struct ur__cell_step *s)
{
    ur__rows_times(s, s->next, s->ld, &s->pb->w_hh[0], s->dh_read, s->d->P);
}

static void back_recurrent(const struct ur__cell_sums *s, ur_real *dw_hh)
{
    ur__sum_products(s, 0, s->d->H, dw_hh);
}

/* ---- f(…) kept apart from h -------------------------------------------- */

/* gates = f(gates); h = gates, plus h_prev where residual. */
static void forward_kept(const struct ur__cell_step *s)
{
    product(s);
    ur__meet(s->split);
    for (int r = 0; r < s->rows; r++) {
        if (!ur__own_row(s->split, r))
            continue;
        ur_real *f = s->gates + r * s->ld, *h = s->h + r * s->ld_h;
        s->k->rnn_forward(s->d->H, s->d->activation, f, f);
        if (s->d->cell->direct)
            s->k->add((size_t)s->d->H, s->h_prev + r * s->ld_prev, f, h);
        else
            s->k->rnn_forward(s->d->H, UR_ACT_IDENTITY, f, h);
    }
}

static void back_gates_kept(const struct ur__cell_step *s)
{
    int H = s->d->H;
    for (int r = 0; r < s->rows; r++) {
        ur_real *f = s->gates + r * s->ld;
        s->k->rnn_backward(H, s->d->activation, f, s->dh + (ptrdiff_t)r * H, f);
    }
}

/* ---- the plug ---------------------------------------------------------- */

extern const struct ur__cell ur__cell_rnn;
static const struct ur__cell kept, residual;

/* h is not f(…) itself where something is added to it, nor under zoneout. */
static const struct ur__cell *form(const struct ur__rnn_layer *d)
{
    return d->time_residual ? &residual : d->zoneout[0] > 0 ? &kept : &ur__cell_rnn;
}

static const char *const options[] = {"activation", "time-residual", NULL};

#define RNN(way_forward, way_back, past_the_weights)                                 \
    {                                                                                \
        .name = "rnn", .kind = UR_CELL_RNN, .torch = true, .options = options,       \
        .form = form, .gates = 1, .kept = 1, .part = {1}, .direct = (past_the_weights),            \
        .forward = (way_forward), .back_gates = (way_back),                          \
        .back_carry = back_carry, .back_recurrent = back_recurrent,                  \
    }

const struct ur__cell ur__cell_rnn = RNN(forward, back_gates, false);
static const struct ur__cell kept = RNN(forward_kept, back_gates_kept, false);
static const struct ur__cell residual = RNN(forward_kept, back_gates_kept, true);
