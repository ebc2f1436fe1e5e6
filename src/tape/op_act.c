/* SPDX-License-Identifier: MIT */
/*
 * Element-wise functions of one tensor, and dropout. Derivatives are written in
 * terms of the result where that is possible: tanh' = 1 − y², σ' = y(1 − y),
 * exp' = y, and log' = 1/x.
 */
#include "tape/op.h"

#include "base/status.h"

/* n elements forward: y from x. */
typedef void map_function(size_t n, const ur_real *x, ur_real *y);

/* n elements back: dx += dy ∘ f'. */
struct slice {
    const struct ur__kernel *k;
    size_t n;
    const ur_real *x, *y, *dy;
    ur_real *dx;
};
typedef void slope_function(const struct slice *s);

struct unary {
    ur_tensor *x, *y;
    map_function *map;
    slope_function *slope;
    const ur_real *dy;      /* these two while running back */
    ur_real *dx;
};

static void map_work(const struct ur__worker *w, void *arg)
{
    const struct unary *op = arg;
    size_t i, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &i, &end);
    if (i < end)
        op->map(end - i, op->x->data + i, op->y->data + i);
}

static void slope_work(const struct ur__worker *w, void *arg)
{
    const struct unary *op = arg;
    size_t i, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &i, &end);
    if (i == end)
        return;
    struct slice s = {ur__kernel(), end - i, op->x->data + i, op->y->data + i, op->dy + i,
                      op->dx + i};
    op->slope(&s);
}

static ur_status unary_back(ur_tape *tape, void *saved)
{
    struct unary *op = saved;
    op->dy = op->y->grad;
    op->dx = op->dy ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, slope_work, op);
    return UR_OK;
}

static ur_tensor *unary(const char *name, ur_tensor *x, map_function *map, slope_function *slope)
{
    ur_tensor *y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    if (!y)
        return NULL;
    struct unary op = {.x = x, .y = y, .map = map, .slope = slope};
    ur__op_run(x->tape, x->size, map_work, &op);
    return ur__tape_note(ur__op_end(y, unary_back, &op, sizeof op), name, 1, &x);
}

/* ---- functions --------------------------------------------------------- */

static void tanh_slope(const struct slice *s)
{
    s->k->activation_back(s->n, UR_ACT_TANH, s->y, s->dy, s->dx);
}

static void sigmoid_slope(const struct slice *s)
{
    s->k->activation_back(s->n, UR_ACT_SIGMOID, s->y, s->dy, s->dx);
}

static void relu_slope(const struct slice *s)
{
    s->k->activation_back(s->n, UR_ACT_RELU, s->y, s->dy, s->dx);
}

static void satlin_map(size_t n, const ur_real *x, ur_real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i] > 1 ? 1 : x[i];   /* NaN stays NaN */
}

static void satlin_slope(const struct slice *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->dx[i] += s->y[i] > 0 && s->y[i] < 1 ? s->dy[i] : 0;
}

static void exp_slope(const struct slice *s)
{
    s->k->muladd(s->n, s->dy, s->y, s->dx);
}

static void log_slope(const struct slice *s)
{
    ur_real quotient[UR__OP_CHUNK];
    for (size_t i = 0; i < s->n; i += UR__OP_CHUNK) {
        size_t m = s->n - i < UR__OP_CHUNK ? s->n - i : UR__OP_CHUNK;
        s->k->div(m, s->dy + i, s->x + i, quotient);
        s->k->axpy(m, 1, quotient, s->dx + i);
    }
}

ur_tensor *ur_tanh(ur_tensor *x)
{
    return x ? unary("tanh", x, ur__kernel()->tanh, tanh_slope) : NULL;
}

ur_tensor *ur_sigmoid(ur_tensor *x)
{
    return x ? unary("sigmoid", x, ur__kernel()->sigmoid, sigmoid_slope) : NULL;
}

ur_tensor *ur_relu(ur_tensor *x)
{
    return x ? unary("relu", x, ur__kernel()->relu, relu_slope) : NULL;
}

ur_tensor *ur_satlin(ur_tensor *x)
{
    return x ? unary("satlin", x, satlin_map, satlin_slope) : NULL;
}

ur_tensor *ur_exp(ur_tensor *x)
{
    return x ? unary("exp", x, ur__kernel()->exp, exp_slope) : NULL;
}

ur_tensor *ur_log(ur_tensor *x)
{
    return x ? unary("log", x, ur__kernel()->log, log_slope) : NULL;
}

ur_tensor *ur_activate(ur_tensor *x, ur_activation f)
{
    if (!x)
        return NULL;
    switch (f) {
    case UR_ACT_IDENTITY:
        return x;
    case UR_ACT_TANH:
        return ur_tanh(x);
    case UR_ACT_RELU:
        return ur_relu(x);
    case UR_ACT_SIGMOID:
        return ur_sigmoid(x);
    case UR_ACT_SATLIN:
        return ur_satlin(x);
    }
    return ur__tape_fail(x->tape, UR_EINVAL, "activate: there is no activation %d", (int)f);
}

/* ---- dropout ----------------------------------------------------------- */

struct dropout {
    ur_tensor *x, *y;
    double p;
    struct ur__draws draws;
    const ur_real *dy;      /* these two while running back */
    ur_real *dx;
};

static void dropout_work(const struct ur__worker *w, void *arg)
{
    const struct dropout *op = arg;
    size_t i, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &i, &end);
    struct ur__draws draws = op->draws;
    draws.first = i;
    if (i < end)
        ur__kernel()->dropout(end - i, op->p, &draws, op->x->data + i, op->y->data + i);
}

/* The same mask on dy, drawn again instead of kept. */
static void dropout_back_work(const struct ur__worker *w, void *arg)
{
    const struct dropout *op = arg;
    const struct ur__kernel *k = ur__kernel();
    ur_real masked[UR__OP_CHUNK];
    struct ur__draws draws = op->draws;
    size_t begin, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &begin, &end);
    for (size_t i = begin; i < end; i += UR__OP_CHUNK) {
        size_t m = end - i < UR__OP_CHUNK ? end - i : UR__OP_CHUNK;
        draws.first = i;
        k->dropout(m, op->p, &draws, op->dy + i, masked);
        k->axpy(m, 1, masked, op->dx + i);
    }
}

static ur_status dropout_back(ur_tape *tape, void *saved)
{
    struct dropout *op = saved;
    op->dy = op->y->grad;
    op->dx = op->dy ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, dropout_back_work, op);
    return UR_OK;
}

ur_tensor *ur_dropout(ur_tensor *x, double p)
{
    if (!x)
        return NULL;
    if (!(p >= 0 && p < 1))
        return ur__tape_fail(x->tape, UR_EINVAL, "dropout: p is %g, not in [0,1)", p);
    struct dropout op = {.x = x, .p = p};
    if (p == 0 || !ur__tape_next_dropout(x->tape, &op.draws.seed, &op.draws.stream, &op.draws.step))
        return x;
    op.y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    if (!op.y)
        return NULL;
    ur__op_run(x->tape, x->size, dropout_work, &op);
    op.y = ur__tape_note(ur__op_end(op.y, dropout_back, &op, sizeof op), "dropout", 1, &x);
    return ur__tape_real(op.y, "p", p);
}
