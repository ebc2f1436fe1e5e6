/* SPDX-License-Identifier: MIT */
/*
 * Products with a matrix: C = A·B and C = A·Wᵀ, with A's leading dimensions as rows,
 * and batches of products, with leading dimensions that broadcast.
 * Back: dA += dC·Bᵀ, dB += Aᵀ·dC (dW += dCᵀ·A), each element one chain that goes on
 * from what is there; where a batch shares a matrix, over its products in order.
 */
#include "tape/walk.h"

#include "base/status.h"
#include "kernel/gemm.h"

#include <limits.h>

/* Multiplications that a product needs for a team to be faster than one thread. */
enum { TEAM_WORK = 65536 };

struct product {
    ur_tensor *a, *b, *c;
    int M, N, K;
    bool transposed;        /* b is [N,K] */
};

static bool run(ur_tape *tape, const struct ur__gemm *g)
{
    const struct ur__kernel *k = ur__kernel();
    double work = (double)g->M * g->N * g->K;
    ur_team *team = work >= TEAM_WORK ? ur__tape_team(tape) : NULL;
    void *scratch = ur__tape_scratch(tape, ur__gemm_scratch(k, ur_team_size(team)));
    if (!scratch)
        return false;
    if (!ur__tape_measures(tape))
        ur__gemm_run(k, g, team, scratch);
    return true;
}

/* The products, of matrices at a, b and c (of their gradients at da, db and dc). */
static struct ur__gemm forward(const struct product *p, const ur_real *a, const ur_real *b,
                               ur_real *c)
{
    return (struct ur__gemm){.M = p->M, .N = p->N, .K = p->K, .a = a, .a_row = p->K, .a_k = 1,
                             .b = b, .b_k = p->transposed ? 1 : p->N,
                             .b_col = p->transposed ? p->K : 1, .c = c, .c_row = p->N};
}

static struct ur__gemm back_a(const struct product *p, const ur_real *dc, const ur_real *b,
                              ur_real *da)
{
    return (struct ur__gemm){.M = p->M, .N = p->K, .K = p->N, .a = dc, .a_row = p->N, .a_k = 1,
                             .b = b, .b_k = p->transposed ? p->K : 1,
                             .b_col = p->transposed ? 1 : p->N,
                             .c = da, .c_row = p->K, .accumulate = true};
}

static struct ur__gemm back_b(const struct product *p, const ur_real *dc, const ur_real *a,
                              ur_real *db)
{
    if (p->transposed)
        return (struct ur__gemm){.M = p->N, .N = p->K, .K = p->M, .a = dc, .a_row = 1,
                                 .a_k = p->N, .b = a, .b_k = p->K, .b_col = 1,
                                 .c = db, .c_row = p->K, .accumulate = true};
    return (struct ur__gemm){.M = p->K, .N = p->N, .K = p->M, .a = a, .a_row = 1, .a_k = p->K,
                             .b = dc, .b_k = p->N, .b_col = 1,
                             .c = db, .c_row = p->N, .accumulate = true};
}

static ur_status product_back(ur_tape *tape, void *saved)
{
    const struct product *p = saved;
    const ur_real *dc = p->c->grad;
    if (!dc)
        return UR_OK;
    ur_real *da = ur__grad(p->a), *db = ur__grad(p->b);
    if (da) {
        struct ur__gemm g = back_a(p, dc, p->b->data, da);
        if (!run(tape, &g))
            return UR_ENOMEM;
    }
    if (db) {
        struct ur__gemm g = back_b(p, dc, p->a->data, db);
        if (!run(tape, &g))
            return UR_ENOMEM;
    }
    return UR_OK;
}

static ur_tensor *product(const char *name, ur_tensor *a, ur_tensor *b, bool transposed)
{
    if (!a || !b || !ur__op_same_tape(name, a, b))
        return NULL;
    if (b->rank != 2 || ur_dim(a, -1) != b->dim[transposed])
        return ur__tape_fail(a->tape, UR_ESHAPE, "%s: a is %s but b is %s", name,
                             ur__shape_text(a), ur__shape_text(b));
    size_t rows = ur__op_extent(a, 0, a->rank - 1);
    if (rows > INT_MAX)
        return ur__tape_fail(a->tape, UR_ESHAPE, "%s: a is %s, too many rows", name,
                             ur__shape_text(a));
    int dim[UR_MAX_RANK];
    for (int i = 0; i < a->rank; i++)
        dim[i] = a->dim[i];
    int K = dim[a->rank - 1], N = b->dim[!transposed];
    dim[a->rank - 1] = N;
    ur_tensor *c = ur__tensor_new(a->tape, a->rank, dim, a->needs_grad || b->needs_grad);
    if (!c)
        return NULL;

    struct product p = {a, b, c, (int)rows, N, K, transposed};
    struct ur__gemm g = forward(&p, a->data, b->data, c->data);
    if (!run(a->tape, &g))
        return NULL;
    return ur__tape_note(ur__op_end(c, product_back, &p, sizeof p), name, 2, (ur_tensor *[]){a, b});
}

ur_tensor *ur_matmul(ur_tensor *a, ur_tensor *b)
{
    return product("matmul", a, b, false);
}

ur_tensor *ur_matmul_t(ur_tensor *a, ur_tensor *b)
{
    return product("matmul_t", a, b, true);
}

/* ---- batches ----------------------------------------------------------- */

enum side { A, B, C };

