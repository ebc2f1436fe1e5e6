/* SPDX-License-Identifier: MIT */
/*
 * The decoder and its cross entropy in one operation against the three it stands for: the
 * same bits of the loss and of every gradient, on any table and team, in one chunk and many.
 */
#include "test_tape.h"

#include "base/mem.h"
#include "kernel/select.h"
#include "unroll/layer.h"

#include <math.h>

/* ---- one case ---------------------------------------------------------- */

enum form { PLAIN, JOINED };

struct line {
    int T, B, K, V;
    bool bias, tied;
    int ignored;            /* rows without a target: every so many-th; 1: all */
    int gap_begin, gap_end; /* and these */
    double upstream;        /* what the loss is multiplied with */
};

/* Logits a row that make chunks of 256 rows for one worker and for up to three and seven. */
enum { MANY_1 = 2053, MANY_3 = 6151, MANY_7 = 14341 };

static const struct line lines[] = {
    {1, 1, 1, 1, true, false, 0, 0, 0, 1},
    {1, 1, 7, 5, true, false, 0, 0, 0, 1},
    {5, 3, 17, 33, true, false, 0, 0, 0, 1},
    {5, 3, 17, 33, false, false, 3, 0, 0, -0.37},
    {9, 4, 40, 210, true, true, 5, 0, 0, 1},
    {9, 4, 40, 210, false, true, 0, 0, 0, 1},
    {4, 3, 64, 1000, true, false, 1, 0, 0, 1},
    {255, 1, 3, MANY_1, true, false, 0, 0, 0, 1},
    {64, 4, 3, MANY_1, false, false, 7, 0, 0, 1},
    {257, 1, 3, MANY_1, true, false, 0, 0, 0, 2.5},
    {260, 2, 2, MANY_3, true, true, 11, 250, 515, 1},
    {129, 2, 2, MANY_7, true, false, 0, 0, 0, 1},
};

struct net {
    const struct line *line;
    size_t n, h, w, b, size;            /* rows; reals of each and together */
    ur_real *data, *grad;               /* h, w, b */
    int32_t *id, *target;
    ur_real loss;
};

static void net_new(struct net *x, const struct line *l)
{
    size_t n = (size_t)l->T * (size_t)l->B, K = (size_t)l->K, V = (size_t)l->V;
    *x = (struct net){.line = l, .n = n, .h = n * K, .w = V * K, .b = V, .size = (n + V) * K + V};
    x->data = malloc(x->size * sizeof *x->data);
    x->grad = malloc(x->size * sizeof *x->grad);
    x->id = malloc(n * sizeof *x->id);
    x->target = malloc(n * sizeof *x->target);
    assert_true(x->data && x->grad && x->id && x->target);
    fill(x->data, x->size, 11, -1, 1);
    for (int i = 0; i < (int)n; i++) {
        bool none = (l->ignored && i % l->ignored == 0) || (i >= l->gap_begin && i < l->gap_end);
        x->id[i] = (i * 5 + 1) % l->V;
        x->target[i] = none ? -1 - i : (i * 7919 + 3) % l->V;
    }
}

static void net_free(struct net *x)
{
    free(x->data);
    free(x->grad);
    free(x->id);
    free(x->target);
}

/* The gradients begin with numbers of their own, to which the operation adds. */
static void net_run(struct net *x, ur_team *team, enum form form)
{
    const struct line *l = x->line;
    ur_tape *t;
    ur_ids targets = {x->target, l->T, l->B};
    fill(x->grad, x->size, 12, -0.01, 0.01);
    assert_ok(ur_tape_new(&t, team));
    ur_real *dw = x->grad + x->h, *db = dw + x->w;
    ur_tensor *w = ur_variable(t, 2, D(l->V, l->K), x->data + x->h, dw), *h, *b = NULL;
    h = l->tied ? ur_tanh(ur_gather(t, ur_variable(t, 2, D(l->V, l->K), x->data + x->h, dw),
                                    (ur_ids){x->id, l->T, l->B}))
                : ur_variable(t, 3, D(l->T, l->B, l->K), x->data, x->grad);
    if (l->bias)
        b = ur_variable(t, 1, D(l->V), x->data + x->h + x->w, db);
    ur_tensor *loss;
    if (form == JOINED) {
        loss = ur_matmul_cross_entropy(t, h, w, b, targets);
    } else {
        ur_tensor *y = ur_matmul_t(h, w);
        loss = ur_cross_entropy(t, b ? ur_add(y, b) : y, targets);
    }
    x->loss = (ur_real)ur_scalar(loss);
    assert_true(isfinite(x->loss));
    assert_ok(ur_backward(t, l->upstream == 1 ? loss : ur_affine(loss, l->upstream, 0)));
    ur_tape_free(t);
}

