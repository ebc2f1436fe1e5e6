/* SPDX-License-Identifier: MIT */
/*
 * The tape: values of every operation against plain loops, broadcasting, poison,
 * views, dropout. Gradients of all operations have their own program, in double;
 * whole rounds are in test_tape_round.c.
 */
#include "test_tape.h"

#include <math.h>

static void assert_near(double want, double got, double tolerance)
{
    double scale = fmax(1, fabs(want));
    if (!(fabs(want - got) <= tolerance * scale))
        fail_msg("%.9g is not %.9g", got, want);
}

static void assert_all(const ur_tensor *x, const double *want, size_t n)
{
    assert_non_null(x);
    assert_int_equal(ur_size(x), n);
    for (size_t i = 0; i < n; i++)
        assert_near(want[i], (double)ur_data(x)[i], 1e-6);
}

static void assert_poisoned(ur_status status, const char *message)
{
    assert_status(status, ur_tape_status(tape));
    assert_string_equal(ur_errmsg(), message);
    ur_tape_reset(tape);
    assert_ok(ur_tape_status(tape));
}

/* A variable over memory of the test; its gradient is cleared. */
struct leaf {
    ur_real data[64], grad[64];
    ur_tensor *x;
};

static ur_tensor *leaf(struct leaf *l, int rank, const int *dim, uint32_t stream)
{
    fill(l->data, 64, stream, -1, 1);
    memset(l->grad, 0, sizeof l->grad);
    return l->x = ur_variable(tape, rank, dim, l->data, l->grad);
}

/* ---- arithmetic -------------------------------------------------------- */

static double apply(int kind, double a, double b)
{
    return kind == 0 ? a + b : kind == 1 ? a - b : kind == 2 ? a * b : a / b;
}

/* Element i of y lies at this element of x. */
static size_t below(const ur_tensor *x, const ur_tensor *y, size_t i)
{
    size_t at = 0, step = 1;
    for (int d = ur_rank(y) - 1, e = ur_rank(x) - 1; d >= 0; d--, e--) {
        size_t n = (size_t)ur_dim(y, d), k = i % n;
        i /= n;
        if (e < 0)
            continue;
        at += ur_dim(x, e) == 1 ? 0 : k * step;
        step *= (size_t)ur_dim(x, e);
    }
    return at;
}

static void binary__broadcasts_as_numpy(void **state)
{
    static const struct {
        int rank[3], dim[3][UR_MAX_RANK];
    } cases[] = {
        {{1, 1, 1}, {{1}, {1}, {1}}},
        {{3, 3, 3}, {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}}},
        {{3, 1, 3}, {{2, 3, 4}, {4}, {2, 3, 4}}},
        {{1, 3, 3}, {{4}, {2, 3, 4}, {2, 3, 4}}},
        {{3, 3, 3}, {{2, 3, 4}, {2, 3, 1}, {2, 3, 4}}},
        {{3, 2, 3}, {{2, 3, 4}, {3, 1}, {2, 3, 4}}},
        {{3, 3, 3}, {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}}},
        {{2, 2, 2}, {{5, 1}, {1, 7}, {5, 7}}},
        {{5, 4, 5}, {{2, 1, 3, 1, 2}, {5, 1, 2, 1}, {2, 5, 3, 2, 2}}},
        {{1, 2, 2}, {{1}, {1, 1}, {1, 1}}},
        {{5, 1, 5}, {{1, 2, 1, 3, 1}, {6}, {1, 2, 1, 3, 6}}},
    };
    static ur_tensor *(*const op[])(ur_tensor *, ur_tensor *) = {ur_add, ur_sub, ur_mul, ur_div};
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        ur_real a[64], b[64];
        fill(a, 64, 1, -1, 1);
        fill(b, 64, 2, 0.5, 2);
        ur_tensor *x = ur_constant(tape, cases[c].rank[0], cases[c].dim[0], a);
        ur_tensor *z = ur_constant(tape, cases[c].rank[1], cases[c].dim[1], b);
        for (int k = 0; k < 4; k++) {
            ur_tensor *y = op[k](x, z);
            assert_non_null(y);
            assert_int_equal(ur_rank(y), cases[c].rank[2]);
            for (int d = 0; d < ur_rank(y); d++)
                assert_int_equal(ur_dim(y, d), cases[c].dim[2][d]);
            for (size_t i = 0; i < ur_size(y); i++)
                assert_near(apply(k, (double)a[below(x, y, i)], (double)b[below(z, y, i)]),
                            (double)ur_data(y)[i], 1e-6);
        }
    }
}

