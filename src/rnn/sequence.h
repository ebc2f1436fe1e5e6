/* SPDX-License-Identifier: MIT */
/*
 * One direction of one layer over a whole sequence, forward and back, one worker's batch
 * rows at a time: rows never need each other, so forward and the backward chain meet no
 * barrier. Only the sums over the batch (weight gradients) are shared out differently.
 */
#ifndef UR_RNN_SEQUENCE_H
#define UR_RNN_SEQUENCE_H

#include "rnn/cell.h"
#include "rnn/ragged.h"

/* What forward keeps of a layer: backward's input, and inference's workspace. Of a ragged batch
 * [T,B,·] holds the living rows alone, one step after the other, and [B,·] is in order of places.
 */
struct ur__kept {
    ur_real *gates;     /* [T,B,kept,H] */
    ur_real *c;         /* [T,B,H], cells with c */
    ur_real *c_new;     /* [T,B,H], c before zoneout; c itself without */
    ur_real *m;         /* [T,B,H], o∘tanh(c) before a projection */
    ur_real *h;         /* [T,B,P], rows ld_h apart; the output itself without an output map */
    ur_real *y;         /* [T,B,O], rows ld_y apart, with an output map */
    ptrdiff_t ld_h, ld_y;
    ur_real *h_read;    /* [T,B,P], h_{t−1} after recurrent dropout */
    ur_real *h0, *c0;   /* [B,P] [B,H] copies of the initial state */
    /* Ragged: h_{t−1} [T,B,P], and c_{t−1} [T,B,H] where time runs back: the states before a step
     * side by side, though some sequences begin with it. */
    ur_real *h_prev, *c_prev;
    /* Masks drawn in training: recurrent dropout [B,P] (0 or 1/(1−p)), zoneout [T,B,P] and
     * [T,B,H] (1: stays). NULL: none drawn; zoneout then takes its mean. */
    ur_real *drop, *zone[UR__CELL_BUFFERS];
};

/* Where the masks come from: random streams of one step of training. */
struct ur__noise {
    uint64_t seed, step;
    uint32_t drop, zone[UR__CELL_BUFFERS];
};

struct ur__sequence {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__packed *p;
    struct ur__kept kept;
    struct ur__noise noise;
    int T, B;
    const struct ur__ragged *ragged;        /* NULL: all rows live through all steps */
    const ur_real *x;           /* [T,B,I], or NULL and */
    const int32_t *ids;         /* [T,B] one-hot by number */
    const ur_real *h0, *c0;     /* [B,P] [B,H], in the batch's order; NULL: zeros, by which nothing
                                   is multiplied */
    ur_real *hT, *cT;           /* the same; may be h0 and c0 themselves */

    /* backward */
    const struct ur__packed_back *pb;
    const struct ur__rnn_weights *w;
    ur_real *dy;                /* [T,B,O or P], rows ld_dy apart: gradient of the output;
                                   overwritten with an output map */
    ptrdiff_t ld_dy;
    const ur_real *dhT, *dcT;   /* [B,P] [B,H] in the batch's order, or NULL */
    ur_real *dx;                /* [T,B,I] or NULL: written, */
    bool dx_adds;               /* or added to */
    ur_real *dh_all;            /* [T,B,P] with an output map */
    ur_real *seen;              /* [T,B,P] or NULL: the whole gradient of each h_t, padded and
                                   in the batch's order */
    ur_real *dp;                /* [T,B,P] with a projection: gradient of its result */
    ur_real *dh, *dc;           /* [B,P] [B,H] work; on return gradients of h0, c0 */
    bool ends_at_start;         /* nobody asks for those: dh and dc are left as they are */
    ur_real *work;              /* [B,work·H] of the cell's */
    ur_real *dm;                /* [B,H] with a projection */
    ur_real *dh_read;           /* [B,P] with recurrent dropout */
    ur_real *stay[UR__CELL_BUFFERS];    /* [B,P] [B,H] with zoneout: what goes past the cell */
    ur_real *first;             /* [B,kept,H], ragged where time runs back: the gate gradients of
                                   each row's first step */
};

/* Size of a layer's output in one direction. */
int ur__layer_output(const struct ur__rnn_layer *d);

/* Rows [b0,b1) forward; all products are of packed weights, so that gemm needs no scratch. split:
 * NULL, or this worker, where all workers of a region compute the same rows together, each its
 * share of the hidden units; they have met when it returns. */
void ur__sequence_forward(const struct ur__sequence *s, int b0, int b1,
                          const struct ur__worker *split);
/* Rows [b0,b1) back: gate gradients, dx, gradients of the initial state. */
void ur__sequence_backward(const struct ur__sequence *s, int b0, int b1, void *scratch);
/* After all rows: adds weight gradients, this worker's share. scratch: of all workers'
 * gemm; columns: reals of ur__sequence_columns() for one-hot inputs. */
void ur__sequence_sums(const struct ur__sequence *s, const struct ur__rnn_grads *g,
                       const struct ur__worker *w, void *scratch, ur_real *columns);
size_t ur__sequence_columns(const struct ur__rnn_layer *d);

#endif
