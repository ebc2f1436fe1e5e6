/* SPDX-License-Identifier: MIT */
/*
 * A linear decoder and its cross entropy in one, for vocabularies whose logits are too many
 * to be kept: a chunk of rows at a time, once on the way forward and again on the way back.
 *
 *   forward   x = h·Wᵀ + b, the loss of each row from its x
 *   back      x again, dx in its place; then dh += dx·W, dW += dxᵀ·h, db += Σ dx
 *
 * Chunks follow each other in the order of rows, and each element of dW and db is a chain that
 * continues from what the previous chunk left: the same chains, and so the same bits, as
 * ur_cross_entropy(ur_add(ur_matmul_t(h, W), b)).
 */
#include "tape/op.h"

#include "base/status.h"
#include "kernel/gemm.h"

#include <string.h>

/* Bytes of a chunk's logits for each worker: they stay in its cache. */
#define CHUNK_BYTES ((size_t)2 << 20)
/* But no fewer rows: each chunk reads all of W, twice, and reads and writes all of dW. With
 * 25,000 classes and K = 128 a step in chunks of 64 rows takes 8 % longer. */
enum { MIN_ROWS = 256 };

struct decode {
    ur_tensor *h, *w, *b, *y;   /* [...,K], [V,K], [V] or NULL, [1] */
    int32_t *id;                /* [n] */
    size_t n, n_valid;          /* rows; those with a target */
    int V, K;
};

/* One pass over all rows, forward or back. */
struct pass {
    const struct decode *op;
    const struct ur__kernel *k;
    size_t rows;                /* of a chunk */
    void *scratch;              /* of the products */
    struct ur__matrix packed;   /* Wᵀ as the kernel reads it */
    ur_real *x;                 /* [rows,V] */
    ur_real *loss;              /* [n]; NULL: back */
    ur_real *dh, *dw, *db;      /* back; NULL: not wanted */
};

/* ---- a chunk ----------------------------------------------------------- */

/* This worker's panels of W. */
static void pack(const struct pass *p, const struct ur__worker *w)
{
    int K = p->op->K, begin, end;
    ur__share(p->op->V, p->k->nr, w->index, w->n, &begin, &end);
    p->k->pack(&p->packed, begin, end, p->op->w->data, 1, K);
}

static void logits(const struct pass *p, const struct ur__worker *w, size_t row, size_t m)
{
    const struct decode *op = p->op;
    struct ur__gemm g = {.M = (int)m, .N = op->V, .K = op->K, .a_row = op->K, .a_k = 1,
                         .a = op->h->data + row * (size_t)op->K, .w = &p->packed,
                         .c = p->x, .c_row = op->V};
    ur__gemm_share(p->k, &g, w, p->scratch);
}

/* From a row's product to its loss or, in place, to its gradient. */
static void finish_row(const struct pass *p, size_t row, ur_real *x)
{
    const struct decode *op = p->op;
    size_t V = (size_t)op->V;
    ur_real scale = (ur_real)(1.0 / (double)op->n_valid), dy = p->loss ? 1 : op->y->grad[0];
    if (op->id[row] < 0) {
        if (p->loss)
            p->loss[row] = 0;
        else
            memset(x, 0, V * sizeof *x);
        return;
    }
    if (op->b)
        p->k->add(V, x, op->b->data, x);
    ur_real loss = p->k->cross_entropy(op->V, x, op->id[row], scale, p->loss ? NULL : x);
    if (p->loss)
        p->loss[row] = loss;
    else if (dy != 1)
        p->k->affine(V, dy, x, 0, x);
}

static void finish(const struct pass *p, const struct ur__worker *w, size_t row, size_t m)
{
    size_t begin, end;
    ur__op_range(w, m, 1, &begin, &end);
    for (size_t r = begin; r < end; r++)
        finish_row(p, row + r, p->x + r * (size_t)p->op->V);
}

/* What the chunk's dx adds to each gradient. */
static void gradients(const struct pass *p, const struct ur__worker *w, size_t row, size_t m)
{
    const struct decode *op = p->op;
    int V = op->V, K = op->K, begin, end;
    if (p->dh) {
        struct ur__gemm g = {.M = (int)m, .N = K, .K = V, .a = p->x, .a_row = V, .a_k = 1,
                             .b = op->w->data, .b_k = K, .b_col = 1,
                             .c = p->dh + row * (size_t)K, .c_row = K, .accumulate = true};
        ur__gemm_share(p->k, &g, w, p->scratch);
    }
    if (p->dw) {
        struct ur__gemm g = {.M = V, .N = K, .K = (int)m, .a = p->x, .a_row = 1, .a_k = V,
                             .b = op->h->data + row * (size_t)K, .b_k = K, .b_col = 1,
                             .c = p->dw, .c_row = K, .accumulate = true};
        ur__gemm_share(p->k, &g, w, p->scratch);
    }
    ur__share(V, UR__OP_GRAIN, w->index, w->n, &begin, &end);
    if (p->db && begin < end)
        p->k->sum_rows((int)m, end - begin, p->x + begin, V, p->db + begin);
}

/* ---- a pass ------------------------------------------------------------ */

static bool any_valid(const int32_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (id[i] >= 0)
            return true;
    }
    return false;
}

static void pass_work(const struct ur__worker *w, void *arg)
{
    const struct pass *p = arg;
    size_t n = p->op->n, m;
    pack(p, w);
    ur__team_barrier(w);
    for (size_t row = 0; row < n; row += m) {
        m = n - row < p->rows ? n - row : p->rows;
        if (any_valid(p->op->id + row, m))
            logits(p, w, row, m);
        ur__team_barrier(w);
        finish(p, w, row, m);
        ur__team_barrier(w);
        if (p->loss)
            continue;
        gradients(p, w, row, m);
        ur__team_barrier(w);
    }
}

