/* SPDX-License-Identifier: MIT */
/*
 * Whole rounds of a net with attention heads, which uses the operations that
 * test_tape_round.c does not: neither team, instruction set nor the caller's rounding
 * changes a bit, memory is reused, and failed allocations are survived.
 */
#include "test_tape.h"

#include "kernel/select.h"

#include <fenv.h>
#include <math.h>

enum { T = 24, BATCH = 6, H = 72, HEADS = 3, SIZE = T * BATCH * H + 3 * H * H + 5 * H };

static ur_tensor *leaf_at(ur_tape *t, const ur_real *data, ur_real *grad, size_t *at, int rank,
                          const int *dim)
{
    ur_tensor *x = ur_variable(t, rank, dim, data + *at, grad + *at);
    *at += ur_size(x);
    assert_true(*at <= SIZE);
    return x;
}

/* Multi-head attention over its own reversed keys, then every other operation. */
static ur_tensor *net_loss(ur_tape *t, const ur_real *data, ur_real *grad)
{
    static const int lengths[BATCH] = {24, 1, 0, 17, 9, 24};
    const int split[] = {T, BATCH, HEADS, H / HEADS}, heads[] = {1, 2, 0, 3};
    size_t at = 0;
    memset(grad, 0, SIZE * sizeof *grad);
#define LEAF(rank, ...) leaf_at(t, data, grad, &at, rank, D(__VA_ARGS__))
    ur_tensor *x = LEAF(3, T, BATCH, H), *wq = LEAF(2, H, H), *wk = LEAF(2, H, H);
    ur_tensor *wv = LEAF(3, 1, H, H), *gain = LEAF(1, H), *bias = LEAF(1, H);
    ur_tensor *low = LEAF(1, H), *scale = LEAF(2, 1, H), *away = LEAF(1, H);
#undef LEAF
    x = ur_layer_norm(x, gain, bias, 1e-5);
    ur_tensor *q = ur_permute(ur_reshape(ur_matmul_t(x, wq), 4, split), heads);
    ur_tensor *k = ur_reshape(ur_matmul_t(ur_reverse(x, lengths), wk), 4, split);
    ur_tensor *v = ur_permute(ur_reshape(ur_bmm(x, wv), 4, split), heads);
    ur_tensor *scores = ur_affine(ur_bmm_t(q, ur_permute(k, heads)), 0.2, 0);
    ur_tensor *w = ur_softmax_lengths(scores, lengths);
    ur_tensor *causal = ur_where(ur_relu(ur_sub(scores, ur_transpose(scores))), scores, w);
    w = ur_add(w, ur_masked_softmax(causal, ur_relu(scores)));
    ur_tensor *y = ur_permute(ur_bmm(w, v), D(2, 0, 1, 3));
    y = ur_add(x, ur_reshape(y, 3, D(T, BATCH, H)));
    y = ur_maximum(ur_minimum(y, ur_affine(ur_abs(low), 1, 2)), ur_neg(ur_square(away)));
    y = ur_mul(ur_clamp(y, -1.5, 1.5), scale);
    ur_tensor *top = ur_max_over(y, 0), *still = ur_stop_gradient(ur_mean_over(y, 0));
    ur_tensor *target = ur_sigmoid(ur_stop_gradient(ur_tanh(x)));
    ur_tensor *loss = ur_add(ur_squared_error(top, still), ur_absolute_error(y, target));
    loss = ur_add(loss, ur_gaussian_nll(y, low, target));
    loss = ur_add(loss, ur_bernoulli_nll(ur_add(y, away), target));
    return ur_add(loss, ur_mean(ur_sqrt(ur_affine(ur_square(y), 1, 0.1))));
}

