/* SPDX-License-Identifier: MIT */
/*
 * The order of time of one direction: which step is computed when, and which rows of a
 * batch take part in it. The second direction starts at each sequence's own end.
 */
#ifndef UR_RNN_ORDER_H
#define UR_RNN_ORDER_H

#include "rnn/sequence.h"

static inline ptrdiff_t ur__gates_row(const struct ur__rnn_layer *d)
{
    return (ptrdiff_t)d->cell->kept * d->H;
}

static inline int ur__length(const struct ur__sequence *s, int b)
{
    return s->ragged ? s->ragged->length[b] : s->T;
}

/* The row of the batch that row b of a pass is. */
static inline ptrdiff_t ur__batch_row(const struct ur__sequence *s, int b)
{
    return s->ragged ? s->ragged->row[b] : b;
}

/* How many rows live at step t, and where they are stored. */
static inline int ur__alive(const struct ur__sequence *s, int t)
{
    return s->ragged ? s->ragged->alive[t] : s->B;
}

static inline ptrdiff_t ur__stored(const struct ur__sequence *s, int t)
{
    return s->ragged ? s->ragged->at[t] : (ptrdiff_t)t * s->B;
}

/* All rows that live, over all steps; those of rows [b0,b1). */
static inline int ur__living(const struct ur__sequence *s, int b0, int b1)
{
    return s->ragged ? (int)(s->ragged->before[b1] - s->ragged->before[b0]) : s->T * (b1 - b0);
}

/* Of rows [b0,b1), the end of those that live at step t; never before b0. */
static inline int ur__alive_end(const struct ur__sequence *s, int t, int b0, int b1)
{
    int end = ur__alive(s, t) < b1 ? ur__alive(s, t) : b1;
    return end < b0 ? b0 : end;
}

/* The time of the i-th step computed; the time of the steps computed before and after t. */
static inline int ur__time(const struct ur__sequence *s, int i)
{
    return s->d->reverse ? s->T - 1 - i : i;
}

static inline int ur__before(const struct ur__sequence *s, int t)
{
    return s->d->reverse ? t + 1 : t - 1;
}

static inline int ur__after(const struct ur__sequence *s, int t)
{
    return s->d->reverse ? t - 1 : t + 1;
}

/* Time of the first and last step of row b, which is not empty. */
static inline int ur__first_time(const struct ur__sequence *s, int b)
{
    return s->d->reverse ? ur__length(s, b) - 1 : 0;
}

static inline int ur__last_time(const struct ur__sequence *s, int b)
{
    return s->d->reverse ? 0 : ur__length(s, b) - 1;
}

/* Rows [b,end) of step t, as a cell sees them: all that forward leaves. */
struct ur__cell_step ur__step_at(const struct ur__sequence *s, int t, int b, int end,
                                 void *scratch);

/* A product of stored rows, those of rows [b0,b1) from the from-th in time on, count of them:
 * which rows of a and c take part, where both are whole. c_row and a_row are set. */
void ur__stored_rows(const struct ur__sequence *s, struct ur__gemm *g, int b0, int b1, int from,
                     int count);

#endif
