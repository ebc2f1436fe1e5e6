/* SPDX-License-Identifier: MIT */
/* Operations that compute each element of a result from one element of each of up to
 * three operands, with broadcasting: a function forward, and a slope for each operand. */
#ifndef UR_TAPE_EACH_H
#define UR_TAPE_EACH_H

#include "tape/op.h"

enum { UR__EACH_INPUTS = 3 };

struct ur__each {
    const char *name;
    int n_inputs;
    /* n <= UR__OP_CHUNK elements: y from x[0], x[1] ... y overlaps none of them. */
    void (*forward)(const struct ur__kernel *k, size_t n, const ur_real *const *x, ur_real *y);
    /* d = dy ∘ ∂y/∂x[side]; d overlaps nothing else. */
    void (*slope)(const struct ur__kernel *k, size_t n, int side, const ur_real *const *x,
                  const ur_real *dy, ur_real *d);
    int no_grad;    /* bit `side`: no gradient reaches this operand */
};

/* f is static. NULL operands give NULL; operands that do not fit poison. */
ur_tensor *ur__each(const struct ur__each *f, ur_tensor *const *x);

#endif
