/* SPDX-License-Identifier: MIT */
/*
 * Operations beyond the first (test_tape.c): values against plain formulas in double,
 * kinks and ties, NaN, padding, failures. Whole rounds are in test_tape_heads.c.
 */
#include "test_tape.h"

#include <math.h>

static void assert_near(double want, double got, double tolerance)
{
    if (!(fabs(want - got) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%.9g is not %.9g", got, want);
}

static void assert_all(const ur_tensor *x, const double *want, size_t n)
{
    assert_non_null(x);
    assert_int_equal(ur_size(x), n);
    for (size_t i = 0; i < n; i++)
        assert_near(want[i], (double)ur_data(x)[i], 1e-6);
}

static void assert_shape(const ur_tensor *x, int rank, const int *dim)
{
    assert_int_equal(ur_rank(x), rank);
    for (int i = 0; i < rank; i++)
        assert_int_equal(ur_dim(x, i), dim[i]);
}

#define IN(...) ur_copy_in(tape, 1, D((int)COUNT(((ur_real[]){__VA_ARGS__}))), \
                           (ur_real[]){__VA_ARGS__})
#define ALL(x, ...) assert_all(x, (double[]){__VA_ARGS__}, COUNT(((double[]){__VA_ARGS__})))

/* The gradient of the sum of y by a leaf of n numbers. */
struct leaf {
    ur_real data[64], grad[64];
};

static ur_tensor *leaf(struct leaf *l, int rank, const int *dim, const ur_real *data)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    assert_in_range(n, 1, 64);
    memcpy(l->data, data, n * sizeof *data);
    memset(l->grad, 0, sizeof l->grad);
    return ur_variable(tape, rank, dim, l->data, l->grad);
}

static void assert_slopes(const struct leaf *l, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_near(want[i], (double)l->grad[i], 1e-6);
}

/* ---- functions and choices --------------------------------------------- */

static void functions__match_formulas(void **state)
{
    (void)state;
    ur_tensor *x = IN(-2, -0.5f, 0, 0.25f, 9);
    ALL(ur_neg(x), 2, 0.5, 0, -0.25, -9);
    ALL(ur_square(x), 4, 0.25, 0, 0.0625, 81);
    ALL(ur_abs(x), 2, 0.5, 0, 0.25, 9);
    ALL(ur_sqrt(ur_abs(x)), sqrt(2), sqrt(0.5), 0, 0.5, 3);
    ALL(ur_clamp(x, -0.5, 4), -0.5, -0.5, 0, 0.25, 4);
    ALL(ur_clamp(x, 1, 1), 1, 1, 1, 1, 1);
    ur_tensor *bad = IN(NAN);
    assert_true(isnan(ur_scalar(ur_abs(bad))) && isnan(ur_scalar(ur_clamp(bad, 0, 1))));
    assert_true(isnan(ur_scalar(ur_sqrt(IN(-1)))));
}

static void kinks__have_slope_zero(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 1, D(5), (ur_real[]){-2, -1, 0, 1, 0.5f});
    assert_ok(ur_backward(tape, ur_sum(ur_add(ur_abs(x), ur_clamp(x, -1, 1)))));
    assert_slopes(&l, (double[]){-1, -1, 1, 1, 2}, 5);
    ur_tape_reset(tape);
    x = leaf(&l, 1, D(2), (ur_real[]){1, 2});
    assert_ok(ur_backward(tape, ur_absolute_error(x, IN(1, 0))));
    assert_slopes(&l, (double[]){0, 0.5}, 2);
}

static void choices__broadcast_and_keep_nan(void **state)
{
    (void)state;
    ur_tensor *a = ur_copy_in(tape, 2, D(2, 3), (ur_real[]){1, 5, NAN, -1, 0, 2});
    ur_tensor *b = IN(3, 3, 3);
    const ur_real *high = ur_data(ur_maximum(a, b)), *low = ur_data(ur_minimum(b, a));
    assert_true(high[0] == 3 && high[1] == 5 && isnan(high[2]) && high[3] == 3);
    assert_true(low[0] == 1 && low[1] == 3 && isnan(low[2]) && low[3] == -1);
    assert_true(isnan(ur_data(ur_maximum(b, a))[2]) && isnan(ur_data(ur_minimum(a, b))[2]));
    ur_tensor *column = ur_copy_in(tape, 2, D(2, 1), (ur_real[]){0, -3});
    ur_tensor *y = ur_where(column, a, b);
    assert_shape(y, 2, D(2, 3));
    ALL(y, 3, 3, 3, -1, 0, 2);      /* the NaN is not chosen */
    ALL(ur_where(IN(NAN, 1, 0), b, IN(9)), 3, 3, 9);
}

