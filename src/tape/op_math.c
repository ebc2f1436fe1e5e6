/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic with broadcasting: y = a ∘ b.
 *
 * Shapes are merged into as few dimensions as their stretching allows: equal shapes
 * become one, [T,B,N] + [N] two. The innermost is one call of the kernel, a row.
 *
 * Gradients of a stretched operand are sums: over a row as the kernel sums, over
 * rows one chain in ascending order. Workers share a dimension along which the
 * result is not stretched, so that no sum is split.
 */
#include "tape/op.h"

#include "base/status.h"
#include "kernel/kernel.h"

typedef void binary_function(size_t n, const ur_real *a, const ur_real *b, ur_real *y);

enum kind { ADD, SUB, MUL, DIV };
static const char *const names[] = {"add", "sub", "mul", "div"};

enum side { A, B, Y };

/* The merged loop. stride[side][d]: 0 where that side is stretched. */
struct walk {
    int rank;
    size_t dim[UR_MAX_RANK];
    size_t stride[3][UR_MAX_RANK];
};

struct binary {
    enum kind kind;
    struct walk walk;
    ur_tensor *a, *b, *y;
};

/* ---- the loop ---------------------------------------------------------- */

/* The dimension of x that stands below dimension i of a result of this rank. */
static size_t dim_below(const ur_tensor *x, int rank, int i)
{
    int own = i - (rank - x->rank);
    return own >= 0 ? (size_t)x->dim[own] : 1;
}

/* Merges from the innermost dimension outwards, then turns the order round. */
static void walk_make(struct walk *w, const ur_tensor *a, const ur_tensor *b, const ur_tensor *y)
{
    const ur_tensor *x[3] = {a, b, y};
    size_t step[3] = {1, 1, 1};
    struct walk in = {0};
    for (int i = y->rank - 1; i >= 0; i--) {
        size_t n = (size_t)y->dim[i];
        if (n == 1)
            continue;
        size_t stride[3];
        bool merge = in.rank > 0;
        for (int s = A; s <= Y; s++) {
            bool full = dim_below(x[s], y->rank, i) == n;
            stride[s] = full ? step[s] : 0;
            step[s] *= full ? n : 1;
            merge = merge && full == (in.stride[s][in.rank - 1] != 0);
        }
        if (merge) {
            in.dim[in.rank - 1] *= n;
            continue;
        }
        in.dim[in.rank] = n;
        for (int s = A; s <= Y; s++)
            in.stride[s][in.rank] = stride[s];
        in.rank++;
    }
    if (in.rank == 0) {
        in.rank = 1;
        in.dim[0] = in.stride[A][0] = in.stride[B][0] = in.stride[Y][0] = 1;
    }
    w->rank = in.rank;
    for (int d = 0; d < in.rank; d++) {
        w->dim[d] = in.dim[in.rank - 1 - d];
        for (int s = A; s <= Y; s++)
            w->stride[s][d] = in.stride[s][in.rank - 1 - d];
    }
}

/* What a worker computes: y, or the gradient g of one side from that of y. */
struct job;
typedef void row_function(const struct job *j, size_t n, const size_t at[3]);
struct job {
    const struct ur__kernel *k;
    const struct binary *op;
    row_function *row;
    enum side side;         /* whose elements are written */
    const ur_real *dy;
    ur_real *g;
};

static int split_dim(const struct walk *w, enum side side)
{
    int best = -1;
    for (int d = 0; d < w->rank; d++)
        if (w->stride[side][d] && (best < 0 || w->dim[d] > w->dim[best]))
            best = d;
    return best;
}

static void walk_work(const struct ur__worker *worker, void *arg)
{
    const struct job *j = arg;
    const struct walk *w = &j->op->walk;
    size_t from[UR_MAX_RANK] = {0}, to[UR_MAX_RANK], i[UR_MAX_RANK];
    int last = w->rank - 1, split = split_dim(w, j->side);
    for (int d = 0; d <= last; d++)
        to[d] = w->dim[d];
    if (split < 0 && worker->index > 0)
        return;
    if (split >= 0) {
        size_t grain = split == last ? UR__OP_GRAIN : 1;
        ur__op_range(worker, w->dim[split], grain, &from[split], &to[split]);
        if (from[split] == to[split])
            return;
    }
    for (int d = 0; d <= last; d++)
        i[d] = from[d];
    for (int d = last; d >= 0;) {
        size_t at[3] = {0, 0, 0};
        for (int s = A; s <= Y; s++)
            for (int e = 0; e <= last; e++)
                at[s] += i[e] * w->stride[s][e];
        j->row(j, to[last] - from[last], at);
        for (d = last - 1; d >= 0 && ++i[d] == to[d]; d--)
            i[d] = from[d];
    }
}

