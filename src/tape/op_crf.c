/* SPDX-License-Identifier: MIT */
/*
 * The negative log likelihood of label sequences under a linear-chain CRF (Lafferty, McCallum and
 * Pereira 2001; docs/MATH.md, section Linear-chain CRF), with its gradients made on the way
 * forward. A sequence is one worker's:
 *
 *   forward   a_0 = start + s_0, a_t(j) = s_t(j) + log Σ_i exp(a_{t−1}(i) + A(i,j)), the largest
 *             of each a_t taken out, so that they stay small however long the sequence is
 *   back      γ_last = softmax(a_last + end), the marginals of the last label; from there
 *             p(i at t−1 | j at t) = softmax_i(a_{t−1}(i) + A(i,j)) leads back
 */
#include "tape/op.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

/* The inputs in the order of their arguments. */
enum { SCORES, TRANSITIONS, START, END, INPUTS };

struct crf {
    ur_tensor *in[INPUTS], *y;
    int T, B, K;
    const int *lengths;     /* during the forward pass alone, as all that follows but d */
    const int32_t *label;   /* [T,B] */
    size_t tokens;
    ur_real *from;          /* [K,K] transitions to row from column */
    ur_real *alpha;         /* [B,T,K] */
    ur_real *work;          /* [B,3,K] */
    ur_real *part;          /* [B,(K+2),K]: gradients of from, start, end by one sequence */
    ur_real *loss;          /* [B] */
    ur_real *d[INPUTS];     /* gradients for an upstream gradient of 1; NULL: not wanted */
};

static int length_of(const struct crf *op, int b)
{
    return op->lengths ? op->lengths[b] : op->T;
}

static const ur_real *scores_at(const struct crf *op, int t, int b)
{
    return op->in[SCORES]->data + ((ptrdiff_t)t * op->B + b) * op->K;
}

static ur_real *alpha_at(const struct crf *op, int t, int b)
{
    return op->alpha + ((ptrdiff_t)b * op->T + t) * op->K;
}

/* log Σ exp(v), v overwritten; −Inf where all are. */
static ur_real log_sum(const struct ur__kernel *k, size_t K, ur_real *v)
{
    ur_real top = k->max(K, v), sum;
    if (top == -(ur_real)INFINITY)
        return top;
    k->affine(K, 1, v, -top, v);
    k->exp(K, v, v);
    sum = (ur_real)k->sum(K, v);
    k->log(1, &sum, &sum);
    return top + sum;
}

/* softmax(v) in place; zeros where all are −Inf. */
static void weigh(const struct ur__kernel *k, int K, ur_real *v)
{
    if (k->max((size_t)K, v) == -(ur_real)INFINITY)
        memset(v, 0, (size_t)K * sizeof *v);
    else
        k->softmax(K, v, v);
}

/* Takes the largest out of a, which it returns. */
static double take_top(const struct ur__kernel *k, size_t K, ur_real *a)
{
    ur_real top = k->max(K, a);
    if (top == -(ur_real)INFINITY)
        return 0;
    k->affine(K, 1, a, -top, a);
    return (double)top;
}

/* log Z of sequence b. */
static double forward(const struct crf *op, const struct ur__kernel *k, int b, int n)
{
    size_t K = (size_t)op->K;
    ur_real *v = op->work + (ptrdiff_t)b * 3 * op->K, *a = alpha_at(op, 0, b);
    k->add(K, op->in[START]->data, scores_at(op, 0, b), a);
    double z = take_top(k, K, a);
    for (int t = 1; t < n; t++) {
        const ur_real *s = scores_at(op, t, b), *before = a;
        a = alpha_at(op, t, b);
        for (size_t j = 0; j < K; j++) {
            k->add(K, before, op->from + j * K, v);
            a[j] = s[j] + log_sum(k, K, v);
        }
        z += take_top(k, K, a);
    }
    k->add(K, a, op->in[END]->data, v);
    return z + (double)log_sum(k, K, v);
}

static double path_score(const struct crf *op, int b, int n)
{
    int before = op->label[b];
    double score = (double)op->in[START]->data[before] + (double)scores_at(op, 0, b)[before];
    for (int t = 1; t < n; t++) {
        int label = op->label[(ptrdiff_t)t * op->B + b];
        score += (double)op->in[TRANSITIONS]->data[(ptrdiff_t)before * op->K + label];
        score += (double)scores_at(op, t, b)[label];
        before = label;
    }
    return score + (double)op->in[END]->data[before];
}