static void choices__give_ties_to_the_first(void **state)
{
    (void)state;
    struct leaf l, m;
    ur_tensor *a = leaf(&l, 1, D(3), (ur_real[]){1, 2, 3});
    ur_tensor *b = leaf(&m, 1, D(1), (ur_real[]){2});
    assert_ok(ur_backward(tape, ur_sum(ur_maximum(a, b))));
    assert_slopes(&l, (double[]){0, 1, 1}, 3);
    assert_slopes(&m, (double[]){1}, 1);
    ur_tape_reset(tape);
    a = leaf(&l, 2, D(2, 3), (ur_real[]){4, 7, 7, 5, 5, 1});
    ur_tensor *top = ur_max_over(a, -1);
    ALL(top, 7, 5);
    assert_ok(ur_backward(tape, ur_sum(top)));
    assert_slopes(&l, (double[]){0, 1, 0, 1, 0, 0}, 6);
}

/* What a condition hides gets no gradient, though its slope is not finite. */
static void where__hides_infinite_slopes(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 1, D(2), (ur_real[]){4, 9});
    ur_tensor *y = ur_where(IN(1, 0), ur_sqrt(x), ur_affine(x, 2, 0));
    ALL(y, 2, 18);
    assert_ok(ur_backward(tape, ur_sum(y)));
    assert_slopes(&l, (double[]){0.25, 2}, 2);
}

static void max_over__any_dimension(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 3, D(2, 3, 2),
                              (ur_real[]){1, 12, 3, 4, 5, 6, -7, -8, 9, 10, 11, 2});
    ALL(ur_max_over(x, 0), 1, 12, 9, 10, 11, 6);
    ALL(ur_max_over(x, 1), 5, 12, 11, 10);
    ALL(ur_max_over(x, -1), 12, 4, 6, -7, 10, 11);
    assert_shape(ur_max_over(x, 1), 2, D(2, 2));
    assert_shape(ur_max_over(IN(1, 2), 0), 1, D(1));
    assert_true(isnan(ur_scalar(ur_max_over(IN(1, NAN, 7), 0))));
}

static void stop_gradient__stops_it(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 1, D(2), (ur_real[]){3, -5});
    ur_tensor *held = ur_stop_gradient(x);
    assert_ptr_equal(ur_data(held), ur_data(x));
    assert_ok(ur_backward(tape, ur_sum(ur_mul(held, x))));
    assert_slopes(&l, (double[]){3, -5}, 2);
    assert_null(ur_grad(held));
}

/* ---- products ---------------------------------------------------------- */

static void bmm__matches_loops(void **state)
{
    (void)state;
    enum { M = 3, N = 5, K = 4 };
    ur_real a[2 * M * K], b[3 * 2 * K * N], bt[3 * 2 * K * N];
    double want[3 * 2 * M * N] = {0};
    fill(a, COUNT(a), 1, -1, 1);
    fill(b, COUNT(b), 2, -1, 1);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < K; k++)
            for (int n = 0; n < N; n++) {
                bt[(i * N + n) * K + k] = b[(i * K + k) * N + n];
                for (int m = 0; m < M; m++)
                    want[(i * M + m) * N + n] +=
                        (double)a[(i % 2 * M + m) * K + k] * (double)b[(i * K + k) * N + n];
            }
    ur_tensor *x = ur_constant(tape, 3, D(2, M, K), a);
    ur_tensor *y = ur_bmm(x, ur_constant(tape, 4, D(3, 2, K, N), b));
    ur_tensor *z = ur_bmm_t(x, ur_constant(tape, 4, D(3, 2, N, K), bt));
    assert_shape(y, 4, D(3, 2, M, N));
    assert_all(y, want, COUNT(want));
    assert_memory_equal(ur_data(y), ur_data(z), sizeof(ur_real) * COUNT(want));

    /* One product of the batch has the bits of ur_matmul. */
    ur_tensor *one = ur_matmul(ur_at(x, 1), ur_constant(tape, 2, D(K, N), b + 3 * K * N));
    assert_memory_equal(ur_data(y) + 3 * M * N, ur_data(one), sizeof(ur_real) * M * N);
    assert_shape(ur_bmm(x, ur_constant(tape, 2, D(K, N), b)), 3, D(2, M, N));
    assert_shape(ur_bmm(ur_at(x, 0), ur_constant(tape, 3, D(6, K, N), b)), 3, D(6, M, N));
}

/* ---- normalisation ----------------------------------------------------- */

