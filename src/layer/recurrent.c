/* SPDX-License-Identifier: MIT */
/* A recurrent net as an object: its parameters under PyTorch's names and their packed
 * form. Initial values uniform in ±1/√H, as PyTorch's nn.LSTM, nn.GRU and nn.RNN. */
#include "layer/recurrent.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "layer/init.h"
#include "layer/params.h"
#include "layer/room.h"
#include "rnn/cells.h"
#include "rnn/pack.h"

/* ---- checking ---------------------------------------------------------- */

static ur_status check_probability(const char *name, double p)
{
    if (p >= 0 && p < 1)
        return UR_OK;
    return ur__fail(UR_EINVAL, "%s %g is not in [0,1)", name, p);
}

/* Size of h in layer l. */
static int state_size(const ur_rnn_options *o, int l)
{
    return o->projection && o->projection[l] ? o->projection[l] : o->hidden[l];
}

/* What layer l reads. */
static int64_t input_size(const ur_rnn_options *o, int l)
{
    if (l == 0)
        return o->input;
    int out = o->output && o->output[l - 1] ? o->output[l - 1] : state_size(o, l - 1);
    return (o->bidirectional ? 2 : 1) * (int64_t)out;
}

static ur_status check_layer(const ur_rnn_options *o, int l)
{
    int G = ur__cell_of(o->cell)->gates, H = o->hidden[l], O = o->output ? o->output[l] : 0;
    int P = o->projection ? o->projection[l] : 0;
    int64_t I = input_size(o, l);
    size_t n;
    if (H < 1 || O < 0 || O > (1 << 29) || H > (1 << 24) / (G + 1) ||
        !ur__mul(&n, (size_t)G * (size_t)H, (size_t)I) || n > 0x7fffffff)
        return ur__fail(UR_EINVAL, "layer %d: %d hidden units over %lld inputs are impossible", l,
                        H, (long long)I);
    if (P < 0 || P >= H)
        return ur__fail(UR_EINVAL, "layer %d: a projection of %d units to %d is none: it is "
                        "smaller", l, H, P);
    return UR_OK;
}

/* Options that belong to one cell. */
static ur_status check_cell(const ur_rnn_options *o)
{
    const char *cell = ur__cell_of(o->cell)->name;
    bool projects = false;
    for (int l = 0; o->projection && l < o->layers; l++)
        projects = projects || o->projection[l];
    if (o->cell != UR_CELL_LSTM && (projects || o->peepholes || o->coupled || o->cell_clip != 0 ||
                               o->zoneout_c != 0))
        return ur__fail(UR_EINVAL, "projection, peepholes, coupled gates, cell clip and zoneout "
                        "of c are the lstm's, not of cell %s", cell);
    if (o->cell != UR_CELL_RNN && o->time_residual)
        return ur__fail(UR_EINVAL, "a residual in time is a form of cell rnn, not of %s", cell);
    if (!(o->cell_clip >= 0 && o->cell_clip <= 1e30))
        return ur__fail(UR_EINVAL, "a cell clip of %g is impossible", o->cell_clip);
    return UR_OK;
}

static ur_status check_options(const ur_rnn_options *o)
{
    if (!ur__cell_of(o->cell))
        return ur__fail(UR_EINVAL, "there is no recurrent cell number %d", (int)o->cell);
    if (o->input < 1 || o->layers < 1 || o->layers > (1 << 20) || !o->hidden)
        return ur__fail(UR_EINVAL, "a recurrent net of %d layers over %d inputs is impossible",
                        o->layers, o->input);
    for (int l = 0; l < o->layers; l++)
        UR__TRY(check_layer(o, l));
    UR__TRY(check_cell(o));
    if (o->biases < 0 || o->biases > 2)
        return ur__fail(UR_EINVAL, "a recurrent layer has 0, 1 or 2 biases, not %d", o->biases);
    if (!isfinite(o->forget_bias))
        return ur__fail(UR_EINVAL, "a forget bias of %g is impossible", o->forget_bias);
    UR__TRY(check_probability("dropout", o->dropout));
    UR__TRY(check_probability("recurrent dropout", o->recurrent_dropout));
    UR__TRY(check_probability("zoneout of h", o->zoneout_h));
    UR__TRY(check_probability("zoneout of c", o->zoneout_c));
    if ((int)o->activation < UR_ACT_IDENTITY || (int)o->activation > UR_ACT_SATLIN)
        return ur__fail(UR_EINVAL, "there is no activation number %d", (int)o->activation);
    if (o->output_activation != UR_ACT_IDENTITY && o->output_activation != UR_ACT_TANH)
        return ur__fail(UR_EINVAL, "an output map has the activation identity or tanh");
    return UR_OK;
}

