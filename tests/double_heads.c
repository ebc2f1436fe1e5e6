/* SPDX-License-Identifier: MIT */
/* What stands above a recurrent net in tasks of labels, in double: pooling, class weights and
 * smoothed labels, and the CRF as a layer. */
#include "testing.h"

#include <math.h>

#include "unroll/layer.h"

enum { T = 4, B = 3, E = 2 };
static const int lengths[B] = {2, 4, 0};
static const int dim[] = {T, B, E};

/* h[t,b,e] = 100b + 10t + e + 1, but falls with t in the second number; NaN in padding. */
static void fill(ur_real *h)
{
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++)
            for (int e = 0; e < E; e++)
                h[(t * B + b) * E + e] = t < lengths[b] ? 100 * b + (e ? -10 : 10) * t + e + 1
                                                        : (ur_real)NAN;
}

static void expect(ur_pooling kind, int directions, const int *of, const double *expected)
{
    ur_real h[T * B * E], dh[T * B * E] = {0};
    ur_params *params;
    ur_pool_layer pool;
    ur_tape *tape;
    ur_tensor *weights;
    fill(h);
    for (int i = 0; i < T * B * E && !of; i++)
        h[i] = isnan(h[i]) ? 7 : h[i];
    assert_ok(ur_params_new(&params));
    assert_ok(ur_pool_init(&pool, params, "pool", kind, E, directions));
    assert_int_equal(ur_params_count(params), 0);
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *y = ur_pool(tape, &pool, ur_variable(tape, 3, dim, h, dh), of, &weights);
    assert_ok(ur_backward(tape, ur_sum(y)));
    assert_null(weights);
    assert_int_equal(ur_size(y), B * E);
    for (int i = 0; i < B * E; i++)
        assert_true(fabs(ur_data(y)[i] - expected[i]) < 1e-12);
    for (int i = 0; i < T * B * E && of; i++)   /* nothing flows into padding */
        assert_true(i / E / B < of[i / E % B] || dh[i] == 0);
    ur_tape_free(tape);
    ur_params_free(params);
}

static void pool__takes_what_it_says(void **state)
{
    (void)state;
    expect(UR_POOL_LAST, 1, lengths, (double[]){11, -8, 131, 72, 0, 0});
    expect(UR_POOL_LAST, 2, lengths, (double[]){11, 2, 131, 102, 0, 0});
    expect(UR_POOL_MEAN, 1, lengths, (double[]){6, -3, 116, 87, 0, 0});
    expect(UR_POOL_MAX, 1, lengths, (double[]){11, 2, 131, 102, 0, 0});
    expect(UR_POOL_LAST, 1, NULL, (double[]){7, 7, 131, 72, 7, 7});
    expect(UR_POOL_MEAN, 2, NULL, (double[]){6.5, 2, 116, 87, 7, 7});
    expect(UR_POOL_MAX, 1, NULL, (double[]){11, 7, 131, 102, 7, 7});
}

/* Its weights are a softmax of the living steps' scores, and the mean goes by them. */
static void pool__attention_weighs_living_steps(void **state)
{
    (void)state;
    ur_real h[T * B * E];
    ur_params *params;
    ur_pool_layer pool;
    ur_tape *tape;
    ur_tensor *weights;
    fill(h);
    assert_ok(ur_params_new(&params));
    assert_ok(ur_pool_init(&pool, params, "pool", UR_POOL_ATTENTION, E, 2));
    assert_ok(ur_params_build(params, 5));
    assert_int_equal(ur_params_count(params), 3);
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *y = ur_pool(tape, &pool, ur_constant(tape, 3, dim, h), lengths, &weights);
    assert_ok(ur_backward(tape, ur_sum(y)));
    const ur_real *w = ur_param_data(params, pool.hidden.weight);
    const ur_real *b = ur_param_data(params, pool.hidden.bias);
    const ur_real *v = ur_param_data(params, pool.score.weight);
    for (int s = 0; s < B; s++) {
        double score[T], sum = 0, mean[E] = {0};
        for (int t = 0; t < lengths[s]; t++) {
            const ur_real *x = h + (t * B + s) * E;
            score[t] = v[0] * tanh(w[0] * x[0] + w[1] * x[1] + b[0]) +
                       v[1] * tanh(w[2] * x[0] + w[3] * x[1] + b[1]);
            sum += exp(score[t]);
        }
        for (int t = 0; t < T; t++) {
            double share = t < lengths[s] ? exp(score[t]) / sum : 0;
            assert_true(fabs(ur_data(weights)[s * T + t] - share) < 1e-12);
            for (int e = 0; e < E && share > 0; e++)
                mean[e] += share * h[(t * B + s) * E + e];
        }
        for (int e = 0; e < E; e++)
            assert_true(fabs(ur_data(y)[s * E + e] - mean[e]) < 1e-10);
    }
    for (size_t i = 0; i < ur_params_size(params); i++)
        assert_true(isfinite(ur_params_grads(params)[i]));
    ur_tape_free(tape);
    ur_params_free(params);
}

