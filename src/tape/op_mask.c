/* SPDX-License-Identifier: MIT */
/*
 * Softmax over a part of each row: what attention weights are made of. The elements that
 * take part are moved together, so that they get the bits that a row of them alone
 * would get; the others are not looked at and become 0.
 *
 *   dx += y∘(dy − Σ dy∘y)      over the elements that take part
 */
#include "tape/op.h"

#include "base/status.h"
#include "tape/walk.h"

#include <string.h>

struct masked {
    ur_tensor *x, *y;
    size_t n, V;            /* rows, their size */
    unsigned char *in;      /* [n,V]: takes part */
    ur_real *dx;            /* while running back */
};

/* In y's row: pack the elements, softmax, spread them again from the end. */
static void masked_work(const struct ur__worker *w, void *arg)
{
    const struct masked *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, V = op->V;
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        const unsigned char *in = op->in + r * V;
        const ur_real *x = op->x->data + r * V;
        ur_real *y = op->y->data + r * V;
        size_t m = 0;
        for (size_t i = 0; i < V; i++)
            if (in[i])
                y[m++] = x[i];
        if (m > 0)
            k->softmax((int)m, y, y);
        for (size_t i = V; i-- > 0;)
            y[i] = in[i] ? y[--m] : 0;
    }
}

static void masked_back_work(const struct ur__worker *w, void *arg)
{
    const struct masked *op = arg;
    size_t begin, end, V = op->V;
    ur__op_range(w, op->n, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        const unsigned char *in = op->in + r * V;
        const ur_real *y = op->y->data + r * V, *dy = op->y->grad + r * V;
        ur_real *dx = op->dx + r * V;
        double dot = 0;     /* products of floats are exact in it */
        for (size_t i = 0; i < V; i++)
            if (in[i])
                dot += (double)dy[i] * (double)y[i];
        ur_real total = (ur_real)dot;
        for (size_t i = 0; i < V; i++)
            if (in[i])
                dx[i] += y[i] * (dy[i] - total);
    }
}

static ur_status masked_back(ur_tape *tape, void *saved)
{
    struct masked *op = saved;
    op->dx = op->y->grad ? ur__grad(op->x) : NULL;
    if (op->dx)
        ur__op_run(tape, op->x->size, masked_back_work, op);
    return UR_OK;
}

/* The operation without its mask, which the caller then writes. */
static bool masked_new(struct masked *op, ur_tensor *x)
{
    *op = (struct masked){.x = x, .V = (size_t)x->dim[x->rank - 1]};
    op->n = x->size / op->V;
    op->in = ur__tape_alloc(x->tape, x->size, 1);
    op->y = ur__tensor_new(x->tape, x->rank, x->dim, x->needs_grad);
    return op->in && op->y;
}

static ur_tensor *masked_run(struct masked *op)
{
    ur__op_run(op->x->tape, op->x->size, masked_work, op);
    return ur__op_end(op->y, masked_back, op, sizeof *op);
}

struct spread {
    const struct ur__walk *walk;
    const ur_real *mask;
    unsigned char *in;
};

static void spread_row(const void *arg, size_t n, const size_t *at)
{
    const struct spread *s = arg;
    size_t step = ur__walk_flat(s->walk, 0) ? 0 : 1;
    for (size_t i = 0; i < n; i++)
        s->in[at[1] + i] = s->mask[at[0] + i * step] != 0;
}

static void spread_work(const struct ur__worker *w, void *arg)
{
    const struct spread *s = arg;
    ur__walk_share(s->walk, 1, w, 1, spread_row, s);
}

ur_tensor *ur_masked_softmax(ur_tensor *x, ur_tensor *mask)
{
    if (!x || !mask || !ur__op_same_tape("masked_softmax", x, mask))
        return NULL;
    int rank, dim[UR_MAX_RANK];
    const struct ur__shape sides[] = {ur__shape_of(mask), ur__shape_of(x)};
    if (!ur__walk_shape(2, sides, &rank, dim) || rank != x->rank ||
        memcmp(dim, x->dim, (size_t)rank * sizeof *dim) != 0)
        return ur__tape_fail(x->tape, UR_ESHAPE, "masked_softmax: x is %s but the mask is %s",
                             ur__shape_text(x), ur__shape_text(mask));
    struct masked op;
    if (!masked_new(&op, x))
        return NULL;
    struct ur__walk walk;
    struct spread s = {&walk, mask->data, op.in};
    ur__walk_make(&walk, 2, sides);
    ur__tape_run(x->tape, NULL, spread_work, &s);
    return ur__tape_note(masked_run(&op), "masked_softmax", 2, (ur_tensor *[]){x, mask});
}

struct prefix {
    const struct masked *op;
    const int *lengths;
    size_t each;            /* rows of one length */
};

static void prefix_work(const struct ur__worker *w, void *arg)
{
    const struct prefix *p = arg;
    size_t V = p->op->V;
    (void)w;
    for (size_t r = 0; r < p->op->n; r++)
        for (size_t i = 0; i < V; i++)
            p->op->in[r * V + i] = i < (size_t)p->lengths[r / p->each];
}

ur_tensor *ur_softmax_lengths(ur_tensor *x, const int *lengths)
{
    if (!x)
        return NULL;
    if (x->rank < 2 || !lengths)
        return ur__tape_fail(x->tape, UR_ESHAPE, "softmax_lengths: %s has no batch, or no lengths",
                             ur__shape_text(x));
    int K = x->dim[x->rank - 1];
    size_t B = (size_t)x->dim[0];
    if (!ur__op_lengths("softmax_lengths", x->tape, lengths, B, K))
        return NULL;
    struct masked op;
    const int *kept = ur__tape_copy(x->tape, lengths, B, sizeof *lengths);
    if (!kept || !masked_new(&op, x))
        return NULL;
    struct prefix p = {&op, lengths, op.n / B};
    ur__tape_run(x->tape, NULL, prefix_work, &p);
    ur_tensor *y = ur__tape_note(masked_run(&op), "softmax_lengths", 1, &x);
    return ur__tape_lend(y, "lengths", (int)B, kept);
}
