/* SPDX-License-Identifier: MIT */
/*
 * Operations that only move elements. A result whose elements lie together in the
 * input's memory is a view of it and costs nothing, forward and back.
 */
#include "tape/op.h"

#include "base/status.h"

#include <limits.h>
#include <string.h>

/* ---- views ------------------------------------------------------------- */

ur_tensor *ur_reshape(ur_tensor *x, int rank, const int *dim)
{
    if (!x)
        return NULL;
    int wanted[UR_MAX_RANK];
    if (rank < 1 || rank > UR_MAX_RANK)
        return ur__tape_fail(x->tape, UR_ESHAPE, "reshape: rank %d is not in [1,%d]", rank,
                             UR_MAX_RANK);
    if (!dim)
        return ur__tape_fail(x->tape, UR_EINVAL, "reshape: the dimensions are NULL");
    memcpy(wanted, dim, (size_t)rank * sizeof *dim);
    size_t rest = x->size;
    int open = -1;
    bool fits = true;
    for (int i = 0; i < rank; i++) {
        if (dim[i] == -1 && open < 0) {
            open = i;
        } else if (dim[i] < 1 || rest % (size_t)dim[i] != 0) {
            fits = false;
            break;
        } else {
            rest /= (size_t)dim[i];
        }
    }
    if (!fits || (open < 0 && rest != 1) || rest > INT_MAX)
        return ur__tape_fail(x->tape, UR_ESHAPE, "reshape: x is %s, which %s cannot hold",
                             ur__shape_text(x), ur__dim_text((struct ur__shape){rank, wanted}));
    if (open >= 0)
        wanted[open] = (int)rest;
    return ur__tape_note(ur__tensor_view(x, 0, rank, wanted), "reshape", 1, &x);
}

ur_tensor *ur_at(ur_tensor *x, int t)
{
    if (!x)
        return NULL;
    if (t < 0 || t >= x->dim[0])
        return ur__tape_fail(x->tape, UR_ESHAPE, "at: %d is not in [0,%d) of %s", t, x->dim[0],
                             ur__shape_text(x));
    const int one = 1;
    size_t offset = (size_t)t * ur__op_extent(x, 1, x->rank);
    bool single = x->rank == 1;
    ur_tensor *y = ur__tensor_view(x, offset, single ? 1 : x->rank - 1, single ? &one : x->dim + 1);
    return ur__tape_whole(ur__tape_note(y, "at", 1, &x), "index", 1, &t);
}

/* ---- slice ------------------------------------------------------------- */

static ur_tensor *note_slice(ur_tensor *y, ur_tensor *x, int dim, int begin, int end)
{
    y = ur__tape_whole(ur__tape_note(y, "slice", 1, &x), "dim", 1, &dim);
    return ur__tape_whole(ur__tape_whole(y, "begin", 1, &begin), "end", 1, &end);
}

/* x [outer, D·inner], y [outer, part]: y's rows lie in x's at an offset. */
struct slice {
    ur_tensor *x, *y;
    size_t outer, part, row, offset;
};

static ur_status slice_back(ur_tape *tape, void *saved)
{
    const struct slice *op = saved;
    ur_real *dx = op->y->grad ? ur__grad(op->x) : NULL;
    struct ur__blocks b = {op->outer, op->part, op->y->grad, op->part, dx, op->row};
    if (dx) {
        b.y += op->offset;
        ur__op_add(tape, &b);
    }
    return UR_OK;
}

ur_tensor *ur_slice(ur_tensor *x, int dim, int begin, int end)
{
    int d = x ? ur__op_dim("slice", x, dim) : -1;
    if (d < 0)
        return NULL;
    if (begin < 0 || begin >= end || end > x->dim[d])
        return ur__tape_fail(x->tape, UR_ESHAPE, "slice: [%d,%d) is not in dimension %d of %s",
                             begin, end, d, ur__shape_text(x));
    int shape[UR_MAX_RANK];
    memcpy(shape, x->dim, sizeof shape);
    shape[d] = end - begin;
    size_t inner = ur__op_extent(x, d + 1, x->rank);
    struct slice op = {.x = x, .outer = ur__op_extent(x, 0, d), .row = (size_t)x->dim[d] * inner,
                       .part = (size_t)(end - begin) * inner, .offset = (size_t)begin * inner};
    if (op.outer == 1 || op.part == op.row)
        return note_slice(ur__tensor_view(x, op.offset, x->rank, shape), x, d, begin, end);
    op.y = ur__tensor_new(x->tape, x->rank, shape, x->needs_grad);
    if (!op.y)
        return NULL;
    ur__op_copy(x->tape, &(struct ur__blocks){op.outer, op.part, x->data + op.offset, op.row,
                                              op.y->data, op.part});
    return note_slice(ur__op_end(op.y, slice_back, &op, sizeof op), x, d, begin, end);
}

