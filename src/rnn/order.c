/* SPDX-License-Identifier: MIT */
#include "rnn/order.h"

/* 0: row b takes no such part in step t; 2: it is its first step; 1: a later one. */
static int part_of(const struct ur__sequence *s, int t, ur__part part, int b)
{
    if (ur__length(s, b) <= t)
        return 0;
    bool first = t == ur__first_time(s, b);
    if ((part == UR__FIRST && !first) || (part == UR__NOT_LAST && t == ur__last_time(s, b)))
        return 0;
    return first ? 2 : 1;
}

bool ur__next_run(const struct ur__sequence *s, int t, ur__part part, int b1, int *b, int *end)
{
    int first = *b;
    while (first < b1 && !part_of(s, t, part, first))
        first++;
    if (first == b1)
        return false;
    int stop = first + 1, kind = part_of(s, t, part, first);
    if (!s->lengths)
        stop = b1;
    while (stop < b1 && part_of(s, t, part, stop) == kind)
        stop++;
    *b = first;
    *end = stop;
    return true;
}

struct ur__cell_step ur__step_at(const struct ur__sequence *s, int t, int b, int end,
                                 void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    ptrdiff_t at = (ptrdiff_t)t * s->B + b, before = (ptrdiff_t)ur__before(s, t) * s->B + b;
    bool first = t == ur__first_time(s, b);
    struct ur__cell_step c = {
        .k = s->k, .d = d, .p = s->p, .pb = s->pb, .scratch = scratch,
        .rows = end - b, .ld = ur__gates_row(d),
        .gates = kept->gates + at * ur__gates_row(d),
        .h_prev = first ? kept->h0 + (ptrdiff_t)b * d->P : kept->h + before * kept->ld_h,
        .ld_prev = first ? d->P : kept->ld_h,
        .h = kept->m ? kept->m + at * d->H : kept->h + at * kept->ld_h,
        .ld_h = kept->m ? d->H : kept->ld_h,
    };
    c.h_read = kept->h_read ? kept->h_read + at * d->P : c.h_prev;
    c.ld_read = kept->h_read ? d->P : c.ld_prev;
    if (d->cell->c) {
        c.c = kept->c_new + at * d->H;
        c.c_prev = first ? kept->c0 + (ptrdiff_t)b * d->H : kept->c + before * d->H;
    }
    return c;
}
