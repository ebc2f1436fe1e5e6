/* SPDX-License-Identifier: MIT */
/*
 * Whole rounds on a tape, by a net that uses every operation: the promise that
 * results depend on neither the team, the instruction set nor the caller's rounding
 * mode, reuse of memory, failed allocations, large tensors.
 */
#include "test_tape.h"

#include "kernel/select.h"

#include <fenv.h>
#include <math.h>

/* ---- a whole round ----------------------------------------------------- */

/* A net that uses every operation. */
struct net {
    int T, B, H, V;
    ur_real *data, *grad;       /* [size], parameters one after another */
    size_t size, taken;
    int32_t *id, *target;       /* [T,B] */
};

static void net_new(struct net *n, int T, int B, int H, int V)
{
    size_t h = (size_t)H, v = (size_t)V;
    *n = (struct net){.T = T, .B = B, .H = H, .V = V, .size = v * h + h * h + 4 * h + v * h + v};
    n->data = malloc(n->size * sizeof *n->data);
    n->grad = malloc(n->size * sizeof *n->grad);
    n->id = malloc((size_t)(T * B) * sizeof *n->id);
    n->target = malloc((size_t)(T * B) * sizeof *n->target);
    assert_true(n->data && n->grad && n->id && n->target);
    fill(n->data, n->size, 7, -0.5, 0.5);
    for (int i = 0; i < T * B; i++) {
        n->id[i] = i % 11 == 3 ? 0 : (i * 7 + i / 5) % V;
        n->target[i] = i % 7 == 0 ? -1 : i % V;
    }
}

static void net_free(struct net *n)
{
    free(n->data);
    free(n->grad);
    free(n->id);
    free(n->target);
}

static ur_tensor *parameter(ur_tape *t, struct net *n, int rank, const int *dim)
{
    size_t at = n->taken, size = (size_t)dim[0] * (size_t)(rank > 1 ? dim[1] : 1);
    n->taken += size;
    return ur_variable(t, rank, dim, n->data + at, n->grad + at);
}

static ur_tensor *net_loss(ur_tape *t, struct net *n)
{
    int T = n->T, B = n->B, H = n->H;
    ur_ids ids = {n->id, T, B};
    n->taken = 0;
    memset(n->grad, 0, n->size * sizeof *n->grad);
    ur_tensor *embed = parameter(t, n, 2, D(n->V, H));
    ur_tensor *w = parameter(t, n, 2, D(H, H));
    ur_tensor *bias = parameter(t, n, 1, D(H)), *gain = parameter(t, n, 1, D(H));
    ur_tensor *skew = parameter(t, n, 2, D(H, 1)), *way = parameter(t, n, 2, D(1, H));
    ur_tensor *out = parameter(t, n, 2, D(n->V, H)), *shift = parameter(t, n, 1, D(n->V));

    ur_tensor *x = ur_dropout(ur_gather(t, embed, ids), 0.2);
    ur_tensor *h = ur_tanh(ur_add(ur_matmul(x, ur_add(w, ur_mul(skew, way))), bias));
    ur_tensor *left = ur_sigmoid(ur_slice(h, 2, 0, H / 2));
    ur_tensor *right = ur_relu(ur_slice(h, 2, H / 2, H));
    h = ur_add(h, ur_mul(ur_concat(t, 2, (ur_tensor *[]){left, right}, 2), gain));
    ur_tensor *last = ur_satlin(ur_sub(ur_at(h, T - 1), ur_mean_over(h, 0)));
    ur_tensor *pair = ur_stack(t, 2, (ur_tensor *[]){last, ur_at(h, 0)});
    h = ur_add(h, ur_sum_over(pair, 0));
    h = ur_div(h, ur_affine(ur_exp(ur_mean_over(ur_mul(h, h), 0)), 1, 1));
    ur_tensor *y = ur_add(ur_matmul_t(h, out), shift);
    ur_tensor *p = ur_mul(ur_softmax(y), ur_log_softmax(y));
    ur_tensor *doubt = ur_log(ur_affine(ur_mean(ur_reshape(p, 1, D(-1))), -1, 1));
    ur_tensor *wide = ur_mul(y, ur_mean(y));
    ur_tensor *loss = ur_cross_entropy(t, wide, (ur_ids){n->target, T, B});
    return ur_sum(ur_add(loss, ur_affine(doubt, 0.1, 0)));
}

static void round__allocates_nothing_after_the_first(void **state)
{
    (void)state;
    struct net big, small;
    net_new(&big, 9, 8, 64, 50);
    net_new(&small, 3, 2, 16, 20);
    ur_tape_set_training(tape, true, 1, 1);
    long before = 0;
    for (int round = 0; round < 6; round++) {
        assert_ok(ur_backward(tape, net_loss(tape, round % 2 ? &small : &big)));
        ur_tape_reset(tape);
        if (round == 0)
            before = ur__mem_allocations();
    }
    assert_int_equal(ur__mem_allocations(), before);
    net_free(&big);
    net_free(&small);
}