static void bits__same_for_any_team_and_table(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7};
    static ur_real data[SIZE], grad[SIZE], want[SIZE];
    ur_real loss_want = 0;
    int runs = 0;
    fill(data, SIZE, 7, -0.5, 0.5);
    const struct ur__kernel *const *k = ur__kernels_available();
    for (int table = 0; k[table]; table++) {
        ur__kernel_force(k[table]);
        for (size_t s = 0; s < COUNT(sizes); s++, runs++) {
            ur_team *team;
            ur_tape *other;
            assert_ok(ur_team_new(&team, sizes[s]));
            assert_ok(ur_tape_new(&other, team));
            ur_tensor *loss = net_loss(other, data, grad);
            assert_ok(ur_backward(other, loss));
            assert_true(isfinite(ur_scalar(loss)));
            if (runs == 0) {
                memcpy(want, grad, sizeof want);
                loss_want = *ur_data(loss);
            }
            assert_memory_equal(&loss_want, ur_data(loss), sizeof loss_want);
            assert_memory_equal(want, grad, sizeof want);
            ur_tape_free(other);
            ur_team_free(team);
        }
    }
    ur__kernel_force(NULL);
    double largest = 0;
    for (size_t i = 0; i < SIZE; i++) {
        assert_true(isfinite(want[i]));
        largest = fmax(largest, fabs((double)want[i]));
    }
    assert_true(largest > 1e-3);
    print_message("%d runs, the same bits\n", runs);
}

/* Large products come one after another, each on the whole team; those that share a matrix
 * add up in order. */
static void bmm__of_large_products_on_any_team(void **state)
{
    (void)state;
    enum { N = 96, A = 2 * N * N, B = 3 * 2 * N * N };
    static const int sizes[] = {1, 2, 3, 7};
    static ur_real data[A + B], grad[A + B], want[A + B], y_want[B];
    fill(data, A + B, 3, -1, 1);
    for (size_t s = 0; s < COUNT(sizes); s++) {
        ur_team *team;
        ur_tape *t;
        assert_ok(ur_team_new(&team, sizes[s]));
        assert_ok(ur_tape_new(&t, team));
        memset(grad, 0, sizeof grad);
        ur_tensor *a = ur_variable(t, 3, D(2, N, N), data, grad);
        ur_tensor *b = ur_variable(t, 4, D(3, 2, N, N), data + A, grad + A);
        ur_tensor *y = ur_bmm_t(a, b);
        assert_ok(ur_backward(t, ur_sum(ur_square(y))));
        if (s == 0) {
            memcpy(want, grad, sizeof want);
            memcpy(y_want, ur_data(y), sizeof y_want);
        }
        assert_memory_equal(y_want, ur_data(y), sizeof y_want);
        assert_memory_equal(want, grad, sizeof want);
        ur_tape_free(t);
        ur_team_free(team);
    }
    assert_true(want[0] != 0 && want[A] != 0);
}

/* Neither the caller's rounding mode nor a second round on the same memory matters. */
static void rounds__repeat_in_the_same_memory(void **state)
{
    (void)state;
    static ur_real data[SIZE], grad[SIZE], want[SIZE];
    long allocations = 0;
    fill(data, SIZE, 7, -0.5, 0.5);
    for (int round = 0; round < 3; round++) {
        fesetround(round ? FE_UPWARD : FE_TONEAREST);
        ur_tape_reset(tape);
        ur_status status = ur_backward(tape, net_loss(tape, data, grad));
        fesetround(FE_TONEAREST);
        assert_ok(status);
        if (round == 0) {
            memcpy(want, grad, sizeof want);
            ur_tape_reset(tape);
            allocations = ur__mem_allocations();
        }
        assert_memory_equal(want, grad, sizeof want);
    }
    assert_int_equal(ur__mem_allocations(), allocations);
}

static void memory__that_ends_anywhere_is_survived(void **state)
{
    (void)state;
    static ur_real data[SIZE], grad[SIZE];
    fill(data, SIZE, 7, -0.5, 0.5);
    long at = 1, blocks = ur__mem_blocks();
    for (ur_status status = UR_ENOMEM; status == UR_ENOMEM; at++) {
        ur_tape *t = NULL;
        ur__mem_fail_at(at, true);
        status = ur_tape_new(&t, NULL);
        if (status == UR_OK)
            status = ur_backward(t, net_loss(t, data, grad));
        ur__mem_fail_at(0, false);
        ur_tape_free(t);
        assert_int_equal(ur__mem_blocks(), blocks);
        if (status != UR_ENOMEM)
            assert_ok(status);
    }
    assert_in_range(at, 5, 200);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        UNIT(bits__same_for_any_team_and_table),
        UNIT(bmm__of_large_products_on_any_team),
        UNIT(rounds__repeat_in_the_same_memory),
        UNIT(memory__that_ends_anywhere_is_survived),
    };
#undef UNIT
    return cmocka_run_group_tests(tests, NULL, NULL);
}
