/* SPDX-License-Identifier: MIT */
/* The linear-chain CRF against all paths, one by one: loss, gradients, best path. */
#include "testing.h"

#include <float.h>
#include <math.h>

#include "unroll/tensor.h"

enum { CASES = 1000, MAX_T = 5, MAX_K = 4, MAX_B = 3, SCORES = MAX_T * MAX_B * MAX_K };

static uint32_t drawn;

static double uniform(double low, double high)
{
    return low + (high - low) * ur_random_uniform(12, 5, 0, drawn++);
}

static int between(int low, int high)
{
    return low + (int)uniform(0, high - low + 0.999);
}

struct problem {
    int T, B, K, lengths[MAX_B];
    float scores[SCORES], transitions[MAX_K * MAX_K], start[MAX_K], end[MAX_K];
    int32_t labels[MAX_T * MAX_B];
};

/* What all paths say. */
struct answer {
    double loss;
    double d[SCORES], dt[MAX_K * MAX_K], ds[MAX_K], de[MAX_K];
    double best[MAX_B];
    int32_t path[MAX_T * MAX_B];
};

static void draw(struct problem *p)
{
    double width = uniform(0, 1) < 0.2 ? 30 : 2;
    p->T = between(1, MAX_T);
    p->B = between(1, MAX_B);
    p->K = between(1, MAX_K);
    for (int i = 0; i < SCORES; i++)
        p->scores[i] = (float)uniform(-width, width);
    for (int i = 0; i < MAX_K * MAX_K; i++)
        p->transitions[i] = (float)uniform(-width, width);
    for (int i = 0; i < MAX_K; i++) {
        p->start[i] = (float)uniform(-2, 2);
        p->end[i] = (float)uniform(-2, 2);
    }
    for (int b = 0; b < p->B; b++)
        p->lengths[b] = between(0, p->T);
    for (int i = 0; i < p->T * p->B; i++)   /* padding has no label */
        p->labels[i] = i / p->B < p->lengths[i % p->B] ? between(0, p->K - 1) : -1;
}

/* The path-th path of n steps of sequence b. */
static void path_of(const struct problem *p, int n, int path, int *y)
{
    for (int t = 0; t < n; t++, path /= p->K)
        y[t] = path % p->K;
}

static double score(const struct problem *p, int b, int n, const int *y)
{
    double sum = (double)p->start[y[0]] + (double)p->end[y[n - 1]];
    for (int t = 0; t < n; t++) {
        sum += (double)p->scores[(t * p->B + b) * p->K + y[t]];
        sum += t ? (double)p->transitions[y[t - 1] * p->K + y[t]] : 0;
    }
    return sum;
}

/* Adds w to the gradient of every score on a path. */
static void count(const struct problem *p, struct answer *a, int b, int n, const int *y, double w)
{
    a->ds[y[0]] += w;
    a->de[y[n - 1]] += w;
    for (int t = 0; t < n; t++) {
        a->d[(t * p->B + b) * p->K + y[t]] += w;
        if (t)
            a->dt[y[t - 1] * p->K + y[t]] += w;
    }
}

static void enumerate(const struct problem *p, struct answer *a, int b, int tokens)
{
    int n = p->lengths[b], paths = 1, y[MAX_T] = {0}, best = 0;
    for (int t = 0; t < n; t++)
        paths *= p->K;
    double top = -HUGE_VAL, z = 0;
    for (int i = 0; i < paths; i++) {
        path_of(p, n, i, y);
        if (score(p, b, n, y) > top) {
            top = score(p, b, n, y);
            best = i;
        }
    }
    for (int i = 0; i < paths; i++) {
        path_of(p, n, i, y);
        z += exp(score(p, b, n, y) - top);
    }
    for (int i = 0; i < paths; i++) {
        path_of(p, n, i, y);
        count(p, a, b, n, y, exp(score(p, b, n, y) - top) / z / tokens);
    }
    for (int t = 0; t < n; t++)
        y[t] = p->labels[t * p->B + b];
    count(p, a, b, n, y, -1.0 / tokens);
    a->loss += (top + log(z) - score(p, b, n, y)) / tokens;
    a->best[b] = top;
    path_of(p, n, best, y);
    for (int t = 0; t < n; t++)
        a->path[t * p->B + b] = y[t];
}

static void answer(const struct problem *p, struct answer *a)
{
    int tokens = 0;
    *a = (struct answer){0};
    for (int b = 0; b < p->B; b++)
        tokens += p->lengths[b];
    for (int i = 0; i < p->T * p->B; i++)
        a->path[i] = -1;
    for (int b = 0; b < p->B; b++)
        if (p->lengths[b])
            enumerate(p, a, b, tokens);
}

static ur_tensor *loss_of(ur_tape *tape, const struct problem *p, struct problem *grad)
{
    *grad = (struct problem){0};
    return ur_crf_loss(
        ur_variable(tape, 3, (int[]){p->T, p->B, p->K}, p->scores, grad->scores),
        ur_variable(tape, 2, (int[]){p->K, p->K}, p->transitions, grad->transitions),
        ur_variable(tape, 1, &p->K, p->start, grad->start),
        ur_variable(tape, 1, &p->K, p->end, grad->end),
        (ur_ids){p->labels, p->T, p->B}, p->lengths);
}