/* ---- rows -------------------------------------------------------------- */

static binary_function *function_of(const struct ur__kernel *k, enum kind kind)
{
    binary_function *const f[] = {k->add, k->sub, k->mul, k->div};
    return f[kind];
}

/* m <= UR__OP_CHUNK elements of a row of one side from element i on; those of a
 * stretched row are spread into memory. */
static const ur_real *spread(const struct job *j, enum side s, const ur_real *row, size_t i,
                             size_t m, ur_real *memory)
{
    const struct walk *w = &j->op->walk;
    if (w->stride[s][w->rank - 1])
        return row + i;
    for (size_t e = 0; e < m; e++)
        memory[e] = *row;
    return memory;
}

static size_t chunk_at(size_t n, size_t i)
{
    return n - i < UR__OP_CHUNK ? n - i : UR__OP_CHUNK;
}

static void row_forward(const struct job *j, size_t n, const size_t at[3])
{
    const struct walk *w = &j->op->walk;
    binary_function *f = function_of(j->k, j->op->kind);
    const ur_real *a = j->op->a->data + at[A], *b = j->op->b->data + at[B];
    ur_real *y = j->op->y->data + at[Y];
    if (w->stride[A][w->rank - 1] && w->stride[B][w->rank - 1]) {
        f(n, a, b, y);
        return;
    }
    ur_real memory[UR__OP_CHUNK];   /* one of the two is stretched */
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = chunk_at(n, i);
        const ur_real *a_i = spread(j, A, a, i, m, memory);
        const ur_real *b_i = spread(j, B, b, i, m, memory);
        f(m, a_i, b_i, y + i);
    }
}

static bool row_stretched(const struct job *j, enum side s)
{
    return !j->op->walk.stride[s][j->op->walk.rank - 1];
}

static void row_back_add(const struct job *j, size_t n, const size_t at[3])
{
    const ur_real *dy = j->dy + at[Y];
    ur_real *g = j->g + at[j->side];
    ur_real sign = j->op->kind == SUB && j->side == B ? -1 : 1;
    if (row_stretched(j, j->side))
        *g += sign * (ur_real)j->k->sum(n, dy);
    else
        j->k->axpy(n, sign, dy, g);
}

static void row_back_mul(const struct job *j, size_t n, const size_t at[3])
{
    enum side other = j->side == A ? B : A;
    const ur_real *dy = j->dy + at[Y];
    const ur_real *x = (other == A ? j->op->a : j->op->b)->data + at[other];
    ur_real *g = j->g + at[j->side];
    if (row_stretched(j, j->side))
        *g += (ur_real)j->k->dot(n, dy, x);
    else if (row_stretched(j, other))
        j->k->axpy(n, *x, dy, g);
    else
        j->k->muladd(n, dy, x, g);
}

/* da += dy/b, db -= dy/b ∘ y. */
static void row_back_div(const struct job *j, size_t n, const size_t at[3])
{
    const ur_real *dy = j->dy + at[Y], *y = j->op->y->data + at[Y];
    const ur_real *b = j->op->b->data + at[B];
    ur_real *g = j->g + at[j->side];
    ur_real sign = j->side == B ? -1 : 1;
    ur_real quotient[UR__OP_CHUNK], memory[UR__OP_CHUNK];
    double total = 0;
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = chunk_at(n, i);
        j->k->div(m, dy + i, spread(j, B, b, i, m, memory), quotient);
        if (j->side == B)
            j->k->mul(m, quotient, y + i, quotient);
        if (row_stretched(j, j->side))
            total += j->k->sum(m, quotient);
        else
            j->k->axpy(m, sign, quotient, g + i);
    }
    if (row_stretched(j, j->side))
        *g += sign * (ur_real)total;
}

/* ---- operations -------------------------------------------------------- */

