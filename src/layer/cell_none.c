/* SPDX-License-Identifier: MIT */
/* A layer without memory, h_t = relu(W x_t + b): the plain feed-forward net, at each step anew. */
#include "layer/tape_cell.h"

static ur_status declare(void *cell, ur_params *params, const char *prefix, int I, int H)
{
    return ur_linear_init(cell, params, prefix, I, H, true);
}

static ur_tensor *step(const ur_step *step, void *cell, ur_tensor *x, ur_tensor *const *in,
                       ur_tensor **out)
{
    (void)in;
    return out[0] = ur_relu(ur_linear(step->tape, cell, x));
}

const struct ur__tape_cell ur__tape_cell_none = {
    .name = "none", .kind = UR_CELL_NONE, .label = "dense", .state = {"h"},
    .bytes = sizeof(ur_linear_layer), .declare = declare, .step = step,
};
