/* SPDX-License-Identifier: MIT */
/*
 * One layer over a whole sequence, forward and back, one worker's batch rows at a time:
 * rows never need each other, so forward and the backward chain meet no barrier. Only
 * the sums over the batch (weight gradients) are shared out differently.
 */
#ifndef UR_RNN_SEQUENCE_H
#define UR_RNN_SEQUENCE_H

#include "rnn/cell.h"

/* What forward keeps of a layer: backward's input, and inference's workspace. */
struct ur__kept {
    ur_real *gates;     /* [T,B,kept,H] */
    ur_real *c;         /* [T,B,H], cells with c */
    ur_real *h;         /* [T,B,H]; the layer's output itself without an output map */
    ur_real *y;         /* [T,B,O], with an output map */
    ur_real *h0, *c0;   /* [B,H] copies of the initial state */
};

struct ur__sequence {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__packed *p;
    struct ur__kept kept;
    int T, B;
    const int *lengths;         /* [B] or NULL */
    const ur_real *x;           /* [T,B,I], or NULL and */
    const int32_t *ids;         /* [T,B] one-hot by number */
    const ur_real *h0, *c0;     /* [B,H] */
    ur_real *hT, *cT;           /* [B,H]; may be h0 and c0 themselves */

    /* backward */
    const struct ur__packed_back *pb;
    const struct ur__rnn_weights *w;
    ur_real *dy;                /* [T,B,O or H]: gradient of the output; overwritten */
    const ur_real *dhT, *dcT;   /* [B,H] or NULL */
    ur_real *dx;                /* [T,B,I] or NULL: written */
    ur_real *dh_all;            /* [T,B,H] with an output map */
    ur_real *dh, *dc, *drh;     /* [B,H] work; on return gradients of h0, c0 */
};

/* Size of a layer's output. */
int ur__layer_output(const struct ur__rnn_layer *d);

/* Rows [b0,b1) forward. scratch: of one worker's gemm. */
void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1, void *scratch);
/* Rows [b0,b1) back: gate gradients, dx, gradients of the initial state. */
void ur__sequence_backward(const struct ur__sequence *s, int b0, int b1, void *scratch);
/* After all rows: adds weight gradients, this worker's share. scratch: of all workers'
 * gemm; columns: reals of ur__sequence_columns() for one-hot inputs. */
void ur__sequence_sums(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch, ur_real *columns);
size_t ur__sequence_columns(const struct ur__rnn_layer *d);

#endif