/* The gradient of a bias: [M,N] summed to [N], the same chains as row by row. */
static bool is_bias(const struct binary *op, enum side side)
{
    const struct walk *w = &op->walk;
    bool plain = op->kind == ADD || (op->kind == SUB && side == A);
    return plain && w->rank == 2 && !w->stride[side][0] && w->stride[side][1] &&
           w->dim[0] <= INT32_MAX && w->dim[1] <= INT32_MAX;
}

static void bias_work(const struct ur__worker *w, void *arg)
{
    const struct job *j = arg;
    size_t n = j->op->walk.dim[1], begin, end;
    ur__op_range(w, n, UR__OP_GRAIN, &begin, &end);
    if (begin < end)
        j->k->sum_rows((int)j->op->walk.dim[0], (int)(end - begin), j->dy + begin, (ptrdiff_t)n,
                       j->g + begin);
}

static ur_status binary_back(ur_tape *tape, void *saved)
{
    static row_function *const rows[] = {row_back_add, row_back_add, row_back_mul, row_back_div};
    const struct binary *op = saved;
    if (!op->y->grad)
        return UR_OK;
    for (int side = A; side <= B; side++) {
        ur_real *g = ur__grad(side == A ? op->a : op->b);
        if (!g)
            continue;
        struct job j = {ur__tape_kernel(tape), op, rows[op->kind], (enum side)side, op->y->grad, g};
        ur__op_run(tape, op->y->size, is_bias(op, j.side) ? bias_work : walk_work, &j);
    }
    return UR_OK;
}

static ur_tensor *binary(enum kind kind, ur_tensor *a, ur_tensor *b)
{
    if (!a || !b || !ur__op_same_tape(names[kind], a, b))
        return NULL;
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int dim[UR_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        size_t m = dim_below(a, rank, i), n = dim_below(b, rank, i);
        if (m != n && m != 1 && n != 1)
            return ur__tape_fail(a->tape, UR_ESHAPE, "%s: a is %s but b is %s", names[kind],
                                 ur__shape_text(a), ur__shape_text(b));
        dim[i] = (int)(m > n ? m : n);
    }
    ur_tensor *y = ur__tensor_new(a->tape, rank, dim, a->needs_grad || b->needs_grad);
    if (!y)
        return NULL;
    struct binary op = {.kind = kind, .a = a, .b = b, .y = y};
    walk_make(&op.walk, a, b, y);
    struct job j = {.k = ur__tape_kernel(y->tape), .op = &op, .row = row_forward, .side = Y};
    ur__op_run(y->tape, y->size, walk_work, &j);
    return ur__op_end(y, binary_back, &op, sizeof op);
}

ur_tensor *ur_add(ur_tensor *a, ur_tensor *b)
{
    return binary(ADD, a, b);
}

ur_tensor *ur_sub(ur_tensor *a, ur_tensor *b)
{
    return binary(SUB, a, b);
}

ur_tensor *ur_mul(ur_tensor *a, ur_tensor *b)
{
    return binary(MUL, a, b);
}

ur_tensor *ur_div(ur_tensor *a, ur_tensor *b)
{
    return binary(DIV, a, b);
}

/* ---- affine ------------------------------------------------------------ */

struct affine {
    ur_tensor *x, *y;
    double scale, shift;
};

static void affine_work(const struct ur__worker *w, void *arg)
{
    const struct affine *op = arg;
    size_t i, end;
    ur__op_range(w, op->x->size, UR__OP_GRAIN, &i, &end);
    if (i < end)
        ur__tape_kernel(op->x->tape)->affine(end - i, (ur_real)op->scale, op->x->data + i,
                                             (ur_real)op->shift,
                                             op->y->data + i);
}

static ur_status affine_back(ur_tape *tape, void *saved)
{
    const struct affine *op = saved;
    ur_real *dx = op->y->grad ? ur__grad(op->x) : NULL;
    if (dx)
        ur__op_axpy(tape, op->x->size, (ur_real)op->scale, op->y->grad, dx);
    return UR_OK;
}

ur_tensor *ur_affine(ur_tensor *x, double scale, double shift)
{
    if (!x)
        return NULL;
    ur_tensor *y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    if (!y)
        return NULL;
    struct affine op = {x, y, scale, shift};     /* rounded where the mode is IEEE's */
    ur__op_run(x->tape, x->size, affine_work, &op);
    return ur__op_end(y, affine_back, &op, sizeof op);
}
