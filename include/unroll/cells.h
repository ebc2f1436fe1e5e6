/* SPDX-License-Identifier: MIT */
/*
 * unroll/cells.h: recurrent cells written on the tape, for ur_unroll().
 *
 *     ur_norm_cell cell;
 *     ur_norm_lstm_init(&cell, params, "lstm", I, H);     // then ur_params_build
 *     ur_tensor *state[2] = {h, c};                       // [B,H] each, zeros at first
 *     ur_tensor *y = ur_unroll(tape, ur_norm_lstm_step, &cell, x, 2, state);
 *
 * or as a stack: ur_rnn_new with norm = UR_NORM_LAYER.
 *
 * They compute by the step what fused layers (ur_rnn) compute by the sequence: slower,
 * and open to every operation of the tape. Equations stand in docs/MATH.md.
 */
#ifndef UNROLL_CELLS_H
#define UNROLL_CELLS_H

#include "unroll/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A layer-normalised LSTM or GRU (Ba, Kiros and Hinton 2016). Views are borrowed from params,
 *  which must outlive it; epsilon may be changed. G = 4 gates i,f,g,o or 3 gates r,z,n. */
typedef struct ur_norm_cell {
    ur_params *params;
    const ur_param *weight_ih, *weight_hh;      /* [G·H,I], [G·H,H] */
    const ur_param *gain_ih, *bias_ih;          /* [G·H], of W x */
    const ur_param *gain_hh, *bias_hh;          /* [G·H], of U h */
    const ur_param *gain_c, *bias_c;            /* [H], of the LSTM's c; else NULL */
    int I, H;
    double epsilon;                             /* 1e-5 */
} ur_norm_cell;

/** Declares PREFIX.weight_ih, .weight_hh (uniform in ±1/√H), .gain_ih, .gain_hh (1), .bias_ih,
 *  .bias_hh (0) and, for the LSTM, .gain_c (1), .bias_c (0). Errors: UR_EINVAL; nothing is
 *  declared then. */
UR_API ur_status ur_norm_lstm_init(ur_norm_cell *cell, ur_params *params, const char *prefix,
                                   int I, int H);
UR_API ur_status ur_norm_gru_init(ur_norm_cell *cell, ur_params *params, const char *prefix,
                                  int I, int H);

/** One step; cell is the ur_norm_cell. x_t [B,I] -> h [B,H]. State: h and c; the GRU's: h. */
UR_API ur_tensor *ur_norm_lstm_step(const ur_step *step, void *cell, ur_tensor *x_t,
                                    ur_tensor *const *in, ur_tensor **out);
UR_API ur_tensor *ur_norm_gru_step(const ur_step *step, void *cell, ur_tensor *x_t,
                                   ur_tensor *const *in, ur_tensor **out);

#ifdef __cplusplus
}
#endif
#endif