static void decode__same_bits_as_its_parts(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 2, 3, 7};     /* 0: without a team */
    const struct ur__kernel *const *k = ur__kernels_available();
    int runs = 0;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct net want, got;
        net_new(&want, &lines[i]);
        net_new(&got, &lines[i]);
        net_run(&want, NULL, PLAIN);
        for (int j = 0; k[j]; j++) {
            ur__kernel_force(k[j]);
            for (size_t s = 0; s < COUNT(sizes); s += EACH > 1 ? 3 : 1, runs++) {
                ur_team *team = NULL;
                if (sizes[s])
                    assert_ok(ur_team_new(&team, sizes[s]));
                net_run(&got, team, JOINED);
                ur_team_free(team);
                assert_memory_equal(&got.loss, &want.loss, sizeof want.loss);
                assert_memory_equal(got.grad, want.grad, want.size * sizeof *want.grad);
            }
        }
        ur__kernel_force(NULL);
        net_free(&want);
        net_free(&got);
    }
    print_message("%d cases, %d runs\n", (int)COUNT(lines), runs);
}

/* ---- what needs no gradient, and what shares one ----------------------- */

/* Each subset of h, w and b needs one. */
static void decode__gradients_go_where_they_are_wanted(void **state)
{
    (void)state;
    ur_real data[3][42], grad[2][3][42];
    int32_t id[] = {4, -1, 0, 6, 2, 2};
    for (int i = 0; i < 3; i++)
        fill(data[i], 42, (uint32_t)(20 + i), -1, 1);
    for (unsigned wants = 1; wants < 8; wants++) {
        memset(grad, 0, sizeof grad);
        for (int form = PLAIN; form <= JOINED; form++) {
            ur_real *g[3];
            for (int i = 0; i < 3; i++)
                g[i] = wants >> i & 1 ? grad[form][i] : NULL;
            ur_tensor *h = ur_variable(tape, 2, D(6, 5), data[0], g[0]);
            ur_tensor *w = ur_variable(tape, 2, D(7, 5), data[1], g[1]);
            ur_tensor *b = ur_variable(tape, 1, D(7), data[2], g[2]);
            ur_ids targets = {id, 2, 3};
            ur_tensor *loss = form == JOINED ? ur_matmul_cross_entropy(tape, h, w, b, targets)
                              : ur_cross_entropy(tape, ur_add(ur_matmul_t(h, w), b), targets);
            assert_ok(ur_backward(tape, loss));
            ur_tape_reset(tape);
        }
        assert_memory_equal(grad[JOINED], grad[PLAIN], sizeof grad[PLAIN]);
    }
}

/* Rows of a matrix that are told from each other by themselves. */
static void decode__one_matrix_as_both_sides(void **state)
{
    (void)state;
    ur_real data[30], grad[2][30], loss[2];
    int32_t id[] = {0, 1, 2, -1, 4, 5};
    fill(data, 30, 31, -1, 1);
    memset(grad, 0, sizeof grad);
    for (int form = PLAIN; form <= JOINED; form++) {
        ur_tensor *x = ur_variable(tape, 2, D(6, 5), data, grad[form]);
        ur_ids targets = {id, 6, 1};
        ur_tensor *e = form == JOINED ? ur_matmul_cross_entropy(tape, x, x, NULL, targets)
                                      : ur_cross_entropy(tape, ur_matmul_t(x, x), targets);
        loss[form] = (ur_real)ur_scalar(e);
        assert_ok(ur_backward(tape, e));
        ur_tape_reset(tape);
    }
    assert_memory_equal(&loss[JOINED], &loss[PLAIN], sizeof *loss);
    assert_memory_equal(grad[JOINED], grad[PLAIN], sizeof grad[PLAIN]);
}