static void affine__scales_and_shifts(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 1, D(3), (ur_real[]){1, -2, 0.5});
    assert_all(ur_affine(x, 2, -1), (double[]){1, -5, 0}, 3);
}

static void matmul__matches_loops(void **state)
{
    (void)state;
    ur_real a[30], b[20];
    fill(a, 30, 1, -1, 1);
    fill(b, 20, 2, -1, 1);
    double want[24];
    for (int m = 0; m < 6; m++)
        for (int n = 0; n < 4; n++) {
            want[m * 4 + n] = 0;
            for (int k = 0; k < 5; k++)
                want[m * 4 + n] += (double)(a[m * 5 + k] * b[k * 4 + n]);
        }
    ur_real bt[20];
    for (int i = 0; i < 20; i++)
        bt[i % 4 * 5 + i / 4] = b[i];
    ur_tensor *x = ur_constant(tape, 3, D(2, 3, 5), a);
    ur_tensor *y = ur_matmul(x, ur_constant(tape, 2, D(5, 4), b));
    ur_tensor *z = ur_matmul_t(x, ur_constant(tape, 2, D(4, 5), bt));
    assert_all(y, want, 24);
    assert_all(z, want, 24);
    assert_int_equal(ur_rank(y), 3);
    assert_int_equal(ur_dim(y, -1), 4);
    ur_tensor *row = ur_at(ur_at(x, 0), 0);
    assert_int_equal(ur_rank(ur_matmul(row, ur_constant(tape, 2, D(5, 4), b))), 1);
}

/* ---- functions --------------------------------------------------------- */

static void functions__match_libm(void **state)
{
    (void)state;
    ur_real x[40];
    fill(x, 40, 3, -3, 3);
    double want[8][40];
    for (int i = 0; i < 40; i++) {
        double v = (double)x[i];
        want[0][i] = tanh(v);
        want[1][i] = 1 / (1 + exp(-v));
        want[2][i] = fmax(v, 0);
        want[3][i] = fmin(fmax(v, 0), 1);
        want[4][i] = exp(v);
        want[5][i] = log(exp(v));
        want[6][i] = v;
    }
    ur_tensor *t = ur_constant(tape, 2, D(8, 5), x);
    assert_all(ur_tanh(t), want[0], 40);
    assert_all(ur_sigmoid(t), want[1], 40);
    assert_all(ur_relu(t), want[2], 40);
    assert_all(ur_satlin(t), want[3], 40);
    assert_all(ur_exp(t), want[4], 40);
    assert_all(ur_log(ur_exp(t)), want[5], 40);
    assert_ptr_equal(ur_activate(t, UR_ACT_IDENTITY), t);
    assert_all(ur_activate(t, UR_ACT_TANH), want[0], 40);
    assert_all(ur_activate(t, UR_ACT_SIGMOID), want[1], 40);
    assert_all(ur_activate(t, UR_ACT_RELU), want[2], 40);
    assert_all(ur_activate(t, UR_ACT_SATLIN), want[3], 40);
    assert_null(ur_activate(t, (ur_activation)77));
    assert_poisoned(UR_EINVAL, "activate: there is no activation 77");

    t = ur_copy_in(tape, 1, D(1), (ur_real[]){NAN});
    assert_true(isnan(ur_scalar(ur_satlin(t))) && isnan(ur_scalar(ur_relu(t))));
}