/* The walk goes over the leading dimensions, a matrix an element. */
struct batch {
    struct product p;
    struct ur__walk walk;
    size_t n;               /* products */
};

/* All products that write one side: C, or the gradient of A or of B. */
struct job {
    const struct ur__kernel *k;
    const struct batch *op;
    enum side side;
    ur_real *to;
    ur_team *team;          /* of each product; NULL: the products are shared out */
    char *scratch;          /* of the products that run at once */
};
struct turn {
    const struct job *job;
    void *scratch;
};

static struct ur__gemm one(const struct job *j, const size_t *matrix)
{
    const struct product *p = &j->op->p;
    size_t M = (size_t)p->M, N = (size_t)p->N, K = (size_t)p->K;
    const ur_real *a = p->a->data + matrix[A] * M * K, *b = p->b->data + matrix[B] * K * N;
    const ur_real *dc = j->side == C ? NULL : p->c->grad + matrix[C] * M * N;
    switch (j->side) {
    case A:
        return back_a(p, dc, b, j->to + matrix[A] * M * K);
    case B:
        return back_b(p, dc, a, j->to + matrix[B] * K * N);
    case C:
    default:
        return forward(p, a, b, j->to + matrix[C] * M * N);
    }
}

static void row(const void *arg, size_t n, const size_t *at)
{
    const struct turn *turn = arg;
    const struct job *j = turn->job;
    const struct ur__walk *w = &j->op->walk;
    for (size_t i = 0; i < n; i++) {
        size_t matrix[3];
        for (int s = A; s <= C; s++)
            matrix[s] = at[s] + i * w->stride[s][w->rank - 1];
        struct ur__gemm g = one(j, matrix);
        ur__gemm_run(j->k, &g, j->team, turn->scratch);
    }
}

static void batch_work(const struct ur__worker *w, void *arg)
{
    const struct job *j = arg;
    struct turn turn = {j, j->scratch + (size_t)w->index * ur__gemm_scratch(j->k, 1)};
    ur__walk_share(&j->op->walk, (int)j->side, w, 1, row, &turn);
}

/* Small products are split among workers; large ones run one after another, each on the whole team.
 * The bits are the same. */
static bool batch_run(ur_tape *tape, const struct batch *op, enum side side, ur_real *to)
{
    const struct product *p = &op->p;
    double each = (double)p->M * p->N * p->K;
    ur_team *team = ur__tape_team(tape);
    struct job j = {ur__kernel(), op, side, to, each < TEAM_WORK ? NULL : team, NULL};
    j.scratch = ur__tape_scratch(tape, ur__gemm_scratch(j.k, ur_team_size(team)));
    if (!j.scratch)
        return false;
    bool share = !j.team && each * (double)op->n >= TEAM_WORK;
    ur__tape_run(tape, share ? team : NULL, batch_work, &j);
    return true;
}

static ur_status batch_back(ur_tape *tape, void *saved)
{
    const struct batch *op = saved;
    if (!op->p.c->grad)
        return UR_OK;
    ur_real *da = ur__grad(op->p.a), *db = ur__grad(op->p.b);
    if ((da && !batch_run(tape, op, A, da)) || (db && !batch_run(tape, op, B, db)))
        return UR_ENOMEM;
    return UR_OK;
}

static void *bmm_misfit(const char *name, ur_tensor *a, ur_tensor *b)
{
    return ur__tape_fail(a->tape, UR_ESHAPE, "%s: a is %s but b is %s", name, ur__shape_text(a),
                         ur__shape_text(b));
}

static ur_tensor *bmm(const char *name, ur_tensor *a, ur_tensor *b, bool transposed)
{
    if (!a || !b || !ur__op_same_tape(name, a, b))
        return NULL;
    if (a->rank < 2 || b->rank < 2)
        return bmm_misfit(name, a, b);
    if (b->rank == 2)       /* one matrix for all: its rows together */
        return product(name, a, b, transposed);
    int rank, dim[UR_MAX_RANK];
    struct ur__shape lead[] = {{a->rank - 2, a->dim}, {b->rank - 2, b->dim}, {0, dim}};
    if (ur_dim(a, -1) != ur_dim(b, transposed ? -1 : -2) || !ur__walk_shape(2, lead, &rank, dim))
        return bmm_misfit(name, a, b);
    struct batch op = {.p = {.a = a, .b = b, .M = ur_dim(a, -2), .K = ur_dim(a, -1),
                             .N = ur_dim(b, transposed ? -2 : -1), .transposed = transposed}};
    dim[rank] = op.p.M;
    dim[rank + 1] = op.p.N;
    ur_tensor *c = ur__tensor_new(a->tape, rank + 2, dim, a->needs_grad || b->needs_grad);
    if (!c)
        return NULL;
    op.p.c = c;
    lead[C].rank = rank;
    ur__walk_make(&op.walk, 3, lead);
    op.n = ur__op_extent(c, 0, rank);
    if (!batch_run(a->tape, &op, C, c->data))
        return NULL;
    return ur__tape_note(ur__op_end(c, batch_back, &op, sizeof op), name, 2,
                         (ur_tensor *[]){a, b});
}

ur_tensor *ur_bmm(ur_tensor *a, ur_tensor *b)
{
    return bmm("bmm", a, b, false);
}

ur_tensor *ur_bmm_t(ur_tensor *a, ur_tensor *b)
{
    return bmm("bmm_t", a, b, true);
}
