/* SPDX-License-Identifier: MIT */
#include "rnn/products.h"

void ur__rows_times_packed(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda, int K,
                           const ur_real *w, int N, ur_real *c, ptrdiff_t ldc)
{
    struct ur__gemm g = {
        .M = s->rows, .N = N, .K = K,
        .a = a, .a_row = lda, .a_k = 1,
        .b = w, .packed = true,
        .c = c, .c_row = ldc, .accumulate = true,
    };
    s->k->gemm(&g, 0, s->rows, 0, N, s->scratch);
}

void ur__sum_products(const struct ur__cell_sums *s, const ur_real *dgates, int rows,
                      ur_real *dw)
{
    ptrdiff_t H = s->d->H, ld = s->d->cell->kept * H;
    struct ur__gemm g = {
        .M = rows, .N = (int)H, .K = s->B,
        .a = dgates, .a_row = 1, .a_k = ld,
        .b = s->h0, .b_k = H, .b_col = 1,
        .c = dw, .c_row = H, .accumulate = true,
    };
    ur__gemm_share(s->k, &g, s->w, s->scratch);
    g.K = (s->T - 1) * s->B;
    g.a = dgates + s->B * ld;
    g.b = s->h;
    if (g.K > 0)
        ur__gemm_share(s->k, &g, s->w, s->scratch);
}
