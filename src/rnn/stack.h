/* SPDX-License-Identifier: MIT */
/*
 * A stack of layers over a sequence, on a team: the roof of this floor.
 *
 * Each worker takes its batch rows up (and back down) through all layers and directions
 * without waiting for anyone; after one barrier the weight gradients are summed, split by
 * rows of the weights. So no result depends on how many workers there are. A slot is one
 * direction of one layer, l·D + d.
 */
#ifndef UR_RNN_STACK_H
#define UR_RNN_STACK_H

#include "rnn/sequence.h"

struct ur__stack {
    int layers, directions;                 /* L, D */
    const struct ur__rnn_layer *layer;      /* [L·D] */
    double dropout;                         /* between layers */
    bool variational;                       /* one mask a sequence, not one a step */
};

/* One pass. Whoever calls fills in the first part and the slots' p, h0, c0, hT, cT
 * after ur__stack_place. */
struct ur__stack_job {
    const struct ur__kernel *k;
    const struct ur__stack *stack;
    int T, B;
    const int *lengths;         /* [B] or NULL */
    const ur_real *x;           /* [T,B,I] or NULL and */
    const int32_t *ids;         /* [T,B] */
    ur_real *y;                 /* [T,B,D·O] output of the last layer */
    bool training;              /* dropout and zoneout draw masks */
    uint64_t seed, step;
    uint32_t stream;            /* the first of ur__stack_streams() */
    void *scratch;              /* backward: ur__stack_scratch() bytes */

    struct ur__sequence *layer; /* [L·D], in the memory given to ur__stack_place */
    ur_real **out;              /* [L], outputs [T,B,D·O] */
    ur_real **dropped;          /* [L], outputs after dropout; NULL where none */
    struct ur__ragged *ragged;  /* NULL: no row is shorter than T; else, of living rows alone: */
    ur_real *living_x;
    int32_t *living_ids;
    /* backward */
    bool see;                   /* keep the whole gradient of each h_t: layer[].seen */
    const ur_real *dy;          /* [T,B,D·O] gradient of y */
    ur_real *dx;                /* [T,B,I] or NULL; written: see ur__stack_add_dx */
    const struct ur__rnn_grads *grads;      /* [L·D] */
    ur_real *columns;
    /* Called from the computing thread when layer l's weight gradients are complete, the last
     * layer first; NULL: all are summed at once. The sums are the same. */
    void (*done)(void *user, int l);
    void *user;
};

/* Size of layer l's output, both directions. */
int ur__stack_output(const struct ur__stack *stack, int l);
/* Random streams that a pass in training takes. */
int ur__stack_streams(const struct ur__stack *stack);

/* Bytes that a pass keeps, and that backward needs on top. */
size_t ur__stack_bytes(const struct ur__stack_job *job);
size_t ur__stack_back_bytes(const struct ur__stack_job *job);
size_t ur__stack_scratch(const struct ur__kernel *k, ur_team *team);

/* Lays out memory of that many bytes, 64-byte aligned, and binds the layers to each
 * other. */
void ur__stack_place(struct ur__stack_job *job, void *memory);
/* Binds backward's memory; packs the recurrent weights w [L·D] for the chain. */
void ur__stack_back_place(struct ur__stack_job *job, const struct ur__rnn_weights *w,
                          void *memory);

void ur__stack_forward(struct ur__stack_job *job, ur_team *team);
/* After it, layer[].dh and .dc hold the gradients of h0 and c0. */
void ur__stack_backward(struct ur__stack_job *job, ur_team *team);

/* Adds the gradient of x to `to` [T,B,I]; that of a state's rows of n numbers, as layer[] holds
 * it, to `to` [B,n]. */
void ur__stack_add_dx(const struct ur__stack_job *job, ur_real *to);
void ur__stack_add_state(const struct ur__stack_job *job, size_t n, const ur_real *grad,
                         ur_real *to);

#endif
