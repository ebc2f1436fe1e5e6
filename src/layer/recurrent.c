/* SPDX-License-Identifier: MIT */
/* A recurrent net as an object: its parameters under PyTorch's names and their packed
 * form. Initial values uniform in ±1/√H, as PyTorch's nn.LSTM, nn.GRU and nn.RNN. */
#include "layer/recurrent.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "layer/params.h"
#include "rnn/pack.h"

/* ---- making ------------------------------------------------------------ */

static ur_status check_options(const ur_rnn_options *o)
{
    if (!ur__cell_of(o->cell))
        return ur__fail(UR_EINVAL, "there is no recurrent cell number %d", (int)o->cell);
    if (o->input < 1 || o->layers < 1 || !o->hidden)
        return ur__fail(UR_EINVAL, "a recurrent net of %d layers over %d inputs is impossible",
                        o->layers, o->input);
    for (int l = 0; l < o->layers; l++) {
        int G = ur__cell_of(o->cell)->gates, O = o->output ? o->output[l] : 0;
        int I = l == 0 ? o->input : o->output && o->output[l - 1] ? o->output[l - 1]
                                                                  : o->hidden[l - 1];
        size_t n;
        if (o->hidden[l] < 1 || O < 0 || o->hidden[l] > (1 << 24) / (G + 1) ||
            !ur__mul(&n, (size_t)G * (size_t)o->hidden[l], (size_t)I) || n > 0x7fffffff)
            return ur__fail(UR_EINVAL, "layer %d: %d hidden units over %d inputs are impossible",
                            l, o->hidden[l], I);
    }
    if (o->biases < 0 || o->biases > 2)
        return ur__fail(UR_EINVAL, "a recurrent layer has 0, 1 or 2 biases, not %d", o->biases);
    if (!(o->dropout >= 0 && o->dropout < 1))
        return ur__fail(UR_EINVAL, "dropout %g is not in [0,1)", o->dropout);
    if ((int)o->activation < UR_IDENTITY || (int)o->activation > UR_SATLIN)
        return ur__fail(UR_EINVAL, "there is no activation number %d", (int)o->activation);
    if (o->bidirectional || o->projection || o->peepholes || o->coupled || o->cell_clip != 0 ||
        o->time_residual || o->learned_state || o->variational || o->recurrent_dropout != 0 ||
        o->zoneout_h != 0 || o->zoneout_c != 0)
        return ur__fail(UR_ENOTSUP, "this option of a recurrent net is declared, not built yet");
    if (o->output_activation != UR_IDENTITY && o->output_activation != UR_TANH)
        return ur__fail(UR_EINVAL, "an output map has the activation identity or tanh");
    return UR_OK;
}

static ur_status add_parameter(ur_rnn *rnn, const char *prefix, const char *kind, int layer,
                               int rows, int columns, ur_init init, double scale,
                               const ur_param **out)
{
    char suffix[32];
    int dim[2] = {rows, columns};
    snprintf(suffix, sizeof suffix, "%s_l%d", kind, layer);
    return ur__params_add_named(rnn->params, prefix, suffix, columns ? 2 : 1, dim, init, scale,
                                out);
}

static ur_status add_layer(ur_rnn *rnn, const char *prefix, const ur_rnn_options *o, int l)
{
    struct ur__rnn_layer *d = &rnn->layer[l];
    struct ur__rnn_views *v = &rnn->views[l];
    int GH = d->cell->gates * d->H;
    double bound = 1 / sqrt((double)d->H);
    UR__TRY(add_parameter(rnn, prefix, "weight_ih", l, GH, d->I, UR_UNIFORM, bound, &v->w_ih));
    UR__TRY(add_parameter(rnn, prefix, "weight_hh", l, GH, d->H,
                          o->orthogonal ? UR_ORTHOGONAL : UR_UNIFORM,
                          o->orthogonal ? 1 : bound, &v->w_hh));
    if (d->biases >= 1)
        UR__TRY(add_parameter(rnn, prefix, "bias_ih", l, GH, 0, UR_UNIFORM, bound, &v->b_ih));
    if (d->biases >= 2)
        UR__TRY(add_parameter(rnn, prefix, "bias_hh", l, GH, 0, UR_UNIFORM, bound, &v->b_hh));
    if (d->O) {
        UR__TRY(add_parameter(rnn, prefix, "weight_hy", l, d->O, d->H, UR_UNIFORM, bound,
                              &v->w_hy));
        if (d->biases >= 1)
            UR__TRY(add_parameter(rnn, prefix, "bias_hy", l, d->O, 0, UR_UNIFORM, bound,
                                  &v->b_hy));
    }
    if (o->cell == UR_LSTM && o->forget_bias != 0 && v->b_ih)
        ur__params_shift(v->b_ih, (size_t)d->H, (size_t)d->H, o->forget_bias);
    return UR_OK;
}

