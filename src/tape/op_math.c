/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic with broadcasting: y = a ∘ b.
 *
 * Gradients of a stretched operand are sums: over a row as the kernel sums, over
 * rows one chain in ascending order.
 */
#include "tape/walk.h"

#include "base/status.h"

typedef void binary_function(size_t n, const ur_real *a, const ur_real *b, ur_real *y);

enum kind { ADD, SUB, MUL, DIV };
static const char *const names[] = {"add", "sub", "mul", "div"};

enum side { A, B, Y };

struct binary {
    enum kind kind;
    struct ur__walk walk;
    ur_tensor *a, *b, *y;
};

/* What a worker computes: y, or the gradient g of one side from that of y. */
struct job {
    const struct ur__kernel *k;
    const struct binary *op;
    ur__walk_row row;
    enum side side;         /* whose elements are written */
    const ur_real *dy;
    ur_real *g;
};

static void walk_work(const struct ur__worker *worker, void *arg)
{
    const struct job *j = arg;
    ur__walk_share(&j->op->walk, (int)j->side, worker, UR__OP_GRAIN, j->row, j);
}

/* ---- rows -------------------------------------------------------------- */

static binary_function *function_of(const struct ur__kernel *k, enum kind kind)
{
    binary_function *const f[] = {k->add, k->sub, k->mul, k->div};
    return f[kind];
}

static bool row_stretched(const struct job *j, enum side s)
{
    return ur__walk_flat(&j->op->walk, (int)s);
}

static void row_forward(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
    const struct ur__walk *w = &j->op->walk;
    binary_function *f = function_of(j->k, j->op->kind);
    const ur_real *a = j->op->a->data + at[A], *b = j->op->b->data + at[B];
    ur_real *y = j->op->y->data + at[Y];
    if (!row_stretched(j, A) && !row_stretched(j, B)) {
        f(n, a, b, y);
        return;
    }
    ur_real memory[UR__OP_CHUNK];   /* one of the two is stretched */
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(n, i);
        const ur_real *a_i = ur__walk_spread(w, A, a, i, m, memory);
        const ur_real *b_i = ur__walk_spread(w, B, b, i, m, memory);
        f(m, a_i, b_i, y + i);
    }
}

static void row_back_add(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
    const ur_real *dy = j->dy + at[Y];
    ur_real *g = j->g + at[j->side];
    ur_real sign = j->op->kind == SUB && j->side == B ? -1 : 1;
    if (row_stretched(j, j->side))
        *g += sign * (ur_real)j->k->sum(n, dy);
    else
        j->k->axpy(n, sign, dy, g);
}

static void row_back_mul(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
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
static void row_back_div(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
    const ur_real *dy = j->dy + at[Y], *y = j->op->y->data + at[Y];
    const ur_real *b = j->op->b->data + at[B];
    ur_real *g = j->g + at[j->side];
    ur_real sign = j->side == B ? -1 : 1;
    ur_real quotient[UR__OP_CHUNK], memory[UR__OP_CHUNK];
    double total = 0;
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(n, i);
        j->k->div(m, dy + i, ur__walk_spread(&j->op->walk, B, b, i, m, memory), quotient);
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
    const struct ur__walk *w = &op->walk;
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
    static const ur__walk_row rows[] = {row_back_add, row_back_add, row_back_mul, row_back_div};
    const struct binary *op = saved;
    if (!op->y->grad)
        return UR_OK;
    for (int side = A; side <= B; side++) {
        ur_real *g = ur__grad(side == A ? op->a : op->b);
        if (!g)
            continue;
        struct job j = {ur__kernel(), op, rows[op->kind], (enum side)side, op->y->grad, g};
        ur__op_run(tape, op->y->size, is_bias(op, j.side) ? bias_work : walk_work, &j);
    }
    return UR_OK;
}

static ur_tensor *binary(enum kind kind, ur_tensor *a, ur_tensor *b)
{
    if (!a || !b || !ur__op_same_tape(names[kind], a, b))
        return NULL;
    int rank, dim[UR_MAX_RANK];
    struct ur__shape sides[] = {ur__shape_of(a), ur__shape_of(b), {0, dim}};
    if (!ur__walk_shape(2, sides, &rank, dim))
        return ur__tape_fail(a->tape, UR_ESHAPE, "%s: a is %s but b is %s", names[kind],
                             ur__shape_text(a), ur__shape_text(b));
    ur_tensor *y = ur__tensor_new(a->tape, rank, dim, a->needs_grad || b->needs_grad);
    if (!y)
        return NULL;
    struct binary op = {.kind = kind, .a = a, .b = b, .y = y};
    sides[Y].rank = rank;
    ur__walk_make(&op.walk, 3, sides);
    struct job j = {.k = ur__kernel(), .op = &op, .row = row_forward, .side = Y};
    ur__op_run(y->tape, y->size, walk_work, &j);
    return ur__tape_note(ur__op_end(y, binary_back, &op, sizeof op), names[kind], 2,
                         (ur_tensor *[]){a, b});
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
        ur__kernel()->affine(end - i, (ur_real)op->scale, op->x->data + i, (ur_real)op->shift,
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
    y = ur__tape_note(ur__op_end(y, affine_back, &op, sizeof op), "affine", 1, &x);
    return ur__tape_real(ur__tape_real(y, "scale", scale), "shift", shift);
}
