/* SPDX-License-Identifier: MIT */
/*
 * The order of time of one direction: which step is computed when, and which rows of a
 * padded batch take part in it. The second direction starts at each sequence's own end.
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
    return s->lengths ? s->lengths[b] : s->T;
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

/* Whether row b takes part in step t; only in its first step; in all but its last. */
typedef enum ur__part { UR__ALIVE, UR__FIRST, UR__NOT_LAST } ur__part;

/* The next run [*b,*end) of neighbouring rows in [*b,b1) that take that part in step t; all
 * of them in their first step, or none. False if there is none. */
bool ur__next_run(const struct ur__sequence *s, int t, ur__part part, int b1, int *b, int *end);

/* Rows [b,end) of step t, as a cell sees them: all that forward leaves. */
struct ur__cell_step ur__step_at(const struct ur__sequence *s, int t, int b, int end,
                                 void *scratch);

#endif
