/* SPDX-License-Identifier: MIT */
/*
 * Sums and means. A sum over the innermost dimension is the kernel's long sum; over
 * another dimension it is one chain per element in ascending order.
 */
#include "tape/op.h"

#include "base/status.h"

#include <limits.h>

/* x [outer,D,inner] -> y [outer,inner], divided by `divisor`. */
struct sum {
    ur_tensor *x, *y;
    size_t outer, D, inner;
    ur_real divisor;
    ur_real *dx;            /* while running back */
};

/* Rows of D numbers, side by side: inner is 1. */
static void row_sums_work(const struct ur__worker *w, void *arg)
{
    const struct sum *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end;
    ur__op_range(w, op->outer, 1, &begin, &end);
    for (size_t o = begin; o < end; o++)
        op->y->data[o] = (ur_real)(k->sum(op->D, op->x->data + o * op->D) / (double)op->divisor);
}

/* Workers share the outer rows or the columns, whichever are more. */
static void column_sums_work(const struct ur__worker *w, void *arg)
{
    const struct sum *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t o0 = 0, o1 = op->outer, i0 = 0, i1 = op->inner;
    if (op->outer >= op->inner)
        ur__op_range(w, op->outer, 1, &o0, &o1);
    else
        ur__op_range(w, op->inner, UR__OP_GRAIN, &i0, &i1);
    for (size_t o = o0; o < o1 && i0 < i1; o++) {
        const ur_real *x = op->x->data + o * op->D * op->inner + i0;
        ur_real *y = op->y->data + o * op->inner + i0;
        for (size_t i = 0; i < i1 - i0; i++)
            y[i] = 0;
        k->sum_rows((int)op->D, (int)(i1 - i0), x, (ptrdiff_t)op->inner, y);
        for (size_t i = 0; i < i1 - i0 && op->divisor != 1; i++)
            y[i] /= op->divisor;
    }
}

static void sum_back_work(const struct ur__worker *w, void *arg)
{
    const struct sum *op = arg;
    const struct ur__kernel *k = ur__kernel();
    const ur_real *dy = op->y->grad;
    ur_real s = 1 / op->divisor;
    size_t begin, end;
    if (op->inner > 1) {
        ur__op_range(w, op->outer * op->D, 1, &begin, &end);
        for (size_t r = begin; r < end; r++)
            k->axpy(op->inner, s, dy + r / op->D * op->inner, op->dx + r * op->inner);
        return;
    }
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &begin, &end);
    for (size_t i = begin, stop; i < end; i = stop) {
        size_t o = i / op->D;
        stop = (o + 1) * op->D < end ? (o + 1) * op->D : end;
        k->affine(stop - i, 1, op->dx + i, s * dy[o], op->dx + i);
    }
}

static ur_status sum_back(ur_tape *tape, void *saved)
{
    struct sum *op = saved;
    op->dx = op->y->grad ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, sum_back_work, op);
    return UR_OK;
}

/* Over dimensions [first,last] of x. */
static ur_tensor *sum(const char *name, ur_tensor *x, int first, int last, bool mean)
{
    struct sum op = {.x = x, .outer = ur__op_extent(x, 0, first),
                     .D = ur__op_extent(x, first, last + 1),
                     .inner = ur__op_extent(x, last + 1, x->rank)};
    if (op.inner > INT_MAX)
        return ur__tape_fail(x->tape, UR_ESHAPE, "%s: %s is too large", name, ur__shape_text(x));
    int rank = 0, dim[UR_MAX_RANK] = {1};
    for (int i = 0; i < x->rank; i++)
        if (i < first || i > last)
            dim[rank++] = x->dim[i];
    op.y = ur__tensor_new(x->tape, rank ? rank : 1, dim, x->needs_grad);
    if (!op.y)
        return NULL;
    op.divisor = mean ? (ur_real)op.D : 1;
    ur__op_run(x->tape, x->size, op.inner == 1 ? row_sums_work : column_sums_work, &op);
    return ur__tape_note(ur__op_end(op.y, sum_back, &op, sizeof op), name, 1, &x);
}

ur_tensor *ur_sum(ur_tensor *x)
{
    return x ? sum("sum", x, 0, x->rank - 1, false) : NULL;
}

ur_tensor *ur_mean(ur_tensor *x)
{
    return x ? sum("mean", x, 0, x->rank - 1, true) : NULL;
}

ur_tensor *ur_sum_over(ur_tensor *x, int dim)
{
    int d = x ? ur__op_dim("sum_over", x, dim) : -1;
    return d < 0 ? NULL : ur__tape_whole(sum("sum_over", x, d, d, false), "dim", 1, &d);
}

ur_tensor *ur_mean_over(ur_tensor *x, int dim)
{
    int d = x ? ur__op_dim("mean_over", x, dim) : -1;
    return d < 0 ? NULL : ur__tape_whole(sum("mean_over", x, d, d, true), "dim", 1, &d);
}
