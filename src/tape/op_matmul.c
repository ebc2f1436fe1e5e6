/* SPDX-License-Identifier: MIT */
/*
 * Products with a matrix: C = A·B and C = A·Wᵀ, with A's leading dimensions as rows.
 * Back: dA += dC·Bᵀ, dB += Aᵀ·dC (dW += dCᵀ·A), each element one chain that goes on
 * from what is there.
 */
#include "tape/op.h"

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
    const struct ur__kernel *k = ur__tape_kernel(tape);
    double work = (double)g->M * g->N * g->K;
    ur_team *team = work >= TEAM_WORK ? ur__tape_team(tape) : NULL;
    void *scratch = ur__tape_scratch(tape, ur__gemm_scratch(k, ur_team_size(team)));
    if (!scratch)
        return false;
    ur__gemm_run(k, g, team, scratch);
    return true;
}

static ur_status product_back(ur_tape *tape, void *saved)
{
    const struct product *p = saved;
    const ur_real *dc = p->c->grad;
    ptrdiff_t N = p->N, K = p->K;
    if (!dc)
        return UR_OK;
    ur_real *da = ur__grad(p->a), *db = ur__grad(p->b);
    if (da) {
        struct ur__gemm g = {.M = p->M, .N = p->K, .K = p->N,
                             .a = dc, .a_row = N, .a_k = 1, .b = p->b->data,
                             .b_k = p->transposed ? K : 1, .b_col = p->transposed ? 1 : N,
                             .c = da, .c_row = K, .accumulate = true};
        if (!run(tape, &g))
            return UR_ENOMEM;
    }
    if (db) {
        struct ur__gemm g = {.M = p->K, .N = p->N, .K = p->M,
                             .a = p->a->data, .a_row = 1, .a_k = K,
                             .b = dc, .b_k = N, .b_col = 1,
                             .c = db, .c_row = N, .accumulate = true};
        if (p->transposed)
            g = (struct ur__gemm){.M = p->N, .N = p->K, .K = p->M,
                                  .a = dc, .a_row = 1, .a_k = N,
                                  .b = p->a->data, .b_k = K, .b_col = 1,
                                  .c = db, .c_row = K, .accumulate = true};
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
    struct ur__gemm g = {.M = p.M, .N = N, .K = K, .a = a->data, .a_row = K, .a_k = 1,
                         .b = b->data, .b_k = transposed ? 1 : N, .b_col = transposed ? K : 1,
                         .c = c->data, .c_row = N};
    if (!run(a->tape, &g))
        return NULL;
    return ur__op_end(c, product_back, &p, sizeof p);
}

ur_tensor *ur_matmul(ur_tensor *a, ur_tensor *b)
{
    return product("matmul", a, b, false);
}

ur_tensor *ur_matmul_t(ur_tensor *a, ur_tensor *b)
{
    return product("matmul_t", a, b, true);
}