/* ---- making ------------------------------------------------------------ */

/* One parameter of the slot that is being declared. */
struct naming {
    ur_rnn *rnn;
    const char *prefix;
    int layer;
    bool reverse;
};

static ur_status declare(const struct naming *n, const char *kind, int rows, int columns,
                         ur_init init, double scale, const ur_param **out)
{
    char suffix[48];
    int dim[2] = {rows, columns};
    snprintf(suffix, sizeof suffix, "%s_l%d%s", kind, n->layer, n->reverse ? "_reverse" : "");
    return ur__params_add_named(n->rnn->params, n->prefix, suffix, columns ? 2 : 1, dim, init,
                                scale, out);
}

/* PyTorch's name, unless PyTorch would compute something else with the same tensors. */
static const char *recurrent_name(const ur_rnn_options *o)
{
    if (o->coupled)
        return "weight_hh_coupled";
    if (o->cell_clip > 0)
        return "weight_hh_clip";
    if (o->time_residual)
        return "weight_hh_residual";
    if (o->cell == UR_CELL_GRU && o->reset_before)
        return "weight_hh_before";
    if (o->cell == UR_CELL_RNN && o->activation == UR_ACT_SIGMOID)
        return "weight_hh_sigmoid";
    if (o->cell == UR_CELL_RNN && o->activation == UR_ACT_SATLIN)
        return "weight_hh_satlin";
    if (o->cell == UR_CELL_RNN && o->activation == UR_ACT_IDENTITY)
        return "weight_hh_identity";
    if (o->zoneout_h > 0 || o->zoneout_c > 0)
        return "weight_hh_zoneout";
    return "weight_hh";
}

static ur_status declare_extras(const struct naming *n, const ur_rnn_options *o,
                                const struct ur__rnn_layer *d, struct ur__rnn_views *v)
{
    double bound = ur__init_bound(d->H);
    if (d->P != d->H)
        UR__TRY(declare(n, "weight_hr", d->P, d->H, UR_UNIFORM, bound, &v->w_hr));
    if (d->peepholes)
        UR__TRY(declare(n, "weight_peep", (d->cell->gates - 1) * d->H, 0, UR_UNIFORM, bound,
                        &v->peep));
    if (d->O) {
        UR__TRY(declare(n, "weight_hy", d->O, d->P, UR_UNIFORM, bound, &v->w_hy));
        if (d->biases >= 1)
            UR__TRY(declare(n, "bias_hy", d->O, 0, UR_UNIFORM, bound, &v->b_hy));
    }
    if (o->learned_state) {
        UR__TRY(declare(n, "h_0", d->P, 0, UR_CONSTANT, 0, &v->h_0));
        if (d->cell->has_c)
            UR__TRY(declare(n, "c_0", d->H, 0, UR_CONSTANT, 0, &v->c_0));
    }
    return UR_OK;
}

