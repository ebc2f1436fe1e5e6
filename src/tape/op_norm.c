/* SPDX-License-Identifier: MIT */
/*
 * Layer normalisation over the last dimension (Ba, Kiros and Hinton 2016), a row of N
 * numbers at a time.
 *
 *   x̂ = (x − mean)·r, r = 1/√(variance + ε)        y = gain∘x̂ + bias
 *   g = gain∘dy       dx += r·(g − mean(g) − x̂·mean(g∘x̂))
 *   dgain += Σ dy∘x̂   dbias += Σ dy                over the rows, ascending
 */
#include "tape/op.h"

#include "base/status.h"

#include <limits.h>
#include <math.h>

struct norm {
    ur_tensor *x, *gain, *bias, *y;     /* gain and bias may be NULL */
    size_t rows, N;
    double epsilon;
    ur_real *hat, *scale;   /* x̂ [rows,N] (y's memory if not kept), r [rows] */
    ur_real *dx, *dgain, *dbias;        /* while running back; NULL: not wanted */
};

static void norm_work(const struct ur__worker *w, void *arg)
{
    const struct norm *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, N = op->N;
    ur__op_range(w, op->rows, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        const ur_real *x = op->x->data + r * N;
        ur_real *hat = op->hat + r * N, *y = op->y->data + r * N;
        k->affine(N, 1, x, -(ur_real)(k->sum(N, x) / (double)N), hat);
        double variance = k->sum_squares(N, hat) / (double)N;
        op->scale[r] = (ur_real)(1 / sqrt(variance + op->epsilon));
        k->affine(N, op->scale[r], hat, 0, hat);
        if (op->gain)
            k->mul(N, hat, op->gain->data, y);
        else if (hat != y)
            k->affine(N, 1, hat, 0, y);
        if (op->bias)
            k->add(N, y, op->bias->data, y);
    }
}

/* ---- backward ---------------------------------------------------------- */

/* The chunk of g = gain∘dy from element i on. */
static const ur_real *chunk_of_g(const struct norm *op, const struct ur__kernel *k,
                                 const ur_real *dy, size_t i, size_t m, ur_real *memory)
{
    if (!op->gain)
        return dy + i;
    k->mul(m, op->gain->data + i, dy + i, memory);
    return memory;
}

static void dx_row(const struct norm *op, const struct ur__kernel *k, size_t r)
{
    size_t N = op->N;
    const ur_real *dy = op->y->grad + r * N, *hat = op->hat + r * N;
    ur_real memory[UR__OP_CHUNK], part[UR__OP_CHUNK];
    double sum = 0, dot = 0;
    for (size_t i = 0; i < N; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(N, i);
        const ur_real *g = chunk_of_g(op, k, dy, i, m, memory);
        sum += k->sum(m, g);
        dot += k->dot(m, g, hat + i);
    }
    ur_real mean = (ur_real)(sum / (double)N), along = (ur_real)(dot / (double)N);
    for (size_t i = 0; i < N; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(N, i);
        const ur_real *g = chunk_of_g(op, k, dy, i, m, memory);
        k->affine(m, -along, hat + i, -mean, part);
        k->add(m, g, part, part);
        k->axpy(m, op->scale[r], part, op->dx + r * N + i);
    }
}

static void dx_work(const struct ur__worker *w, void *arg)
{
    const struct norm *op = arg;
    size_t begin, end;
    ur__op_range(w, op->rows, 1, &begin, &end);
    for (size_t r = begin; r < end; r++)
        dx_row(op, ur__kernel(), r);
}

/* Workers share the columns: each sum over the rows is one chain. */
static void parameters_work(const struct ur__worker *w, void *arg)
{
    const struct norm *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, N = op->N;
    ur__op_range(w, N, UR__OP_GRAIN, &begin, &end);
    if (begin == end)
        return;
    const ur_real *dy = op->y->grad + begin;
    if (op->dbias)
        k->sum_rows((int)op->rows, (int)(end - begin), dy, (ptrdiff_t)N, op->dbias + begin);
    for (size_t r = 0; op->dgain && r < op->rows; r++)
        k->muladd(end - begin, dy + r * N, op->hat + r * N + begin, op->dgain + begin);
}

static ur_status norm_back(ur_tape *tape, void *saved)
{
    struct norm *op = saved;
    if (!op->y->grad)
        return UR_OK;
    op->dx = ur__grad(op->x);
    op->dgain = op->gain ? ur__grad(op->gain) : NULL;
    op->dbias = op->bias ? ur__grad(op->bias) : NULL;
    if (ur__tape_poisoned(tape))
        return ur_tape_status(tape);
    if (op->dx)
        ur__op_run(tape, op->x->size, dx_work, op);
    if (op->dgain || op->dbias)
        ur__op_run(tape, op->x->size, parameters_work, op);
    return UR_OK;
}

/* ---- the operation ----------------------------------------------------- */

static bool fits(const char *name, ur_tensor *x, ur_tensor *p)
{
    if (!p || (p->rank == 1 && p->dim[0] == x->dim[x->rank - 1]))
        return true;
    ur__tape_fail(x->tape, UR_ESHAPE, "layer_norm: x is %s but the %s is %s", ur__shape_text(x),
                  name, ur__shape_text(p));
    return false;
}

ur_tensor *ur_layer_norm(ur_tensor *x, ur_tensor *gain, ur_tensor *bias, double epsilon)
{
    if (!x || (gain && !ur__op_same_tape("layer_norm", x, gain)) ||
        (bias && !ur__op_same_tape("layer_norm", x, bias)))
        return NULL;
    if (!fits("gain", x, gain) || !fits("bias", x, bias))
        return NULL;
    if (!(epsilon > 0 && epsilon < 1))
        return ur__tape_fail(x->tape, UR_EINVAL, "layer_norm: epsilon is %g, not in (0,1)",
                             epsilon);
    struct norm op = {.x = x, .gain = gain, .bias = bias, .epsilon = epsilon,
                      .N = (size_t)x->dim[x->rank - 1]};
    op.rows = x->size / op.N;
    if (op.rows > INT_MAX)
        return ur__tape_fail(x->tape, UR_ESHAPE, "layer_norm: %s has too many rows",
                             ur__shape_text(x));
    op.y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad || (gain && gain->needs_grad) ||
                                                        (bias && bias->needs_grad));
    op.scale = ur__tape_alloc(x->tape, op.rows, sizeof *op.scale);
    if (!op.y || !op.scale)
        return NULL;
    op.hat = op.y->data;
    if (op.y->needs_grad)
        op.hat = ur__tape_alloc(x->tape, x->size, sizeof *op.hat);
    if (!op.hat)
        return NULL;
    ur__op_run(x->tape, x->size, norm_work, &op);

    ur_tensor *inputs[3] = {x};
    int n = 1;
    if (gain)
        inputs[n++] = gain;
    if (bias)
        inputs[n++] = bias;
    ur_tensor *y = ur__tape_note(ur__op_end(op.y, norm_back, &op, sizeof op), "layer_norm", n,
                                 inputs);
    y = ur__tape_real(y, "epsilon", epsilon);
    /* Which of the two the inputs after x are. */
    y = ur__tape_whole(y, "gain", 1, &(int){gain != NULL});
    return ur__tape_whole(y, "bias", 1, &(int){bias != NULL});
}
