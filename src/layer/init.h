/* SPDX-License-Identifier: MIT */
/* Initial values of parameters: functions of (seed, ordinal of the parameter, index). */
#ifndef UR_LAYER_INIT_H
#define UR_LAYER_INIT_H

#include "unroll/layer.h"

/* The largest scale or shift: what is drawn by it is finite as a ur_real. */
#define UR__INIT_MOST (sizeof(ur_real) == sizeof(float) ? 1e37 : 1e307)

/* Fills x, the numbers of p. UR_ENOMEM (orthogonal needs room for one block). */
ur_status ur__init_fill(ur_real *x, const ur_param *p, ur_start start, uint64_t seed,
                        uint64_t ordinal);
/* 1/√n, the usual bound of uniform weights with n inputs, whatever the caller's floating-point
 * mode. */
double ur__init_bound(int n);

#endif
