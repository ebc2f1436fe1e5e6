/* SPDX-License-Identifier: MIT */
/* Layer-normalised LSTM and GRU on the tape (docs/MATH.md, section Layer-normalised LSTM
 * and GRU). */
#include "unroll/cells.h"

#include <limits.h>

#include "base/status.h"
#include "layer/init.h"
#include "layer/params.h"
#include "layer/tape_cell.h"
#include "tape/tape.h"

/* ---- parameters -------------------------------------------------------- */

static ur_status declare(ur_norm_cell *c, const char *prefix, int gates)
{
    const int rows = gates * c->H;
    const double bound = ur__init_bound(c->H);
    const struct {
        struct ur__param_new p;
        const ur_param **out;
    } list[] = {
        {{prefix, "weight_ih", 2, {rows, c->I}, UR_INIT_UNIFORM, bound, 0, 0, 0}, &c->weight_ih},
        {{prefix, "weight_hh", 2, {rows, c->H}, UR_INIT_UNIFORM, bound, 0, 0, 0}, &c->weight_hh},
        {{prefix, "gain_ih", 1, {rows}, UR_INIT_CONSTANT, 1, 0, 0, 0}, &c->gain_ih},
        {{prefix, "gain_hh", 1, {rows}, UR_INIT_CONSTANT, 1, 0, 0, 0}, &c->gain_hh},
        {{prefix, "bias_ih", 1, {rows}, UR_INIT_CONSTANT, 0, 0, 0, 0}, &c->bias_ih},
        {{prefix, "bias_hh", 1, {rows}, UR_INIT_CONSTANT, 0, 0, 0, 0}, &c->bias_hh},
        {{prefix, "gain_c", 1, {c->H}, UR_INIT_CONSTANT, 1, 0, 0, 0}, &c->gain_c},
        {{prefix, "bias_c", 1, {c->H}, UR_INIT_CONSTANT, 0, 0, 0, 0}, &c->bias_c},
    };
    const size_t n = gates == 4 ? 8 : 6;    /* the GRU has no c */
    for (size_t i = 0; i < n; i++)
        UR__TRY(ur__params_declare(c->params, &list[i].p, list[i].out));
    return UR_OK;
}

static ur_status init(ur_norm_cell *c, ur_params *params, const char *prefix, int I, int H,
                      int gates)
{
    *c = (ur_norm_cell){.params = params, .I = I, .H = H, .epsilon = 1e-5};
    if (I < 1 || H < 1 || H > INT_MAX / gates)
        return ur__fail(UR_EINVAL, "%s: a cell cannot have %d units and %d inputs", prefix,
                        H, I);
    int declared = ur_params_count(params);
    ur_status status = declare(c, prefix, gates);
    if (status != UR_OK)
        ur__params_truncate(params, declared);
    return status;
}

ur_status ur_norm_lstm_init(ur_norm_cell *cell, ur_params *params, const char *prefix, int I,
                            int H)
{
    UR__NEED(cell, "cell");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    return init(cell, params, prefix, I, H, 4);
}

ur_status ur_norm_gru_init(ur_norm_cell *cell, ur_params *params, const char *prefix, int I,
                           int H)
{
    UR__NEED(cell, "cell");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    return init(cell, params, prefix, I, H, 3);
}

/* ---- steps ------------------------------------------------------------- */

static ur_tensor *leaf(ur_tape *tape, const ur_norm_cell *c, const ur_param *p)
{
    return ur_param_tensor(tape, c->params, p);
}

/* One input of the gates: its product with the weights, and what normalises it. */
struct part {
    ur_tensor *product, *gain, *bias;
    double epsilon;
};

static struct part part(ur_tape *tape, const ur_norm_cell *c, ur_tensor *x, const ur_param *weight,
                        const ur_param *gain, const ur_param *bias)
{
    return (struct part){ur_matmul_t(x, leaf(tape, c, weight)), leaf(tape, c, gain),
                         leaf(tape, c, bias), c->epsilon};
}

/* Its columns [begin,end), normalised together. */
static ur_tensor *normalised(const struct part *p, int begin, int end)
{
    return ur_layer_norm(ur_slice(p->product, -1, begin, end), ur_slice(p->gain, 0, begin, end),
                         ur_slice(p->bias, 0, begin, end), p->epsilon);
}

