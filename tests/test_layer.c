/* SPDX-License-Identifier: MIT */
/* The parameter store and its initial values, linear and embedding layers, and a cell
 * written on the tape against the fused one. */
#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "unroll/layer.h"

/* ---- parameters -------------------------------------------------------- */

static void params__names_are_unique_and_sizes_checked(void **unused)
{
    (void)unused;
    ur_params *p;
    int dim[2] = {3, 4}, zero[2] = {3, 0}, huge[2] = {1 << 30, 1 << 30};
    const ur_param *view;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "a.weight", 2, dim, (ur_start){UR_INIT_UNIFORM, 0.5}, &view));
    assert_status(UR_EINVAL, ur_params_add(p, "a.weight", 2, dim,
                                           (ur_start){UR_INIT_UNIFORM, 0.5}, NULL));
    assert_non_null(strstr(ur_errmsg(), "a.weight"));
    assert_status(UR_EINVAL, ur_params_add(p, "b", 2, zero, (ur_start){UR_INIT_UNIFORM, 0.5},
                                           NULL));
    assert_status(UR_EINVAL, ur_params_add(p, "b", 2, huge, (ur_start){UR_INIT_UNIFORM, 0.5},
                                           NULL));
    assert_status(UR_EINVAL, ur_params_add(p, "b", 6, dim, (ur_start){UR_INIT_UNIFORM, 0.5}, NULL));
    assert_status(UR_EINVAL, ur_params_add(p, "b", 2, dim, (ur_start){UR_INIT_ORTHOGONAL, 1},
                                           NULL));
    assert_null(ur_param_data(p, view));
    assert_ok(ur_params_build(p, 1));
    assert_status(UR_EINVAL, ur_params_add(p, "c", 2, dim, (ur_start){UR_INIT_UNIFORM, 0.5}, NULL));
    assert_int_equal(ur_params_count(p), 1);
    assert_ptr_equal(ur_params_find(p, "a.weight"), view);
    assert_null(ur_params_find(p, "a"));
    assert_null(ur_params_at(p, 1));
    ur_params_free(p);
}

static void params__views_lie_in_flat_buffers(void **unused)
{
    (void)unused;
    ur_params *p;
    const ur_param *a, *b, *buffer;
    int three = 3, five = 5;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "a", 1, &three, (ur_start){UR_INIT_CONSTANT, 2}, &a));
    assert_ok(ur_params_add_buffer(p, "mean", 1, &five, 7, &buffer));
    assert_ok(ur_params_add(p, "b", 1, &five, (ur_start){UR_INIT_NORMAL, 1}, &b));
    assert_ok(ur_params_build(p, 1));
    assert_int_equal(ur_params_size(p), 8);
    assert_ptr_equal(ur_param_data(p, a), ur_params_values(p));
    assert_ptr_equal(ur_param_data(p, b), ur_params_values(p) + 3);
    assert_true(ur_param_data(p, a)[2] == 2 && ur_param_data(p, buffer)[4] == 7);
    assert_false(buffer->trained);
    ur_params_free(p);
}

static void build(ur_params **p, const ur_param **view, int rows, int columns, ur_init init,
                  double scale, uint64_t seed)
{
    int dim[2] = {rows, columns};
    assert_ok(ur_params_new(p));
    assert_ok(ur_params_add(*p, "w", 2, dim, (ur_start){init, scale}, view));
    assert_ok(ur_params_build(*p, seed));
}

static void init__is_a_function_of_the_seed(void **unused)
{
    (void)unused;
    for (int init = UR_INIT_UNIFORM; init <= UR_INIT_ORTHOGONAL; init++) {
        ur_params *p[3];
        const ur_param *w;
        for (int i = 0; i < 3; i++)
            build(&p[i], &w, 24, 12, (ur_init)init, 1, i == 2 ? 6 : 5);
        size_t bytes = w->size * sizeof(float);
        assert_memory_equal(ur_params_values(p[0]), ur_params_values(p[1]), bytes);
        assert_memory_not_equal(ur_params_values(p[0]), ur_params_values(p[2]), bytes);
        for (int i = 0; i < 3; i++)
            ur_params_free(p[i]);
    }
}