static void layer_norm__matches_the_formula(void **state)
{
    (void)state;
    ur_real x[35], gain[7], bias[7];
    double want[3][35];
    fill(x, 35, 1, 50, 53);
    fill(gain, 7, 2, -1, 2);
    fill(bias, 7, 3, -1, 1);
    for (int r = 0; r < 5; r++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < 7; i++)
            mean += (double)x[r * 7 + i] / 7;
        for (int i = 0; i < 7; i++)
            variance += pow((double)x[r * 7 + i] - mean, 2) / 7;
        for (int i = 0; i < 7; i++) {
            double hat = ((double)x[r * 7 + i] - mean) / sqrt(variance + 1e-3);
            want[0][r * 7 + i] = hat;
            want[1][r * 7 + i] = hat * (double)gain[i];
            want[2][r * 7 + i] = hat * (double)gain[i] + (double)bias[i];
        }
    }
    ur_tensor *t = ur_constant(tape, 2, D(5, 7), x), *g = ur_constant(tape, 1, D(7), gain);
    ur_tensor *b = ur_constant(tape, 1, D(7), bias);
    const ur_tensor *got[] = {ur_layer_norm(t, NULL, NULL, 1e-3), ur_layer_norm(t, g, NULL, 1e-3),
                              ur_layer_norm(t, g, b, 1e-3)};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 35; i++)
            assert_near(want[k][i], (double)ur_data(got[k])[i], 1e-5);
    ALL(ur_layer_norm(IN(4), NULL, IN(2), 1e-5), 2);        /* a row of one */
    ALL(ur_layer_norm(IN(3, 3, 3), NULL, NULL, 1e-5), 0, 0, 0);

    /* The same bits where gradients are wanted and x̂ is kept. */
    ur_real grad[35];
    ur_tensor *v = ur_variable(tape, 2, D(5, 7), x, grad);
    assert_memory_equal(ur_data(ur_layer_norm(v, g, b, 1e-3)), ur_data(got[2]), sizeof x);
}

/* ---- losses ------------------------------------------------------------ */

static void losses__match_formulas(void **state)
{
    (void)state;
    ur_tensor *x = IN(1, -2, 0.5f), *t = IN(0, 1, 0.5f), *s = IN(0, 2, -1);
    ALL(ur_squared_error(x, t), 10.0 / 3);
    ALL(ur_absolute_error(x, t), 4.0 / 3);
    double half = 0.5 * log(2 * acos(-1));
    double each[] = {0.5 + half, 1 + 4.5 * exp(-2) + half, -0.5 + half};
    assert_all(ur_gaussian_nll_each(x, s, t), each, 3);
    ALL(ur_gaussian_nll(x, s, t), (each[0] + each[1] + each[2]) / 3);
    double nll[] = {log(1 + exp(1)), log(1 + exp(-2)) + 2, log(1 + exp(0.5)) - 0.25};
    assert_all(ur_bernoulli_nll_each(x, t), nll, 3);
    ALL(ur_bernoulli_nll(x, t), (nll[0] + nll[1] + nll[2]) / 3);
    /* Too high by 1, too low by 3, right; at the levels 0.9, 0.2 and 0.5. */
    ur_tensor *q = IN(0.9f, 0.2f, 0.5f);
    double pinball[] = {0.1, 0.6, 0};
    assert_all(ur_quantile_loss_each(x, q, t), pinball, 3);
    ALL(ur_quantile_loss(x, q, t), 0.7 / 3);
}

/* Relative accuracy far from 0, where log(1 + e^z) − zt would lose it all. */
static void bernoulli__is_accurate_for_any_logit(void **state)
{
    (void)state;
    double worst = 0;
    int cases = 0;
    for (double z = -85; z <= 85; z += 0.37, cases++) {
        ur_real logit = (ur_real)z;
        for (int t = 0; t <= 1; t++) {
            double away = t ? -(double)logit : (double)logit;
            double want = away > 0 ? away + log1p(exp(-away)) : log1p(exp(away));
            double got = ur_scalar(ur_bernoulli_nll(IN(logit), IN((ur_real)t)));
            worst = fmax(worst, fabs(got - want) / want);
        }
    }
    print_message("%d logits, largest relative error %.2g\n", cases, worst);
    assert_true(worst < 1e-6);
    struct leaf l;
    ur_tensor *z = leaf(&l, 1, D(3), (ur_real[]){-1000, 0, 1000});
    ur_tensor *loss = ur_bernoulli_nll_each(z, IN(1, 0.5f, 1));
    ALL(loss, 1000, log(2), 0);
    assert_ok(ur_backward(tape, ur_sum(loss)));
    assert_slopes(&l, (double[]){-1, 0, 0}, 3);
}

