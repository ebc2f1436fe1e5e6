/* SPDX-License-Identifier: MIT */
/*
 * One block of memory a layer. Biases are added once here and become the start values of the
 * products, so that a net with two biases computes exactly as one with their sum; a cell may keep
 * the second bias of its last blocks apart.
 */
#include "rnn/pack.h"

#include <string.h>

#include "rnn/cells.h"

/* The memory as it is handed out, 64-byte aligned; NULL: it is only counted. */
struct room {
    const struct ur__kernel *k;
    char *memory;
    size_t used;
};

static void *take(struct room *r, size_t bytes)
{
    void *at = r->memory ? r->memory + r->used : NULL;
    r->used += (bytes + 63) / 64 * 64;
    return at;
}

static ur_real *take_reals(struct room *r, size_t n)
{
    return take(r, n * sizeof(ur_real));
}

static struct ur__matrix take_matrix(struct room *r, int K, int N)
{
    struct ur__matrix w = {.type = UR__NUMBER_REAL, .K = K, .N = N};
    w.data = take(r, r->k->packed_bytes(&w));
    return w;
}

/* Whether the layer has a projection. */
static bool projects(const struct ur__rnn_layer *d)
{
    return d->P != d->H;
}

static size_t place(struct ur__packed *p, struct room r, const struct ur__rnn_layer *d)
{
    const struct ur__cell *cell = d->cell;
    struct ur__cell_extra extra[UR__CELL_EXTRAS];
    size_t H = (size_t)d->H;
    int extras = ur__cell_extras(d, extra);
    *p = (struct ur__packed){
        .start = take_reals(&r, (size_t)cell->gates * H),
        .start_apart = take_reals(&r, (size_t)cell->apart * H),
        .w_ih = take_matrix(&r, d->I, cell->gates * d->H),
    };
    for (int i = 0; i < UR__CELL_PARTS && cell->part[i]; i++)
        p->w_hh[i] = take_matrix(&r, d->P, cell->part[i] * d->H);
    if (projects(d))
        p->w_hr = take_matrix(&r, d->H, d->P);
    for (int i = 0; i < extras; i++)
        p->extra[i] = take_reals(&r, (size_t)extra[i].blocks * H);
    if (d->O) {
        p->w_hy = take_matrix(&r, d->P, d->O);
        p->start_y = take_reals(&r, (size_t)d->O);
    }
    return r.used;
}

static size_t place_back(struct ur__packed_back *p, struct room r, const struct ur__rnn_layer *d)
{
    *p = (struct ur__packed_back){0};
    for (int i = 0; i < UR__CELL_PARTS && d->cell->part[i]; i++)
        p->w_hh[i] = take_matrix(&r, d->cell->part[i] * d->H, d->P);
    if (projects(d))
        p->w_hr = take_matrix(&r, d->P, d->H);
    return r.used;
}

size_t ur__packed_bytes(const struct ur__kernel *k, const struct ur__rnn_layer *d)
{
    struct ur__packed p;
    return place(&p, (struct room){k, NULL, 0}, d);
}

size_t ur__packed_back_bytes(const struct ur__kernel *k, const struct ur__rnn_layer *d)
{
    struct ur__packed_back p;
    return place_back(&p, (struct room){k, NULL, 0}, d);
}

void ur__packed_place(struct ur__packed *p, const struct ur__kernel *k,
                      const struct ur__rnn_layer *d, void *memory)
{
    place(p, (struct room){k, memory, 0}, d);
}

void ur__packed_back_place(struct ur__packed_back *p, const struct ur__kernel *k,
                           const struct ur__rnn_layer *d, void *memory)
{
    place_back(p, (struct room){k, memory, 0}, d);
}

static ur_real bias(const ur_real *b, int i)
{
    return b ? b[i] : 0;
}

/* w's data from a parameter [N,K], or, transposed, [K,N]. */
static void fill(const struct ur__kernel *k, const struct ur__matrix *w, const ur_real *from,
                 bool transposed)
{
    k->pack(w, 0, w->N, from, transposed ? w->N : 1, transposed ? 1 : w->K);
}

static void fill_starts(const struct ur__packed *p, const struct ur__rnn_layer *d,
                        const struct ur__rnn_weights *w)
{
    int GH = d->cell->gates * d->H, apart = d->cell->apart * d->H;
    for (int i = 0; i < GH; i++)
        p->start[i] = bias(w->b_ih, i) + (i < GH - apart ? bias(w->b_hh, i) : 0);
    for (int i = 0; i < apart; i++)
        p->start_apart[i] = bias(w->b_hh, GH - apart + i);
    for (int i = 0; i < d->O; i++)
        p->start_y[i] = bias(w->b_hy, i);
}

void ur__pack(const struct ur__packed *p, const struct ur__kernel *k,
              const struct ur__rnn_layer *d, const struct ur__rnn_weights *w)
{
    struct ur__cell_extra extra[UR__CELL_EXTRAS];
    int extras = ur__cell_extras(d, extra);
    const ur_real *w_hh = w->w_hh;
    fill_starts(p, d, w);
    fill(k, &p->w_ih, w->w_ih, false);
    for (int i = 0; i < UR__CELL_PARTS && d->cell->part[i]; i++) {
        fill(k, &p->w_hh[i], w_hh, false);
        w_hh += (ptrdiff_t)p->w_hh[i].N * d->P;
    }
    if (projects(d))
        fill(k, &p->w_hr, w->w_hr, false);
    for (int i = 0; i < extras; i++)
        memcpy(p->extra[i], w->extra[i],
               (size_t)extra[i].blocks * (size_t)d->H * sizeof(ur_real));
    if (d->O)
        fill(k, &p->w_hy, w->w_hy, false);
}

void ur__pack_back(const struct ur__packed_back *p, const struct ur__kernel *k,
                   const struct ur__rnn_layer *d, const struct ur__rnn_weights *w)
{
    const ur_real *w_hh = w->w_hh;
    for (int i = 0; i < UR__CELL_PARTS && d->cell->part[i]; i++) {
        fill(k, &p->w_hh[i], w_hh, true);
        w_hh += (ptrdiff_t)p->w_hh[i].K * d->P;
    }
    if (projects(d))
        fill(k, &p->w_hr, w->w_hr, true);
}
