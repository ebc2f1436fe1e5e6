/* SPDX-License-Identifier: MIT */
/* Attention without a tape, in the bits of ur_attention. */
#ifndef UR_LAYER_ATTENTION_H
#define UR_LAYER_ATTENTION_H

#include "unroll/layer.h"

/* Queries as they are compared with keys: [n,Q] -> [n,Q]. */
ur_status ur__attention_queries(const ur_attention_layer *layer, ur_team *team, int n,
                                const ur_real *query, ur_real *to);

/* n rows that ask the same memory of S steps. */
struct ur__attention_rows {
    int n, S;
    const ur_real *query;       /* [n,Q] of ur__attention_queries */
    const ur_real *keys;        /* [S,Q] */
    const ur_real *values;      /* [S,M] */
    ur_real *weights;           /* [n,S] gets how much each step counts */
    ur_real *context;           /* [n,M] gets what was read; rows `apart` from each other */
    ptrdiff_t apart;
    ur_real *work;              /* [S,Q] */
};
/* Allocates nothing. scratch: of the kernel's products, ur__gemm_scratch(k, 1). */
void ur__attention_run(const ur_attention_layer *layer, const struct ur__attention_rows *rows,
                       void *scratch);
/* The packed weights of a layer, which need not be built. */
size_t ur__attention_packed_bytes(const ur_attention_layer *layer);

#endif
