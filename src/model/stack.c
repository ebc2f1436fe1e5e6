/* SPDX-License-Identifier: MIT */
#include "model/stack.h"

#include "base/status.h"

/* Keeps every product of two sizes and a gate count within 40 bits. */

static ur_status check_sizes(const ur_rnn_options *o)
{
    if (o->layers < 1 || o->layers > UR_MAX_LAYERS)
        return ur__fail(UR_EINVAL, "a network has 1 to %d layers, not %d", UR_MAX_LAYERS,
                        o->layers);
    int listed = 0;     /* one number stands for all there can be */
    while (listed < UR_MAX_LAYERS && o->hidden[listed])
        listed++;
    if (listed < UR_MAX_LAYERS && listed != o->layers)
        return ur__fail(UR_EINVAL, "hidden lists %d layers but layers is %d", listed, o->layers);
    for (int l = 0; l < o->layers; l++) {
        if (o->hidden[l] < 1 || o->hidden[l] > UR__MOST_UNITS)
            return ur__fail(UR_EINVAL, "layer %d has %d units; 1 to %d are possible", l,
                            o->hidden[l], UR__MOST_UNITS);
    }
    return UR_OK;
}

ur_status ur__stack_resolve(ur_rnn_options *o, int layers)
{
    o->size = sizeof *o;
    if (o->layers == 0)
        o->layers = layers;
    UR__TRY(check_sizes(o));
    for (int l = o->layers; l < UR_MAX_LAYERS; l++)
        o->hidden[l] = o->projection[l] = 0;
    /* With the reset before the product, n's two biases would be one sum. */
    o->biases = o->reset_before ? 1 : 2;
    o->input = o->input ? o->input : 1;     /* known when the vocabularies are */
    UR__TRY(ur__rnn_options_check(o));
    if (o->variational && o->dropout == 0)
        return ur__fail(UR_EINVAL, "variational dropout needs a dropout above 0");
    return UR_OK;
}

int ur__stack_top(const ur_rnn_options *o)
{
    return (int)ur__rnn_layer_output(o, o->layers - 1);
}