static void sums__go_over_any_dimension(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 3, D(2, 3, 2),
                              (ur_real[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    assert_all(ur_sum(x), (double[]){78}, 1);
    assert_all(ur_mean(x), (double[]){6.5}, 1);
    assert_all(ur_sum_over(x, 0), (double[]){8, 10, 12, 14, 16, 18}, 6);
    assert_all(ur_sum_over(x, 1), (double[]){9, 12, 27, 30}, 4);
    assert_all(ur_sum_over(x, -1), (double[]){3, 7, 11, 15, 19, 23}, 6);
    assert_all(ur_mean_over(x, 1), (double[]){3, 4, 9, 10}, 4);
    assert_all(ur_mean_over(x, 2), (double[]){1.5, 3.5, 5.5, 7.5, 9.5, 11.5}, 6);
    assert_int_equal(ur_rank(ur_sum_over(x, 1)), 2);
    assert_int_equal(ur_rank(ur_sum_over(ur_sum_over(ur_sum_over(x, 0), 0), 0)), 1);
    assert_null(ur_sum_over(x, 3));
    assert_poisoned(UR_ESHAPE, "sum_over: there is no dimension 3 in [2,3,2]");
}

static void softmax__and_its_logarithm(void **state)
{
    (void)state;
    ur_real x[14];
    fill(x, 14, 4, -5, 5);
    double p[14], l[14];
    for (int r = 0; r < 2; r++) {
        double total = 0;
        for (int v = 0; v < 7; v++)
            total += exp((double)x[r * 7 + v]);
        for (int v = 0; v < 7; v++) {
            p[r * 7 + v] = exp((double)x[r * 7 + v]) / total;
            l[r * 7 + v] = (double)x[r * 7 + v] - log(total);
        }
    }
    ur_tensor *t = ur_constant(tape, 2, D(2, 7), x);
    assert_all(ur_softmax(t), p, 14);
    assert_all(ur_log_softmax(t), l, 14);
    double loss = -(l[3] + l[7 + 6]) / 2;
    assert_all(ur_cross_entropy(tape, t, (ur_ids){(int32_t[]){3, 6}, 1, 2}), &loss, 1);
}

static void cross_entropy__ignores_negative_targets(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 3, D(2, 2, 5), 5);
    ur_tensor *all = ur_log_softmax(ur_constant(tape, 3, D(2, 2, 5), l.data));
    double want = -(double)(ur_data(all)[5 + 4] + ur_data(all)[15]) / 2;
    int32_t id[] = {-1, 4, -100, 0};
    ur_tensor *loss = ur_cross_entropy(tape, x, (ur_ids){id, 2, 2});
    id[1] = 0;      /* not looked at again */
    assert_all(loss, &want, 1);
    assert_ok(ur_backward(tape, ur_affine(loss, 3, 0)));
    for (int i = 0; i < 20; i++) {
        double p = exp((double)ur_data(all)[i]) - (i == 9 || i == 15);
        assert_near(i / 5 % 2 ? 1.5 * p : 0, (double)l.grad[i], 1e-6);
    }
    ur_tape_reset(tape);
    x = leaf(&l, 2, D(4, 5), 5);
    loss = ur_cross_entropy(tape, x, (ur_ids){(int32_t[]){-1, -1, -1, -1}, 4, 1});
    assert_true(ur_scalar(loss) == 0);
    assert_ok(ur_backward(tape, loss));
    for (int i = 0; i < 20; i++)
        assert_true(l.grad[i] == 0);
}

/* ---- shape ------------------------------------------------------------- */

static void shape__moves_elements(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 2, D(2, 3), (ur_real[]){1, 2, 3, 4, 5, 6});
    ur_tensor *y = ur_copy_in(tape, 2, D(2, 1), (ur_real[]){7, 8});
    assert_all(ur_concat(tape, 3, (ur_tensor *[]){x, y, x}, -1),
               (double[]){1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6}, 14);
    assert_all(ur_concat(tape, 2, (ur_tensor *[]){x, x}, 0),
               (double[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, 12);
    assert_all(ur_slice(x, 1, 1, 3), (double[]){2, 3, 5, 6}, 4);
    assert_all(ur_slice(x, 0, 1, 2), (double[]){4, 5, 6}, 3);
    assert_all(ur_at(x, 1), (double[]){4, 5, 6}, 3);
    assert_ptr_equal(ur_data(ur_at(x, 1)), ur_data(x) + 3);
    assert_int_equal(ur_rank(ur_at(ur_at(x, 1), 2)), 1);
    assert_true(ur_scalar(ur_at(ur_at(x, 1), 2)) == 6);
    ur_tensor *s = ur_stack(tape, 2, (ur_tensor *[]){y, y});
    assert_int_equal(ur_rank(s), 3);
    assert_all(s, (double[]){7, 8, 7, 8}, 4);
    ur_tensor *r = ur_reshape(x, 3, D(1, -1, 2));
    assert_int_equal(ur_dim(r, 1), 3);
    assert_ptr_equal(ur_data(r), ur_data(x));
    assert_all(ur_gather(tape, x, (ur_ids){(int32_t[]){1, 0, 1}, 3, 1}),
               (double[]){4, 5, 6, 1, 2, 3, 4, 5, 6}, 9);
}

static void looking__at_null_is_fine(void **state)
{
    (void)state;
    assert_int_equal(ur_rank(NULL), 0);
    assert_int_equal(ur_dim(NULL, -1), 0);
    assert_int_equal(ur_size(NULL), 0);
    assert_null(ur_data(NULL));
    assert_null(ur_grad(NULL));
    assert_true(isnan(ur_scalar(NULL)));
    ur_tape_free(NULL);
    assert_null(ur_constant(NULL, 1, D(1), (ur_real[]){1}));
    assert_null(ur_stack(NULL, 1, (ur_tensor *[]){NULL}));
}

/* ---- poison ------------------------------------------------------------ */

static void poison__names_both_shapes(void **state)
{
    (void)state;
    ur_real d[120] = {0};
    int32_t id[] = {0, 9};
#define X ur_constant(tape, 2, D(2, 3), d)
#define Y ur_constant(tape, 2, D(4, 5), d)
#define FAILS(status, message, expr)                                          \
    do {                                                                      \
        assert_null(expr);                                                    \
        assert_poisoned(status, message);                                     \
    } while (0)
    FAILS(UR_ESHAPE, "matmul: a is [2,3] but b is [4,5]", ur_matmul(X, Y));
    FAILS(UR_ESHAPE, "matmul_t: a is [2,3] but b is [4,5]", ur_matmul_t(X, Y));
    FAILS(UR_ESHAPE, "add: a is [2,3] but b is [4,5]", ur_add(X, Y));
    FAILS(UR_ESHAPE, "div: a is [4,5] but b is [2,3]", ur_div(Y, X));
    FAILS(UR_ESHAPE, "concat: tensor 0 is [2,3] but tensor 1 is [4,5]",
          ur_concat(tape, 2, (ur_tensor *[]){X, Y}, 0));
    FAILS(UR_ESHAPE, "stack: tensor 0 is [2,3] but tensor 1 is [4,5]",
          ur_stack(tape, 2, (ur_tensor *[]){X, Y}));
    FAILS(UR_EINVAL, "stack: 0 tensors", ur_stack(tape, 0, NULL));
    FAILS(UR_ESHAPE, "reshape: x is [2,3], which [4,-1] cannot hold", ur_reshape(X, 2, D(4, -1)));
    FAILS(UR_ESHAPE, "reshape: x is [2,3], which [5] cannot hold", ur_reshape(X, 1, D(5)));
    FAILS(UR_ESHAPE, "slice: [2,4) is not in dimension 1 of [2,3]", ur_slice(X, 1, 2, 4));
    FAILS(UR_ESHAPE, "at: 2 is not in [0,2) of [2,3]", ur_at(X, 2));
    FAILS(UR_ESHAPE, "gather: w is [3] and the ids are [1,2]",
          ur_gather(tape, ur_at(X, 0), (ur_ids){id, 1, 2}));
    FAILS(UR_EINVAL, "gather: the ids' id is NULL", ur_gather(tape, X, (ur_ids){NULL, 1, 2}));
    FAILS(UR_ESHAPE, "gather: w is [2,3] and the ids are [1,0]",
          ur_gather(tape, X, (ur_ids){id, 1, 0}));
    FAILS(UR_ESHAPE, "gather: w is [2,3] and the ids are [0,1]",
          ur_gather(tape, X, (ur_ids){id, 0, 1}));
    FAILS(UR_EINVAL, "gather: id [0,1] is 9 but w has 2 rows",
          ur_gather(tape, X, (ur_ids){id, 1, 2}));
    FAILS(UR_ESHAPE, "cross_entropy: logits are [2,3] but targets are [1,1]",
          ur_cross_entropy(tape, X, (ur_ids){id, 1, 1}));
    FAILS(UR_EINVAL, "cross_entropy: target [1,0] is 9 but there are 3 classes",
          ur_cross_entropy(tape, X, (ur_ids){id, 2, 1}));
    FAILS(UR_EINVAL, "dropout: p is 1, not in [0,1)", ur_dropout(X, 1));
    FAILS(UR_ESHAPE, "tensor: rank 6 is not in [1,5]",
          ur_copy_in(tape, 6, D(1, 1, 1, 1, 1, 1), NULL));
    FAILS(UR_ESHAPE, "tensor: dimension 1 is 0", ur_copy_in(tape, 2, D(1, 0), NULL));
    FAILS(UR_ESHAPE, "tensor: more elements than memory can have",
          ur_copy_in(tape, 3, D(INT32_MAX, INT32_MAX, INT32_MAX), NULL));
    FAILS(UR_EINVAL, "tensor: the data are NULL", ur_constant(tape, 1, D(1), NULL));
#undef X
#undef Y
#undef FAILS
}

static void poison__keeps_the_first_message(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 2, D(2, 3), NULL);
    ur_tensor *y = ur_tanh(ur_add(ur_matmul(x, x), x));
    assert_null(y);
    assert_null(ur_at(x, 7));
    assert_null(ur_tanh(x));
    assert_null(ur_copy_in(tape, 1, D(1), NULL));
    assert_status(UR_ESHAPE, ur_backward(tape, y));
    assert_string_equal(ur_errmsg(), "matmul: a is [2,3] but b is [2,3]");
    assert_status(UR_ESHAPE, ur_tape_status(tape));
}

static void poison__null_is_silent(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 2, D(2, 3), NULL), *none = NULL;
    ur_ids ids = {(int32_t[]){0}, 1, 1};
    ur_tensor *got[] = {
        ur_add(none, x), ur_sub(x, none), ur_mul(none, none), ur_div(none, x),
        ur_affine(none, 1, 0), ur_matmul(x, none), ur_matmul_t(none, x), ur_tanh(none),
        ur_sigmoid(none), ur_relu(none), ur_satlin(none), ur_exp(none), ur_log(none),
        ur_activate(none, UR_ACT_TANH), ur_dropout(none, 0.5), ur_sum(none), ur_mean(none),
        ur_sum_over(none, 0), ur_mean_over(none, 0), ur_softmax(none), ur_log_softmax(none),
        ur_cross_entropy(tape, none, ids), ur_reshape(none, 1, D(1)),
        ur_concat(tape, 2, (ur_tensor *[]){x, NULL}, 0), ur_slice(none, 0, 0, 1), ur_at(none, 0),
        ur_stack(tape, 2, (ur_tensor *[]){NULL, x}), ur_gather(tape, none, ids),
    };
    for (size_t i = 0; i < COUNT(got); i++)
        assert_null(got[i]);
    assert_ok(ur_tape_status(tape));
}

