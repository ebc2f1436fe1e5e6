/* SPDX-License-Identifier: MIT */
/* The two matrix products that every cell is made of. */
#ifndef UR_RNN_PRODUCTS_H
#define UR_RNN_PRODUCTS_H

#include "kernel/gemm.h"
#include "rnn/cell.h"

/* c[rows,N] += a[rows,K]·W; rows lda and ldc apart. Of a split step: this worker's columns. */
void ur__rows_times(const struct ur__cell_step *s, const ur_real *a, ptrdiff_t lda,
                    const struct ur__matrix *w, ur_real *c, ptrdiff_t ldc);
/* c[rows,N] = start[N] + a[rows,K]·W; start NULL: zeros. */
struct ur__product {
    const ur_real *a;
    ptrdiff_t lda;
    const struct ur__matrix *w;
    const ur_real *start;
    ur_real *c;
    ptrdiff_t ldc;
};
void ur__rows_from(const struct ur__cell_step *s, const struct ur__product *p);

/* Waits for the other workers of a split step. */
static inline void ur__meet(const struct ur__worker *split)
{
    if (split)
        ur__team_barrier(split);
}

/* Whether row r of a step is this worker's to finish. */
static inline bool ur__own_row(const struct ur__worker *split, int r)
{
    return !split || r % split->n == split->index;
}

/* dw[rows,P] += sum over (t,b) of dgates[t,b,row]·h_read[t,b]: this worker's share.
 * dgates: `rows` neighbouring columns of the kept gates from block `block` on. */
void ur__sum_products(const struct ur__cell_sums *s, ptrdiff_t block, int rows, ur_real *dw);

#endif