/* Expected less given: what each score of sequence b adds to the loss, times scale. */
static void back(const struct crf *op, const struct ur__kernel *k, int b, int n, ur_real scale)
{
    size_t K = (size_t)op->K;
    ur_real *v = op->work + (ptrdiff_t)b * 3 * op->K, *now = v + K, *then = now + K;
    ur_real *from = op->part + (ptrdiff_t)b * (op->K + 2) * op->K, *start = from + K * K;
    ur_real *end = start + K;
    k->add(K, alpha_at(op, n - 1, b), op->in[END]->data, now);
    weigh(k, op->K, now);
    k->affine(K, scale, now, 0, now);
    memcpy(end, now, K * sizeof *end);
    end[op->label[(ptrdiff_t)(n - 1) * op->B + b]] -= scale;
    for (int t = n - 1; t >= 0; t--) {
        ptrdiff_t at = (ptrdiff_t)t * op->B + b;
        if (op->d[SCORES]) {
            ur_real *ds = op->d[SCORES] + at * op->K;
            memcpy(ds, now, K * sizeof *ds);
            ds[op->label[at]] -= scale;
        }
        if (t == 0)
            break;
        memset(then, 0, K * sizeof *then);
        for (size_t j = 0; j < K; j++) {
            k->add(K, alpha_at(op, t - 1, b), op->from + j * K, v);
            weigh(k, op->K, v);
            k->axpy(K, now[j], v, then);
            k->axpy(K, now[j], v, from + j * K);
        }
        from[(size_t)op->label[at] * K + (size_t)op->label[at - op->B]] -= scale;
        memcpy(now, then, K * sizeof *now);
    }
    memcpy(start, now, K * sizeof *start);
    start[op->label[b]] -= scale;
}

static void sequences_work(const struct ur__worker *w, void *arg)
{
    const struct crf *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t begin, end, K = (size_t)op->K, part = (K + 2) * K;
    ur__op_range(w, (size_t)op->B, 1, &begin, &end);
    for (int b = (int)begin; b < (int)end; b++) {
        int n = length_of(op, b);
        op->loss[b] = n ? (ur_real)(forward(op, k, b, n) - path_score(op, b, n)) : 0;
        if (!op->y->needs_grad)
            continue;
        memset(op->part + (size_t)b * part, 0, part * sizeof *op->part);
        for (int t = n; op->d[SCORES] && t < op->T; t++)
            memset(op->d[SCORES] + ((ptrdiff_t)t * op->B + b) * op->K, 0, K * sizeof(ur_real));
        if (n)
            back(op, k, b, n, (ur_real)(1.0 / (double)op->tokens));
    }
}

static void turn(int K, const ur_real *x, ur_real *y)
{
    for (int i = 0; i < K; i++)
        for (int j = 0; j < K; j++)
            y[(ptrdiff_t)i * K + j] = x[(ptrdiff_t)j * K + i];
}

static void turn_work(const struct ur__worker *w, void *arg)
{
    const struct crf *op = arg;
    (void)w;
    turn(op->K, op->in[TRANSITIONS]->data, op->from);
}

/* Over the sequences in their order. */
static void total_work(const struct ur__worker *w, void *arg)
{
    const struct crf *op = arg;
    const struct ur__kernel *k = ur__kernel();
    size_t K = (size_t)op->K, part = (K + 2) * K;
    (void)w;
    double total = k->sum((size_t)op->B, op->loss);
    op->y->data[0] = op->tokens ? (ur_real)(total / (double)op->tokens) : 0;
    if (!op->y->needs_grad)
        return;
    for (int b = 1; b < op->B; b++)
        k->add(part, op->part, op->part + (size_t)b * part, op->part);
    if (op->d[TRANSITIONS])
        turn(op->K, op->part, op->d[TRANSITIONS]);
    if (op->d[START])
        memcpy(op->d[START], op->part + K * K, K * sizeof(ur_real));
    if (op->d[END])
        memcpy(op->d[END], op->part + K * K + K, K * sizeof(ur_real));
}

static void crf_back_run(const struct ur__worker *w, void *arg)
{
    struct crf *op = arg;
    (void)w;
    for (int i = 0; i < INPUTS; i++)
        if (op->d[i] && op->in[i]->grad)
            ur__op_axpy(op->y->tape, op->in[i]->size, op->y->grad[0], op->d[i], op->in[i]->grad);
}

