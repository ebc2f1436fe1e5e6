/* SPDX-License-Identifier: MIT */
/*
 * What a recurrent layer is, and the one shape that every cell has. Types only: the
 * cells (cell_*.c) lie above, sequences and stacks (sequence.c, stack.c) on the roof.
 *
 * Layouts, the same for all instruction sets: activations [T,B,·] time-major; kept
 * gates [T,B,kept,H], each block [H] in the order of the weights. Products start from
 * what is in the gates already and go on over k ascending, so that a sequence's numbers
 * depend on nothing but the sequence.
 */
#ifndef UR_RNN_CELL_H
#define UR_RNN_CELL_H

#include "base/team.h"
#include "kernel/kernel.h"
#include "unroll/rnn.h"

struct ur__cell;

struct ur__rnn_layer {
    const struct ur__cell *cell;
    int I, H, O;                    /* O 0: no output map */
    ur_activation activation;       /* f of the simple cell */
    ur_activation output_activation;
    bool reset_before;
    int biases;                     /* 0, 1, 2 */
};

/* Parameters as PyTorch lays them out; absent ones NULL. */
struct ur__rnn_weights {
    const ur_real *w_ih, *w_hh;     /* [G·H,I] [G·H,H] */
    const ur_real *b_ih, *b_hh;     /* [G·H] */
    const ur_real *w_hy, *b_hy;     /* [O,H] [O] */
};
struct ur__rnn_grads {              /* added to */
    ur_real *w_ih, *w_hh, *b_ih, *b_hh, *w_hy, *b_hy;
};

/* Weights as the forward pass reads them. */
struct ur__packed {
    ur_real *start;     /* [G·H] start values of x's products: the biases */
    ur_real *start_n;   /* [H] GRU, reset after: b_hn */
    ur_real *w_ih;      /* packed [I,G·H] */
    ur_real *w_hh;      /* packed [H,G·H]; GRU: [H,2H] for r, z */
    ur_real *w_hh_n;    /* GRU: packed [H,H] */
    ur_real *w_hy;      /* packed [H,O] */
    ur_real *start_y;   /* [O] */
};
/* Recurrent weights as the backward chain reads them. */
struct ur__packed_back {
    ur_real *w_hh;      /* packed [G·H,H]; GRU: [2H,H] */
    ur_real *w_hh_n;    /* GRU: packed [H,H] */
};

/* One time step of neighbouring batch rows; every array is [rows,·], rows H (gates:
 * ld) apart. */
struct ur__cell_step {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__packed *p;
    const struct ur__packed_back *pb;
    void *scratch;                  /* of gemm */
    int rows;
    ptrdiff_t ld;                   /* kept·H */
    ur_real *gates;
    const ur_real *h_prev, *c_prev;
    ur_real *c, *h;
    /* backward */
    const ur_real *next;            /* gate gradients of step t+1 */
    ur_real *dh, *dc;
    ur_real *drh;                   /* GRU, reset before: [rows,H] */
};

/* A whole sequence's share of weight gradients. */
struct ur__cell_sums {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__worker *w;
    void *scratch;                  /* of all workers' gemm */
    int T, B;
    const ur_real *gates;           /* gradients, [T,B,kept,H] */
    const ur_real *h0, *h;          /* [B,H] [T,B,H] */
};

struct ur__cell {
    const char *name;
    ur_cell kind;
    int gates;          /* G: blocks of rows in the weights */
    int kept;           /* blocks of H kept for each step */
    bool has_c;
    bool direct;        /* after back_gates, dh holds a part that goes straight to h_prev */

    /* gates hold W x + biases on entry; writes gates as backward wants them, c and h. */
    void (*forward)(const struct ur__cell_step *s);
    /* gates -> gradients of pre-activations, from dh (complete) and dc; updates dc. */
    void (*back_gates)(const struct ur__cell_step *s);
    /* dh += what the next step's gate gradients send back through the recurrent weights. */
    void (*back_carry)(const struct ur__cell_step *s);
    /* dU += sums over all (t,b), this worker's share. */
    void (*back_recurrent)(const struct ur__cell_sums *s, ur_real *dw_hh);
};

extern const struct ur__cell ur__cell_rnn, ur__cell_lstm, ur__cell_gru;

#endif