static void poison__mixed_tapes(void **state)
{
    (void)state;
    ur_tape *other;
    assert_ok(ur_tape_new(&other, NULL));
    assert_null(ur_add(ur_copy_in(tape, 1, D(1), NULL), ur_copy_in(other, 1, D(1), NULL)));
    assert_status(UR_EINVAL, ur_tape_status(other));
    assert_poisoned(UR_EINVAL, "add: tensors of different tapes");
    ur_tape_reset(other);
    ur_tensor *x = ur_copy_in(other, 1, D(1), NULL);
    assert_null(ur_stack(tape, 1, &x));
    assert_poisoned(UR_EINVAL, "stack: tensors of different tapes");
    ur_tape_free(other);
}

static void backward__says_what_is_wrong(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 1, D(3), 1);
    assert_status(UR_ESHAPE, ur_backward(tape, x));
    assert_string_equal(ur_errmsg(), "backward: the loss is [3], not one element");
    assert_status(UR_EINVAL, ur_backward(tape, NULL));
    ur_tensor *loss = ur_sum(x);
    assert_ok(ur_backward(tape, loss));
    assert_status(UR_EINVAL, ur_backward(tape, loss));
    assert_string_equal(ur_errmsg(), "backward: called twice since the last reset");
    ur_tape_reset(tape);
    ur_tape_set_recording(tape, false);
    assert_status(UR_EINVAL, ur_backward(tape, ur_sum(leaf(&l, 1, D(3), 1))));
    ur_tape_set_recording(tape, true);
    assert_ok(ur_backward(tape, ur_sum(leaf(&l, 1, D(3), 1))));
}

