/* SPDX-License-Identifier: MIT */
/* A recurrent net as an object: its parameters under PyTorch's names and their packed
 * form. Initial values uniform in ±1/√H, as PyTorch's nn.LSTM, nn.GRU and nn.RNN. */
#include "layer/recurrent.h"

#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "kernel/select.h"
#include "layer/init.h"
#include "layer/params.h"
#include "layer/rnn_form.h"
#include "layer/rnn_options.h"
#include "rnn/cells.h"
#include "rnn/pack.h"

/* ---- making ------------------------------------------------------------ */

/* The slot that is being declared. */
struct naming {
    ur_rnn *rnn;
    const char *prefix;
    int layer;
    bool reverse;
    const struct ur__rnn_layer *d;
    double bound;       /* of uniform weights */
};

/* name: of the parameter without _lK; of `new` name and prefix are set here. */
static ur_status declare(const struct naming *n, const char *name, struct ur__param_new new,
                         const ur_param **out)
{
    char suffixed[96];
    snprintf(suffixed, sizeof suffixed, "%s_l%d%s", name, n->layer, n->reverse ? "_reverse" : "");
    new.prefix = n->prefix;
    new.name = suffixed;
    new.rank = new.dim[1] ? 2 : 1;
    return ur__params_declare(n->rnn->params, &new, out);
}

/* A matrix, or a vector where columns is 0, uniform in ±1/√H. */
static ur_status declare_uniform(const struct naming *n, const char *name, int rows, int columns,
                                 const ur_param **out)
{
    struct ur__param_new p = {.dim = {rows, columns}, .init = UR_INIT_UNIFORM, .scale = n->bound};
    return declare(n, name, p, out);
}

static ur_status declare_recurrent(const struct naming *n, const ur_rnn_options *o,
                                   const ur_param **out)
{
    const struct ur__rnn_layer *d = n->d;
    char name[UR__RECURRENT_NAME];
    struct ur__param_new p = {.dim = {d->cell->gates * d->H, d->P}, .init = UR_INIT_UNIFORM,
                              .scale = n->bound};
    ur__rnn_recurrent_name(o, name);
    if (o->orthogonal && d->P == d->H) {   /* a block is square */
        p.init = UR_INIT_ORTHOGONAL;
        p.scale = 1;
    }
    return declare(n, name, p, out);
}

static ur_status declare_biases(const struct naming *n, double forget, struct ur__rnn_views *v)
{
    const struct ur__rnn_layer *d = n->d;
    struct ur__param_new p = {.dim = {d->cell->gates * d->H}, .init = UR_INIT_UNIFORM,
                              .scale = n->bound};
    if (forget != 0) {
        p.shift_begin = (size_t)d->cell->forget * (size_t)d->H;
        p.shift_n = (size_t)d->H;
        p.shift = forget;
    }
    if (d->biases >= 1)
        UR__TRY(declare(n, "bias_ih", p, &v->b_ih));
    if (d->biases >= 2)
        UR__TRY(declare_uniform(n, "bias_hh", p.dim[0], 0, &v->b_hh));
    return UR_OK;
}

static ur_status declare_extras(const struct naming *n, struct ur__rnn_views *v)
{
    struct ur__cell_extra extra[UR__CELL_EXTRAS];
    int extras = ur__cell_extras(n->d, extra);
    for (int i = 0; i < extras; i++)
        UR__TRY(declare_uniform(n, extra[i].name, extra[i].blocks * n->d->H, 0, &v->extra[i]));
    return UR_OK;
}

static ur_status declare_map(const struct naming *n, struct ur__rnn_views *v)
{
    const struct ur__rnn_layer *d = n->d;
    if (!d->O)
        return UR_OK;
    UR__TRY(declare_uniform(n, "weight_hy", d->O, d->P, &v->w_hy));
    return d->biases >= 1 ? declare_uniform(n, "bias_hy", d->O, 0, &v->b_hy) : UR_OK;
}

/* NAME_0_lK, if the slot's state starts from parameters. */
static ur_status declare_starts(const struct naming *n, bool learned, struct ur__buffers *b)
{
    for (int i = 0; learned && i < b->n; i++) {
        char name[32];
        struct ur__param_new p = {.dim = {b->at[i].size}, .init = UR_INIT_CONSTANT};
        snprintf(name, sizeof name, "%s_0", b->at[i].name);
        UR__TRY(declare(n, name, p, &b->at[i].start));
    }
    return UR_OK;
}

