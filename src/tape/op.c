/* SPDX-License-Identifier: MIT */
/* What the operations share. */
#include "tape/op.h"

#include "base/status.h"

#include <string.h>

bool ur__op_same_tape(const char *name, const ur_tensor *a, const ur_tensor *b)
{
    if (a->tape == b->tape)
        return true;
    ur__tape_fail(a->tape, UR_EINVAL, "%s: tensors of different tapes", name);
    ur__tape_fail(b->tape, UR_EINVAL, "%s: tensors of different tapes", name);
    return false;
}

bool ur__op_all_on(const char *name, ur_tape *tape, int n, ur_tensor *const *x)
{
    if (!tape) {
        ur__fail(UR_EINVAL, "%s: the tape is NULL", name);
        return false;
    }
    if (!x) {
        ur__tape_fail(tape, UR_EINVAL, "%s: the tensors are NULL", name);
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (!x[i])
            return false;
        if (x[i]->tape != tape) {
            ur__tape_fail(tape, UR_EINVAL, "%s: tensors of different tapes", name);
            ur__tape_fail(x[i]->tape, UR_EINVAL, "%s: tensors of different tapes", name);
            return false;
        }
    }
    return true;
}

ur_tensor *ur__op_end(ur_tensor *y, ur__back back, const void *saved, size_t bytes)
{
    if (!y->needs_grad)
        return y;
    void *copy = ur__tape_record_alloc(y->tape, bytes, 1);
    if (!copy)
        return NULL;
    memcpy(copy, saved, bytes);
    return ur__tape_record(y->tape, back, copy) == UR_OK ? y : NULL;
}

void ur__op_run(ur_tape *tape, size_t elements, ur__work work, void *arg)
{
    ur__tape_run(tape, elements >= UR__OP_TEAM ? ur__tape_team(tape) : NULL, work, arg);
}

void ur__op_range(const struct ur__worker *w, size_t n, size_t grain, size_t *begin, size_t *end)
{
    size_t grains = (n + grain - 1) / grain;
    size_t each = grains / (size_t)w->n, more = grains % (size_t)w->n;
    size_t i = (size_t)w->index;
    *begin = (i * each + (i < more ? i : more)) * grain;
    *end = *begin + (each + (i < more)) * grain;
    *begin = *begin < n ? *begin : n;
    *end = *end < n ? *end : n;
}

/* ---- loops ------------------------------------------------------------- */

struct blocks {
    struct ur__blocks of;
    const struct ur__kernel *k;
    bool add;
    ur_real s;
};

static void blocks_work(const struct ur__worker *w, void *arg)
{
    const struct blocks *job = arg;
    const struct ur__blocks *b = &job->of;
    size_t r0 = 0, r1 = b->rows, i0 = 0, i1 = b->n;
    if (b->rows >= b->n)
        ur__op_range(w, b->rows, 1, &r0, &r1);
    else
        ur__op_range(w, b->n, UR__OP_GRAIN, &i0, &i1);
    if (i0 == i1)
        return;
    for (size_t r = r0; r < r1; r++) {
        const ur_real *x = b->x + r * b->ldx + i0;
        ur_real *y = b->y + r * b->ldy + i0;
        if (job->add)
            job->k->axpy(i1 - i0, job->s, x, y);
        else
            memcpy(y, x, (i1 - i0) * sizeof *y);
    }
}

void ur__op_axpy(ur_tape *tape, size_t n, ur_real s, const ur_real *x, ur_real *y)
{
    struct blocks b = {{1, n, x, n, y, n}, ur__kernel(), true, s};
    ur__op_run(tape, n, blocks_work, &b);
}

void ur__op_copy(ur_tape *tape, const struct ur__blocks *b)
{
    struct blocks job = {*b, ur__kernel(), false, 1};
    ur__op_run(tape, b->rows * b->n, blocks_work, &job);
}

void ur__op_add(ur_tape *tape, const struct ur__blocks *b)
{
    struct blocks job = {*b, ur__kernel(), true, 1};
    ur__op_run(tape, b->rows * b->n, blocks_work, &job);
}

/* ---- shapes ------------------------------------------------------------ */

int ur__op_dim(const char *name, const ur_tensor *x, int dim)
{
    int d = dim < 0 ? dim + x->rank : dim;
    if (d >= 0 && d < x->rank)
        return d;
    ur__tape_fail(x->tape, UR_ESHAPE, "%s: there is no dimension %d in %s", name, dim,
                  ur__shape_text(x));
    return -1;
}

size_t ur__op_extent(const ur_tensor *x, int begin, int end)
{
    size_t n = 1;
    for (int i = begin; i < end; i++)
        n *= (size_t)x->dim[i];
    return n;
}

bool ur__op_lengths(const char *name, ur_tape *tape, const int *lengths, size_t B, int most)
{
    for (size_t b = 0; b < B && !ur__tape_measures(tape); b++)
        if (lengths[b] < 0 || lengths[b] > most) {
            ur__tape_fail(tape, UR_ESHAPE, "%s: sequence %zu has length %d, not 0 to %d", name, b,
                          lengths[b], most);
            return false;
        }
    return true;
}

bool ur__op_targets(ur_tape *tape, struct ur__shape logits, ur_ids targets, size_t *n_valid)
{
    int V = logits.dim[logits.rank - 1];
    size_t rows = 1;
    for (int i = 0; i < logits.rank - 1; i++)
        rows *= (size_t)logits.dim[i];
    *n_valid = 0;
    if (!targets.id) {
        ur__tape_fail(tape, UR_EINVAL, "cross_entropy: the targets' id is NULL");
        return false;
    }
    if (targets.T < 1 || targets.B < 1 ||
        rows != (size_t)targets.T * (size_t)targets.B) {
        ur__tape_fail(tape, UR_ESHAPE, "cross_entropy: logits are %s but targets are [%d,%d]",
                      ur__dim_text(logits), targets.T, targets.B);
        return false;
    }
    for (size_t i = 0; i < rows && !ur__tape_measures(tape); i++) {
        if (targets.id[i] >= V) {
            ur__tape_fail(tape, UR_EINVAL,
                          "cross_entropy: target [%d,%d] is %d but there are %d classes",
                          (int)(i / (size_t)targets.B), (int)(i % (size_t)targets.B),
                          (int)targets.id[i], V);
            return false;
        }
        *n_valid += targets.id[i] >= 0;
    }
    return true;
}
