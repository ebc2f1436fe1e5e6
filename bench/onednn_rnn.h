/* SPDX-License-Identifier: MIT */
/* Making oneDNN's recurrent primitives, with version 2 (descriptors are structs) and 3 (they
 * are opaque) alike. */
#ifndef UR_BENCH_ONEDNN_RNN_H
#define UR_BENCH_ONEDNN_RNN_H

#include <oneapi/dnnl/dnnl.h>

#include "row.h"

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t desc_own;
typedef const_dnnl_memory_desc_t desc;
#else
typedef dnnl_memory_desc_t *desc_own;
typedef const dnnl_memory_desc_t *desc;
#endif

/* The tensors of a recurrent primitive; C of an LSTM alone. */
enum { SRC, SRC_H, SRC_C, WEIGHTS, RECURRENT, BIAS, DST, DST_H, DST_C, N_TENSORS };

extern const int onednn_argument[N_TENSORS], onednn_diff_argument[N_TENSORS];

/* NULL when out of memory or impossible. */
desc_own onednn_desc(int rank, const dnnl_dim_t *dim, dnnl_format_tag_t tag);
void onednn_desc_free(desc_own d);

/* d: a descriptor a tensor, NULL for a state that there is none of. */
dnnl_status_t onednn_forward(dnnl_primitive_desc_t *out, const struct row *row,
                             dnnl_engine_t engine, bool training, const desc *d);
dnnl_status_t onednn_backward(dnnl_primitive_desc_t *out, const struct row *row,
                              dnnl_engine_t engine, const desc *d, const desc *diff,
                              const_dnnl_primitive_desc_t forward);

#endif