static void init__uniform_and_normal_have_their_moments(void **unused)
{
    (void)unused;
    ur_params *p;
    const ur_param *w;
    double mean, variance;
    build(&p, &w, 200, 300, UR_INIT_UNIFORM, 0.25, 9);
    ur_moments(w->size, ur_params_values(p), &mean, &variance);
    assert_true(fabs(mean) < 0.002 && fabs(variance - 0.25 * 0.25 / 3) < 3e-4);
    for (size_t i = 0; i < w->size; i++)
        assert_true(fabsf(ur_params_values(p)[i]) <= 0.25f);
    ur_params_free(p);
    build(&p, &w, 200, 300, UR_INIT_NORMAL, 2, 9);
    ur_moments(w->size, ur_params_values(p), &mean, &variance);
    assert_true(fabs(mean) < 0.03 && fabs(variance - 4) < 0.08);
    ur_params_free(p);
}

static void init__orthogonal_blocks_are_orthogonal(void **unused)
{
    (void)unused;
    enum { N = 33 };
    ur_params *p;
    const ur_param *w;
    build(&p, &w, 3 * N, N, UR_INIT_ORTHOGONAL, 1, 2);
    for (int block = 0; block < 3; block++) {
        const float *q = ur_params_values(p) + block * N * N;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double dot = 0;
                for (int k = 0; k < N; k++)
                    dot += (double)q[i * N + k] * (double)q[j * N + k];
                assert_true(fabs(dot - (i == j)) < 1e-5);
            }
    }
    ur_params_free(p);
}

static void init__forget_bias_is_added_to_the_f_part(void **unused)
{
    (void)unused;
    int hidden = 5;
    const float *bias[2];
    ur_params *p[2];
    ur_rnn *rnn[2];
    for (int i = 0; i < 2; i++) {
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        o.input = 3;
        o.hidden[0] = hidden;
        o.forget_bias = i;
        assert_ok(ur_params_new(&p[i]));
        assert_ok(ur_rnn_new(&rnn[i], p[i], "rnn", &o));
        assert_ok(ur_params_build(p[i], 4));
        bias[i] = ur_param_data(p[i], ur_params_find(p[i], "rnn.bias_ih_l0"));
    }
    for (int j = 0; j < 20; j++)
        assert_true(bias[1][j] == (j >= 5 && j < 10 ? bias[0][j] + 1 : bias[0][j]));
    for (int i = 0; i < 2; i++) {
        ur_rnn_free(rnn[i]);
        ur_params_free(p[i]);
    }
}

/* ---- layers ------------------------------------------------------------ */

static void linear__computes_and_shares_a_tied_weight(void **unused)
{
    (void)unused;
    ur_params *p;
    ur_tape *tape;
    ur_embedding e;
    ur_linear_layer out;
    int32_t id[2] = {2, 0};
    assert_ok(ur_params_new(&p));
    assert_ok(ur_embedding_init(&e, p, "embed", 3, 4));
    assert_ok(ur_linear_init_tied(&out, p, "decoder", e.weight, true));
    assert_ok(ur_params_build(p, 8));
    assert_int_equal(ur_params_count(p), 2);
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *x = ur_embed(tape, &e, (ur_ids){id, 2, 1});
    ur_tensor *y = ur_linear(tape, &out, x);
    assert_ok(ur_tape_status(tape));
    assert_int_equal(ur_dim(y, 2), 3);
    const float *w = ur_param_data(p, e.weight), *b = ur_param_data(p, out.bias);
    for (int t = 0; t < 2; t++)
        for (int o = 0; o < 3; o++) {
            double sum = (double)b[o];
            for (int i = 0; i < 4; i++)
                sum += (double)w[id[t] * 4 + i] * (double)w[o * 4 + i];
            assert_true(fabs(sum - (double)ur_data(y)[t * 3 + o]) < 1e-5);
        }
    assert_null(ur_linear(tape, &out, ur_reshape(x, 1, (int[]){8})));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    assert_non_null(strstr(ur_errmsg(), "expects 4"));
    ur_tape_free(tape);
    ur_params_free(p);
}

/* ---- a cell on the tape ------------------------------------------------ */

struct lstm {
    ur_linear_layer x, h;
    int H;
};

static ur_tensor *lstm_cell(const ur_step *step, void *params, ur_tensor *x,
                            ur_tensor *const *in, ur_tensor **out)
{
    ur_tape *tape = step->tape;
    const struct lstm *c = params;
    int H = c->H;
    ur_tensor *a = ur_add(ur_linear(tape, &c->x, x), ur_linear(tape, &c->h, in[0]));
    ur_tensor *i = ur_sigmoid(ur_slice(a, 1, 0, H)), *f = ur_sigmoid(ur_slice(a, 1, H, 2 * H));
    ur_tensor *g = ur_tanh(ur_slice(a, 1, 2 * H, 3 * H));
    ur_tensor *o = ur_sigmoid(ur_slice(a, 1, 3 * H, 4 * H));
    out[1] = ur_add(ur_mul(f, in[1]), ur_mul(i, g));
    return out[0] = ur_mul(o, ur_tanh(out[1]));
}