static ur_status declare_slot(const struct naming *n, const ur_rnn_options *o,
                              const struct ur__rnn_layer *d, struct ur__rnn_views *v)
{
    int GH = d->cell->gates * d->H;
    double bound = ur__init_bound(d->H);
    bool orthogonal = o->orthogonal && d->P == d->H;    /* a block is square */
    UR__TRY(declare(n, "weight_ih", GH, d->I, UR_UNIFORM, bound, &v->w_ih));
    UR__TRY(declare(n, recurrent_name(o), GH, d->P, orthogonal ? UR_ORTHOGONAL : UR_UNIFORM,
                    orthogonal ? 1 : bound, &v->w_hh));
    if (d->biases >= 1)
        UR__TRY(declare(n, "bias_ih", GH, 0, UR_UNIFORM, bound, &v->b_ih));
    if (d->biases >= 2)
        UR__TRY(declare(n, "bias_hh", GH, 0, UR_UNIFORM, bound, &v->b_hh));
    UR__TRY(declare_extras(n, o, d, v));
    if (o->cell == UR_CELL_LSTM && d->cell->gates == 4 && o->forget_bias != 0 && v->b_ih)
        ur__params_shift(v->b_ih, (size_t)d->H, (size_t)d->H, o->forget_bias);
    return UR_OK;
}

static struct ur__rnn_layer layer_of(const ur_rnn_options *o, int l, bool reverse)
{
    bool zoneout = o->zoneout_h > 0, form = o->peepholes || o->cell_clip > 0;
    return (struct ur__rnn_layer){
        .cell = ur__cell_in_form(o->cell, o->time_residual, zoneout, o->coupled, form),
        .I = (int)input_size(o, l),
        .H = o->hidden[l],
        .P = state_size(o, l),
        .O = o->output ? o->output[l] : 0,
        .activation = o->activation,
        .output_activation = o->output_activation,
        .biases = o->biases,
        .reverse = reverse,
        .reset_before = o->cell == UR_CELL_GRU && o->reset_before,
        .peepholes = o->peepholes,
        .cell_clip = (ur_real)o->cell_clip,
        .recurrent_dropout = o->recurrent_dropout,
        .zoneout_h = o->zoneout_h,
        .zoneout_c = o->zoneout_c,
    };
}

static ur_status declare_all(ur_rnn *rnn, const char *prefix, const ur_rnn_options *o)
{
    int D = rnn->stack.directions;
    for (int i = 0; i < rnn->slots; i++) {
        struct naming n = {rnn, prefix, i / D, i % D > 0};
        rnn->layer[i] = layer_of(o, i / D, n.reverse);
        UR__TRY(declare_slot(&n, o, &rnn->layer[i], &rnn->views[i]));
    }
    return UR_OK;
}

ur_status ur_rnn_new(ur_rnn **out, ur_params *params, const char *prefix, const ur_rnn_options *o)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    UR__NEED(o, "options");
    UR__TRY(check_options(o));
    if (ur__params_built(params))
        return ur__fail(UR_EINVAL, "%s: ur_rnn_new comes after ur_params_build", prefix);
    ur_rnn *rnn = ur__calloc(1, sizeof *rnn);
    if (!rnn)
        return UR_ENOMEM;
    int D = o->bidirectional ? 2 : 1;
    size_t slots = (size_t)(o->layers * D);
    rnn->params = params;
    rnn->slots = (int)slots;
    rnn->layer = ur__calloc(slots, sizeof *rnn->layer);
    rnn->views = ur__calloc(slots, sizeof *rnn->views);
    rnn->packed = ur__calloc(slots, sizeof *rnn->packed);
    rnn->stack = (struct ur__stack){o->layers, D, rnn->layer, o->dropout, o->variational};
    int declared = ur_params_count(params);
    ur_status status = UR_ENOMEM;
    if (rnn->layer && rnn->views && rnn->packed)
        status = declare_all(rnn, prefix, o);
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
    UR__NEED_OR(rnn, "rnn", 0);
    return rnn->stack.layers;
}

int ur_rnn_directions(const ur_rnn *rnn)
{
    UR__NEED_OR(rnn, "rnn", 0);
    return rnn->stack.directions;
}

int ur_rnn_input(const ur_rnn *rnn)
{
    UR__NEED_OR(rnn, "rnn", 0);
    return rnn->layer[0].I;
}

static const struct ur__rnn_layer *layer_at(const ur_rnn *rnn, int layer)
{
    bool there = layer >= 0 && layer < rnn->stack.layers;
    return there ? &rnn->layer[layer * rnn->stack.directions] : NULL;
}