static void round__same_bits_for_any_team_and_table(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7};
    struct net n;
    net_new(&n, 10, 8, 256, 210);
    ur_real *want = malloc(n.size * sizeof *want), loss_want = 0;
    assert_non_null(want);
    const struct ur__kernel *const *k = ur__kernels_available();
    for (int t = 0; k[t]; t++) {
        ur__kernel_force(k[t]);
        for (size_t s = 0; s < COUNT(sizes); s++) {
            ur_team *team;
            ur_tape *other;
            assert_ok(ur_team_new(&team, sizes[s]));
            assert_ok(ur_tape_new(&other, team));
            ur_tape_set_training(other, true, 3, 4);
            ur_tensor *loss = net_loss(other, &n);
            assert_ok(ur_backward(other, loss));
            ur_real got = (ur_real)ur_scalar(loss);
            assert_true(isfinite(got));
            if (t == 0 && s == 0) {
                memcpy(want, n.grad, n.size * sizeof *want);
                loss_want = got;
            }
            assert_memory_equal(&got, &loss_want, sizeof got);
            assert_memory_equal(n.grad, want, n.size * sizeof *want);
            ur_tape_free(other);
            ur_team_free(team);
        }
    }
    ur__kernel_force(NULL);
    free(want);
    net_free(&n);
}

/* The caller's rounding mode neither reaches the numbers nor is lost. */
static void round__ignores_the_callers_rounding(void **state)
{
    (void)state;
    struct net n;
    net_new(&n, 4, 3, 16, 12);
    ur_real want[1000];
    assert_in_range(n.size, 1, 1000);
    for (int round = 0; round < 2; round++) {
        fesetround(round ? FE_UPWARD : FE_TONEAREST);
        ur_tensor *loss = net_loss(tape, &n);
        ur_status status = ur_backward(tape, loss);
        int mode = fegetround();
        fesetround(FE_TONEAREST);
        assert_ok(status);
        assert_int_equal(mode, round ? FE_UPWARD : FE_TONEAREST);
        if (round)
            assert_memory_equal(want, n.grad, n.size * sizeof *want);
        memcpy(want, n.grad, n.size * sizeof *want);
        ur_tape_reset(tape);
    }
    net_free(&n);
}

static void round__survives_every_failed_allocation(void **state)
{
    (void)state;
    struct net n;
    net_new(&n, 5, 3, 128, 30);
    long blocks = ur__mem_blocks();
    long last = 0;      /* the first number that no allocation reaches */
    for (int once = 0; once < 2; once++) {
        for (long at = 1; once ? at < last : !last; at++) {
            ur_tape *t = NULL;
            ur__mem_fail_at(at, !once);
            ur_status status = ur_tape_new(&t, NULL);
            if (status == UR_OK) {
                ur_tape_set_training(t, true, 1, 1);
                status = ur_backward(t, net_loss(t, &n));
            }
            ur__mem_fail_at(0, false);
            if (status == UR_OK && !once)
                last = at;
            if (status != UR_OK)    /* a single failure: a smaller block may do */
                assert_status(UR_ENOMEM, status);
            if (status != UR_OK && t) {
                ur_tape_reset(t);   /* and the same tape goes on */
                assert_ok(ur_backward(t, net_loss(t, &n)));
            }
            ur_tape_free(t);
            assert_int_equal(ur__mem_blocks(), blocks);
        }
    }
    assert_in_range(last, 5, 100);
    net_free(&n);
}

/* The arena's block is filled up to its last `left` bytes, so that the memory ends at
 * each piece that a round takes, in turn. */
static void round__survives_memory_that_ends_anywhere(void **state)
{
    (void)state;
    enum { BLOCK = 64 << 10, PIECE = 64 };      /* the arena's first block and its grain */
    struct net n;
    net_new(&n, 2, 2, 4, 3);
    ur_tape_set_training(tape, true, 1, 1);
    assert_ok(ur_backward(tape, net_loss(tape, &n)));
    int left = 0, failures = 0;
    for (ur_status status = UR_ENOMEM; status == UR_ENOMEM; left += PIECE) {
        ur_tape_reset(tape);
        int taken = (BLOCK - 3 * PIECE - left) / (int)sizeof(ur_real);
        assert_non_null(ur_copy_in(tape, 1, &taken, NULL));
        ur__mem_fail_at(1, true);
        status = ur_backward(tape, net_loss(tape, &n));
        ur__mem_fail_at(0, false);
        assert_status(status, ur_tape_status(tape));
        failures += status == UR_ENOMEM;
        if (status != UR_ENOMEM)
            assert_ok(status);
    }
    assert_in_range(failures, 200, BLOCK / PIECE);
    net_free(&n);
}

static void large__tensors_keep_their_sums(void **state)
{
    (void)state;
    enum { M = 3000, N = 1111 };
    static ur_real grad[M * N], bias[N], dbias[N];
    ur_team *team;
    ur_tape *t;
    assert_ok(ur_team_new(&team, 2));
    assert_ok(ur_tape_new(&t, team));
    ur_real *ones = malloc(sizeof grad);
    assert_non_null(ones);
    for (size_t i = 0; i < (size_t)M * N; i++)
        ones[i] = 1;
    ur_tensor *x = ur_variable(t, 2, D(M, N), ones, grad);
    ur_tensor *b = ur_variable(t, 1, D(N), bias, dbias);
    ur_tensor *sum = ur_sum(ur_mul(ur_add(x, b), ur_affine(x, 2, 0)));
    assert_ok(ur_backward(t, sum));
    assert_true(ur_scalar(sum) == 2.0 * M * N);
    for (size_t i = 0; i < (size_t)M * N; i++)
        assert_true(grad[i] == 4);
    for (size_t i = 0; i < N; i++)
        assert_true(dbias[i] == 2 * M);
    free(ones);
    ur_tape_free(t);
    ur_team_free(team);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(round__allocates_nothing_after_the_first),
        T(round__same_bits_for_any_team_and_table),
        T(round__ignores_the_callers_rounding),
        T(round__survives_every_failed_allocation),
        T(round__survives_memory_that_ends_anywhere),
        T(large__tensors_keep_their_sums),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