/* ---- masks ------------------------------------------------------------- */

static void masked_softmax__leaves_the_rest_at_zero(void **state)
{
    (void)state;
    struct leaf l;
    ur_real x[] = {0.5f, NAN, -1, INFINITY, 2, 3, 4, 5, NAN, NAN, NAN, NAN};
    ur_tensor *t = leaf(&l, 2, D(3, 4), x);
    ur_tensor *mask = ur_copy_in(tape, 2, D(3, 4), (ur_real[]){1, 0, 5, 0, 0, 1, 1, 1, 0, 0, 0, 0});
    ur_tensor *y = ur_masked_softmax(t, mask);
    const ur_real *first = ur_data(ur_softmax(IN(0.5f, -1)));
    const ur_real *second = ur_data(ur_softmax(IN(3, 4, 5)));
    const ur_real want[] = {first[0], 0, first[1], 0, 0, second[0], second[1], second[2], 0, 0, 0,
                            0};
    assert_memory_equal(ur_data(y), want, sizeof want);
    ur_tensor *weights = ur_copy_in(tape, 1, D(4), (ur_real[]){1, 2, 3, 4});
    assert_ok(ur_backward(tape, ur_sum(ur_mul(y, weights))));
    for (int i = 0; i < 12; i++)
        assert_true(want[i] != 0 || l.grad[i] == 0);
    assert_near((double)(first[0] * first[1]) * -2, (double)l.grad[0], 1e-6);
}

/* Whatever stands behind the last key, and however many: the same bits. */
static void softmax_lengths__ignores_padding(void **state)
{
    (void)state;
    enum { B = 3, Q = 2, K = 37 };
    static ur_real x[B * Q * K];
    const int lengths[B] = {37, 20, 0};
    fill(x, COUNT(x), 4, -4, 4);
    ur_tensor *y = ur_softmax_lengths(ur_constant(tape, 3, D(B, Q, K), x), lengths);
    for (int r = 0; r < B * Q; r++) {
        int n = lengths[r / Q];
        const ur_real *row = ur_data(y) + r * K;
        if (n > 0) {
            const ur_real *alone = ur_data(ur_softmax(ur_constant(tape, 1, &n, x + r * K)));
            assert_memory_equal(row, alone, (size_t)n * sizeof *row);
        }
        for (int k = n; k < K; k++)
            assert_true(row[k] == 0);
    }
}

/* ---- order ------------------------------------------------------------- */