/* has_c: the cell is an LSTM, which reads and writes c beside h. */
static bool fits(ur_tape *tape, const ur_norm_cell *c, bool has_c, const ur_tensor *x,
                 ur_tensor *const *in, ur_tensor **out)
{
    const char *name = has_c ? "norm_lstm" : "norm_gru";
    if (!c || !c->weight_ih || has_c != (c->gain_c != NULL)) {
        ur__tape_fail(tape, UR_EINVAL, "%s: the cell is NULL or was not initialised as one", name);
        return false;
    }
    if (!in || !out) {
        ur__tape_fail(tape, UR_EINVAL, "%s: the states are NULL", name);
        return false;
    }
    const ur_tensor *h = in[0];
    if (!x || !h)
        return false;
    if (ur_dim(x, -1) == c->I && ur_dim(h, -1) == c->H)
        return true;
    ur__tape_fail(tape, UR_ESHAPE, "%s: x is %s and h is %s but the cell has %d inputs, %d units",
                  name, ur__shape_text(x), ur__shape_text(h), c->I, c->H);
    return false;
}

/* Eqs. 20 to 22: all gates are normalised together, and c before it becomes h. */
ur_tensor *ur_norm_lstm_step(const ur_step *step, void *cell, ur_tensor *x_t,
                             ur_tensor *const *in, ur_tensor **out)
{
    const ur_norm_cell *p = cell;
    ur_tape *tape = step ? step->tape : NULL;
    if (!fits(tape, p, true, x_t, in, out))
        return NULL;
    const int H = p->H;
    struct part x = part(tape, p, x_t, p->weight_ih, p->gain_ih, p->bias_ih);
    struct part h = part(tape, p, in[0], p->weight_hh, p->gain_hh, p->bias_hh);
    ur_tensor *gates = ur_add(normalised(&x, 0, 4 * H), normalised(&h, 0, 4 * H));
    ur_tensor *i = ur_sigmoid(ur_slice(gates, -1, 0, H));
    ur_tensor *f = ur_sigmoid(ur_slice(gates, -1, H, 2 * H));
    ur_tensor *g = ur_tanh(ur_slice(gates, -1, 2 * H, 3 * H));
    ur_tensor *o = ur_sigmoid(ur_slice(gates, -1, 3 * H, 4 * H));
    ur_tensor *c = ur_add(ur_mul(f, in[1]), ur_mul(i, g));
    ur_tensor *seen = ur_layer_norm(c, leaf(tape, p, p->gain_c), leaf(tape, p, p->bias_c),
                                    p->epsilon);
    out[0] = ur_mul(o, ur_tanh(seen));
    out[1] = c;
    return out[0];
}

/* r and z are normalised together, n alone; the reset gate acts after the product. */
ur_tensor *ur_norm_gru_step(const ur_step *step, void *cell, ur_tensor *x_t,
                            ur_tensor *const *in, ur_tensor **out)
{
    const ur_norm_cell *p = cell;
    ur_tape *tape = step ? step->tape : NULL;
    if (!fits(tape, p, false, x_t, in, out))
        return NULL;
    const int H = p->H;
    struct part x = part(tape, p, x_t, p->weight_ih, p->gain_ih, p->bias_ih);
    struct part h = part(tape, p, in[0], p->weight_hh, p->gain_hh, p->bias_hh);
    ur_tensor *gates = ur_sigmoid(ur_add(normalised(&x, 0, 2 * H), normalised(&h, 0, 2 * H)));
    ur_tensor *r = ur_slice(gates, -1, 0, H), *z = ur_slice(gates, -1, H, 2 * H);
    ur_tensor *n = ur_tanh(ur_add(normalised(&x, 2 * H, 3 * H),
                                  ur_mul(r, normalised(&h, 2 * H, 3 * H))));
    out[0] = ur_add(n, ur_mul(z, ur_sub(in[0], n)));
    return out[0];
}

/* ---- in stacks --------------------------------------------------------- */

static ur_status declare_lstm(void *cell, ur_params *params, const char *prefix, int I, int H)
{
    return ur_norm_lstm_init(cell, params, prefix, I, H);
}

static ur_status declare_gru(void *cell, ur_params *params, const char *prefix, int I, int H)
{
    return ur_norm_gru_init(cell, params, prefix, I, H);
}

const struct ur__tape_cell ur__tape_cell_norm_lstm = {
    .name = "lstm", .kind = UR_CELL_LSTM, .norm = UR_NORM_LAYER, .label = "norm",
    .state = {"h", "c"}, .bytes = sizeof(ur_norm_cell), .declare = declare_lstm,
    .step = ur_norm_lstm_step,
};
const struct ur__tape_cell ur__tape_cell_norm_gru = {
    .name = "gru", .kind = UR_CELL_GRU, .norm = UR_NORM_LAYER, .label = "norm",
    .state = {"h"}, .bytes = sizeof(ur_norm_cell), .declare = declare_gru,
    .step = ur_norm_gru_step,
};
