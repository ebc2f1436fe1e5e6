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
struct ur__sequence;

enum { UR__CELL_PARTS = 2, UR__CELL_EXTRAS = 2, UR__CELL_BUFFERS = 2 };

/* One direction of one layer. */
struct ur__rnn_layer {
    const struct ur__cell *cell;
    int I, H;
    int P;                          /* numbers in h: a projection's size, else H */
    int O;                          /* 0: no output map */
    ur_activation output_activation;
    int biases;                     /* 0, 1, 2 */
    bool reverse;                   /* reads each sequence from its end */
    double recurrent_dropout;
    double zoneout[UR__CELL_BUFFERS];   /* of each buffer of state: h, and c where there is one */
    /* options of some cells */
    ur_activation activation;
    bool reset_before, peepholes, coupled, time_residual;
    ur_real cell_clip;              /* 0: none */
};

/* Parameters as PyTorch lays them out; absent ones NULL. */
struct ur__rnn_weights {
    const ur_real *w_ih, *w_hh;     /* [G·H,I] [G·H,P] */
    const ur_real *b_ih, *b_hh;     /* [G·H] */
    const ur_real *w_hr;            /* [P,H] */
    const ur_real *extra[UR__CELL_EXTRAS];      /* those that the cell declares */
    const ur_real *w_hy, *b_hy;     /* [O,P] [O] */
};
struct ur__rnn_grads {              /* added to */
    ur_real *w_ih, *w_hh, *b_ih, *b_hh, *w_hr, *extra[UR__CELL_EXTRAS], *w_hy, *b_hy;
};

/* Weights as the forward pass reads them. */
struct ur__packed {
    ur_real *start;             /* [G·H] start values of x's products: the biases */
    ur_real *start_apart;       /* [apart·H] biases that start products with h */
    struct ur__matrix w_ih;     /* [I,G·H] */
    struct ur__matrix w_hh[UR__CELL_PARTS];     /* [P,part·H] */
    struct ur__matrix w_hr;     /* [H,P] */
    ur_real *extra[UR__CELL_EXTRAS];            /* as the parameters */
    struct ur__matrix w_hy;     /* [P,O] */
    ur_real *start_y;           /* [O] */
};
/* Recurrent weights as the backward chain reads them. */
struct ur__packed_back {
    struct ur__matrix w_hh[UR__CELL_PARTS];     /* [part·H,P] */
    struct ur__matrix w_hr;     /* [P,H] */
};

/* One time step of neighbouring batch rows. Rows of gates are ld apart, rows of h_prev, h_read and
 * h as noted below; all other rows are contiguous. */
struct ur__cell_step {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__packed *p;
    const struct ur__packed_back *pb;
    void *scratch;                  /* of gemm; backward only */
    /* NULL: this worker alone computes the rows. Otherwise all workers share them: each computes
     * its columns of a product and its rows of everything else, with barriers in between. */
    const struct ur__worker *split;
    int rows;
    int fed;                        /* the first of them: h_read of the others is known to be 0 */
    ptrdiff_t ld;                   /* kept·H */
    ur_real *gates;
    const ur_real *h_prev;          /* [rows,P] */
    ptrdiff_t ld_prev;
    const ur_real *h_read;          /* h_prev as the recurrent weights read it: after dropout */
    ptrdiff_t ld_read;
    const ur_real *c_prev;
    ur_real *c;
    ur_real *h;                     /* [rows,H], before a projection */
    ptrdiff_t ld_h;
    /* backward */
    const ur_real *next;            /* gate gradients of the step computed after this one */
    ur_real *dh, *dc;               /* [rows,H] */
    ur_real *dh_read;               /* [rows,P]: gradients of h_read are added here */
    ur_real *work;                  /* [rows,work·H] */
};

/* A whole sequence's share of weight gradients. */
struct ur__cell_sums {
    const struct ur__kernel *k;
    const struct ur__rnn_layer *d;
    const struct ur__worker *w;
    void *scratch;                  /* of all workers' gemm */
    int rows, B;                    /* rows: those that live, over all steps; T·B without lengths */
    int fresh;                      /* rows of the first step computed, if h0 is 0; else 0 */
    const ur_real *gates;           /* gradients, [rows,kept,H] */
    const ur_real *h_read;          /* [rows,P]; or NULL, all rows live, and */
    const ur_real *h0, *h;          /* [B,P] [T,B,P] with rows ld_h apart */
    ptrdiff_t ld_h;
};

/* A vector of some blocks of H that a cell has besides weights and biases: PREFIX.NAME_lK, uniform
 * in ±1/√H at first. */
struct ur__cell_extra {
    const char *name;
    int blocks;
};

/* A cell, or a form of one: form() says which one a layer uses. */
struct ur__cell {
    const char *name;
    ur_cell kind;
    bool torch;                     /* PyTorch has a module of this cell */
    const char *when;               /* "coupled": the option that asks for this form; or NULL */
    /* Options, by name, that not every cell has; NULL-terminated. */
    const char *const *options;
    /* NULL: it has one form. */
    const struct ur__cell *(*form)(const struct ur__rnn_layer *d);
    /* Its extra parameters (how many); NULL: none. */
    int (*extras)(const struct ur__rnn_layer *d, struct ur__cell_extra out[UR__CELL_EXTRAS]);

    int gates;          /* G: blocks of rows in the weights */
    int kept;           /* blocks of H kept for each step; the first G end as gradients */
    int part[UR__CELL_PARTS];   /* blocks whose recurrent weights are multiplied together */
    /* Of the last `apart` blocks U h + b_hh stands apart from W x + b_ih; the gradients of the
     * former are the kept blocks from G on. */
    int apart;
    int forget;         /* the block that forget_bias is added to */
    int work;           /* blocks of H for each row that back_gates works in */
    const char *c;      /* name of its second buffer of state [B,H]; NULL: it has h alone */
    bool direct;        /* after back_gates, dh holds a part that goes straight to h_prev */

    /* gates hold W x + biases on entry; writes gates as backward wants them, c and h. Ends
     * without meeting the others. */
    void (*forward)(const struct ur__cell_step *s);
    /* gates -> gradients of pre-activations, from dh (complete) and dc; updates dc. */
    void (*back_gates)(const struct ur__cell_step *s);
    /* dh_read += what the next step's gate gradients send back through the recurrent
     * weights. */
    void (*back_carry)(const struct ur__cell_step *s);
    /* dU += sums over all (t,b), this worker's share. */
    void (*back_recurrent)(const struct ur__cell_sums *s, ur_real *dw_hh);
    /* The same for the extra parameters; NULL if it has none. */
    void (*back_extras)(const struct ur__sequence *s, ur_real *const *grads,
                        const struct ur__worker *w);
};

#endif
