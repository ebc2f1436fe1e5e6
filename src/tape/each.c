/* SPDX-License-Identifier: MIT */
/* Element by element over operands that broadcast. Gradients of a stretched operand
 * are sums, in the order of op_math.c. */
#include "tape/each.h"

#include "base/status.h"
#include "tape/walk.h"

struct op {
    const struct ur__each *f;
    struct ur__walk walk;
    ur_tensor *x[UR__EACH_INPUTS], *y;
};

/* What a worker computes: y, or the gradient g of one side. */
struct job {
    const struct ur__kernel *k;
    const struct op *op;
    ur__walk_row row;
    int side;
    ur_real *g;
};

static void work(const struct ur__worker *w, void *arg)
{
    const struct job *j = arg;
    ur__walk_share(&j->op->walk, j->side, w, UR__OP_GRAIN, j->row, j);
}

/* The operands' elements from i on of the row at `at`. */
static void operands(const struct op *op, const size_t *at, size_t i, size_t m,
                     ur_real (*memory)[UR__OP_CHUNK], const ur_real **x)
{
    for (int s = 0; s < op->f->n_inputs; s++)
        x[s] = ur__walk_spread(&op->walk, s, op->x[s]->data + at[s], i, m, memory[s]);
}

static void row_forward(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
    const struct op *op = j->op;
    ur_real memory[UR__EACH_INPUTS][UR__OP_CHUNK];
    const ur_real *x[UR__EACH_INPUTS];
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(n, i);
        operands(op, at, i, m, memory, x);
        op->f->forward(j->k, m, x, op->y->data + at[op->f->n_inputs] + i);
    }
}

static void row_back(const void *arg, size_t n, const size_t *at)
{
    const struct job *j = arg;
    const struct op *op = j->op;
    const ur_real *dy = op->y->grad + at[op->f->n_inputs];
    ur_real *g = j->g + at[j->side];
    ur_real memory[UR__EACH_INPUTS][UR__OP_CHUNK], d[UR__OP_CHUNK];
    const ur_real *x[UR__EACH_INPUTS];
    bool flat = ur__walk_flat(&op->walk, j->side);
    double total = 0;
    for (size_t i = 0; i < n; i += UR__OP_CHUNK) {
        size_t m = ur__op_chunk(n, i);
        operands(op, at, i, m, memory, x);
        op->f->slope(j->k, m, j->side, x, dy + i, d);
        if (flat)
            total += j->k->sum(m, d);
        else
            j->k->axpy(m, 1, d, g + i);
    }
    if (flat)
        *g += (ur_real)total;
}

static ur_status back(ur_tape *tape, void *saved)
{
    const struct op *op = saved;
    for (int s = 0; op->y->grad && s < op->f->n_inputs; s++) {
        ur_real *g = op->f->no_grad >> s & 1 ? NULL : ur__grad(op->x[s]);
        if (!g)
            continue;
        struct job j = {ur__kernel(), op, row_back, s, g};
        ur__op_run(tape, op->y->size, work, &j);
    }
    return UR_OK;
}

static ur_tensor *misfit(const struct ur__each *f, ur_tensor *const *x)
{
    if (f->n_inputs == 2)
        return ur__tape_fail(x[0]->tape, UR_ESHAPE, "%s: a is %s but b is %s", f->name,
                             ur__shape_text(x[0]), ur__shape_text(x[1]));
    return ur__tape_fail(x[0]->tape, UR_ESHAPE, "%s: %s, %s and %s do not fit together", f->name,
                         ur__shape_text(x[0]), ur__shape_text(x[1]), ur__shape_text(x[2]));
}

ur_tensor *ur__each(const struct ur__each *f, ur_tensor *const *x)
{
    struct op op = {.f = f};
    struct ur__shape sides[UR__WALK_SIDES];
    bool needs_grad = false;
    for (int s = 0; s < f->n_inputs; s++)
        if (!x[s] || !ur__op_same_tape(f->name, x[0], x[s]))
            return NULL;
    for (int s = 0; s < f->n_inputs; s++) {
        op.x[s] = x[s];
        sides[s] = ur__shape_of(x[s]);
        needs_grad = needs_grad || (x[s]->needs_grad && !(f->no_grad >> s & 1));
    }
    int rank, dim[UR_MAX_RANK];
    if (!ur__walk_shape(f->n_inputs, sides, &rank, dim))
        return misfit(f, x);
    ur_tape *tape = x[0]->tape;
    op.y = ur__tensor_new(tape, rank, dim, needs_grad);
    if (!op.y)
        return NULL;
    sides[f->n_inputs] = ur__shape_of(op.y);
    ur__walk_make(&op.walk, f->n_inputs + 1, sides);
    struct job j = {.k = ur__kernel(), .op = &op, .row = row_forward, .side = f->n_inputs};
    ur__op_run(tape, op.y->size, work, &j);
    return ur__tape_note(ur__op_end(op.y, back, &op, sizeof op), f->name, f->n_inputs, x);
}