static ur_status crf_back(ur_tape *tape, void *saved)
{
    struct crf *op = saved;
    if (!op->y->grad)
        return UR_OK;
    for (int i = 0; i < INPUTS; i++)
        ur__grad(op->in[i]);
    if (!ur__tape_poisoned(tape))
        ur__tape_run(tape, NULL, crf_back_run, op);
    return UR_OK;
}

/* ---- the operation ----------------------------------------------------- */

static bool fits(const struct crf *op)
{
    const ur_tensor *a = op->in[TRANSITIONS], *s = op->in[START], *e = op->in[END];
    if (a->rank == 2 && a->dim[0] == op->K && a->dim[1] == op->K && s->rank == 1 &&
        s->dim[0] == op->K && e->rank == 1 && e->dim[0] == op->K)
        return true;
    ur__tape_fail(a->tape, UR_ESHAPE, "crf: scores are %s but transitions %s, start %s, end %s",
                  ur__shape_text(op->in[SCORES]), ur__shape_text(a), ur__shape_text(s),
                  ur__shape_text(e));
    return false;
}

/* Counts the labels within the lengths; false with poison if one is none of K. */
static bool count(ur_tape *tape, struct crf *op)
{
    for (int b = 0; b < op->B && !ur__tape_measures(tape); b++)
        for (int t = 0; t < length_of(op, b); t++, op->tokens++) {
            int32_t label = op->label[(ptrdiff_t)t * op->B + b];
            if (label >= 0 && label < op->K)
                continue;
            ur__tape_fail(tape, UR_EINVAL, "crf: label [%d,%d] is %d, not 0 to %d", t, b,
                          (int)label, op->K - 1);
            return false;
        }
    return true;
}

static bool take(ur_tape *tape, struct crf *op)
{
    const int one = 1;
    size_t K = (size_t)op->K, B = (size_t)op->B;
    bool any = false;
    for (int i = 0; i < INPUTS; i++)
        any = any || op->in[i]->needs_grad;
    op->y = ur__tensor_new(tape, 1, &one, any);
    for (int i = 0; op->y && i < INPUTS; i++)
        if (op->in[i]->needs_grad)
            op->d[i] = ur__tape_alloc(tape, op->in[i]->size, sizeof *op->d[i]);
    struct ur__carve room = {NULL, 0};
    for (int pass = 0; pass < 2 && !ur__tape_poisoned(tape); pass++) {
        op->from = ur__carve(&room, K, K * sizeof *op->from);
        op->alpha = ur__carve(&room, op->in[SCORES]->size, sizeof *op->alpha);
        op->work = ur__carve(&room, B, 3 * K * sizeof *op->work);
        op->part = ur__carve(&room, (K + 2) * K, B * sizeof *op->part);
        op->loss = ur__carve(&room, B, sizeof *op->loss);
        if (pass == 0)
            room = (struct ur__carve){ur__tape_scratch(tape, room.used), 0};
    }
    return !ur__tape_poisoned(tape);
}

ur_tensor *ur_crf_loss(ur_tensor *scores, ur_tensor *transitions, ur_tensor *start, ur_tensor *end,
                       ur_ids labels, const int *lengths)
{
    struct crf op = {.in = {scores, transitions, start, end}};
    if (!scores || !ur__op_all_on("crf", scores->tape, INPUTS, op.in))
        return NULL;
    ur_tape *tape = scores->tape;
    if (!labels.id)
        return ur__tape_fail(tape, UR_EINVAL, "crf: the labels' id is NULL");
    if (scores->rank != 3 || labels.T != scores->dim[0] ||
        labels.B != scores->dim[1])
        return ur__tape_fail(tape, UR_ESHAPE, "crf: scores are %s, not [T,B,K] of labels [%d,%d]",
                             ur__shape_text(scores), labels.T, labels.B);
    op.T = labels.T;
    op.B = labels.B;
    op.K = scores->dim[2];
    op.lengths = lengths;
    op.label = labels.id;
    if (!fits(&op) ||
        (lengths && !ur__op_lengths("crf", tape, lengths, (size_t)op.B, op.T)) ||
        !count(tape, &op) || !take(tape, &op))
        return NULL;
    ur__tape_run(tape, NULL, turn_work, &op);
    ur__op_run(tape, scores->size * (size_t)op.K, sequences_work, &op);
    ur__tape_run(tape, NULL, total_work, &op);
    return ur__tape_note(ur__op_end(op.y, crf_back, &op, sizeof op), "crf_loss", INPUTS, op.in);
}
