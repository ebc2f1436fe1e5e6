/* SPDX-License-Identifier: MIT */
/*
 * The cross entropy with class weights w and label smoothing ε. With p = softmax(x), the target y
 * of a row, W = Σ_c w_c and S = Σ_rows w_y:
 *
 *   loss = Σ_rows [(1−ε)·w_y·(−log p_y) + ε/V·Σ_c w_c·(−log p_c)] / S
 *   dx_c = [((1−ε)·w_y + ε/V·W)·p_c − (1−ε)·w_y·[c = y] − ε/V·w_c] / S
 */
#include "tape/op.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

struct smooth {
    ur_tensor *x, *y;
    size_t n;               /* rows */
    int V;
    const int32_t *id;      /* [n], during the forward pass alone, as all that follows but dx */
    const ur_real *w;       /* [V]: ones if the caller gave none */
    double W, S, epsilon;
    ur_real *loss;          /* [n] */
    ur_real *log_p;         /* [n,V] */
    ur_real *dx;            /* [n,V] for an upstream gradient of 1; NULL: not wanted */
};

static void row_back(const struct smooth *op, const struct ur__kernel *k, size_t r)
{
    size_t V = (size_t)op->V;
    double hard = (1 - op->epsilon) * (double)op->w[op->id[r]], soft = op->epsilon / op->V;
    ur_real *dx = op->dx + r * V;
    k->exp(V, op->log_p + r * V, dx);
    k->affine(V, (ur_real)((hard + soft * op->W) / op->S), dx, 0, dx);
    k->axpy(V, (ur_real)(-soft / op->S), op->w, dx);
    dx[op->id[r]] -= (ur_real)(hard / op->S);
}

static void rows_work(const struct ur__worker *w, void *arg)
{
    const struct smooth *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, V = (size_t)op->V;
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        ur_real *log_p = op->log_p + r * V;
        op->loss[r] = 0;
        if (op->id[r] < 0) {
            if (op->dx)
                memset(op->dx + r * V, 0, V * sizeof *op->dx);
            continue;
        }
        k->log_softmax(op->V, op->x->data + r * V, log_p);
        double all = op->epsilon > 0 ? k->dot(V, op->w, log_p) : 0;
        op->loss[r] = (ur_real)(-(1 - op->epsilon) * (double)op->w[op->id[r]] *
                                    (double)log_p[op->id[r]] - op->epsilon / op->V * all);
        if (op->dx)
            row_back(op, k, r);
    }
}

static void total_work(const struct ur__worker *w, void *arg)
{
    const struct smooth *op = arg;
    (void)w;
    op->y->data[0] = (ur_real)(ur__kernel()->sum(op->n, op->loss) / op->S);
}

static void back_run(const struct ur__worker *w, void *arg)
{
    struct smooth *op = arg;
    (void)w;
    ur__op_axpy(op->y->tape, op->x->size, op->y->grad[0], op->dx, op->x->grad);
}

static ur_status smooth_back(ur_tape *tape, void *saved)
{
    struct smooth *op = saved;
    if (op->y->grad && ur__grad(op->x))
        ur__tape_run(tape, NULL, back_run, op);
    return UR_OK;
}

static void weigh_work(const struct ur__worker *w, void *arg)
{
    struct smooth *op = arg;
    (void)w;
    op->W = ur__kernel()->sum((size_t)op->V, op->w);
    for (size_t r = 0; r < op->n; r++)
        op->S += op->id[r] >= 0 ? (double)op->w[op->id[r]] : 0;
}

static bool check(ur_tape *tape, const struct smooth *op, const ur_real *weights)
{
    if (!(op->epsilon >= 0 && op->epsilon < 1)) {
        ur__tape_fail(tape, UR_EINVAL, "cross_entropy: smoothing %g is outside [0,1)",
                      op->epsilon);
        return false;
    }
    for (int c = 0; weights && !ur__tape_measures(tape) && c < op->V; c++)
        if (!(weights[c] >= 0 && isfinite(weights[c]))) {
            ur__tape_fail(tape, UR_EINVAL, "cross_entropy: the weight of class %d is %g", c,
                          (double)weights[c]);
            return false;
        }
    return true;
}

static void ones_work(const struct ur__worker *w, void *arg)
{
    const struct smooth *op = arg;
    ur_real *ones = op->loss + op->n;
    (void)w;
    for (int c = 0; c < op->V; c++)
        ones[c] = 1;
}

static bool take(ur_tape *tape, struct smooth *op, bool ones)
{
    const int one = 1;
    size_t V = (size_t)op->V;
    op->y = ur__tensor_new(tape, 1, &one, op->x->needs_grad);
    if (op->y && op->y->needs_grad)
        op->dx = ur__tape_alloc(tape, op->x->size, sizeof *op->dx);
    if (ur__tape_poisoned(tape))
        return false;
    op->loss = ur__tape_scratch(tape, (op->n + V + op->n * V) * sizeof *op->loss);
    if (!op->loss)
        return false;
    op->log_p = op->loss + op->n + V;
    if (ones) {
        op->w = op->loss + op->n;
        ur__tape_run(tape, NULL, ones_work, op);
    }
    return true;
}

ur_tensor *ur_weighted_cross_entropy(ur_tape *tape, ur_tensor *logits, ur_ids targets,
                                     const ur_real *weights, double smoothing)
{
    size_t n_valid;
    if (!ur__op_all_on("cross_entropy", tape, 1, &logits))
        return NULL;
    struct smooth op = {.x = logits, .V = logits->dim[logits->rank - 1], .id = targets.id,
                        .w = weights, .epsilon = smoothing};
    op.n = logits->size / (size_t)op.V;
    if (!ur__op_targets(tape, ur__shape_of(logits), targets, &n_valid) ||
        !check(tape, &op, weights) || !take(tape, &op, !weights))
        return NULL;
    ur__tape_run(tape, NULL, weigh_work, &op);
    if (op.S == 0)          /* nothing counts: neither loss nor gradient */
        op.S = (double)INFINITY;
    ur__op_run(tape, logits->size, rows_work, &op);
    ur__tape_run(tape, NULL, total_work, &op);
    op.y = ur__tape_note(ur__op_end(op.y, smooth_back, &op, sizeof op), "weighted_cross_entropy", 1,
                         &logits);
    return ur__tape_real(op.y, "smoothing", smoothing);
}
