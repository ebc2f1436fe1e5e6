/* SPDX-License-Identifier: MIT */
/* Linear and embedding layers: parameters, and one or two operations of the tape. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "kernel/gemm.h"
#include "kernel/select.h"
#include "layer/init.h"
#include "layer/params.h"
#include "tape/tape.h"

/* Up to this many logits are kept (16 MiB, and three times as much for what goes with them):
 * computing them again makes the decoder a tenth to a third slower. */
#define FEW_LOGITS ((size_t)4 << 20)

static ur_status add_bias(ur_linear_layer *layer, const char *prefix)
{
    struct ur__param_new p = {.prefix = prefix, .name = "bias", .rank = 1, .dim = {layer->O},
                              .init = UR_INIT_UNIFORM, .scale = ur__init_bound(layer->I)};
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
        return ur__fail(UR_EINVAL, "%s: a linear layer cannot go from %d to %d", prefix, I,
                        O);
    struct ur__param_new p = {.prefix = prefix, .name = "weight", .rank = 2, .dim = {O, I},
                              .init = UR_INIT_UNIFORM, .scale = ur__init_bound(I)};
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
        return ur__fail(UR_EINVAL, "%s: the weight to share is not a matrix", prefix);
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

/* ---- a linear layer without a tape -------------------------------------- */

/* Multiplications that a product needs for a team to be faster than one thread. */
#define TEAM_WORK 65536.0

/* What ur_linear_prepare leaves. */
struct packed {
    const struct ur__kernel *k;
    struct ur__matrix w;        /* [I,O] */
    uint64_t version;           /* of the parameters that are packed */
};

ur_status ur_linear_prepare(ur_linear_layer *layer)
{
    UR__NEED(layer, "layer");
    UR__NEED(layer->weight, "layer->weight");
    const ur_real *weight = ur_param_data(layer->params, layer->weight);
    struct packed *p = layer->packed;
    if (!weight)
        return ur__fail(UR_EINVAL, "%s has no value: call ur_params_build first",
                        layer->weight->name);
    if (!p) {
        p = ur__calloc(1, sizeof *p);
        if (!p)
            return UR_ENOMEM;
        p->k = ur__kernel();
        p->w = (struct ur__matrix){.K = layer->I, .N = layer->O};
        p->w.data = ur__alloc(p->k->packed_bytes(&p->w), 1);
        if (!p->w.data) {
            ur__free(p);
            return UR_ENOMEM;
        }
        layer->packed = p;
    }
    p->k->pack(&p->w, 0, layer->O, weight, 1, layer->I);
    p->version = ur__params_version(layer->params);
    return UR_OK;
}

void ur_linear_free(ur_linear_layer *layer)
{
    struct packed *p = layer ? layer->packed : NULL;
    if (!p)
        return;
    ur__free(p->w.data);
    ur__free(p);
    layer->packed = NULL;
}

struct run {
    const struct ur__kernel *k;
    struct ur__gemm product;
    const ur_real *bias;        /* [O] or NULL */
};

/* This worker's rows, or, where they are few, its columns. */
static void run_share(const struct ur__worker *w, void *arg)
{
    const struct run *r = arg;
    const struct ur__gemm *g = &r->product;
    int m0 = 0, m1 = g->M, n0 = 0, n1 = g->N;
    if (g->M >= w->n * r->k->mr)
        ur__share(g->M, r->k->mr, w->index, w->n, &m0, &m1);
    else
        ur__share(g->N, r->k->nr, w->index, w->n, &n0, &n1);
    r->k->gemm(g, m0, m1, n0, n1, NULL);
    for (int m = m0; r->bias && n0 < n1 && m < m1; m++) {
        ur_real *row = g->c + (ptrdiff_t)m * g->c_row + n0;
        r->k->add((size_t)(n1 - n0), row, r->bias + n0, row);
    }
}

ur_status ur_linear_run(const ur_linear_layer *layer, ur_team *team, int M, const ur_real *x,
                        ur_real *y)
{
    UR__NEED(layer, "layer");
    if (M < 0)
        return ur__fail(UR_EINVAL, "a linear layer cannot run over %d rows", M);
    if (M > 0) {
        UR__NEED(x, "x");
        UR__NEED(y, "y");
    }
    const struct packed *p = layer->packed;
    if (!p || p->version != ur__params_version(layer->params))
        return ur__fail(UR_EINVAL, "%s: call ur_linear_prepare %s",
                        layer->weight ? layer->weight->name : "linear",
                        p ? "again, the parameters have changed" : "first");
    struct run r = {
        .k = p->k,
        .product = {.M = M, .N = layer->O, .K = layer->I, .a = x, .a_row = layer->I, .a_k = 1,
                    .w = &p->w, .c = y, .c_row = layer->O},
        .bias = layer->bias ? ur_param_data(layer->params, layer->bias) : NULL,
    };
    bool large = (double)M * layer->O * layer->I >= TEAM_WORK;
    if (large && M < p->k->mr)
        ur__team_run_brief(team, run_share, &r);
    else
        ur__team_run(large ? team : NULL, run_share, &r);
    return UR_OK;
}

/* ---- embeddings -------------------------------------------------------- */

ur_status ur_embedding_init(ur_embedding *layer, ur_params *params, const char *prefix, int V,
                            int E)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_embedding){.params = params, .V = V, .E = E};
    if (V < 1 || E < 1)
        return ur__fail(UR_EINVAL, "%s: an embedding cannot be %d by %d", prefix, V, E);
    struct ur__param_new p = {.prefix = prefix, .name = "weight", .rank = 2, .dim = {V, E},
                              .init = UR_INIT_NORMAL, .scale = 1};
    return ur__params_declare(params, &p, &layer->weight);
}

ur_tensor *ur_embed(ur_tape *tape, const ur_embedding *layer, ur_ids ids)
{
    if (!is_ready("embed", tape, layer, layer ? layer->weight : NULL))
        return NULL;
    return ur_gather(tape, ur_param_tensor(tape, layer->params, layer->weight), ids);
}

ur_status ur_embed_run(const ur_embedding *layer, size_t n, const int32_t *ids, ur_real *x)
{
    UR__NEED(layer, "layer");
    UR__NEED(layer->weight, "layer->weight");
    if (n > 0) {
        UR__NEED(ids, "ids");
        UR__NEED(x, "x");
    }
    const ur_real *w = ur_param_data(layer->params, layer->weight);
    const size_t E = (size_t)layer->E;
    if (!w)
        return ur__fail(UR_EINVAL, "%s has no value: call ur_params_build first",
                        layer->weight->name);
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= layer->V)
            return ur__fail(UR_EINVAL, "input %zu is number %d, not in [0,%d)", i, (int)ids[i],
                            layer->V);
        memcpy(x + i * E, w + (size_t)ids[i] * E, E * sizeof *x);
    }
    return UR_OK;
}