/* Rows of a chunk: as many as the workers' bytes hold. */
static size_t chunk_rows(size_t n, int V, int workers)
{
    size_t rows = CHUNK_BYTES * (size_t)workers / ((size_t)V * sizeof(ur_real));
    rows = rows > MIN_ROWS ? rows : MIN_ROWS;
    return rows < n ? rows : n;
}

/* Lays out the scratch of a pass. */
static void pass_place(struct pass *p, int workers, struct ur__carve *c)
{
    const struct decode *op = p->op;
    p->scratch = ur__carve(c, ur__gemm_scratch(p->k, workers), 1);
    p->packed = (struct ur__matrix){.K = op->K, .N = op->V};
    p->packed.data = ur__carve(c, p->k->packed_bytes(&p->packed), 1);
    p->x = ur__carve(c, p->rows * (size_t)op->V, sizeof *p->x);
    p->loss = ur__carve(c, op->n, sizeof *p->loss);
}

/* A pass with its scratch; false poisons. */
static bool pass_begin(struct pass *p, ur_tape *tape, const struct decode *op)
{
    int workers = ur_team_size(ur__tape_team(tape));
    *p = (struct pass){.op = op, .k = ur__kernel(), .rows = chunk_rows(op->n, op->V, workers)};
    struct ur__carve c = {0};
    pass_place(p, workers, &c);
    c = (struct ur__carve){.base = ur__tape_scratch(tape, c.used)};
    if (!c.base)
        return false;
    pass_place(p, workers, &c);
    return true;
}

static void total_work(const struct ur__worker *w, void *arg)
{
    const struct pass *p = arg;
    const struct decode *op = p->op;
    double total = p->k->sum(op->n, p->loss);
    if (w->index == 0)
        op->y->data[0] = op->n_valid ? (ur_real)(total / (double)op->n_valid) : 0;
}

static ur_status decode_back(ur_tape *tape, void *saved)
{
    const struct decode *op = saved;
    struct pass p;
    if (!op->y->grad)
        return UR_OK;
    if (!pass_begin(&p, tape, op))
        return UR_ENOMEM;
    p.loss = NULL;
    p.db = op->b ? ur__grad(op->b) : NULL;
    p.dh = ur__grad(op->h);
    p.dw = ur__grad(op->w);
    if (!ur__tape_poisoned(tape) && (p.db || p.dh || p.dw))
        ur__op_run(tape, op->n * (size_t)op->V, pass_work, &p);
    return UR_OK;
}

/* ---- the operation ----------------------------------------------------- */

/* Two products would add to the same gradient at once. */
static bool share_gradient(const ur_tensor *a, const ur_tensor *b)
{
    return a->needs_grad && b->needs_grad &&
           (a->base == b->base || (a->base->sink && a->base->sink == b->base->sink));
}

static bool shapes_fit(const ur_tensor *h, const ur_tensor *w, const ur_tensor *b)
{
    if (w->rank != 2 || ur_dim(h, -1) != w->dim[1]) {
        ur__tape_fail(h->tape, UR_ESHAPE, "matmul_cross_entropy: h is %s but w is %s",
                      ur__shape_text(h), ur__shape_text(w));
        return false;
    }
    if (b && (b->rank != 1 || b->dim[0] != w->dim[0])) {
        ur__tape_fail(h->tape, UR_ESHAPE, "matmul_cross_entropy: w is %s but b is %s",
                      ur__shape_text(w), ur__shape_text(b));
        return false;
    }
    return true;
}

ur_tensor *ur_matmul_cross_entropy(ur_tape *tape, ur_tensor *h, ur_tensor *w, ur_tensor *b,
                                   ur_ids targets)
{
    ur_tensor *const inputs[] = {h, w, b};
    if (!ur__op_all_on("matmul_cross_entropy", tape, b ? 3 : 2, inputs) || !shapes_fit(h, w, b))
        return NULL;
    if (share_gradient(h, w) || (b && (share_gradient(h, b) || share_gradient(w, b)))) {
        ur_tensor *x = ur_matmul_t(h, w);
        return ur_cross_entropy(tape, b ? ur_add(x, b) : x, targets);
    }
    struct decode op = {.h = h, .w = w, .b = b, .V = w->dim[0], .K = w->dim[1]};
    int dim[UR_MAX_RANK];       /* of the logits */
    memcpy(dim, h->dim, sizeof dim);
    dim[h->rank - 1] = op.V;
    if (!ur__op_targets(tape, (struct ur__shape){h->rank, dim}, targets, &op.n_valid))
        return NULL;
    op.n = h->size / (size_t)op.K;

    const int one = 1;
    op.y = ur__tensor_new(tape, 1, &one, h->needs_grad || w->needs_grad || (b && b->needs_grad));
    op.id = op.y ? ur__tape_copy(tape, targets.id, op.n, sizeof *op.id) : NULL;
    struct pass p;
    if (!op.id || !pass_begin(&p, tape, &op))
        return NULL;
    ur__op_run(tape, op.n * (size_t)op.V, pass_work, &p);
    ur__op_run(tape, 1, total_work, &p);
    return ur__tape_note(ur__op_end(op.y, decode_back, &op, sizeof op), "matmul_cross_entropy",
                         b ? 3 : 2, inputs);
}