/* ---- joining ----------------------------------------------------------- */

/* y [outer, row] holds in each row those of x[0], x[1] ... one after another. */
struct join {
    int n;
    ur_tensor *const *x, *y;
    size_t outer, row;
};

static ur_status join_back(ur_tape *tape, void *saved)
{
    const struct join *op = saved;
    const ur_real *dy = op->y->grad;
    for (int i = 0; dy && i < op->n; i++) {
        size_t part = op->x[i]->size / op->outer;
        ur_real *dx = ur__grad(op->x[i]);
        if (dx)
            ur__op_add(tape, &(struct ur__blocks){op->outer, part, dy, op->row, dx, part});
        dy += part;
    }
    return UR_OK;
}

/* The shapes are checked. */
static ur_tensor *join(const char *name, ur_tape *tape, int n, ur_tensor *const *x, size_t outer,
                       struct ur__shape shape)
{
    bool needs_grad = false;
    for (int i = 0; i < n; i++)
        needs_grad = needs_grad || x[i]->needs_grad;
    struct join op = {.n = n, .outer = outer};
    op.y = ur__tensor_new(tape, shape.rank, shape.dim, needs_grad);
    if (!op.y)
        return NULL;
    op.row = op.y->size / outer;
    ur_real *y = op.y->data;
    for (int i = 0; i < n; i++) {
        size_t part = x[i]->size / outer;
        ur__op_copy(tape, &(struct ur__blocks){outer, part, x[i]->data, part, y, op.row});
        y += part;
    }
    if (!ur__tape_note(op.y, name, n, x))
        return NULL;
    op.x = op.y->inputs;
    return ur__op_end(op.y, join_back, &op, sizeof op);
}

/* True if a and b have the same shape, dimension `except` aside. */
static bool alike(const ur_tensor *a, const ur_tensor *b, int except)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (i != except && a->dim[i] != b->dim[i])
            return false;
    return true;
}

ur_tensor *ur_concat(ur_tape *tape, int n, ur_tensor *const *x, int dim)
{
    if (n < 1)
        return ur__tape_fail(tape, UR_EINVAL, "concat: %d tensors", n);
    if (!ur__op_all_on("concat", tape, n, x))
        return NULL;
    int d = ur__op_dim("concat", x[0], dim);
    if (d < 0)
        return NULL;
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        if (!alike(x[0], x[i], d))
            return ur__tape_fail(tape, UR_ESHAPE, "concat: tensor 0 is %s but tensor %d is %s",
                                 ur__shape_text(x[0]), i, ur__shape_text(x[i]));
        total += x[i]->dim[d];
    }
    if (total > INT_MAX)
        return ur__tape_fail(tape, UR_ESHAPE, "concat: dimension %d becomes too large", d);
    int shape[UR_MAX_RANK];
    memcpy(shape, x[0]->dim, sizeof shape);
    shape[d] = (int)total;
    ur_tensor *y = join("concat", tape, n, x, ur__op_extent(x[0], 0, d),
                        (struct ur__shape){x[0]->rank, shape});
    return ur__tape_whole(y, "dim", 1, &d);
}