enum { T = 20, B = 3, I = 5, H = 11 };

/* The fused net's parameters seen as two linear layers. */
static void borrow(struct lstm *c, ur_params *p)
{
    c->H = H;
    c->x = (ur_linear_layer){p, ur_params_find(p, "rnn.weight_ih_l0"),
                             ur_params_find(p, "rnn.bias_ih_l0"), I, 4 * H, NULL};
    c->h = (ur_linear_layer){p, ur_params_find(p, "rnn.weight_hh_l0"),
                             ur_params_find(p, "rnn.bias_hh_l0"), H, 4 * H, NULL};
}

static void unroll__agrees_with_the_fused_lstm(void **unused)
{
    (void)unused;
    static float x[T * B * I], fused[5000], y_fused[T * B * H];
    ur_params *p;
    ur_rnn *rnn;
    ur_tape *tape;
    struct lstm c;
    int hidden = H, dim[3] = {T, B, I}, hdim[2] = {B, H};
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = I;
    o.hidden[0] = hidden;
    for (int i = 0; i < T * B * I; i++)
        x[i] = (float)(2 * ur_random_uniform(1, 5, 2, (uint32_t)i) - 1);
    assert_ok(ur_params_new(&p));
    assert_ok(ur_rnn_new(&rnn, p, "rnn", &o));
    assert_ok(ur_params_build(p, 4));
    assert_ok(ur_rnn_prepare(rnn));
    assert_ok(ur_tape_new(&tape, NULL));
    borrow(&c, p);
    ur_tensor *y = ur_rnn_forward(tape, rnn, ur_constant(tape, 3, dim, x), NULL, NULL);
    assert_ok(ur_backward(tape, ur_mean(ur_mul(y, y))));
    size_t n = ur_params_size(p);
    assert_true(n <= 5000);
    memcpy(fused, ur_params_grads(p), n * sizeof(float));
    memcpy(y_fused, ur_data(y), sizeof y_fused);
    ur_tape_reset(tape);
    ur_params_zero_grads(p);
    ur_tensor *state[2] = {ur_copy_in(tape, 2, hdim, NULL), ur_copy_in(tape, 2, hdim, NULL)};
    y = ur_unroll(tape, lstm_cell, &c, ur_constant(tape, 3, dim, x), 2, state);
    assert_ok(ur_backward(tape, ur_mean(ur_mul(y, y))));
    for (int i = 0; i < T * B * H; i++)
        assert_true(fabsf(ur_data(y)[i] - y_fused[i]) < 1e-5f);
    for (size_t i = 0; i < n; i++)
        assert_true(fabsf(ur_params_grads(p)[i] - fused[i]) < 1e-5f);
    assert_memory_equal(ur_data(state[0]), ur_data(y) + (T - 1) * B * H, B * H * sizeof(float));
    ur_tape_free(tape);
    ur_rnn_free(rnn);
    ur_params_free(p);
}

static ur_tensor *bad_cell(const ur_step *step, void *params, ur_tensor *x, ur_tensor *const *in,
                           ur_tensor **out)
{
    (void)step, (void)params, (void)in, (void)out;
    return x;
}

static void unroll__names_a_cell_that_forgets_its_state(void **unused)
{
    (void)unused;
    ur_tape *tape;
    int dim[2] = {4, 2};
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *x = ur_copy_in(tape, 2, dim, NULL), *state = x;
    assert_null(ur_unroll(tape, bad_cell, NULL, x, 1, &state));
    assert_status(UR_EINVAL, ur_tape_status(tape));
    assert_non_null(strstr(ur_errmsg(), "state 0 at step 0"));
    ur_tape_free(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params__names_are_unique_and_sizes_checked),
        cmocka_unit_test(params__views_lie_in_flat_buffers),
        cmocka_unit_test(init__is_a_function_of_the_seed),
        cmocka_unit_test(init__uniform_and_normal_have_their_moments),
        cmocka_unit_test(init__orthogonal_blocks_are_orthogonal),
        cmocka_unit_test(init__forget_bias_is_added_to_the_f_part),
        cmocka_unit_test(linear__computes_and_shares_a_tied_weight),
        cmocka_unit_test(unroll__agrees_with_the_fused_lstm),
        cmocka_unit_test(unroll__names_a_cell_that_forgets_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
