/* SPDX-License-Identifier: MIT */
/* Weights laid out for the products of one layer. */
#ifndef UR_RNN_PACK_H
#define UR_RNN_PACK_H

#include "rnn/cell.h"

/* Bytes of a layer's packed weights, for the forward pass and for the backward chain. */
size_t ur__packed_bytes(const struct ur__kernel *k, const struct ur__rnn_layer *d);
size_t ur__packed_back_bytes(const struct ur__kernel *k, const struct ur__rnn_layer *d);

/* Points p into memory of that size, 64-byte aligned. */
void ur__packed_place(struct ur__packed *p, const struct ur__kernel *k,
                      const struct ur__rnn_layer *d, void *memory);
void ur__packed_back_place(struct ur__packed_back *p, const struct ur__kernel *k,
                           const struct ur__rnn_layer *d, void *memory);

/* Packs. */
void ur__pack(const struct ur__packed *p, const struct ur__kernel *k,
              const struct ur__rnn_layer *d, const struct ur__rnn_weights *w);
void ur__pack_back(const struct ur__packed_back *p, const struct ur__kernel *k,
                   const struct ur__rnn_layer *d, const struct ur__rnn_weights *w);

#endif
