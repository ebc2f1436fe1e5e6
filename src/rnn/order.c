/* SPDX-License-Identifier: MIT */
#include "rnn/order.h"

struct ur__cell_step ur__step_at(const struct ur__sequence *s, int t, int b, int end,
                                 void *scratch)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    bool first = t == ur__first_time(s, b);
    ptrdiff_t at = ur__stored(s, t) + b;
    ptrdiff_t before = first ? 0 : ur__stored(s, ur__before(s, t)) + b;
    struct ur__cell_step c = {
        .k = s->k, .d = d, .p = s->p, .pb = s->pb, .scratch = scratch,
        .rows = end - b, .fed = end - b, .ld = ur__gates_row(d),
        .gates = kept->gates + at * ur__gates_row(d),
        .h_prev = first ? kept->h0 + (ptrdiff_t)b * d->P : kept->h + before * kept->ld_h,
        .ld_prev = first ? d->P : kept->ld_h,
        .h = kept->m ? kept->m + at * d->H : kept->h + at * kept->ld_h,
        .ld_h = kept->m ? d->H : kept->ld_h,
    };
    if (kept->h_prev) {
        c.h_prev = kept->h_prev + at * d->P;
        c.ld_prev = d->P;
    }
    c.h_read = kept->h_read ? kept->h_read + at * d->P : c.h_prev;
    c.ld_read = kept->h_read ? d->P : c.ld_prev;
    if (d->cell->c) {
        c.c = kept->c_new + at * d->H;
        c.c_prev = kept->c_prev ? kept->c_prev + at * d->H
                 : first ? kept->c0 + (ptrdiff_t)b * d->H : kept->c + before * d->H;
    }
    return c;
}

void ur__stored_rows(const struct ur__sequence *s, struct ur__gemm *g, int b0, int b1, int from,
                     int count)
{
    g->M = count;
    if (s->ragged) {
        g->row = s->ragged->own + s->ragged->before[b0] + from;
        return;
    }
    /* Steps of rows [b0,b1), B rows apart: of all rows they are one block. */
    ptrdiff_t first = (ptrdiff_t)(from / (b1 - b0)) * s->B + b0;
    g->group = b1 - b0 < s->B ? b1 - b0 : 0;
    g->a_group = s->B * (g->id ? 1 : g->a_row);
    g->c_group = s->B * g->c_row;
    g->c += first * g->c_row;
    if (g->id)
        g->id += first;
    else
        g->a += first * g->a_row;
}