/* ---- gradients --------------------------------------------------------- */

static void gradient__adds_up_over_uses_and_rounds(void **state)
{
    (void)state;
    struct leaf l;
    leaf(&l, 1, D(4), 1);
    for (int round = 1; round <= 2; round++) {
        ur_tape_reset(tape);
        ur_tensor *x = ur_variable(tape, 1, D(4), l.data, l.grad);
        assert_null(ur_grad(x));
        ur_tensor *unused = ur_tanh(x);
        ur_tensor *y = ur_sum(ur_add(ur_add(x, x), ur_mul(x, x)));
        assert_ok(ur_backward(tape, y));
        assert_ptr_equal(ur_grad(x), l.grad);
        assert_null(ur_grad(unused));
        for (int i = 0; i < 4; i++)
            assert_near(round * (2 + 2 * (double)l.data[i]), (double)l.grad[i], 1e-6);
    }
}

/* Views and their parents are used in both orders; all must meet in one buffer. */
static void gradient__views_share_it(void **state)
{
    (void)state;
    for (int order = 0; order < 4; order++) {
        struct leaf l;
        ur_tape_reset(tape);
        ur_tensor *x = leaf(&l, 2, D(3, 4), 2);
        ur_tensor *base = order < 2 ? x : ur_affine(x, 1, 0);
        ur_tensor *row = ur_at(base, 1), *element = ur_at(row, 2);
        ur_tensor *flat = ur_reshape(base, 1, D(-1));
        ur_tensor *part = ur_slice(flat, 0, 4, 6);
        ur_tensor *sums[] = {ur_sum(base), ur_affine(ur_sum(row), 10, 0),
                             ur_affine(element, 100, 0), ur_affine(ur_sum(flat), 1000, 0),
                             ur_affine(ur_sum(part), 1e4, 0)};
        ur_tensor *total = sums[order % 2 ? 4 : 0];
        for (int i = 1; i < 5; i++)
            total = ur_add(total, sums[order % 2 ? 4 - i : i]);
        assert_ok(ur_backward(tape, total));
        for (int i = 0; i < 12; i++) {
            double want = 1001 + (i / 4 == 1 ? 10 : 0) + (i == 6 ? 100 : 0) +
                          (i == 4 || i == 5 ? 1e4 : 0);
            assert_near(want, (double)l.grad[i], 0);
        }
        assert_ptr_equal(ur_grad(row), ur_grad(base) + 4);
        assert_ptr_equal(ur_grad(element), ur_grad(base) + 6);
        assert_ptr_equal(ur_grad(flat), ur_grad(base));
    }
}