/* ---- memory ------------------------------------------------------------ */

static ur_tensor *joined_loss(ur_tape *t, struct net *x)
{
    const struct line *l = x->line;
    ur_tensor *h = ur_variable(t, 3, D(l->T, l->B, l->K), x->data, x->grad);
    ur_tensor *w = ur_variable(t, 2, D(l->V, l->K), x->data + x->h, x->grad + x->h);
    ur_tensor *b = ur_variable(t, 1, D(l->V), x->data + x->h + x->w, x->grad + x->h + x->w);
    return ur_matmul_cross_entropy(t, h, w, b, (ur_ids){x->target, l->T, l->B});
}

static void decode__survives_every_failed_allocation(void **state)
{
    (void)state;
    struct net x;
    net_new(&x, &lines[4]);
    long last = 0;
    for (long at = 1; !last; at++) {
        ur_tape *t = NULL;
        ur__mem_fail_at(at, true);
        ur_status status = ur_tape_new(&t, NULL);
        if (status == UR_OK)
            status = ur_backward(t, joined_loss(t, &x));
        ur__mem_fail_at(0, false);
        if (status == UR_OK)
            last = at;
        else
            assert_status(UR_ENOMEM, status);
        ur_tape_free(t);
    }
    assert_in_range(last, 3, 100);
    net_free(&x);
}

/* A layer keeps few logits and no more; neither shows in the numbers. */
static void linear__keeps_no_more_than_few_logits(void **state)
{
    (void)state;
    static const struct { int T, B, V; bool bias, many; } wide[] = {
        {3, 2, 50, true, false}, {3, 2, 50, false, false},
        {160, 2, MANY_7, true, true}, {160, 2, MANY_7, false, true},
    };
    for (size_t i = 0; i < COUNT(wide); i++) {
        int T = wide[i].T, B = wide[i].B, V = wide[i].V, n = T * B;
        ur_real *h = malloc((size_t)n * 3 * sizeof *h), loss[2], *want, *got;
        int32_t *id = malloc((size_t)n * sizeof *id);
        ur_params *params;
        ur_linear_layer layer;
        assert_true(h && id);
        fill(h, (size_t)n * 3, 40, -1, 1);
        for (int r = 0; r < n; r++)
            id[r] = r % 9 == 4 ? -1 : r * 31 % V;
        assert_ok(ur_params_new(&params));
        assert_ok(ur_linear_init(&layer, params, "out", 3, V, wide[i].bias));
        assert_ok(ur_params_build(params, 5));
        size_t bytes = ur_params_size(params) * sizeof(ur_real);
        want = malloc(bytes);
        got = malloc(bytes);
        assert_true(want && got);
        for (int form = PLAIN; form <= JOINED; form++) {
            ur_tape *t;
            ur_ids targets = {id, T, B};
            ur_params_zero_grads(params);
            assert_ok(ur_tape_new(&t, NULL));
            size_t before = ur_memory_used();
            ur_tensor *x = ur_constant(t, 3, D(T, B, 3), h);
            ur_tensor *e = form == JOINED
                               ? ur_linear_cross_entropy(t, &layer, x, targets)
                               : ur_cross_entropy(t, ur_linear(t, &layer, x), targets);
            assert_ok(ur_backward(t, e));
            loss[form] = (ur_real)ur_scalar(e);
            memcpy(form == JOINED ? got : want, ur_params_grads(params), bytes);
            size_t used = ur_memory_used() - before, logits = (size_t)n * (size_t)V * sizeof *h;
            if (wide[i].many)
                assert_true(form == JOINED ? used < logits : used > logits);
            ur_tape_free(t);
        }
        assert_memory_equal(&loss[JOINED], &loss[PLAIN], sizeof *loss);
        assert_memory_equal(got, want, bytes);
        ur_params_free(params);
        free(h);
        free(id);
        free(want);
        free(got);
    }
}

