/* SPDX-License-Identifier: MIT */
/*
 * Scores of additive attention (Bahdanau, Cho and Bengio 2015) in one operation, as what lies
 * between its steps is larger than all else on a tape:
 *
 *   h = tanh(q + k),  score = v·h        dq += Σ_s d,  dk += Σ_t d,  dv += Σ dscore h
 *   d = dscore v∘(1 − h²)
 */
#include "tape/op_additive.h"

#include <limits.h>

#include "base/status.h"
#include "kernel/gemm.h"
#include "tape/op.h"

struct additive {
    ur_tensor *q, *k, *v, *y;
    int B, T, S, Q;
    ur_real *h;                 /* [B,T,S,Q] */
    ur_real *dq, *dk;           /* while running back; NULL: not wanted */
};

static bool product(ur_tape *tape, const struct ur__gemm *g)
{
    const struct ur__kernel *k = ur__kernel();
    ur_team *team = ur__tape_team(tape);
    void *scratch = ur__tape_scratch(tape, ur__gemm_scratch(k, ur_team_size(team)));
    if (scratch && !ur__tape_measures(tape))
        ur__gemm_run(k, g, team, scratch);
    return scratch;
}

/* Sequences fall to workers. */
static void forward(const struct ur__worker *w, void *arg)
{
    const struct additive *op = arg;
    const struct ur__kernel *k = ur__kernel();
    const size_t T = (size_t)op->T, S = (size_t)op->S, Q = (size_t)op->Q;
    size_t begin, end;
    ur__op_range(w, (size_t)op->B, 1, &begin, &end);
    for (size_t bt = begin * T; bt < end * T; bt++) {
        ur_real *h = op->h + bt * S * Q;
        for (size_t s = 0; s < S; s++)
            k->add(Q, op->q->data + bt * Q, op->k->data + (bt / T * S + s) * Q, h + s * Q);
        k->tanh(S * Q, h, h);
    }
}

/* One query with one key, d split so that it fits the stack. */
static void back_pair(const struct additive *op, size_t bt, size_t s)
{
    const struct ur__kernel *k = ur__kernel();
    const size_t T = (size_t)op->T, S = (size_t)op->S, Q = (size_t)op->Q;
    const ur_real dy = op->y->grad[bt * S + s], *h = op->h + (bt * S + s) * Q;
    for (size_t i = 0, n; i < Q; i += n) {
        ur_real d[UR__OP_CHUNK];
        n = ur__op_chunk(Q, i);
        k->affine(n, dy, op->v->data + i, 0, d);
        if (op->dq)
            k->activation_back(n, UR_ACT_TANH, h + i, d, op->dq + bt * Q + i);
        if (op->dk)
            k->activation_back(n, UR_ACT_TANH, h + i, d, op->dk + (bt / T * S + s) * Q + i);
    }
}

static void backward(const struct ur__worker *w, void *arg)
{
    const struct additive *op = arg;
    const size_t T = (size_t)op->T, S = (size_t)op->S;
    size_t begin, end;
    ur__op_range(w, (size_t)op->B, 1, &begin, &end);
    for (size_t bt = begin * T; bt < end * T; bt++)
        for (size_t s = 0; s < S; s++)
            back_pair(op, bt, s);
}

static ur_status additive_back(ur_tape *tape, void *saved)
{
    struct additive *op = saved;
    if (!op->y->grad)
        return UR_OK;
    op->dq = ur__grad(op->q);
    op->dk = ur__grad(op->k);
    ur_real *dv = ur__grad(op->v);
    if (op->dq || op->dk)
        ur__op_run(tape, op->y->size * (size_t)op->Q, backward, op);
    const struct ur__gemm g = {
        .M = 1, .N = op->Q, .K = op->B * op->T * op->S, .a = op->y->grad, .a_k = 1,
        .b = op->h, .b_k = op->Q, .b_col = 1, .c = dv, .c_row = op->Q, .accumulate = true,
    };
    return !dv || product(tape, &g) ? UR_OK : UR_ENOMEM;
}

ur_tensor *ur__additive_score(ur_tensor *q, ur_tensor *k, ur_tensor *v)
{
    if (!q || !k || !v)
        return NULL;
    struct additive op = {.q = q, .k = k, .v = v, .B = q->dim[0], .T = q->dim[1], .S = k->dim[1],
                          .Q = q->dim[2]};
    if ((double)op.B * op.T * op.S > INT_MAX)
        return ur__tape_fail(q->tape, UR_ESHAPE, "attention: %d queries of %d steps each in %d "
                             "sequences are too many", op.T, op.S, op.B);
    const int rows = op.B * op.T * op.S;
    op.h = ur__tape_alloc(q->tape, (size_t)rows, (size_t)op.Q * sizeof *op.h);
    op.y = ur__tensor_new(q->tape, 3, (int[]){op.B, op.T, op.S}, true);
    if (!op.h || !op.y)
        return NULL;
    ur__op_run(q->tape, (size_t)rows * (size_t)op.Q, forward, &op);
    const struct ur__gemm g = {
        .M = rows, .N = 1, .K = op.Q, .a = op.h, .a_row = op.Q, .a_k = 1, .b = v->data,
        .b_k = 1, .b_col = op.Q, .c = op.y->data, .c_row = 1,
    };
    if (!product(q->tape, &g))
        return NULL;
    return ur__tape_note(ur__op_end(op.y, additive_back, &op, sizeof op), "additive_score", 3,
                         (ur_tensor *[]){q, k, v});
}
