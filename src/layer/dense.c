/* SPDX-License-Identifier: MIT */
/* Linear and embedding layers: parameters, and one or two operations of the tape. */
#include "base/status.h"
#include "kernel/gemm.h"
#include "kernel/select.h"
#include "layer/init.h"
#include "layer/params.h"
#include "layer/room.h"
#include "tape/tape.h"

/* Up to here logits are kept, 16 MiB and three times as much beside: computing them again takes a
 * tenth to a third more of the decoder's time. */
#define FEW_LOGITS ((size_t)4 << 20)

static ur_status add_bias(ur_linear_layer *layer, const char *prefix)
{
    struct ur__param_new p = {.prefix = prefix, .name = "bias", .rank = 1, .dim = {layer->O},
                              .init = UR_UNIFORM, .scale = ur__init_bound(layer->I)};
    return ur__params_declare(layer->params, &p, &layer->bias);
}

ur_status ur_linear_init(ur_linear_layer *layer, ur_params *params, const char *prefix, int I,
                         int O, bool bias)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_linear_layer){.params = params, .I = I, .O = O};
    if (I < 1 || O < 1)
        return ur__fail(UR_EINVAL, "%s: a linear layer from %d to %d is impossible", prefix, I,
                        O);
    struct ur__param_new p = {.prefix = prefix, .name = "weight", .rank = 2, .dim = {O, I},
                              .init = UR_UNIFORM, .scale = ur__init_bound(I)};
    int declared = ur_params_count(params);
    UR__TRY(ur__params_declare(params, &p, &layer->weight));
    ur_status status = bias ? add_bias(layer, prefix) : UR_OK;
    if (status != UR_OK)
        ur__params_truncate(params, declared);
    return status;
}

ur_status ur_linear_init_tied(ur_linear_layer *layer, ur_params *params, const char *prefix,
                              const ur_param *weight, bool bias)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_linear_layer){.params = params};
    if (!weight || weight->rank != 2)
        return ur__fail(UR_EINVAL, "%s: the weight to share is no matrix", prefix);
    layer->weight = weight;
    layer->O = weight->dim[0];
    layer->I = weight->dim[1];
    return bias ? add_bias(layer, prefix) : UR_OK;
}

static bool is_ready(const char *name, ur_tape *tape, const void *layer, const ur_param *weight)
{
    if (layer && weight)
        return true;
    ur__tape_fail(tape, UR_EINVAL, "%s: the layer is NULL or was not initialised", name);
    return false;
}

ur_tensor *ur_linear(ur_tape *tape, const ur_linear_layer *layer, ur_tensor *x)
{
    if (!x || !is_ready("linear", tape, layer, layer ? layer->weight : NULL))
        return NULL;
    if (ur_dim(x, -1) != layer->I)
        return ur__tape_fail(tape, UR_ESHAPE, "linear: x is %s but %s expects %d inputs",
                             ur__shape_text(x), layer->weight->name, layer->I);
    ur_tensor *w = ur_param_tensor(tape, layer->params, layer->weight);
    ur_tensor *y = ur_matmul_t(x, w);
    return layer->bias ? ur_add(y, ur_param_tensor(tape, layer->params, layer->bias)) : y;
}

static bool keeps_logits(const ur_linear_layer *layer, size_t rows)
{
    return rows <= FEW_LOGITS / (size_t)layer->O;
}

/* Kept: the product, with its bias, and the gradients of both. */
size_t ur__linear_cross_entropy_bytes(const ur_linear_layer *layer, size_t rows)
{
    const size_t small = 8 * UR__ROOM_SMALL;
    if (!keeps_logits(layer, rows))
        return small + rows * sizeof(int32_t);
    return small + 4 * rows * (size_t)layer->O * sizeof(ur_real);
}

size_t ur__linear_cross_entropy_scratch(const ur_linear_layer *layer, size_t rows, ur_team *team)
{
    const struct ur__kernel *k = ur__kernel();
    int workers = ur_team_size(team);
    size_t products = ur__gemm_scratch(k, workers), losses = rows * sizeof(ur_real);
    if (!keeps_logits(layer, rows))
        return ur__decode_scratch(k, rows, layer->O, layer->I, workers);
    return products > losses ? products : losses;
}

ur_tensor *ur_linear_cross_entropy(ur_tape *tape, const ur_linear_layer *layer, ur_tensor *h,
                                   ur_ids targets)
{
    if (!is_ready("linear_cross_entropy", tape, layer, layer ? layer->weight : NULL))
        return NULL;
    size_t rows = ur_size(h) / (size_t)layer->I;
    if (ur_dim(h, -1) != layer->I || keeps_logits(layer, rows))
        return ur_cross_entropy(tape, ur_linear(tape, layer, h), targets);
    ur_tensor *w = ur_param_tensor(tape, layer->params, layer->weight);
    ur_tensor *b = layer->bias ? ur_param_tensor(tape, layer->params, layer->bias) : NULL;
    return ur_matmul_cross_entropy(tape, h, w, b, targets);
}

ur_status ur_embedding_init(ur_embedding *layer, ur_params *params, const char *prefix, int V,
                            int E)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_embedding){.params = params, .V = V, .E = E};
    if (V < 1 || E < 1)
        return ur__fail(UR_EINVAL, "%s: an embedding of %d by %d is impossible", prefix, V, E);
    struct ur__param_new p = {.prefix = prefix, .name = "weight", .rank = 2, .dim = {V, E},
                              .init = UR_NORMAL, .scale = 1};
    return ur__params_declare(params, &p, &layer->weight);
}

ur_tensor *ur_embed(ur_tape *tape, const ur_embedding *layer, ur_ids ids)
{
    if (!is_ready("embed", tape, layer, layer ? layer->weight : NULL))
        return NULL;
    return ur_gather(tape, ur_param_tensor(tape, layer->params, layer->weight), ids);
}