struct case_of {
    ur_pool_layer pool;
    const int *lengths;
};

static ur_tensor *pooled(ur_tape *tape, ur_tensor *const *x, void *user)
{
    const struct case_of *c = user;
    return ur_sum(ur_square(ur_pool(tape, &c->pool, x[0], c->lengths, NULL)));
}

static void pool__gradients(void **state)
{
    (void)state;
    double most = 0;
    for (int kind = UR_POOL_LAST; kind <= UR_POOL_ATTENTION; kind++)
        for (int d = 1; d <= 2; d++)
            for (int ragged = 0; ragged < 2; ragged++) {
                ur_params *params;
                struct case_of c = {.lengths = ragged ? lengths : NULL};
                ur_real h[T * B * E];
                const int rank = 3, *const dims = dim;
                ur_real *const data = h;
                ur_check_inputs inputs;
                double worst;
                for (int i = 0; i < T * B * E; i++)
                    h[i] = 2 * ur_random_uniform(3, 1, 0, (uint32_t)i) - 1;
                assert_ok(ur_params_new(&params));
                assert_ok(ur_pool_init(&c.pool, params, "pool", (ur_pooling)kind, E, d));
                assert_ok(ur_params_build(params, 5));
                ur_check_inputs_init(&inputs);
                inputs.n = 1;
                inputs.rank = &rank;
                inputs.dim = &dims;
                inputs.data = &data;
                assert_ok(ur_check_gradients(&worst, pooled, &c, &inputs));
                most = fmax(most, worst);
                ur_params_free(params);
            }
    print_message("pooling: gradients off by %.1e\n", most);
    assert_true(most < 1e-7);
}

static double entropy(const ur_real *logits, ur_ids targets, const ur_real *weights,
                      double smoothing)
{
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    const int shape[] = {targets.T, 2};
    ur_tensor *x = ur_constant(tape, 2, shape, logits);
    double plain = ur_scalar(ur_cross_entropy(tape, x, targets));
    double got = ur_scalar(ur_weighted_cross_entropy(tape, x, targets, weights, smoothing));
    if (!weights && smoothing == 0)
        assert_true(fabs(plain - got) < 1e-15);
    ur_tape_free(tape);
    return got;
}

static void cross_entropy__weighs_and_smooths(void **state)
{
    (void)state;
    const int32_t id[] = {0, 1, -1};
    const ur_ids targets = {id, 3, 1}, none = {id + 2, 1, 1};
    const ur_real even[6] = {0}, sure[] = {2, 0, 2, 0, 9, 9}, weights[] = {1, 3}, nothing[2] = {0};
    double a = log(1 + exp(-2)), b = log(1 + exp(2));    /* −log p of the classes of `sure` */
    assert_true(fabs(entropy(sure, targets, NULL, 0) - (a + b) / 2) < 1e-12);
    assert_true(fabs(entropy(even, targets, weights, 0.2) - log(2)) < 1e-12);
    assert_true(fabs(entropy(sure, targets, weights, 0) - (a + 3 * b) / 4) < 1e-12);
    assert_true(fabs(entropy(sure, targets, NULL, 0.2) - (a + b) / 2) < 1e-12);
    double soft = 0.1 * (a + 3 * b);
    assert_true(fabs(entropy(sure, targets, weights, 0.2) - (0.8 * (a + 3 * b) + 2 * soft) / 4) <
                1e-12);
    assert_true(entropy(sure, none, weights, 0.2) == 0);
    assert_true(entropy(sure, targets, nothing, 0.2) == 0);
}