static ur_status declare_slot(const struct naming *n, const ur_rnn_options *o,
                              struct ur__rnn_views *v, struct ur__buffers *b)
{
    const struct ur__rnn_layer *d = n->d;
    UR__TRY(declare_uniform(n, "weight_ih", d->cell->gates * d->H, d->I, &v->w_ih));
    UR__TRY(declare_recurrent(n, o, &v->w_hh));
    UR__TRY(declare_biases(n, o->forget_bias, v));
    if (d->P != d->H)
        UR__TRY(declare_uniform(n, "weight_hr", d->P, d->H, &v->w_hr));
    UR__TRY(declare_extras(n, v));
    UR__TRY(declare_map(n, v));
    b->n = d->cell->c ? 2 : 1;
    b->at[0].name = "h";
    b->at[0].size = d->P;
    b->at[1].name = d->cell->c;
    b->at[1].size = d->H;
    return declare_starts(n, o->learned_state, b);
}

/* The parameters of a cell written on the tape, PREFIX.LABEL_lK.*, and of what it starts from. */
static ur_status declare_tape_cell(const struct naming *n, const ur_rnn_options *o, void **cell,
                                   struct ur__buffers *b)
{
    const struct ur__tape_cell *c = n->rnn->tape_cell;
    struct ur__buf prefix = {0};
    *cell = ur__calloc(1, c->bytes);
    if (!*cell)
        return UR_ENOMEM;
    ur_status status = ur__buf_printf(&prefix, "%s.%s_l%d%s", n->prefix, c->label, n->layer,
                                      n->reverse ? "_reverse" : "");
    if (status == UR_OK)
        status = c->declare(*cell, n->rnn->params, prefix.data, n->d->I, n->d->H);
    ur__buf_free(&prefix);
    for (; b->n < UR__BUFFERS && c->state[b->n]; b->n++) {
        b->at[b->n].name = c->state[b->n];
        b->at[b->n].size = n->d->H;
    }
    return status == UR_OK ? declare_starts(n, o->learned_state, b) : status;
}

static ur_status declare_all(ur_rnn *rnn, const char *prefix, const ur_rnn_options *o)
{
    int D = rnn->stack.directions;
    for (int i = 0; i < rnn->slots; i++) {
        struct naming n = {rnn, prefix, i / D, i % D > 0, &rnn->layer[i],
                           ur__init_bound(o->hidden[i / D])};
        rnn->layer[i] = ur__rnn_layer_of(o, n.layer, n.reverse);
        if (rnn->tape_cell)
            UR__TRY(declare_tape_cell(&n, o, &rnn->cells[i], &rnn->buffers[i]));
        else
            UR__TRY(declare_slot(&n, o, &rnn->views[i], &rnn->buffers[i]));
    }
    return UR_OK;
}

ur_status ur_rnn_new(ur_rnn **out, ur_params *params, const char *prefix,
                     const ur_rnn_options *options)
{
    ur_rnn_options own, *o = &own;
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    UR__NEED(options, "options");
    UR__TRY(ur__rnn_options_read(o, options));
    UR__TRY(ur__rnn_options_check(o));
    if (ur__params_built(params))
        return ur__fail(UR_EINVAL, "%s: ur_rnn_new was called after ur_params_build", prefix);
    ur_rnn *rnn = ur__calloc(1, sizeof *rnn);
    if (!rnn)
        return UR_ENOMEM;
    int D = o->bidirectional ? 2 : 1;
    size_t slots = (size_t)(o->layers * D);
    rnn->params = params;
    rnn->k = ur__kernel();
    rnn->slots = (int)slots;
    rnn->layer = ur__calloc(slots, sizeof *rnn->layer);
    rnn->views = ur__calloc(slots, sizeof *rnn->views);
    rnn->buffers = ur__calloc(slots, sizeof *rnn->buffers);
    rnn->packed = ur__calloc(slots, sizeof *rnn->packed);
    rnn->cells = ur__calloc(slots, sizeof *rnn->cells);
    rnn->tape_cell = ur__tape_cell_of(o->cell, o->norm);
    rnn->stack = (struct ur__stack){o->layers, D, rnn->layer, o->dropout, o->variational};
    int declared = ur_params_count(params);
    ur_status status = UR_ENOMEM;
    if (rnn->layer && rnn->views && rnn->buffers && rnn->packed && rnn->cells)
        status = declare_all(rnn, prefix, o);
    if (status == UR_OK)
        status = ur__params_set_form(params, declared, o);
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
    ur__free(rnn->buffers);
    ur__free(rnn->packed);
    for (int i = 0; rnn->cells && i < rnn->slots; i++)
        ur__free(rnn->cells[i]);
    ur__free(rnn->cells);
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

bool ur__rnn_reads_input(const ur_rnn *rnn, const ur_param *p)
{
    for (int d = 0; d < rnn->stack.directions; d++)
        if (rnn->views[d].w_ih == p)
            return true;
    return false;
}

bool ur__rnn_learns_state(const ur_rnn *rnn)
{
    return rnn->buffers[0].at[0].start;
}

int ur__rnn_buffer(const ur_rnn *rnn, int slot, const char *name)
{
    for (int i = 0; i < rnn->buffers[slot].n; i++)
        if (!strcmp(rnn->buffers[slot].at[i].name, name))
            return i;
    return -1;
}

bool ur__rnn_place(const ur_rnn *rnn, size_t n, size_t at, char out[UR__PLACE_TEXT])
{
    size_t row = 0, begin = 0;
    for (int i = 0; i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++)
            row += (size_t)rnn->buffers[i].at[j].size;
    if (n % row || at >= n)
        return false;
    for (int i = 0; i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++) {
            size_t size = (size_t)rnn->buffers[i].at[j].size, all = n / row * size;
            int D = rnn->stack.directions;
            if (at - begin < all) {
                snprintf(out, UR__PLACE_TEXT, "layer %d%s, %s[%zu,%zu]", i / D,
                         i % D ? " in reverse" : "", rnn->buffers[i].at[j].name,
                         (at - begin) / size, (at - begin) % size);
                return true;
            }
            begin += all;
        }
    return false;
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
        .w_hr = values(rnn, v->w_hr),
        .extra = {values(rnn, v->extra[0]), values(rnn, v->extra[1])},
        .w_hy = values(rnn, v->w_hy), .b_hy = values(rnn, v->b_hy),
    };
}