/* The gradient of cross entropy becomes that of the logits unless they have one. */
static void gradient__of_entropy_joins_others(void **state)
{
    (void)state;
    struct leaf once, both;
    ur_ids ids = {(int32_t[]){1, 2}, 1, 2};
    ur_tensor *x = ur_affine(leaf(&once, 2, D(2, 3), 3), 1, 0);
    assert_ok(ur_backward(tape, ur_cross_entropy(tape, ur_reshape(x, 3, D(1, 2, 3)), ids)));
    ur_tape_reset(tape);
    x = ur_affine(leaf(&both, 2, D(2, 3), 3), 1, 0);
    ur_tensor *first = ur_cross_entropy(tape, x, ids);
    assert_ok(ur_backward(tape, ur_add(ur_add(first, ur_sum(x)), ur_cross_entropy(tape, x, ids))));
    for (int i = 0; i < 6; i++)
        assert_near(1 + 2 * (double)once.grad[i], (double)both.grad[i], 1e-6);
}

static void gradient__stops_where_nothing_is_recorded(void **state)
{
    (void)state;
    struct leaf l;
    ur_tensor *x = leaf(&l, 1, D(2), 1);
    ur_tape_set_recording(tape, false);
    ur_tensor *held = ur_tanh(x);
    ur_tape_set_recording(tape, true);
    assert_ok(ur_backward(tape, ur_sum(ur_mul(held, x))));
    assert_null(ur_grad(held));
    for (int i = 0; i < 2; i++)
        assert_near(tanh((double)l.data[i]), (double)l.grad[i], 1e-6);
}

