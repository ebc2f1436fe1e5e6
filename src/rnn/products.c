/* SPDX-License-Identifier: MIT */
#include "rnn/products.h"

static void multiply(const struct ur__cell_step *s, const struct ur__gemm *g)
{
    int n0 = 0, n1 = g->N;
    if (s->split)
        ur__share(g->N, s->k->nr, s->split->index, s->split->n, &n0, &n1);
    s->k->gemm(g, 0, g->M, n0, n1, s->scratch);
}

void ur__rows_times(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda,
                    const struct ur__matrix *w, ur_real *c, ptrdiff_t ldc)
{
    struct ur__gemm g = {
        .M = s->fed, .N = w->N, .K = w->K,
        .a = a, .a_row = lda, .a_k = 1, .w = w,
        .c = c, .c_row = ldc, .accumulate = true,
    };
    multiply(s, &g);
}

void ur__rows_from(const struct ur__cell_step *s, const struct ur__product *p)
{
    struct ur__gemm g = {
        .M = s->rows, .N = p->w->N, .K = p->w->K,
        .a = p->a, .a_row = p->lda, .a_k = 1, .w = p->w,
        .c = p->c, .c_row = p->ldc, .start = p->start,
    };
    multiply(s, &g);
}

/* Continues g's sum over n rows of dgates ⊗ h. */
static void sum_rows(const struct ur__cell_sums *s, struct ur__gemm g, int n,
                     const ur_real *dgates, const ur_real *h)
{
    g.K = n;
    g.a = dgates;
    g.b = h;
    if (n > 0)
        ur__gemm_share(s->k, &g, s->w, s->scratch);
}

void ur__sum_products(const struct ur__cell_sums *s, ptrdiff_t block, int rows, ur_real *dw)
{
    ptrdiff_t P = s->d->P, ld = s->d->cell->kept * (ptrdiff_t)s->d->H;
    const ur_real *dgates = s->gates + block * s->d->H;
    int rest = s->rows - s->B;
    struct ur__gemm first = {
        .M = rows, .N = (int)P, .a_row = 1, .a_k = ld, .b_k = P, .b_col = 1,
        .c = dw, .c_row = P, .accumulate = true,
    };
    struct ur__gemm others = first;
    others.b_k = s->ld_h;
    int begin = s->d->reverse ? 0 : s->fresh;
    if (s->h_read) {
        sum_rows(s, first, s->rows - s->fresh, dgates + begin * ld, s->h_read + begin * P);
    } else if (s->d->reverse) {
        sum_rows(s, first, s->B - s->fresh, dgates + rest * ld, s->h0);
        sum_rows(s, others, rest, dgates, s->h + s->B * s->ld_h);
    } else {
        sum_rows(s, first, s->B - s->fresh, dgates, s->h0);
        sum_rows(s, others, rest, dgates + s->B * ld, s->h);
    }
}
