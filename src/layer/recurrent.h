/* SPDX-License-Identifier: MIT */
/* The inside of a recurrent net, shared by those who run it: step by step (state.c) and
 * on the tape (recurrent_tape.c). */
#ifndef UR_LAYER_RECURRENT_H
#define UR_LAYER_RECURRENT_H

#include "layer/tape_cell.h"
#include "rnn/stack.h"

/* Views of one slot's parameters; absent ones NULL. */
struct ur__rnn_views {
    const ur_param *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *w_hy, *b_hy;
    const ur_param *extra[UR__CELL_EXTRAS];     /* the cell's own */
};

/* What one slot remembers between steps: buffers [B,size] by name. */
struct ur__buffers {
    int n;
    struct {
        const char *name;
        int size;
        const ur_param *start;      /* its learned initial values; NULL: zeros */
    } at[UR__BUFFERS];
};

#define UR__PLACE_TEXT 80

struct ur_rnn {
    ur_params *params;              /* borrowed */
    const struct ur__kernel *k;     /* that the weights are packed for */
    struct ur__stack stack;
    int slots;                      /* L·D; slot l·D + d is direction d of layer l */
    struct ur__rnn_layer *layer;    /* [slots] */
    struct ur__rnn_views *views;    /* [slots] */
    struct ur__buffers *buffers;    /* [slots] of state */
    struct ur__packed *packed;      /* [slots] */
    void *memory;                   /* of packed; NULL before the first prepare */
    bool prepared;
    uint64_t version;               /* of the parameters that are packed */
    /* Of a net whose cells are written on the tape; its layers have no fused cell. */
    const struct ur__tape_cell *tape_cell;
    void **cells;                   /* [slots] what they keep */
};

struct ur__rnn_weights ur__rnn_weights_of(const ur_rnn *rnn, int slot);
struct ur__rnn_grads ur__rnn_grads_of(const ur_rnn *rnn, int slot);
/* Bytes of the packed weights. */
size_t ur__rnn_packed_bytes(const ur_rnn *rnn);
/* UR_EINVAL unless prepared, and prepared again after each update by an optimizer. */
ur_status ur__rnn_ready(const ur_rnn *rnn);
/* ur_rnn_forward of a net whose cells are written on the tape. */
ur_tensor *ur__rnn_unroll(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int *lengths,
                          ur_state *state);
/* Inputs by number as one-hot rows [T,B,I]. */
ur_tensor *ur__rnn_one_hot(ur_tape *tape, const ur_rnn *rnn, ur_ids ids);
/* Whether initial states are parameters. */
bool ur__rnn_learns_state(const ur_rnn *rnn);
/* Numbers of a sequence's state, all buffers of all slots. */
int ur__rnn_numbers(const ur_rnn *rnn);
/* Is p a weight of the first layer's inputs, [G·H,I]? */
bool ur__rnn_reads_input(const ur_rnn *rnn, const ur_param *p);
/* Index of a slot's buffer of that name; -1: there is none. */
int ur__rnn_buffer(const ur_rnn *rnn, int slot, const char *name);
/* Where element `at` of ur_state_data()'s n numbers belongs: "layer 1, c[3,17]". False if n are not
 * the numbers of a state of this net. */
bool ur__rnn_place(const ur_rnn *rnn, size_t n, size_t at, char out[UR__PLACE_TEXT]);
/* UR_EINVAL naming the first of n ids outside [0,I). */
ur_status ur__rnn_check_ids(const ur_rnn *rnn, size_t n, const int32_t *ids);

#endif
