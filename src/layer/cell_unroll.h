/* SPDX-License-Identifier: MIT */
/* A cell written on the tape, unrolled over padded sequences in either direction. */
#ifndef UR_LAYER_CELL_UNROLL_H
#define UR_LAYER_CELL_UNROLL_H

#include "unroll/layer.h"

struct ur__unroll {
    ur_tape *tape;
    ur_step_function cell;
    void *params;
    ur_tensor *x;               /* [T,B,...] */
    ur_tensor *mask;            /* [T,B,1]: 1, or 0 in padding; NULL: no padding */
    bool reverse;
    int64_t t;                  /* of the first step */
    int n;
    ur_tensor **state;          /* [n], initial; then final */
    ur_tensor **y;              /* [T] outputs, anything in padding */
    ur_tensor **h;              /* [T] state[0] after each step; NULL: not wanted */
};

/* False with a poisoned tape. In padding the state stays as it was. */
bool ur__unroll(const struct ur__unroll *u);

#endif