static void order__moves_elements(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 3, D(2, 3, 2),
                              (ur_real[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    ur_tensor *y = ur_transpose(x);
    assert_shape(y, 3, D(2, 2, 3));
    ALL(y, 1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12);
    y = ur_permute(x, D(1, 2, 0));
    assert_shape(y, 3, D(3, 2, 2));
    ALL(y, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12);
    ALL(ur_permute(x, D(1, 0, 2)), 1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12);
    ALL(ur_permute(x, D(0, 1, 2)), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    ALL(ur_reverse(x, NULL), 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6);
    ALL(ur_reverse(x, D(1, 2, 0)), 1, 2, 9, 10, 5, 6, 7, 8, 3, 4, 11, 12);
    ALL(ur_reverse(IN(1, 2, 3), NULL), 3, 2, 1);
}

/* ---- failures ---------------------------------------------------------- */

static void poison__names_what_is_wrong(void **state)
{
    (void)state;
    static const ur_real d[120];
#define X ur_constant(tape, 2, D(2, 3), d)
#define Y ur_constant(tape, 2, D(4, 5), d)
#define Z ur_constant(tape, 3, D(3, 4, 5), d)
#define FAILS(status, message, expr)                                          \
    do {                                                                      \
        assert_null(expr);                                                    \
        assert_status(status, ur_tape_status(tape));                          \
        assert_string_equal(ur_errmsg(), message);                            \
        ur_tape_reset(tape);                                                  \
    } while (0)
    FAILS(UR_ESHAPE, "maximum: a is [2,3] but b is [4,5]", ur_maximum(X, Y));
    FAILS(UR_ESHAPE, "where: [2,3], [2,3] and [4,5] do not fit together", ur_where(X, X, Y));
    FAILS(UR_EINVAL, "clamp: 2 to 1 is not a range", ur_clamp(X, 2, 1));
    FAILS(UR_ESHAPE, "max_over: there is no dimension 2 in [2,3]", ur_max_over(X, 2));
    FAILS(UR_ESHAPE, "bmm: a is [2,3] but b is [4,5]", ur_bmm(X, Y));
    FAILS(UR_ESHAPE, "bmm: a is [2,3] but b is [3,4,5]", ur_bmm(X, Z));
    FAILS(UR_ESHAPE, "bmm_t: a is [3] but b is [2,3]", ur_bmm_t(ur_at(X, 0), X));
    FAILS(UR_ESHAPE, "bmm_t: a is [2,4,5] but b is [3,4,5]", ur_bmm_t(ur_slice(Z, 0, 1, 3), Z));
    FAILS(UR_ESHAPE, "layer_norm: x is [2,3] but the gain is [2]",
          ur_layer_norm(X, ur_constant(tape, 1, D(2), d), NULL, 1e-5));
    FAILS(UR_ESHAPE, "layer_norm: x is [2,3] but the bias is [2,3]",
          ur_layer_norm(X, NULL, X, 1e-5));
    FAILS(UR_EINVAL, "layer_norm: epsilon is 0, not in (0,1)", ur_layer_norm(X, NULL, NULL, 0));
    FAILS(UR_ESHAPE, "gaussian_nll: [2,3], [4,5] and [2,3] do not fit together",
          ur_gaussian_nll(X, Y, X));
    FAILS(UR_ESHAPE, "bernoulli_nll: a is [2,3] but b is [4,5]", ur_bernoulli_nll(X, Y));
    FAILS(UR_ESHAPE, "masked_softmax: x is [2,3] but the mask is [4,5]", ur_masked_softmax(X, Y));
    FAILS(UR_ESHAPE, "masked_softmax: x is [1,3] but the mask is [2,3]",
          ur_masked_softmax(ur_slice(X, 0, 0, 1), X));
    FAILS(UR_ESHAPE, "softmax_lengths: sequence 1 has length 4, not 0 to 3",
          ur_softmax_lengths(X, D(3, 4)));
    FAILS(UR_ESHAPE, "softmax_lengths: [3] has no batch, or no lengths",
          ur_softmax_lengths(ur_at(X, 0), D(3)));
    FAILS(UR_ESHAPE, "reverse: sequence 2 has length -1, not 0 to 2", ur_reverse(X, D(1, 2, -1)));
    FAILS(UR_ESHAPE, "reverse: [3] has no batch for the lengths", ur_reverse(ur_at(X, 0), D(3)));
    FAILS(UR_ESHAPE, "transpose: [3] is not a matrix", ur_transpose(ur_at(X, 0)));
    FAILS(UR_ESHAPE, "permute: the order does not name each dimension of [2,3] once",
          ur_permute(X, D(1, 1)));
#undef X
#undef Y
#undef Z
#undef FAILS
}

static void poison__null_is_silent(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 2, D(2, 3), NULL), *none = NULL;
    ur_tensor *got[] = {
        ur_neg(none), ur_square(none), ur_sqrt(none), ur_abs(none), ur_clamp(none, 0, 1),
        ur_maximum(none, x), ur_minimum(x, none), ur_where(none, x, x), ur_where(x, x, none),
        ur_max_over(none, 0), ur_bmm(none, x), ur_bmm_t(x, none),
        ur_layer_norm(none, x, x, 1e-5), ur_squared_error(none, x), ur_absolute_error(x, none),
        ur_gaussian_nll(x, none, x), ur_bernoulli_nll(none, x), ur_masked_softmax(x, none),
        ur_softmax_lengths(none, D(1)), ur_transpose(none), ur_permute(none, D(0)),
        ur_reverse(none, NULL), ur_stop_gradient(none),
    };
    for (size_t i = 0; i < COUNT(got); i++)
        assert_null(got[i]);
    assert_ok(ur_tape_status(tape));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        UNIT(functions__match_formulas),
        UNIT(kinks__have_slope_zero),
        UNIT(choices__broadcast_and_keep_nan),
        UNIT(choices__give_ties_to_the_first),
        UNIT(where__hides_infinite_slopes),
        UNIT(max_over__any_dimension),
        UNIT(stop_gradient__stops_it),
        UNIT(bmm__matches_loops),
        UNIT(layer_norm__matches_the_formula),
        UNIT(losses__match_formulas),
        UNIT(bernoulli__is_accurate_for_any_logit),
        UNIT(masked_softmax__leaves_the_rest_at_zero),
        UNIT(softmax_lengths__ignores_padding),
        UNIT(order__moves_elements),
        UNIT(poison__names_what_is_wrong),
        UNIT(poison__null_is_silent),
    };
#undef UNIT
    return cmocka_run_group_tests(tests, NULL, NULL);
}