ur_tensor *ur_stack(ur_tape *tape, int T, ur_tensor *const *x)
{
    if (T < 1)
        return ur__tape_fail(tape, UR_EINVAL, "stack: %d tensors", T);
    if (!ur__op_all_on("stack", tape, T, x))
        return NULL;
    for (int t = 0; t < T; t++)
        if (!alike(x[0], x[t], -1))
            return ur__tape_fail(tape, UR_ESHAPE, "stack: tensor 0 is %s but tensor %d is %s",
                                 ur__shape_text(x[0]), t, ur__shape_text(x[t]));
    if (x[0]->rank == UR_MAX_RANK)
        return ur__tape_fail(tape, UR_ESHAPE, "stack: %s has no room for one more dimension",
                             ur__shape_text(x[0]));
    int shape[UR_MAX_RANK] = {T};
    memcpy(shape + 1, x[0]->dim, (size_t)x[0]->rank * sizeof *shape);
    return join("stack", tape, T, x, 1, (struct ur__shape){x[0]->rank + 1, shape});
}

/* ---- gather ------------------------------------------------------------ */

struct gather {
    ur_tensor *w, *y;
    const int32_t *id;      /* [M] */
    int M, N;
    ur_real *dw;            /* while running back */
};

static void gather_work(const struct ur__worker *worker, void *arg)
{
    const struct gather *op = arg;
    size_t begin, end, N = (size_t)op->N;
    ur__op_range(worker, (size_t)op->M, 1, &begin, &end);
    const struct ur__table_rows rows = {.M = (int)(end - begin), .N = op->N, .id = op->id + begin,
                                        .ld_table = op->N, .ld = op->N};
    if (begin < end)
        ur__kernel()->gather(&rows, op->w->data, NULL, op->y->data + begin * N);
}

/* Several rows may add to one row of w, so workers split the columns. */
static void scatter_work(const struct ur__worker *worker, void *arg)
{
    const struct gather *op = arg;
    size_t begin, end;
    ur__op_range(worker, (size_t)op->N, UR__OP_GRAIN, &begin, &end);
    const struct ur__table_rows rows = {.M = op->M, .N = (int)(end - begin), .id = op->id,
                                        .ld_table = op->N, .ld = op->N};
    if (begin < end)
        ur__kernel()->scatter_add(&rows, op->y->grad + begin, op->dw + begin);
}

static ur_status gather_back(ur_tape *tape, void *saved)
{
    struct gather *op = saved;
    op->dw = op->y->grad ? ur__grad(op->w) : NULL;
    if (op->dw)
        ur__op_run(tape, op->y->size, scatter_work, op);
    return UR_OK;
}

ur_tensor *ur_gather(ur_tape *tape, ur_tensor *w, ur_ids ids)
{
    if (!ur__op_all_on("gather", tape, 1, &w))
        return NULL;
    int64_t M = (int64_t)ids.T * ids.B;
    if (!ids.id)
        return ur__tape_fail(tape, UR_EINVAL, "gather: the ids' id is NULL");
    if (w->rank != 2 || ids.T < 1 || ids.B < 1 || M > INT_MAX)
        return ur__tape_fail(tape, UR_ESHAPE, "gather: w is %s and the ids are [%d,%d]",
                             ur__shape_text(w), ids.T, ids.B);
    for (int64_t i = 0; i < M && !ur__tape_measures(tape); i++)
        if (ids.id[i] < 0 || ids.id[i] >= w->dim[0])
            return ur__tape_fail(tape, UR_EINVAL, "gather: id [%d,%d] is %d but w has %d rows",
                                 (int)(i / ids.B), (int)(i % ids.B), (int)ids.id[i], w->dim[0]);
    const int shape[] = {ids.T, ids.B, w->dim[1]};
    struct gather op = {.w = w, .id = ids.id, .M = (int)M, .N = w->dim[1]};
    op.y = ur__tensor_new(tape, 3, shape, w->needs_grad);
    if (!op.y)
        return NULL;
    ur__op_run(tape, op.y->size, gather_work, &op);
    if (op.y->needs_grad) {     /* the caller may reuse the ids before the way back */
        op.id = ur__tape_copy(tape, ids.id, (size_t)M, sizeof *ids.id);
        if (!op.id)
            return NULL;
    }
    ur_tensor *y = ur__tape_note(ur__op_end(op.y, gather_back, &op, sizeof op), "gather", 1, &w);
    return ur__tape_lend(y, "ids", op.M, op.y->needs_grad ? op.id : NULL);
}
