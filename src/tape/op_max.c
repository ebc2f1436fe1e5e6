/* SPDX-License-Identifier: MIT */
/* The largest element over a dimension. Its gradient goes to the first of the largest;
 * NaN counts as larger than any number. */
#include "tape/op.h"

#include "base/status.h"

/* x [outer,D,inner] -> y [outer,inner]. */
struct max {
    ur_tensor *x, *y;
    size_t outer, D, inner;
    int32_t *place;         /* [outer,inner] in [0,D); NULL: not kept */
    ur_real *dx;            /* while running back */
};

static void max_work(const struct ur__worker *w, void *arg)
{
    const struct max *op = arg;
    size_t begin, end;
    ur__op_range(w, op->y->size, 1, &begin, &end);
    for (size_t e = begin; e < end; e++) {
        const ur_real *x = op->x->data + e / op->inner * op->D * op->inner + e % op->inner;
        size_t best = 0;
        ur_real top = x[0];
        for (size_t d = 1; d < op->D && top == top; d++) {
            ur_real v = x[d * op->inner];
            if (!(v <= top)) {
                top = v;
                best = d;
            }
        }
        op->y->data[e] = top;
        if (op->place)
            op->place[e] = (int32_t)best;
    }
}

static void max_back_work(const struct ur__worker *w, void *arg)
{
    const struct max *op = arg;
    size_t begin, end;
    ur__op_range(w, op->y->size, 1, &begin, &end);
    for (size_t e = begin; e < end; e++) {
        size_t row = e / op->inner * op->D + (size_t)op->place[e];
        op->dx[row * op->inner + e % op->inner] += op->y->grad[e];
    }
}

static ur_status max_back(ur_tape *tape, void *saved)
{
    struct max *op = saved;
    op->dx = op->y->grad ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, max_back_work, op);
    return UR_OK;
}

ur_tensor *ur_max_over(ur_tensor *x, int dim)
{
    int d = x ? ur__op_dim("max_over", x, dim) : -1;
    if (d < 0)
        return NULL;
    struct max op = {.x = x, .outer = ur__op_extent(x, 0, d), .D = (size_t)x->dim[d],
                     .inner = ur__op_extent(x, d + 1, x->rank)};
    int rank = 0, shape[UR_MAX_RANK] = {1};
    for (int i = 0; i < x->rank; i++)
        if (i != d)
            shape[rank++] = x->dim[i];
    op.y = ur__tensor_new(x->tape, rank ? rank : 1, shape, x->needs_grad);
    if (!op.y)
        return NULL;
    if (op.y->needs_grad) {
        op.place = ur__tape_alloc(x->tape, op.y->size, sizeof *op.place);
        if (!op.place)
            return NULL;
    }
    ur__op_run(x->tape, x->size, max_work, &op);
    op.y = ur__tape_note(ur__op_end(op.y, max_back, &op, sizeof op), "max_over", 1, &x);
    return ur__tape_whole(op.y, "dim", 1, &d);
}
