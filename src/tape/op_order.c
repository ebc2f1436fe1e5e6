/* SPDX-License-Identifier: MIT */
/* Operations that change the order of elements: permuted dimensions, reversed time; and
 * the one that stops gradients, which changes nothing. */
#include "tape/op.h"

#include "base/status.h"

#include <string.h>

/* ---- permute ----------------------------------------------------------- */

/* Elements of `to`, in its order [dim], from (added: plus) those of `from`, where they lie
 * `stride` apart. */
struct move {
    int rank, dim[UR_MAX_RANK];
    size_t stride[UR_MAX_RANK];
    size_t rows;            /* of dim[rank-1] elements */
    const ur_real *from;
    ur_real *to;
    bool add;
    const struct ur__kernel *k;
};

static void move_row(const struct move *m, const ur_real *from, ur_real *to)
{
    size_t n = (size_t)m->dim[m->rank - 1], step = m->stride[m->rank - 1];
    if (step == 1 && m->add)
        m->k->axpy(n, 1, from, to);
    else if (step == 1)
        memcpy(to, from, n * sizeof *to);
    else if (m->add)
        for (size_t i = 0; i < n; i++)
            to[i] += from[i * step];
    else
        for (size_t i = 0; i < n; i++)
            to[i] = from[i * step];
}

static void move_work(const struct ur__worker *w, void *arg)
{
    const struct move *m = arg;
    size_t begin, end, n = (size_t)m->dim[m->rank - 1];
    ur__op_range(w, m->rows, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        size_t at = 0, rest = r;
        for (int d = m->rank - 2; d >= 0; d--) {
            at += rest % (size_t)m->dim[d] * m->stride[d];
            rest /= (size_t)m->dim[d];
        }
        move_row(m, m->from + at, m->to + r * n);
    }
}

/* to's dimension d is from's dimension order[d]. */
static void move(const ur_tensor *from, const int *order, const ur_real *source, ur_real *to,
                 bool add)
{
    struct move m = {.rank = from->rank, .from = source, .to = to, .add = add, .k = ur__kernel()};
    for (int d = 0; d < m.rank; d++) {
        m.dim[d] = from->dim[order[d]];
        m.stride[d] = ur__op_extent(from, order[d] + 1, from->rank);
    }
    m.rows = from->size / (size_t)m.dim[m.rank - 1];
    ur__op_run(from->tape, from->size, move_work, &m);
}

struct permute {
    ur_tensor *x, *y;
    int order[UR_MAX_RANK];
};

static ur_status permute_back(ur_tape *tape, void *saved)
{
    const struct permute *op = saved;
    (void)tape;
    ur_real *dx = op->y->grad ? ur__grad(op->x) : NULL;
    int inverse[UR_MAX_RANK];
    for (int d = 0; d < op->x->rank; d++)
        inverse[op->order[d]] = d;
    if (dx)
        move(op->y, inverse, op->y->grad, dx, true);
    return UR_OK;
}

static ur_tensor *permute(const char *name, ur_tensor *x, const int *order)
{
    struct permute op = {.x = x};
    int dim[UR_MAX_RANK];
    for (int d = 0; d < x->rank; d++) {
        op.order[d] = order[d];
        dim[d] = x->dim[order[d]];
    }
    op.y = ur__tensor_new(x->tape, x->rank, dim, x->needs_grad);
    if (!op.y)
        return NULL;
    move(x, op.order, x->data, op.y->data, false);
    op.y = ur__tape_note(ur__op_end(op.y, permute_back, &op, sizeof op), name, 1, &x);
    return ur__tape_whole(op.y, "order", x->rank, order);
}

ur_tensor *ur_permute(ur_tensor *x, const int *order)
{
    if (!x)
        return NULL;
    unsigned seen = 0;
    for (int d = 0; order && d < x->rank; d++)
        if (order[d] >= 0 && order[d] < x->rank)
            seen |= 1U << order[d];
    if (seen != (1U << x->rank) - 1)
        return ur__tape_fail(x->tape, UR_ESHAPE,
                             "permute: the order does not name each dimension of %s once",
                             ur__shape_text(x));
    return permute("permute", x, order);
}

ur_tensor *ur_transpose(ur_tensor *x)
{
    int order[UR_MAX_RANK] = {0, 1, 2, 3, 4};
    if (!x)
        return NULL;
    if (x->rank < 2)
        return ur__tape_fail(x->tape, UR_ESHAPE, "transpose: %s is not a matrix",
                             ur__shape_text(x));
    order[x->rank - 2] = x->rank - 1;
    order[x->rank - 1] = x->rank - 2;
    return permute("transpose", x, order);
}

/* ---- reverse ----------------------------------------------------------- */

/* x and y [T,B,inner]. The order is its own inverse. */
struct reverse {
    ur_tensor *x, *y;
    const int *lengths;     /* [B]; NULL: all T */
    size_t B, inner;
    const ur_real *from;
    ur_real *to;
    bool add;
};

static void reverse_work(const struct ur__worker *w, void *arg)
{
    const struct reverse *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, n = op->inner, T = (size_t)op->x->dim[0];
    ur__op_range(w, T * op->B, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        size_t t = r / op->B, b = r % op->B, length = op->lengths ? (size_t)op->lengths[b] : T;
        size_t source = t < length ? length - 1 - t : t;
        const ur_real *from = op->from + (source * op->B + b) * n;
        if (op->add)
            k->axpy(n, 1, from, op->to + r * n);
        else
            memcpy(op->to + r * n, from, n * sizeof *from);
    }
}

static ur_status reverse_back(ur_tape *tape, void *saved)
{
    struct reverse *op = saved;
    op->from = op->y->grad;
    op->to = op->from ? ur__grad(op->x) : NULL;
    op->add = true;
    if (op->to)
        ur__op_run(tape, op->x->size, reverse_work, op);
    return UR_OK;
}

ur_tensor *ur_reverse(ur_tensor *x, const int *lengths)
{
    if (!x)
        return NULL;
    if (lengths && x->rank < 2)
        return ur__tape_fail(x->tape, UR_ESHAPE, "reverse: %s has no batch for the lengths",
                             ur__shape_text(x));
    struct reverse op = {.x = x, .B = x->rank > 1 ? (size_t)x->dim[1] : 1, .from = x->data};
    op.inner = ur__op_extent(x, x->rank > 1 ? 2 : 1, x->rank);
    if (lengths && !ur__op_lengths("reverse", x->tape, lengths, op.B, x->dim[0]))
        return NULL;
    op.lengths = ur__tape_copy(x->tape, lengths, op.B, sizeof *lengths);
    if (lengths && !op.lengths)
        return NULL;
    op.y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    if (!op.y)
        return NULL;
    op.to = op.y->data;
    ur__op_run(x->tape, x->size, reverse_work, &op);
    op.y = ur__tape_note(ur__op_end(op.y, reverse_back, &op, sizeof op), "reverse", 1, &x);
    return ur__tape_lend(op.y, "lengths", (int)op.B, op.lengths);
}

/* ---- stop -------------------------------------------------------------- */

ur_tensor *ur_stop_gradient(ur_tensor *x)
{
    if (!x)
        return NULL;
    return ur__tape_note(ur_constant(x->tape, x->rank, x->dim, x->data), "stop_gradient", 1, &x);
}
