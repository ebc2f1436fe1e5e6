/* SPDX-License-Identifier: MIT */
/*
 * Softmax, its logarithm and the cross entropy with class numbers, a row of V logits
 * at a time.
 *
 *   softmax       dx += y∘(dy − Σ dy∘y)
 *   log_softmax   dx += dy − exp(y)·Σ dy
 *   cross_entropy dx = (softmax(x) − onehot)/n_valid, made on the way forward
 */
#include "tape/op.h"

#include "base/status.h"

#include <string.h>

struct rows {
    ur_tensor *x, *y;
    size_t n;               /* rows */
    int V;
    bool log;
    ur_real *dx;            /* while running back */
};

static void softmax_work(const struct ur__worker *w, void *arg)
{
    const struct rows *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, V = (size_t)op->V;
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++)
        (op->log ? k->log_softmax : k->softmax)(op->V, op->x->data + r * V, op->y->data + r * V);
}

static void softmax_row_back(const struct rows *op, const struct ur__kernel *k, size_t r)
{
    size_t V = (size_t)op->V;
    const ur_real *y = op->y->data + r * V, *dy = op->y->grad + r * V;
    ur_real *dx = op->dx + r * V;
    ur_real part[UR__OP_CHUNK];
    ur_real total = (ur_real)(op->log ? k->sum(V, dy) : k->dot(V, dy, y));
    for (size_t i = 0; i < V; i += UR__OP_CHUNK) {
        size_t m = V - i < UR__OP_CHUNK ? V - i : UR__OP_CHUNK;
        if (op->log) {
            k->exp(m, y + i, part);
            k->affine(m, -total, part, 0, part);
            k->add(m, dy + i, part, part);
            k->axpy(m, 1, part, dx + i);
        } else {
            k->affine(m, 1, dy + i, -total, part);
            k->muladd(m, y + i, part, dx + i);
        }
    }
}

static void softmax_back_work(const struct ur__worker *w, void *arg)
{
    const struct rows *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end;
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++)
        softmax_row_back(op, k, r);
}

static ur_status softmax_back(ur_tape *tape, void *saved)
{
    struct rows *op = saved;
    op->dx = op->y->grad ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, softmax_back_work, op);
    return UR_OK;
}

static ur_tensor *softmax(ur_tensor *x, bool log)
{
    if (!x)
        return NULL;
    ur_tensor *y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    if (!y)
        return NULL;
    int V = x->dim[x->rank - 1];
    struct rows op = {.x = x, .y = y, .n = x->size / (size_t)V, .V = V, .log = log};
    ur__op_run(x->tape, x->size, softmax_work, &op);
    return ur__tape_note(ur__op_end(y, softmax_back, &op, sizeof op),
                         log ? "log_softmax" : "softmax", 1, &x);
}

ur_tensor *ur_softmax(ur_tensor *x)
{
    return softmax(x, false);
}

ur_tensor *ur_log_softmax(ur_tensor *x)
{
    return softmax(x, true);
}

/* ---- cross entropy ----------------------------------------------------- */

struct entropy {
    ur_tensor *x, *y;
    ur_real *dx;            /* [n,V], for an upstream gradient of 1; NULL: not wanted */
    const int32_t *id;      /* [n], during the forward pass alone */
    ur_real *loss;          /* [n], the same */
    ur_real *to;            /* while running back: where dx goes, or dx itself */
    size_t n, n_valid;
    int V;
};

static void entropy_work(const struct ur__worker *w, void *arg)
{
    const struct entropy *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, V = (size_t)op->V;
    ur_real scale = (ur_real)(1.0 / (double)op->n_valid);
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        ur_real *dx = op->dx ? op->dx + r * V : NULL;
        if (op->id[r] >= 0) {
            op->loss[r] = k->cross_entropy(op->V, op->x->data + r * V, op->id[r], scale, dx);
            continue;
        }
        op->loss[r] = 0;
        if (dx)
            memset(dx, 0, V * sizeof *dx);
    }
}

static void entropy_total_work(const struct ur__worker *w, void *arg)
{
    const struct entropy *op = arg;
    double total = ur__kernel()->sum(op->n, op->loss);
    if (w->index == 0)
        op->y->data[0] = op->n_valid ? (ur_real)(total / (double)op->n_valid) : 0;
}

/* In place dx is scaled, elsewhere dy·dx is added: the same bits as added to zeros. */
static void entropy_back_work(const struct ur__worker *w, void *arg)
{
    const struct entropy *op = arg;
    const ur_real dy = op->y->grad[0];
    size_t i, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &i, &end);
    if (i == end)
        return;
    if (op->to == op->dx)
        ur__kernel()->affine(end - i, dy, op->dx + i, 0, op->dx + i);
    else
        ur__kernel()->axpy(end - i, dy, op->dx + i, op->to + i);
}

static void entropy_back_run(const struct ur__worker *w, void *arg)
{
    struct entropy *op = arg;
    (void)w;
    if (op->to != op->dx || op->y->grad[0] != 1)    /* dx is made for 1 */
        ur__op_run(op->x->tape, op->x->size, entropy_back_work, op);
}

static ur_status entropy_back(ur_tape *tape, void *saved)
{
    struct entropy *op = saved;
    if (!op->y->grad)
        return UR_OK;
    op->to = ur__grad_adopt(op->x, op->dx) ? op->dx : ur__grad(op->x);
    if (op->to)
        ur__tape_run(tape, NULL, entropy_back_run, op);
    return UR_OK;
}

ur_tensor *ur_cross_entropy(ur_tape *tape, ur_tensor *logits, ur_ids targets)
{
    if (!ur__op_all_on("cross_entropy", tape, 1, &logits))
        return NULL;
    struct entropy op = {.x = logits, .V = logits->dim[logits->rank - 1], .id = targets.id};
    op.n = logits->size / (size_t)op.V;
    if (!ur__op_targets(tape, ur__shape_of(logits), targets, &op.n_valid))
        return NULL;

    const int one = 1;
    op.y = ur__tensor_new(tape, 1, &one, logits->needs_grad);
    if (!op.y)
        return NULL;
    if (op.y->needs_grad) {
        op.dx = ur__tape_alloc(tape, logits->size, sizeof *op.dx);
        if (!op.dx)
            return NULL;
    }
    op.loss = ur__tape_scratch(tape, op.n * sizeof *op.loss);
    if (!op.loss)
        return NULL;
    ur__op_run(tape, logits->size, entropy_work, &op);
    ur__op_run(tape, 1, entropy_total_work, &op);
    return ur__tape_note(ur__op_end(op.y, entropy_back, &op, sizeof op), "cross_entropy", 1,
                         &logits);
}
