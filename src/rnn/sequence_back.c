/* SPDX-License-Identifier: MIT */
/* A sequence back: the chain through time, and the gradient of the input. */
#include <string.h>

#include "rnn/noise.h"
#include "rnn/order.h"
#include "rnn/sequence.h"

/* Through the output map, all steps of own rows: dy becomes the gradient of the
 * pre-activation, dh_all what reaches h. */
static void back_output(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    for (int t = 0; d->output_activation == UR_ACT_TANH && t < s->T; t++)
        for (int b = b0; b < ur__alive_end(s, t, b0, b1); b++) {
            ptrdiff_t at = ur__stored(s, t) + b;
            ur_real *dy = s->dy + at * s->ld_dy;
            s->k->rnn_backward(d->O, UR_ACT_TANH, s->kept.y + at * s->kept.ld_y, dy, dy);
        }
    struct ur__gemm g = {
        .N = d->P, .K = d->O,
        .a = s->dy, .a_row = s->ld_dy, .a_k = 1,
        .b = s->w->w_hy, .b_k = d->P, .b_col = 1,
        .c = s->dh_all, .c_row = d->P,
    };
    ur__stored_rows(s, &g, b0, b1, 0, ur__living(s, b0, b1));
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
    ptrdiff_t at = ur__stored(s, t) + b;
    ur_real *dh = s->dh + (ptrdiff_t)b * d->P;
    const ur_real *dy = d->O ? s->dh_all + at * d->P : s->dy + at * s->ld_dy;
    if (t == ur__last_time(s, b) && s->dhT)
        s->k->add(P, dy, s->dhT + ur__batch_row(s, b) * d->P, dh);
    else if (t != ur__last_time(s, b) && goes_straight(d))
        s->k->add(P, dy, dh, dh);
    else
        memcpy(dh, dy, P * sizeof(ur_real));
}

static void point_back(const struct ur__sequence *s, struct ur__cell_step *c, int b)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t H = (ptrdiff_t)b * d->H, P = (ptrdiff_t)b * d->P;
    c->dh = s->dm ? s->dm + H : s->dh + P;
    c->dc = s->dc ? s->dc + H : NULL;
    c->work = s->work ? s->work + H * d->cell->work : NULL;
    c->dh_read = s->dh_read ? s->dh_read + P : s->dh + P;
}

/* The gates of step t, rows from b on. */
static const ur_real *gates_at(const struct ur__sequence *s, int t, int b)
{
    return s->kept.gates + (ur__stored(s, t) + b) * ur__gates_row(s->d);
}

/* What the gates `next` of rows [b,end) send back to the state that they have read. */
static void carry(const struct ur__sequence *s, const ur_real *next, int t, int b, int end,
                  void *scratch)
{
    struct ur__cell_step c = ur__step_at(s, t, b, end, scratch);
    point_back(s, &c, b);
    c.next = next;
    s->d->cell->back_carry(&c);
    ur__drop_back(s, b, end);
}

/* dm = dh W_hr for rows [b,end); dh is kept for the sum over time. */
static void back_projection(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    ur_real *dp = s->dp + (ur__stored(s, t) + b) * d->P;
    memcpy(dp, s->dh + (ptrdiff_t)b * d->P, (size_t)(end - b) * (size_t)d->P * sizeof *dp);
    struct ur__gemm g = {
        .M = end - b, .N = d->H, .K = d->P,
        .a = dp, .a_row = d->P, .a_k = 1,
        .w = &s->pb->w_hr,
        .c = s->dm + (ptrdiff_t)b * d->H, .c_row = d->H,
    };
    s->k->gemm(&g, 0, g.M, 0, d->H, scratch);
}

static void show(const struct ur__sequence *s, int t, int b, int end)
{
    ptrdiff_t P = s->d->P;
    for (; s->seen && b < end; b++)
        memcpy(s->seen + ((ptrdiff_t)t * s->B + ur__batch_row(s, b)) * P, s->dh + b * P,
               (size_t)P * sizeof(ur_real));
}

