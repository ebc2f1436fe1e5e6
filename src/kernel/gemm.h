/* SPDX-License-Identifier: MIT */
/* The matrix product on a whole team. */
#ifndef UR_KERNEL_GEMM_H
#define UR_KERNEL_GEMM_H

#include "base/team.h"
#include "kernel/kernel.h"

/* Bytes of scratch that n workers need together. */
size_t ur__gemm_scratch(const struct ur__kernel *k, int n_workers);

/* This worker's share of the product (all workers of a region call it with the same
 * g; together they compute C; no barrier inside). scratch: of all workers. Splits C
 * by rows or columns, whichever gives the more even shares, never k; the split depends
 * on M and N alone, so that products with equal M and N may follow each other on one C
 * without a barrier. */
void ur__gemm_share(const struct ur__kernel *k, const struct ur__gemm *g,
                    const struct ur__worker *w, void *scratch);

/* The whole product on a team (NULL: here), for products outside a region. */
void ur__gemm_run(const struct ur__kernel *k, const struct ur__gemm *g, ur_team *team,
                  void *scratch);

#endif