/* ---- mistakes ---------------------------------------------------------- */

#define FAILS(status, message, expr)                                          \
    do {                                                                      \
        assert_null(expr);                                                    \
        assert_status(status, ur_tape_status(tape));                          \
        assert_string_equal(ur_errmsg(), message);                            \
        ur_tape_reset(tape);                                                  \
    } while (0)
#define X(...) ur_copy_in(tape, (int)COUNT(D(__VA_ARGS__)), D(__VA_ARGS__), NULL)

static void decode__refuses_what_does_not_fit(void **state)
{
    (void)state;
    int32_t id[] = {0, 9, 1};
    ur_ids two = {id, 2, 1}, three = {id, 1, 3}, none = {NULL, 2, 1};
    FAILS(UR_ESHAPE, "matmul_cross_entropy: h is [2,3] but w is [5,4]",
          ur_matmul_cross_entropy(tape, X(2, 3), X(5, 4), NULL, two));
    FAILS(UR_ESHAPE, "matmul_cross_entropy: h is [2,3] but w is [3]",
          ur_matmul_cross_entropy(tape, X(2, 3), X(3), NULL, two));
    FAILS(UR_ESHAPE, "matmul_cross_entropy: w is [5,3] but b is [4]",
          ur_matmul_cross_entropy(tape, X(2, 3), X(5, 3), X(4), two));
    FAILS(UR_ESHAPE, "matmul_cross_entropy: w is [5,3] but b is [1,5]",
          ur_matmul_cross_entropy(tape, X(2, 3), X(5, 3), X(1, 5), two));
    FAILS(UR_ESHAPE, "cross_entropy: logits are [2,1,5] but targets are [1,3]",
          ur_matmul_cross_entropy(tape, X(2, 1, 3), X(5, 3), NULL, three));
    FAILS(UR_EINVAL, "cross_entropy: the targets' id is NULL",
          ur_matmul_cross_entropy(tape, X(2, 3), X(5, 3), NULL, none));
    FAILS(UR_EINVAL, "cross_entropy: target [1,0] is 9 but there are 5 classes",
          ur_matmul_cross_entropy(tape, X(2, 3), X(5, 3), X(5), two));

    ur_params *params;
    ur_linear_layer layer;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_linear_init(&layer, params, "out", 3, 5, true));
    assert_ok(ur_params_build(params, 1));
    FAILS(UR_ESHAPE, "linear: x is [2,4] but out.weight expects 3 inputs",
          ur_linear_cross_entropy(tape, &layer, X(2, 4), two));
    FAILS(UR_ESHAPE, "cross_entropy: logits are [2,5] but targets are [1,3]",
          ur_linear_cross_entropy(tape, &layer, X(2, 3), three));
    assert_null(ur_linear_cross_entropy(tape, &layer, NULL, two));
    assert_null(ur_matmul_cross_entropy(tape, NULL, X(5, 3), NULL, two));
    assert_null(ur_matmul_cross_entropy(tape, X(2, 3), NULL, NULL, two));
    assert_ok(ur_tape_status(tape));
    ur_params_free(params);

    ur_tape *other;
    assert_ok(ur_tape_new(&other, NULL));
    assert_null(ur_matmul_cross_entropy(tape, X(2, 3), ur_copy_in(other, 2, D(5, 3), NULL), NULL,
                                        two));
    assert_status(UR_EINVAL, ur_tape_status(tape));
    assert_status(UR_EINVAL, ur_tape_status(other));
    ur_tape_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decode__same_bits_as_its_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(decode__gradients_go_where_they_are_wanted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(decode__one_matrix_as_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(decode__survives_every_failed_allocation, setup, teardown),
        cmocka_unit_test_setup_teardown(linear__keeps_no_more_than_few_logits, setup, teardown),
        cmocka_unit_test_setup_teardown(decode__refuses_what_does_not_fit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
