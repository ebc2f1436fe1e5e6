/* SPDX-License-Identifier: MIT */
/*
 * unroll/rnn.h: what recurrent layers there are. Equations with sources stand in
 * docs/MATH.md; gate order i,f,g,o and r,z,n; weights and names as PyTorch's.
 */
#ifndef UNROLL_RNN_H
#define UNROLL_RNN_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Recurrent cells (σ: logistic sigmoid, ∘: element-wise product).
 *  RNN   h = f(W x + b + U h)                       Elman 1990; f: option
 *  LSTM  i,f,o = σ(W x + U h + b), g = tanh(...),   Hochreiter and Schmidhuber 1997,
 *        c = f∘c + i∘g, h = o∘tanh(c)               forget gate: Gers et al. 2000
 *  GRU   r,z = σ(...), h = z∘h + (1−z)∘n,           Cho et al. 2014
 *        n = tanh(W x + b + r∘(U h + b'))           reset after (default), or
 *        n = tanh(W x + b + U (r∘h))                reset before */
typedef enum ur_cell {
    UR_CELL_RNN = 0,
    UR_CELL_LSTM = 1,
    UR_CELL_GRU = 2,
    UR_CELL_NONE = 3    /* no memory: relu(W x_t + b) at each step, a feed-forward net */
} ur_cell;

/** "identity", "tanh", "relu", "sigmoid", "satlin"; NULL for an unknown one. Static text. */
UR_API const char *ur_activation_name(ur_activation f);
/** The activation of a name. False if there is none. */
UR_API bool ur_activation_find(const char *name, ur_activation *out);

/** Sees the hidden state h [B,H] of a slot (layer l, direction d of D: l·D + d) at time step
 *  t, counted from the state's start: t = 0, n, 2n ... H: its numbers, a projection's size
 *  where there is one. Called from the computing thread, in order of t within a slot; must
 *  not change the net. The state that it observes is in use: stepping it from here is
 *  UR_EINVAL. */
typedef void (*ur_observer)(void *user, int slot, int64_t t, int B, int H, const ur_real *h);

/** Mean and unbiased variance of n numbers (an observer's B·H); variance of one: 0. */
UR_API void ur_moments(size_t n, const ur_real *x, double *mean, double *variance);

#ifdef __cplusplus
}
#endif
#endif