static void heads__refuse_what_does_not_fit(void **state)
{
    (void)state;
    ur_real x[T * B * E] = {0}, bad[] = {1, -1};
    const int32_t id[2] = {0, 1};
    const int one[] = {2, 2};
    ur_params *params;
    ur_pool_layer pool;
    ur_crf_layer crf;
    ur_tape *tape;
    assert_ok(ur_params_new(&params));
    assert_int_equal(ur_pool_init(&pool, params, "p", UR_POOL_LAST, 3, 2), UR_EINVAL);
    assert_int_equal(ur_pool_init(&pool, params, "p", (ur_pooling)9, 2, 1), UR_EINVAL);
    assert_int_equal(ur_crf_init(&crf, params, "crf", 0), UR_EINVAL);
    assert_ok(ur_pool_init(&pool, params, "p", UR_POOL_MAX, 2, 1));
    assert_ok(ur_tape_new(&tape, NULL));
    assert_null(ur_pool(tape, &pool, ur_constant(tape, 2, one, x), NULL, NULL));
    assert_string_equal(ur_errmsg(), "pool: states are [2,2], not [T,B,2]");
    ur_tape_reset(tape);
    assert_null(ur_pool(tape, &pool, ur_constant(tape, 3, dim, x), (int[]){1, 5, 0}, NULL));
    assert_string_equal(ur_errmsg(), "pool: sequence 1 has length 5, not 0 to 4");
    ur_tape_reset(tape);
    assert_null(ur_weighted_cross_entropy(tape, ur_constant(tape, 2, one, x), (ur_ids){id, 2, 1},
                                          bad, 0));
    assert_string_equal(ur_errmsg(), "cross_entropy: the weight of class 1 is -1");
    ur_tape_reset(tape);
    assert_null(ur_weighted_cross_entropy(tape, ur_constant(tape, 2, one, x), (ur_ids){id, 2, 1},
                                          NULL, 1));
    assert_string_equal(ur_errmsg(), "cross_entropy: smoothing 1 is outside [0,1)");
    ur_tape_free(tape);
    ur_params_free(params);
}

/* A CRF alone learns that labels alternate, which no step says. */
static void crf__learns_what_follows_what(void **state)
{
    (void)state;
    enum { STEPS = 6 };
    const ur_real scores[STEPS * 2] = {1, 0};
    const int32_t labels[STEPS] = {0, 1, 0, 1, 0, 1};
    const int shape[] = {STEPS, 1, 2};
    int32_t found[STEPS];
    ur_params *params;
    ur_crf_layer crf;
    ur_tape *tape;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_crf_init(&crf, params, "crf", 2));
    assert_ok(ur_params_build(params, 1));
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < 100; i++) {
        ur_params_zero_grads(params);
        ur_tensor *x = ur_constant(tape, 3, shape, scores);
        assert_ok(ur_backward(tape, ur_crf(tape, &crf, x, (ur_ids){labels, STEPS, 1}, NULL)));
        for (size_t j = 0; j < ur_params_size(params); j++)
            ur_params_values(params)[j] -= ur_params_grads(params)[j];
        ur_tape_reset(tape);
    }
    const ur_chain chain = {.size = sizeof chain, .T = STEPS, .B = 1, .K = 2, .scores = scores};
    assert_ok(ur_crf_decode(&crf, &chain, found, NULL));
    assert_memory_equal(found, labels, sizeof found);
    ur_tape_free(tape);
    ur_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool__takes_what_it_says),
        cmocka_unit_test(pool__attention_weighs_living_steps),
        cmocka_unit_test(pool__gradients),
        cmocka_unit_test(cross_entropy__weighs_and_smooths),
        cmocka_unit_test(heads__refuse_what_does_not_fit),
        cmocka_unit_test(crf__learns_what_follows_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
