/* SPDX-License-Identifier: MIT */
#include "rnn/products.h"

static void multiply(const struct ur__cell_step *s, const struct ur__gemm *g)
{
    int n0 = 0, n1 = g->N;
    if (s->split)
        ur__share(g->N, s->k->nr, s->split->index, s->split->n, &n0, &n1);
    s->k->gemm(g, 0, s->rows, n0, n1, s->scratch);
}

void ur__rows_times(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda,
                    const struct ur__matrix *w, ur_real *c, ptrdiff_t ldc)
{
    struct ur__gemm g = {
        .M = s->rows, .N = w->N, .K = w->K,
        .a = a, .a_row = lda, .a_k = 1, .w = w,
        .c = c, .c_row = ldc, .accumulate = true,
    };
    multiply(s, &g);
}

void ur__rows_from(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda,
                   const struct ur__matrix *w, const ur_real *start, ur_real *c, ptrdiff_t ldc)
{
    struct ur__gemm g = {
        .M = s->rows, .N = w->N, .K = w->K,
        .a = a, .a_row = lda, .a_k = 1, .w = w,
        .c = c, .c_row = ldc, .start = start,
    };
    multiply(s, &g);
}

/* dw += sum over n rows of dgates ⊗ h. */
static void sum_rows(const struct ur__cell_sums *s, int n, const ur_real *dgates, int rows,
                     const ur_real *h, ptrdiff_t ld_h, ur_real *dw)
{
    struct ur__gemm g = {
        .M = rows, .N = s->d->P, .K = n,
        .a = dgates, .a_row = 1, .a_k = (ptrdiff_t)s->d->cell->kept * s->d->H,
        .b = h, .b_k = ld_h, .b_col = 1,
        .c = dw, .c_row = s->d->P, .accumulate = true,
    };
    if (n > 0)
        ur__gemm_share(s->k, &g, s->w, s->scratch);
}

void ur__sum_products(const struct ur__cell_sums *s, ptrdiff_t block, int rows, ur_real *dw)
{
    ptrdiff_t P = s->d->P, ld = s->d->cell->kept * (ptrdiff_t)s->d->H;
    const ur_real *dgates = s->gates + block * s->d->H;
    int rest = s->rows - s->B;
    if (s->h_read) {
        sum_rows(s, s->rows, dgates, rows, s->h_read, P, dw);
    } else if (s->d->reverse) {
        sum_rows(s, s->B, dgates + rest * ld, rows, s->h0, P, dw);
        sum_rows(s, rest, dgates, rows, s->h + s->B * s->ld_h, s->ld_h, dw);
    } else {
        sum_rows(s, s->B, dgates, rows, s->h0, P, dw);
        sum_rows(s, rest, dgates + s->B * ld, rows, s->h, s->ld_h, dw);
    }
}