int ur_rnn_hidden(const ur_rnn *rnn, int layer)
{
    UR__NEED_OR(rnn, "rnn", 0);
    const struct ur__rnn_layer *d = layer_at(rnn, layer);
    return d ? d->H : 0;
}

int ur_rnn_state_size(const ur_rnn *rnn, int layer)
{
    UR__NEED_OR(rnn, "rnn", 0);
    const struct ur__rnn_layer *d = layer_at(rnn, layer);
    return d ? d->P : 0;
}

int ur_rnn_output(const ur_rnn *rnn)
{
    UR__NEED_OR(rnn, "rnn", 0);
    return ur__stack_output(&rnn->stack, rnn->stack.layers - 1);
}

bool ur__rnn_learns_state(const ur_rnn *rnn)
{
    return rnn->views[0].h_0;
}

static const ur_real *values(const ur_rnn *rnn, const ur_param *p)
{
    return p ? ur_param_data(rnn->params, p) : NULL;
}

static ur_real *grads(const ur_rnn *rnn, const ur_param *p)
{
    return p ? ur__param_grad(rnn->params, p) : NULL;
}

struct ur__rnn_weights ur__rnn_weights_of(const ur_rnn *rnn, int slot)
{
    const struct ur__rnn_views *v = &rnn->views[slot];
    return (struct ur__rnn_weights){
        .w_ih = values(rnn, v->w_ih), .w_hh = values(rnn, v->w_hh),
        .b_ih = values(rnn, v->b_ih), .b_hh = values(rnn, v->b_hh),
        .w_hr = values(rnn, v->w_hr), .peep = values(rnn, v->peep),
        .w_hy = values(rnn, v->w_hy), .b_hy = values(rnn, v->b_hy),
    };
}

struct ur__rnn_grads ur__rnn_grads_of(const ur_rnn *rnn, int slot)
{
    const struct ur__rnn_views *v = &rnn->views[slot];
    return (struct ur__rnn_grads){
        .w_ih = grads(rnn, v->w_ih), .w_hh = grads(rnn, v->w_hh),
        .b_ih = grads(rnn, v->b_ih), .b_hh = grads(rnn, v->b_hh),
        .w_hr = grads(rnn, v->w_hr), .peep = grads(rnn, v->peep),
        .w_hy = grads(rnn, v->w_hy), .b_hy = grads(rnn, v->b_hy),
    };
}

/* ---- packing ----------------------------------------------------------- */

static size_t packed_reals(const ur_rnn *rnn, const struct ur__kernel *k)
{
    size_t total = 0;
    for (int i = 0; i < rnn->slots; i++)
        total += ur__packed_size(k, &rnn->layer[i]);
    return total;
}

size_t ur__rnn_packed_bytes(const ur_rnn *rnn)
{
    return packed_reals(rnn, ur__kernel()) * sizeof(ur_real);
}

static ur_status take_memory(ur_rnn *rnn)
{
    rnn->memory = ur__alloc(packed_reals(rnn, rnn->k), sizeof(ur_real));
    if (!rnn->memory)
        return UR_ENOMEM;
    ur_real *at = rnn->memory;
    for (int i = 0; i < rnn->slots; i++) {
        ur__packed_place(&rnn->packed[i], rnn->k, &rnn->layer[i], at);
        at += ur__packed_size(rnn->k, &rnn->layer[i]);
    }
    return UR_OK;
}

ur_status ur_rnn_prepare(ur_rnn *rnn)
{
    UR__NEED(rnn, "rnn");
    if (!ur__params_built(rnn->params))
        return ur__fail(UR_EINVAL, "ur_rnn_prepare comes before ur_params_build");
    if (!rnn->memory) {
        rnn->k = ur__kernel();
        UR__TRY(take_memory(rnn));
    }
    unsigned mode = ur__fpmode_default();   /* biases are added */
    for (int i = 0; i < rnn->slots; i++) {
        struct ur__rnn_weights w = ur__rnn_weights_of(rnn, i);
        ur__pack(&rnn->packed[i], rnn->k, &rnn->layer[i], &w);
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
        return ur__fail(UR_EINVAL, "the parameters have changed since "
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
