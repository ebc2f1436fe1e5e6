/* SPDX-License-Identifier: MIT */
/* How many bytes layers will take, known before any are taken: their shapes are enough, a
 * net need not be built. Bounds from above, a few KiB too high. */
#ifndef UR_LAYER_ROOM_H
#define UR_LAYER_ROOM_H

#include "unroll/layer.h"

/* The arena's share of what is small: a node or tensor with its record. */
#define UR__ROOM_SMALL ((size_t)1024)

/* A recurrent net over [T,B]. */
struct ur__pass {
    int T, B;
    bool ids;           /* inputs are numbers, else tensors that want gradients */
    bool lengths;       /* shorter sequences are padded */
    bool state;         /* a state is given */
    bool back;          /* in training, with the way back */
    bool see;           /* gradients are observed */
};
/* Of the tape's arena, its inputs apart, and of the tape's scratch. */
size_t ur__rnn_tape_bytes(const ur_rnn *rnn, const struct ur__pass *pass);
size_t ur__rnn_tape_scratch(ur_team *team);
/* Of the packed weights. */
size_t ur__rnn_packed_bytes(const ur_rnn *rnn);
/* Of a state for B sequences; *carried: its numbers h and c. */
size_t ur__state_bytes(const ur_rnn *rnn, int B, ur_team *team, size_t *carried);

/* What ur_linear_cross_entropy takes of the arena for so many rows, and of scratch. */
size_t ur__linear_cross_entropy_bytes(const ur_linear_layer *layer, size_t rows);
size_t ur__linear_cross_entropy_scratch(const ur_linear_layer *layer, size_t rows, ur_team *team);

#endif
