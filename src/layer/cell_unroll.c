/* SPDX-License-Identifier: MIT */
/* A cell written on the tape, unrolled through time. */
#include "base/status.h"
#include "tape/tape.h"
#include "unroll/layer.h"

enum { MAX_STATES = 16 };

ur_tensor *ur_unroll(ur_tape *tape, ur_step_function cell, void *params, ur_tensor *x, int n,
                     ur_tensor **state)
{
    ur_tensor *next[MAX_STATES];
    if (!x)
        return NULL;
    if (!tape || x->tape != tape)
        return ur__tape_fail(x->tape, UR_EINVAL, "unroll: x is of another tape");
    if (n < 0 || n > MAX_STATES)
        return ur__tape_fail(tape, UR_EINVAL, "unroll: %d states, not 0 to %d", n, MAX_STATES);
    if (!cell || (n > 0 && !state))
        return ur__tape_fail(tape, UR_EINVAL, "unroll: the %s NULL", cell ? "states are"
                                                                          : "cell is");
    const uint64_t round = ur__tape_round(tape);
    int T = ur_dim(x, 0);
    ur_tensor **y = ur__tape_record_alloc(tape, (size_t)T, sizeof *y);
    if (!y)
        return NULL;
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < n; i++)
            next[i] = NULL;
        ur_tensor *output = cell(tape, params, ur_at(x, t), state, next);
        if (ur__tape_round(tape) != round)      /* x and y are gone */
            return ur__tape_fail(tape, UR_EINVAL, "unroll: the cell reset the tape at step %d", t);
        y[t] = output;
        if (!y[t] && !ur__tape_poisoned(tape))
            return ur__tape_fail(tape, UR_EINVAL, "unroll: the cell gave no output at step %d",
                                 t);
        for (int i = 0; i < n; i++) {
            if (!next[i] && !ur__tape_poisoned(tape))
                return ur__tape_fail(tape, UR_EINVAL,
                                     "unroll: the cell gave no state %d at step %d", i, t);
            state[i] = next[i];
        }
        if (ur__tape_poisoned(tape))
            return NULL;
    }
    return ur_stack(tape, T, y);
}
