/* SPDX-License-Identifier: MIT */
/*
 * One block of memory a layer:
 *
 *   start [G·H] | start_n [H] | W_ih [I,G·H] | W_hh [P,·] | W_hh_n [H,H] | W_hr [H,P] |
 *   peepholes | W_hy [P,O] | start_y [O]
 *
 * Biases are added once here and become the start values of the products, so that a
 * net with two biases computes exactly as one with their sum.
 */
#include "rnn/pack.h"

#include <string.h>

/* n reals rounded up so that what follows stays 64-byte aligned. */
static size_t padded(size_t n)
{
    size_t line = 64 / sizeof(ur_real);
    return (n + line - 1) / line * line;
}

static size_t take(ur_real **to, ur_real *memory, size_t *at, size_t n)
{
    *to = memory ? memory + *at : NULL;
    *at += padded(n);
    return *at;
}

/* Rows of weight_hh that go through the state as it is: all but the GRU's n. */
static int plain_rows(const struct ur__rnn_layer *d)
{
    return (d->cell->kind == UR_CELL_GRU ? 2 : d->cell->gates) * d->H;
}

static bool projects(const struct ur__rnn_layer *d)
{
    return d->P != d->H;
}

/* One peephole for each gate but g. */
static size_t peepholes(const struct ur__rnn_layer *d)
{
    return d->peepholes ? (size_t)(d->cell->gates - 1) * (size_t)d->H : 0;
}

static size_t place(struct ur__packed *p, const struct ur__kernel *k,
                    const struct ur__rnn_layer *d, ur_real *memory)
{
    size_t at = 0, H = (size_t)d->H;
    bool gru = d->cell->kind == UR_CELL_GRU;
    take(&p->start, memory, &at, (size_t)d->cell->gates * H);
    take(&p->start_n, memory, &at, gru ? H : 0);
    take(&p->w_ih, memory, &at, k->packed_size(d->I, d->cell->gates * d->H));
    take(&p->w_hh, memory, &at, k->packed_size(d->P, plain_rows(d)));
    take(&p->w_hh_n, memory, &at, gru ? k->packed_size(d->H, d->H) : 0);
    take(&p->w_hr, memory, &at, projects(d) ? k->packed_size(d->H, d->P) : 0);
    take(&p->peep, memory, &at, peepholes(d));
    take(&p->w_hy, memory, &at, d->O ? k->packed_size(d->P, d->O) : 0);
    return take(&p->start_y, memory, &at, (size_t)d->O);
}

static size_t place_back(struct ur__packed_back *p, const struct ur__kernel *k,
                         const struct ur__rnn_layer *d, ur_real *memory)
{
    size_t at = 0;
    bool gru = d->cell->kind == UR_CELL_GRU;
    take(&p->w_hh, memory, &at, k->packed_size(plain_rows(d), d->P));
    take(&p->w_hh_n, memory, &at, gru ? k->packed_size(d->H, d->H) : 0);
    return take(&p->w_hr, memory, &at, projects(d) ? k->packed_size(d->P, d->H) : 0);
}

size_t ur__packed_size(const struct ur__kernel *k, const struct ur__rnn_layer *d)
{
    struct ur__packed p;
    return place(&p, k, d, NULL);
}

size_t ur__packed_back_size(const struct ur__kernel *k, const struct ur__rnn_layer *d)
{
    struct ur__packed_back p;
    return place_back(&p, k, d, NULL);
}

void ur__packed_place(struct ur__packed *p, const struct ur__kernel *k,
                      const struct ur__rnn_layer *d, ur_real *memory)
{
    place(p, k, d, memory);
}

void ur__packed_back_place(struct ur__packed_back *p, const struct ur__kernel *k,
                           const struct ur__rnn_layer *d, ur_real *memory)
{
    place_back(p, k, d, memory);
}

static ur_real bias(const ur_real *b, int i)
{
    return b ? b[i] : 0;
}

void ur__pack(const struct ur__packed *p, const struct ur__kernel *k,
              const struct ur__rnn_layer *d, const struct ur__rnn_weights *w)
{
    int H = d->H, GH = d->cell->gates * H, plain = plain_rows(d);
    bool gru = d->cell->kind == UR_CELL_GRU;
    bool apart = gru && !d->reset_before;   /* b_hn stands inside r∘(…) */
    for (int i = 0; i < GH; i++) {
        bool both = !(apart && i >= 2 * H);
        p->start[i] = bias(w->b_ih, i) + (both ? bias(w->b_hh, i) : 0);
    }
    k->pack(d->I, GH, w->w_ih, 1, d->I, p->w_ih);
    k->pack(d->P, plain, w->w_hh, 1, d->P, p->w_hh);
    if (projects(d))
        k->pack(H, d->P, w->w_hr, 1, H, p->w_hr);
    if (d->peepholes)
        memcpy(p->peep, w->peep, peepholes(d) * sizeof(ur_real));
    if (gru) {
        for (int i = 0; i < H; i++)
            p->start_n[i] = apart ? bias(w->b_hh, 2 * H + i) : 0;
        k->pack(H, H, w->w_hh + (ptrdiff_t)2 * H * H, 1, H, p->w_hh_n);
    }
    if (d->O) {
        k->pack(d->P, d->O, w->w_hy, 1, d->P, p->w_hy);
        for (int i = 0; i < d->O; i++)
            p->start_y[i] = bias(w->b_hy, i);
    }
}

void ur__pack_back(const struct ur__packed_back *p, const struct ur__kernel *k,
                   const struct ur__rnn_layer *d, const struct ur__rnn_weights *w)
{
    int H = d->H;
    k->pack(plain_rows(d), d->P, w->w_hh, d->P, 1, p->w_hh);
    if (projects(d))
        k->pack(d->P, H, w->w_hr, H, 1, p->w_hr);
    if (d->cell->kind == UR_CELL_GRU)
        k->pack(H, H, w->w_hh + (ptrdiff_t)2 * H * H, H, 1, p->w_hh_n);
}