static ur_chain chain_of(const struct problem *p)
{
    return (ur_chain){.size = sizeof(ur_chain), .T = p->T, .B = p->B, .K = p->K,
                      .scores = p->scores,
                      .transitions = p->transitions, .start = p->start, .end = p->end,
                      .lengths = p->lengths};
}

static double far(size_t n, const float *got, const double *expected)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)got[i] - expected[i]));
    return worst;
}

static void crf__equals_all_paths(void **state)
{
    (void)state;
    double loss = 0, gradient = 0, best = 0;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < CASES; i++) {
        struct problem p, g;
        struct answer a;
        draw(&p);
        answer(&p, &a);
        ur_tensor *y = loss_of(tape, &p, &g);
        assert_ok(ur_backward(tape, y));
        loss = fmax(loss, fabs(ur_scalar(y) - a.loss) / fmax(1, fabs(a.loss)));
        size_t K = (size_t)p.K, all = (size_t)(p.T * p.B) * K;
        gradient = fmax(gradient, far(all, g.scores, a.d));
        gradient = fmax(gradient, far(K * K, g.transitions, a.dt));
        gradient = fmax(gradient, fmax(far(K, g.start, a.ds), far(K, g.end, a.de)));
        ur_tape_reset(tape);

        int32_t labels[MAX_T * MAX_B];
        double scores[MAX_B];
        const ur_chain chain = chain_of(&p);
        assert_ok(ur_viterbi(&chain, labels, scores));
        assert_memory_equal(labels, a.path, (size_t)(p.T * p.B) * sizeof *labels);
        for (int b = 0; b < p.B; b++)
            best = fmax(best, fabs(scores[b] - a.best[b]));
    }
    ur_tape_free(tape);
    print_message("%d cases: loss off by %.1e, gradients by %.1e, best score by %.1e\n", CASES,
                  loss, gradient, best);
    assert_true(loss < 2e-6 && gradient < 1e-5 && best < 1e-12);
}

/* Long sequences stay finite and exact; any team gives the same bits. */
static void crf__of_long_sequences(void **state)
{
    (void)state;
    enum { T = 2000, B = 3, K = 9 };
    static float x[T * B * K], a[K * K], s[K], e[K], dx[2][T * B * K], da[2][K * K];
    static int32_t labels[T * B];
    const int dim[] = {T, B, K}, lengths[] = {T, 1, 1500}, square[] = {K, K}, row[] = {K};
    float loss[2];
    for (int i = 0; i < T * B * K; i++)
        x[i] = (float)uniform(-20, 20);
    for (int i = 0; i < K * K; i++)
        a[i] = (float)uniform(-20, 20);
    for (int i = 0; i < T * B; i++)
        labels[i] = between(0, K - 1);
    for (int i = 0; i < 2; i++) {
        ur_team *team;
        ur_tape *tape;
        assert_ok(ur_team_new(&team, i ? 3 : 1));
        assert_ok(ur_tape_new(&tape, team));
        ur_tensor *y = ur_crf_loss(ur_variable(tape, 3, dim, x, dx[i]),
                                   ur_variable(tape, 2, square, a, da[i]),
                                   ur_constant(tape, 1, row, s), ur_constant(tape, 1, row, e),
                                   (ur_ids){labels, T, B}, lengths);
        assert_ok(ur_backward(tape, y));
        loss[i] = ur_data(y)[0];
        ur_tape_free(tape);
        ur_team_free(team);
    }
    assert_memory_equal(&loss[0], &loss[1], sizeof *loss);
    assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
    assert_memory_equal(da[0], da[1], sizeof da[0]);
    assert_true(isfinite(loss[0]) && loss[0] > 0);
    double most = 0;
    for (int i = 0; i < T * B; i++) {
        double sum = 0;     /* marginals are shares, less one label */
        for (int k = 0; k < K; k++)
            sum += (double)dx[0][i * K + k] * (T + 1 + 1500);
        most = fmax(most, fabs(sum));
    }
    print_message("2000 steps: marginals off 1 by %.1e\n", most);
    assert_true(most < 2e-3);
}