ur_status ur_rnn_new(ur_rnn **out, ur_params *params, const char *prefix, const ur_rnn_options *o)
{
    *out = NULL;
    UR__TRY(check_options(o));
    if (ur__params_built(params))
        return ur__fail(UR_EINVAL, "%s: ur_rnn_new comes after ur_params_build", prefix);
    size_t L = (size_t)o->layers;
    ur_rnn *rnn = ur__calloc(1, sizeof *rnn);
    if (!rnn)
        return UR_ENOMEM;
    rnn->params = params;
    rnn->layer = ur__calloc(L, sizeof *rnn->layer);
    rnn->views = ur__calloc(L, sizeof *rnn->views);
    rnn->packed = ur__calloc(L, sizeof *rnn->packed);
    rnn->stack = (struct ur__stack){o->layers, rnn->layer, o->dropout};
    ur_status status = rnn->layer && rnn->views && rnn->packed ? UR_OK : UR_ENOMEM;
    int declared = ur_params_count(params);
    for (int l = 0; l < o->layers && status == UR_OK; l++) {
        rnn->layer[l] = (struct ur__rnn_layer){
            .cell = ur__cell_of(o->cell),
            .I = l == 0 ? o->input : ur__layer_output(&rnn->layer[l - 1]),
            .H = o->hidden[l],
            .O = o->output ? o->output[l] : 0,
            .activation = o->activation,
            .output_activation = o->output_activation,
            .reset_before = o->cell == UR_GRU && o->reset_before,
            .biases = o->biases,
        };
        status = add_layer(rnn, prefix, o, l);
    }
    if (status != UR_OK) {
        ur__params_truncate(params, declared);
        ur_rnn_free(rnn);
        return status;
    }
    *out = rnn;
    return UR_OK;
}

void ur_rnn_free(ur_rnn *rnn)
{
    if (!rnn)
        return;
    ur__free(rnn->layer);
    ur__free(rnn->views);
    ur__free(rnn->packed);
    ur__free(rnn->memory);
    ur__free(rnn);
}

/* ---- looking ----------------------------------------------------------- */

int ur_rnn_layers(const ur_rnn *rnn)
{
    return rnn->stack.layers;
}

int ur_rnn_directions(const ur_rnn *rnn)
{
    (void)rnn;
    return 1;
}

int ur_rnn_state_size(const ur_rnn *rnn, int layer)
{
    return ur_rnn_hidden(rnn, layer);
}

int ur_rnn_input(const ur_rnn *rnn)
{
    return rnn->layer[0].I;
}

int ur_rnn_hidden(const ur_rnn *rnn, int layer)
{
    return layer >= 0 && layer < rnn->stack.layers ? rnn->layer[layer].H : 0;
}

int ur_rnn_output(const ur_rnn *rnn)
{
    return ur__layer_output(&rnn->layer[rnn->stack.layers - 1]);
}

static const ur_real *values(const ur_rnn *rnn, const ur_param *p)
{
    return p ? ur_param_data(rnn->params, p) : NULL;
}

static ur_real *grads(const ur_rnn *rnn, const ur_param *p)
{
    return p ? ur__param_grad(rnn->params, p) : NULL;
}

struct ur__rnn_weights ur__rnn_weights_of(const ur_rnn *rnn, int layer)
{
    const struct ur__rnn_views *v = &rnn->views[layer];
    return (struct ur__rnn_weights){
        .w_ih = values(rnn, v->w_ih), .w_hh = values(rnn, v->w_hh),
        .b_ih = values(rnn, v->b_ih), .b_hh = values(rnn, v->b_hh),
        .w_hy = values(rnn, v->w_hy), .b_hy = values(rnn, v->b_hy),
    };
}

struct ur__rnn_grads ur__rnn_grads_of(const ur_rnn *rnn, int layer)
{
    const struct ur__rnn_views *v = &rnn->views[layer];
    return (struct ur__rnn_grads){
        .w_ih = grads(rnn, v->w_ih), .w_hh = grads(rnn, v->w_hh),
        .b_ih = grads(rnn, v->b_ih), .b_hh = grads(rnn, v->b_hh),
        .w_hy = grads(rnn, v->w_hy), .b_hy = grads(rnn, v->b_hy),
    };
}

/* ---- packing ----------------------------------------------------------- */

static ur_status take_memory(ur_rnn *rnn)
{
    size_t total = 0;
    for (int l = 0; l < rnn->stack.layers; l++)
        total += ur__packed_size(rnn->k, &rnn->layer[l]);
    rnn->memory = ur__alloc(total, sizeof(ur_real));
    if (!rnn->memory)
        return UR_ENOMEM;
    ur_real *at = rnn->memory;
    for (int l = 0; l < rnn->stack.layers; l++) {
        ur__packed_place(&rnn->packed[l], rnn->k, &rnn->layer[l], at);
        at += ur__packed_size(rnn->k, &rnn->layer[l]);
    }
    return UR_OK;
}

ur_status ur_rnn_prepare(ur_rnn *rnn)
{
    if (!ur__params_built(rnn->params))
        return ur__fail(UR_EINVAL, "ur_rnn_prepare comes before ur_params_build");
    if (!rnn->memory) {
        rnn->k = ur__kernel();
        UR__TRY(take_memory(rnn));
    }
    unsigned mode = ur__fpmode_default();   /* biases are added */
    for (int l = 0; l < rnn->stack.layers; l++) {
        struct ur__rnn_weights w = ur__rnn_weights_of(rnn, l);
        ur__pack(&rnn->packed[l], rnn->k, &rnn->layer[l], &w);
    }
    ur__fpmode_restore(mode);
    rnn->version = ur__params_version(rnn->params);
    return UR_OK;
}

ur_status ur__rnn_ready(const ur_rnn *rnn)
{
    if (!rnn->memory)
        return ur__fail(UR_EINVAL, "the net is not prepared: call ur_rnn_prepare first");
    if (rnn->version != ur__params_version(rnn->params))
        return ur__fail(UR_EINVAL, "an optimizer has changed the parameters since "
                        "ur_rnn_prepare: call it again");
    return UR_OK;
}

ur_status ur__rnn_check_ids(const ur_rnn *rnn, size_t n, const int32_t *ids)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= rnn->layer[0].I)
            return ur__fail(UR_EINVAL, "input %zu is number %d, not in [0,%d)", i, (int)ids[i],
                            rnn->layer[0].I);
    return UR_OK;
}
