/* SPDX-License-Identifier: MIT */
/* The two matrix products that every cell is made of. */
#ifndef UR_RNN_PRODUCTS_H
#define UR_RNN_PRODUCTS_H

#include "kernel/gemm.h"
#include "rnn/cell.h"

/* c[rows,N] += a[rows,K]·W, W packed; rows lda and ldc apart. */
void ur__rows_times_packed(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda, int K,
                           const ur_real *w, int N, ur_real *c, ptrdiff_t ldc);

/* dw[rows,P] += sum over (t,b) of dgates[t,b,row]·h_read[t,b]: this worker's share.
 * dgates: `rows` neighbouring columns of the kept gates from block `block` on. */
void ur__sum_products(const struct ur__cell_sums *s, ptrdiff_t block, int rows, ur_real *dw);

#endif