/* What stands in padding is not read; NaN within comes out; −Inf forbids. */
static void crf__special_numbers(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, NAN, NAN}, a[] = {0, 1, 2, 0}, z[] = {0, 0};
    float never[] = {0, -INFINITY, 2, 0}, da[4] = {0};
    const int32_t labels[] = {0, 0, -1};
    const int dim[] = {3, 1, 2}, square[] = {2, 2}, row[] = {2};
    int length = 2;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *s = ur_constant(tape, 3, dim, x), *o = ur_constant(tape, 1, row, z);
    ur_tensor *y = ur_crf_loss(s, ur_constant(tape, 2, square, a), o, o,
                               (ur_ids){labels, 3, 1}, &length);
    /* paths 00, 01, 10, 11: 4, 1+4+1, 2+3+2, 6 */
    double expected = log(exp(4) + exp(6) + exp(7) + exp(6)) - 4;
    assert_true(fabs(ur_scalar(y) - expected / 2) < 1e-6);
    ur_tensor *w = ur_variable(tape, 2, square, never, da);
    y = ur_crf_loss(s, w, o, o, (ur_ids){labels, 3, 1}, &length);
    assert_true(fabs(ur_scalar(y) - (log(exp(4) + exp(7) + exp(6)) - 4) / 2) < 1e-6);
    assert_ok(ur_backward(tape, y));
    assert_true(da[1] == 0 && isfinite(da[0]) && isfinite(da[2]) && isfinite(da[3]));
    ur_tape_reset(tape);
    const int32_t all[] = {0, 0, 0};
    s = ur_constant(tape, 3, dim, x);
    o = ur_constant(tape, 1, row, z);
    y = ur_crf_loss(s, ur_constant(tape, 2, square, a), o, o, (ur_ids){all, 3, 1}, NULL);
    assert_true(isnan(ur_scalar(y)));
    ur_tape_free(tape);
}

static void viterbi__names_what_it_lacks(void **state)
{
    (void)state;
    int32_t labels[1];
    ur_chain c;
    ur_chain_init(&c);
    assert_int_equal(ur_viterbi(&c, labels, NULL), UR_EINVAL);
    assert_string_equal(ur_errmsg(), "viterbi: scores is NULL");
}

static void viterbi__obeys_what_is_forbidden(void **state)
{
    (void)state;
    /* O, B, I: I may not begin, nor follow O, nor may a sequence end with B. */
    unsigned char no[4 * 4] = {0};
    no[3 * 4 + 2] = no[0 * 4 + 2] = no[1 * 4 + 3] = 1;
    const float x[] = {0, 1, 5, 3, 0, 9, 0, 8, 0}, a[9] = {0}, z[3] = {0};
    ur_chain c = {.size = sizeof c, .T = 3, .B = 1, .K = 3,
                  .scores = x, .transitions = a, .start = z, .end = z};
    int32_t labels[3];
    double best;
    assert_ok(ur_viterbi(&c, labels, &best));
    assert_true(labels[0] == 2 && labels[1] == 2 && labels[2] == 1 && best == 22);
    c.forbidden = no;
    assert_ok(ur_viterbi(&c, labels, &best));
    assert_true(labels[0] == 1 && labels[1] == 2 && labels[2] == 0 && best == 10);
    memset(no, 1, sizeof no);
    assert_int_equal(ur_viterbi(&c, labels, &best), UR_EINVAL);
    assert_string_equal(ur_errmsg(), "viterbi: sequence 0 has no path of 3 steps that is allowed");
}

#define FAILS(expr, message)                                                  \
    do {                                                                      \
        assert_null(expr);                                                    \
        assert_string_equal(ur_errmsg(), message);                            \
        ur_tape_reset(tape);                                                  \
        s = ur_constant(tape, 3, dim, x);                                     \
        w = ur_constant(tape, 2, square, x);                                  \
        o = ur_constant(tape, 1, row, x);                                     \
    } while (0)

static void crf__refuses_what_does_not_fit(void **state)
{
    (void)state;
    const float x[12] = {0};
    const int32_t labels[] = {0, 1, 2, 0};
    const int dim[] = {2, 2, 2}, square[] = {2, 2}, row[] = {2};
    const ur_ids ids = {labels, 2, 2}, few = {labels, 1, 2};
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *s = ur_constant(tape, 3, dim, x), *w = ur_constant(tape, 2, square, x);
    ur_tensor *o = ur_constant(tape, 1, row, x);
    FAILS(ur_crf_loss(s, w, o, o, few, NULL),
          "crf: scores are [2,2,2], not [T,B,K] of labels [1,2]");
    FAILS(ur_crf_loss(s, w, o, o, ((ur_ids){NULL, 2, 2}), NULL), "crf: the labels' id is NULL");
    FAILS(ur_crf_loss(s, o, o, o, ids, NULL),
          "crf: scores are [2,2,2] but transitions [2], start [2], end [2]");
    FAILS(ur_crf_loss(s, w, o, o, ids, NULL), "crf: label [1,0] is 2, not 0 to 1");
    FAILS(ur_crf_loss(s, w, o, o, ids, (int[]){1, 3}), "crf: sequence 1 has length 3, not 0 to 2");
    assert_non_null(ur_crf_loss(s, w, o, o, ids, (int[]){1, 2}));
    ur_tape_free(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crf__equals_all_paths),
        cmocka_unit_test(crf__of_long_sequences),
        cmocka_unit_test(crf__special_numbers),
        cmocka_unit_test(viterbi__names_what_it_lacks),
        cmocka_unit_test(viterbi__obeys_what_is_forbidden),
        cmocka_unit_test(crf__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