struct ur__rnn_grads ur__rnn_grads_of(const ur_rnn *rnn, int slot)
{
    const struct ur__rnn_views *v = &rnn->views[slot];
    return (struct ur__rnn_grads){
        .w_ih = grads(rnn, v->w_ih), .w_hh = grads(rnn, v->w_hh),
        .b_ih = grads(rnn, v->b_ih), .b_hh = grads(rnn, v->b_hh),
        .w_hr = grads(rnn, v->w_hr),
        .extra = {grads(rnn, v->extra[0]), grads(rnn, v->extra[1])},
        .w_hy = grads(rnn, v->w_hy), .b_hy = grads(rnn, v->b_hy),
    };
}

/* ---- packing ----------------------------------------------------------- */

static size_t packed_bytes(const ur_rnn *rnn, const struct ur__kernel *k)
{
    size_t total = 0;
    for (int i = 0; !rnn->tape_cell && i < rnn->slots; i++)
        total += ur__packed_bytes(k, &rnn->layer[i]);
    return total;
}

size_t ur__rnn_packed_bytes(const ur_rnn *rnn)
{
    return packed_bytes(rnn, ur__kernel());
}

static ur_status take_memory(ur_rnn *rnn)
{
    rnn->memory = ur__alloc(packed_bytes(rnn, rnn->k), 1);
    if (!rnn->memory)
        return UR_ENOMEM;
    char *at = rnn->memory;
    for (int i = 0; i < rnn->slots; i++) {
        ur__packed_place(&rnn->packed[i], rnn->k, &rnn->layer[i], at);
        at += ur__packed_bytes(rnn->k, &rnn->layer[i]);
    }
    return UR_OK;
}

ur_status ur_rnn_prepare(ur_rnn *rnn)
{
    UR__NEED(rnn, "rnn");
    if (!ur__params_built(rnn->params))
        return ur__fail(UR_EINVAL, "ur_rnn_prepare was called before ur_params_build");
    rnn->k = rnn->prepared ? rnn->k : ur__kernel();
    if (!rnn->tape_cell && !rnn->memory)
        UR__TRY(take_memory(rnn));
    unsigned mode = ur__fpmode_default();   /* biases are added */
    for (int i = 0; !rnn->tape_cell && i < rnn->slots; i++) {
        struct ur__rnn_weights w = ur__rnn_weights_of(rnn, i);
        ur__pack(&rnn->packed[i], rnn->k, &rnn->layer[i], &w);
    }
    ur__fpmode_restore(mode);
    rnn->version = ur__params_version(rnn->params);
    rnn->prepared = true;
    return UR_OK;
}

ur_status ur__rnn_ready(const ur_rnn *rnn)
{
    if (!rnn->prepared)
        return ur__fail(UR_EINVAL, "the net is not prepared: call ur_rnn_prepare first");
    if (rnn->version != ur__params_version(rnn->params))
        return ur__fail(UR_EINVAL, "the parameters have changed: call ur_rnn_prepare again");
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