/* ---- dropout ----------------------------------------------------------- */

static void dropout__is_a_function_of_seed_step_and_ordinal(void **state)
{
    (void)state;
    enum { N = 20000 };
    static ur_real ones[N], grad[N], first[N];
    for (int i = 0; i < N; i++)
        ones[i] = 1;
    ur_tensor *x = ur_constant(tape, 1, D(N), ones);
    assert_ptr_equal(ur_dropout(x, 0.25), x);
    ur_tape_set_training(tape, true, 5, 6);
    assert_ptr_equal(ur_dropout(x, 0), x);
    for (int round = 0; round < 4; round++) {
        ur_tape_reset(tape);
        memset(grad, 0, sizeof grad);
        ur_tape_set_training(tape, true, round == 2 ? 50 : 5, round == 3 ? 60 : 6);
        x = ur_variable(tape, 1, D(N), ones, grad);
        ur_tensor *y = ur_dropout(x, 0.25), *other = ur_dropout(x, 0.25);
        assert_memory_not_equal(ur_data(y), ur_data(other), sizeof ones);
        int kept = 0;
        for (int i = 0; i < N; i++) {
            assert_true(ur_data(y)[i] == 0 || ur_data(y)[i] == (ur_real)(1 / 0.75));
            kept += ur_data(y)[i] != 0;
        }
        assert_in_range(kept, N * 0.74, N * 0.76);
        assert_ok(ur_backward(tape, ur_sum(y)));
        assert_memory_equal(grad, ur_data(y), sizeof grad);
        if (round == 0)
            memcpy(first, ur_data(y), sizeof first);
        else if (round == 1)
            assert_memory_equal(first, ur_data(y), sizeof first);
        else
            assert_memory_not_equal(first, ur_data(y), sizeof first);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(binary__broadcasts_as_numpy),
        T(affine__scales_and_shifts),
        T(matmul__matches_loops),
        T(functions__match_libm),
        T(sums__go_over_any_dimension),
        T(softmax__and_its_logarithm),
        T(cross_entropy__ignores_negative_targets),
        T(shape__moves_elements),
        T(looking__at_null_is_fine),
        T(poison__names_both_shapes),
        T(poison__keeps_the_first_message),
        T(poison__null_is_silent),
        T(poison__mixed_tapes),
        T(backward__says_what_is_wrong),
        T(gradient__adds_up_over_uses_and_rounds),
        T(gradient__views_share_it),
        T(gradient__of_entropy_joins_others),
        T(gradient__stops_where_nothing_is_recorded),
        T(dropout__is_a_function_of_seed_step_and_ordinal),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