static void back_cell(const struct ur__sequence *s, int t, int b, int end, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    show(s, t, b, end);
    ur__zone_back_open(s, t, b, end);
    if (s->dm)
        back_projection(s, t, b, end, scratch);
    struct ur__cell_step c = ur__step_at(s, t, b, end, scratch);
    point_back(s, &c, b);
    d->cell->back_gates(&c);
    ur__zone_back_close(s, b, end);
}

/* t is the i-th step computed. */
static void back_step(const struct ur__sequence *s, int i, int b0, int b1, void *scratch)
{
    int t = ur__time(s, i), end = ur__alive_end(s, t, b0, b1), after = ur__after(s, t);
    for (int b = b0; b < end; b++)
        start_dh(s, t, b);
    /* Those that live on after it. */
    int stay = i + 1 < s->T ? ur__alive_end(s, after, b0, end) : b0;
    if (b0 < stay)
        carry(s, gates_at(s, after, b0), t, b0, stay, scratch);
    if (b0 < end)
        back_cell(s, t, b0, end, scratch);
}

/* The gates of each row's first step, rows [b0,end), side by side. */
static const ur_real *first_gates(const struct ur__sequence *s, int b0, int end)
{
    ptrdiff_t ld = ur__gates_row(s->d);
    if (!s->first)
        return gates_at(s, ur__time(s, 0), b0);
    for (int b = b0; b < end; b++)
        memcpy(s->first + b * ld, gates_at(s, ur__first_time(s, b), b),
               (size_t)ld * sizeof(ur_real));
    return s->first + b0 * ld;
}

/* Turns dh, dc into gradients of h0, c0. */
static void back_to_start(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    size_t bytes = (size_t)d->P * sizeof(ur_real);
    int end = ur__alive_end(s, 0, b0, b1);
    for (int b = b0; b < b1; b++) {
        ur_real *dh = s->dh + (ptrdiff_t)b * d->P;
        if (b >= end && s->dhT)
            memcpy(dh, s->dhT + ur__batch_row(s, b) * d->P, bytes);
        else if (b >= end || !goes_straight(d))
            memset(dh, 0, bytes);
    }
    if (b0 < end)
        carry(s, first_gates(s, b0, end), ur__first_time(s, b0), b0, end, scratch);
}

/* dx[t,b] = dG[t,b] W_ih for own rows, all t. */
static void back_input(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    struct ur__gemm g = {
        .N = d->I, .K = d->cell->gates * d->H,
        .a = s->kept.gates, .a_row = ur__gates_row(d), .a_k = 1,
        .b = s->w->w_ih, .b_k = d->I, .b_col = 1,
        .c = s->dx, .c_row = d->I, .accumulate = s->dx_adds,
    };
    ur__stored_rows(s, &g, b0, b1, 0, ur__living(s, b0, b1));
    s->k->gemm(&g, 0, g.M, 0, d->I, scratch);
}

/* The gradients of the final state, rows [b0,b1); dh takes its own where a row ends. */
static void start_back(const struct ur__sequence *s, int b0, int b1)
{
    const struct ur__rnn_layer *d = s->d;
    ptrdiff_t H = d->H, P = d->P;
    for (int b = b0; b < b1; b++) {
        if (d->cell->c && s->dcT)
            memcpy(s->dc + b * H, s->dcT + ur__batch_row(s, b) * H, (size_t)H * sizeof(ur_real));
        else if (d->cell->c)
            memset(s->dc + b * H, 0, (size_t)H * sizeof(ur_real));
        if (s->dh_read)
            memset(s->dh_read + b * P, 0, (size_t)P * sizeof(ur_real));
        for (int t = ur__length(s, b); s->seen && t < s->T; t++)
            memset(s->seen + ((ptrdiff_t)t * s->B + ur__batch_row(s, b)) * P, 0,
                   (size_t)P * sizeof(ur_real));
    }
}

void ur__sequence_backward(const struct ur__sequence *s, int b0, int b1, void *scratch)
{
    if (b0 >= b1)
        return;
    start_back(s, b0, b1);
    if (s->d->O)
        back_output(s, b0, b1, scratch);
    for (int i = s->T - 1; i >= 0; i--)
        back_step(s, i, b0, b1, scratch);
    if (!s->ends_at_start)
        back_to_start(s, b0, b1, scratch);
    if (s->dx)
        back_input(s, b0, b1, scratch);
}
