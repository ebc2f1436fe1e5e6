/* SPDX-License-Identifier: MIT */
/* A sequence back: the chain through time, and the gradient of the input. */
#include <string.h>

#include "rnn/noise.h"
#include "rnn/order.h"
#include "rnn/sequence.h"

/* Through the output map, all steps of own rows: dy becomes the gradient of the
 * pre-activation, dh_all what reaches h. Padded rows get zeros. */
static void back_output(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    for (int t = 0; t < s->T; t++)
        for (int b = b0; b < b1; b++) {
            ptrdiff_t at = (ptrdiff_t)t * s->B + b;
            ur_real *dy = s->dy + at * s->ld_dy;
            if (t >= ur__length(s, b))
                memset(dy, 0, (size_t)d->O * sizeof(ur_real));
            else if (d->output_activation == UR_ACT_TANH)
                s->k->rnn_backward(d->O, UR_ACT_TANH, s->kept.y + at * s->kept.ld_y, dy, dy);
        }
    struct ur__gemm g = {
        .M = s->T * (b1 - b0), .N = d->P, .K = d->O, .group = b1 - b0,
        .a = s->dy + b0 * s->ld_dy, .a_row = s->ld_dy, .a_k = 1, .a_group = s->B * s->ld_dy,
        .b = s->w->w_hy, .b_k = d->P, .b_col = 1,
        .c = s->dh_all + (ptrdiff_t)b0 * d->P, .c_row = d->P, .c_group = (ptrdiff_t)s->B * d->P,
    };
    s->k->gemm(&g, 0, g.M, 0, d->P, scratch);
}

/* After the cell, s->dh holds a part that goes straight to the step before. */
static bool goes_straight(const struct ur__rnn_layer *d)
{
    return d->cell->direct || d->zoneout[0] > 0;
}

/* dh[b] before the product: the output's gradient, plus what comes straight from the step
 * computed after t, or the final state's gradient where the sequence ends. */
static void start_dh(const struct ur__sequence *s, int t, int b)
{
    const struct ur__rnn_layer *d = s->d;
    size_t P = (size_t)d->P;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b;
    ur_real *dh = s->dh + (ptrdiff_t)b * d->P;
    const ur_real *dy = d->O ? s->dh_all + at * d->P : s->dy + at * s->ld_dy;
    if (t == ur__last_time(s, b) && s->dhT)
        s->k->add(P, dy, s->dhT + (ptrdiff_t)b * d->P, dh);
    else if (t != ur__last_time(s, b) && goes_straight(d))
        s->k->add(P, dy, dh, dh);
    else
        memcpy(dh, dy, P * sizeof(ur_real));
}

/* A padded row of step t: nothing flows. */
static void clear_row(const struct ur__sequence *s, int t, int b)
{
    ptrdiff_t at = (ptrdiff_t)t * s->B + b, ld = ur__gates_row(s->d), P = s->d->P;
    memset(s->kept.gates + at * ld, 0, (size_t)ld * sizeof(ur_real));
    if (s->dp)
        memset(s->dp + at * P, 0, (size_t)P * sizeof(ur_real));
    if (s->seen)
        memset(s->seen + at * P, 0, (size_t)P * sizeof(ur_real));
}

static void point_back(const struct ur__sequence *s, struct ur__cell_step *c, int next, int b)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t H = (ptrdiff_t)b * d->H, P = (ptrdiff_t)b * d->P;
    c->dh = s->dm ? s->dm + H : s->dh + P;
    c->dc = s->dc ? s->dc + H : NULL;
    c->work = s->work ? s->work + H * d->cell->work : NULL;
    c->dh_read = s->dh_read ? s->dh_read + P : s->dh + P;
    c->next = s->kept.gates + ((ptrdiff_t)next * s->B + b) * ur__gates_row(d);
}

/* What the gates of step `next` send back to the state that they have read. */
static void carry(const struct ur__sequence *s, int t, int next, int b, int end, void *scratch)
{
    struct ur__cell_step c = ur__step_at(s, t, b, end, scratch);
    point_back(s, &c, next, b);
    s->d->cell->back_carry(&c);
    ur__drop_back(s, b, end);
}

/* dm = dh W_hr for rows [b,end); dh is kept for the sum over time. */
static void back_projection(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ur_real *dp = s->dp + ((ptrdiff_t)t * s->B + b) * d->P;
    memcpy(dp, s->dh + (ptrdiff_t)b * d->P, (size_t)(end - b) * (size_t)d->P * sizeof *dp);
    struct ur__gemm g = {
        .M = end - b, .N = d->H, .K = d->P,
        .a = dp, .a_row = d->P, .a_k = 1,
        .w = &s->pb->w_hr,
        .c = s->dm + (ptrdiff_t)b * d->H, .c_row = d->H,
    };
    s->k->gemm(&g, 0, g.M, 0, d->H, scratch);
}

static void back_cell(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (s->seen)
        memcpy(s->seen + ((ptrdiff_t)t * s->B + b) * d->P, s->dh + (ptrdiff_t)b * d->P,
               (size_t)(end - b) * (size_t)d->P * sizeof(ur_real));
    ur__zone_back_open(s, t, b, end);
    if (s->dm)
        back_projection(s, t, b, end, scratch);
    struct ur__cell_step c = ur__step_at(s, t, b, end, scratch);
    point_back(s, &c, t, b);
    d->cell->back_gates(&c);
    ur__zone_back_close(s, b, end);
}

static void back_step(const struct ur__sequence *s, int t, int b0, int b1, void *scratch)
{
    for (int b = b0; b < b1; b++) {
        if (t < ur__length(s, b))
            start_dh(s, t, b);
        else
            clear_row(s, t, b);
    }
    for (int b = b0, end; ur__next_run(s, t, UR__NOT_LAST, b1, &b, &end); b = end)
        carry(s, t, ur__after(s, t), b, end, scratch);
    for (int b = b0, end; ur__next_run(s, t, UR__ALIVE, b1, &b, &end); b = end)
        back_cell(s, t, b, end, scratch);
}

/* Turns dh, dc into gradients of h0, c0; keeps the gates of each row's first step where the
 * sums want them side by side. */
static void back_to_start(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    size_t bytes = (size_t)d->P * sizeof(ur_real);
    for (int b = b0; b < b1; b++) {
        ur_real *dh = s->dh + (ptrdiff_t)b * d->P;
        if (ur__length(s, b) == 0 && s->dhT)
            memcpy(dh, s->dhT + (ptrdiff_t)b * d->P, bytes);
        else if (ur__length(s, b) == 0 || !goes_straight(d))
            memset(dh, 0, bytes);
    }
    for (int t = 0; t < (d->reverse ? s->T : 1); t++)
        for (int b = b0, end; ur__next_run(s, t, UR__FIRST, b1, &b, &end); b = end)
            carry(s, t, t, b, end, scratch);
    ptrdiff_t ld = ur__gates_row(d);
    for (int b = b0; s->first && b < b1; b++) {
        int t = ur__length(s, b) ? ur__first_time(s, b) : 0;    /* an empty row's are zeros */
        memcpy(s->first + b * ld, s->kept.gates + ((ptrdiff_t)t * s->B + b) * ld,
               (size_t)ld * sizeof(ur_real));
    }
}

/* dx[t,b] = dG[t,b] W_ih for own rows, all t. */
static void back_input(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t ld = ur__gates_row(d);
    struct ur__gemm g = {
        .M = s->T * (b1 - b0), .N = d->I, .K = d->cell->gates * d->H, .group = b1 - b0,
        .a = s->kept.gates + b0 * ld, .a_row = ld, .a_k = 1, .a_group = s->B * ld,
        .b = s->w->w_ih, .b_k = d->I, .b_col = 1,
        .c = s->dx + (ptrdiff_t)b0 * d->I, .c_row = d->I, .c_group = (ptrdiff_t)s->B * d->I,
        .accumulate = s->dx_adds,
    };
    s->k->gemm(&g, 0, g.M, 0, d->I, scratch);
}

void ur__sequence_backward(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    if (b0 >= b1)
        return;
    size_t rows = (size_t)(b1 - b0) * sizeof(ur_real), H = (size_t)d->H, P = (size_t)d->P;
    ptrdiff_t first = (ptrdiff_t)b0 * d->H;
    if (d->cell->c && s->dcT)
        memcpy(s->dc + first, s->dcT + first, rows * H);
    else if (d->cell->c)
        memset(s->dc + first, 0, rows * H);
    if (s->dh_read)
        memset(s->dh_read + (ptrdiff_t)b0 * d->P, 0, rows * P);
    if (d->O)
        back_output(s, b0, b1, scratch);
    for (int i = s->T - 1; i >= 0; i--)
        back_step(s, ur__time(s, i), b0, b1, scratch);
    back_to_start(s, b0, b1, scratch);
    if (s->dx)
        back_input(s, b0, b1, scratch);
}
