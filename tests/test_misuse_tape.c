/* SPDX-License-Identifier: MIT */
/* Wrong calls of unroll/tensor.h and of cells on the tape. */
#include "testing.h"

#include <limits.h>
#include <math.h>

#include "support/misuse.h"
#include "unroll/cells.h"

static ur_tape *tape, *other;
static ur_tensor *a, *b, *v, *one, *foreign;    /* [2,3] [3,2] [3] [1]; of the other tape */
static ur_real numbers[24], grads[24];
static const int d23[2] = {2, 3}, d32[2] = {3, 2}, d3[1] = {3}, d1[1] = {1};

static void fresh(void)
{
    ur_tape_reset(tape);
    ur_tape_reset(other);
    ur_tape_set_recording(tape, true);
    a = ur_variable(tape, 2, d23, numbers, grads);
    b = ur_variable(tape, 2, d32, numbers, grads + 6);
    v = ur_constant(tape, 1, d3, numbers);
    one = ur_sum(a);
    foreign = ur_constant(other, 2, d23, numbers);
    assert_ok(ur_tape_status(tape));
}

static int set_up(void **unused)
{
    (void)unused;
    for (int i = 0; i < 24; i++)
        numbers[i] = (ur_real)(i - 11) / 7;
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_tape_new(&other, NULL));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ur_tape_free(tape);
    ur_tape_free(other);
    return 0;
}

/* expr gives NULL and poisons the tape; nothing but a reset helps, and it does. */
static void poisoned(ur_status want, const ur_tensor *y, const char *what, int line)
{
    misuse_refused(want, ur_tape_status(tape), what, __FILE__, line);
    if (y || ur_backward(tape, one) != want || ur_tanh(a) || ur_constant(tape, 1, d1, numbers))
        fail_msg("%s:%d: %s: the tape goes on", __FILE__, line, what);
    fresh();
    assert_ok(ur_backward(tape, one));
}

#define POISONS(status, expr)                                                          \
    do {                                                                               \
        fresh();                                                                       \
        poisoned((status), (expr), #expr, __LINE__);                                   \
    } while (0)

/* ---- the tape ---------------------------------------------------------- */

static void tape__needs_its_pointers(void **unused)
{
    (void)unused;
    REFUSED(UR_EINVAL, ur_tape_new(NULL, NULL));
    REFUSED(UR_EINVAL, ur_tape_status(NULL));
    REFUSED(UR_EINVAL, ur_backward(NULL, NULL));
    SAYS(ur_tape_reset(NULL));
    SAYS(ur_tape_set_training(NULL, true, 1, 1));
    SAYS(ur_tape_set_recording(NULL, true));
    ur_tape_free(NULL);
    fresh();
    REFUSED(UR_EINVAL, ur_backward(NULL, one));
    REFUSED(UR_EINVAL, ur_tape_dump(NULL, UR_DUMP_TEXT, NULL, NULL));
    REFUSED(UR_EINVAL, ur_tape_dump(tape, UR_DUMP_TEXT, NULL, NULL));
}

static void backward__refuses_what_is_no_loss(void **unused)
{
    (void)unused;
    fresh();
    REFUSED(UR_EINVAL, ur_backward(tape, NULL));
    REFUSED(UR_ESHAPE, ur_backward(tape, a));
    REFUSED(UR_EINVAL, ur_backward(tape, foreign));
    REFUSED(UR_EINVAL, ur_backward(tape, ur_sum(v)));       /* needs no gradient */
    REFUSED(UR_EINVAL, ur_backward(tape, ur_sum(ur_stop_gradient(a))));
    assert_ok(ur_backward(tape, one));
    REFUSED(UR_EINVAL, ur_backward(tape, one));
    REFUSED(UR_EINVAL, ur_backward(tape, ur_sum(ur_tanh(a))));
    ur_tape_reset(tape);
    ur_tape_set_recording(tape, false);
    REFUSED(UR_EINVAL, ur_backward(tape, ur_sum(ur_variable(tape, 2, d23, numbers, grads))));
    assert_non_null(strstr(ur_errmsg(), "the tape does not record"));
    fresh();
    assert_ok(ur_backward(tape, one));
}

/* ---- leaves and looking ------------------------------------------------ */

static void leaves__need_possible_shapes(void **unused)
{
    (void)unused;
    static const int bad[][2] = {{0, 3}, {-1, 3}, {2, INT_MIN}, {2, 0}};
    static const int huge[5] = {INT_MAX, INT_MAX, INT_MAX, INT_MAX, INT_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        POISONS(UR_ESHAPE, ur_constant(tape, 2, bad[i], numbers));
        POISONS(UR_ESHAPE, ur_copy_in(tape, 2, bad[i], NULL));
        POISONS(UR_ESHAPE, ur_variable(tape, 2, bad[i], numbers, grads));
    }
    static const int ranks[] = {0, -1, 6, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        POISONS(UR_ESHAPE, ur_constant(tape, ranks[i], d23, numbers));
        POISONS(UR_ESHAPE, ur_copy_in(tape, ranks[i], d23, numbers));
    }
    POISONS(UR_ESHAPE, ur_constant(tape, 5, huge, numbers));
    POISONS(UR_ESHAPE, ur_copy_in(tape, 3, huge, NULL));
    POISONS(UR_EINVAL, ur_constant(tape, 2, NULL, numbers));
    POISONS(UR_EINVAL, ur_copy_in(tape, 2, NULL, numbers));
    POISONS(UR_EINVAL, ur_variable(tape, 2, NULL, numbers, grads));
    POISONS(UR_EINVAL, ur_constant(tape, 2, d23, NULL));
    POISONS(UR_EINVAL, ur_variable(tape, 2, d23, NULL, grads));
    NOTHING(ur_constant(NULL, 2, d23, numbers));
    NOTHING(ur_copy_in(NULL, 2, d23, numbers));
    NOTHING(ur_variable(NULL, 2, d23, numbers, grads));
}

static void looking__gives_nothing_of_nothing(void **unused)
{
    (void)unused;
    fresh();
    QUIET(ur_rank(NULL));
    QUIET(ur_dim(NULL, 0));
    QUIET(ur_size(NULL));
    QUIET(ur_data(NULL));
    QUIET(ur_grad(NULL));
    QUIET(!isnan(ur_scalar(NULL)));
    QUIET(!isnan(ur_scalar(a)));
    QUIET(ur_dim(a, 2));
    QUIET(ur_dim(a, -3));
    QUIET(ur_dim(a, INT_MAX));
    QUIET(ur_dim(a, INT_MIN));
    QUIET(ur_grad(a));
}

/* ---- operations -------------------------------------------------------- */

typedef ur_tensor *unary(ur_tensor *x);
typedef ur_tensor *binary(ur_tensor *x, ur_tensor *y);

static unary *const unaries[] = {
    ur_tanh, ur_sigmoid, ur_relu, ur_satlin, ur_exp, ur_log, ur_neg, ur_square, ur_sqrt, ur_abs,
    ur_stop_gradient, ur_sum, ur_mean, ur_softmax, ur_log_softmax, ur_transpose
};
static binary *const binaries[] = {
    ur_add, ur_sub, ur_mul, ur_div, ur_maximum, ur_minimum, ur_matmul, ur_matmul_t, ur_bmm,
    ur_bmm_t, ur_masked_softmax, ur_squared_error, ur_absolute_error, ur_bernoulli_nll,
    ur_bernoulli_nll_each
};

/* As formulas nest: what has failed gives NULL, which gives NULL. */
static void operations__of_nothing_are_nothing(void **unused)
{
    (void)unused;
    fresh();
    for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++)
        QUIET(unaries[i](NULL));
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        QUIET(binaries[i](NULL, NULL));
        QUIET(binaries[i](a, NULL));
        QUIET(binaries[i](NULL, a));
    }
    const ur_ids ids = {(const int32_t[]){0, 1}, 2, 1};
    QUIET(ur_where(NULL, a, a));
    QUIET(ur_where(a, NULL, a));
    QUIET(ur_where(a, a, NULL));
    QUIET(ur_affine(NULL, 1, 1));
    QUIET(ur_clamp(NULL, 0, 1));
    QUIET(ur_activate(NULL, UR_ACT_TANH));
    QUIET(ur_dropout(NULL, 0.5));
    QUIET(ur_sum_over(NULL, 0));
    QUIET(ur_mean_over(NULL, 0));
    QUIET(ur_max_over(NULL, 0));
    QUIET(ur_softmax_lengths(NULL, d23));
    QUIET(ur_crf_loss(NULL, a, a, a, (ur_ids){NULL, 0, 0}, NULL));
    QUIET(ur_crf_loss(a, a, NULL, a, (ur_ids){NULL, 0, 0}, NULL));
    QUIET(ur_layer_norm(NULL, NULL, NULL, 1e-5));
    QUIET(ur_gaussian_nll(NULL, a, a));
    QUIET(ur_gaussian_nll_each(a, a, NULL));
    QUIET(ur_quantile_loss(a, NULL, a));
    QUIET(ur_quantile_loss_each(NULL, a, a));
    QUIET(ur_reshape(NULL, 1, d3));
    QUIET(ur_permute(NULL, d23));
    QUIET(ur_reverse(NULL, NULL));
    QUIET(ur_slice(NULL, 0, 0, 1));
    QUIET(ur_at(NULL, 0));
    QUIET(ur_concat(tape, 1, &(ur_tensor *){NULL}, 0));
    QUIET(ur_stack(tape, 1, &(ur_tensor *){NULL}));
    QUIET(ur_gather(tape, NULL, ids));
    QUIET(ur_cross_entropy(tape, NULL, ids));
    QUIET(ur_matmul_cross_entropy(tape, NULL, b, NULL, ids));
    QUIET(ur_unroll(tape, NULL, NULL, NULL, 0, NULL));
    assert_ok(ur_tape_status(tape));
    assert_ok(ur_backward(tape, one));      /* and spoils nothing */
}

static void operations__keep_to_their_tape(void **unused)
{
    (void)unused;
    const ur_ids ids = {(const int32_t[]){0, 1}, 2, 1};
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        POISONS(UR_EINVAL, binaries[i](a, foreign));
        POISONS(UR_EINVAL, binaries[i](foreign, a));
    }
    POISONS(UR_EINVAL, ur_where(a, a, foreign));
    POISONS(UR_EINVAL, ur_layer_norm(a, v, foreign, 1e-5));
    POISONS(UR_EINVAL, ur_gaussian_nll(a, a, foreign));
    POISONS(UR_EINVAL, ur_gaussian_nll_each(a, foreign, a));
    POISONS(UR_EINVAL, ur_quantile_loss(a, foreign, a));
    POISONS(UR_EINVAL, ur_quantile_loss_each(a, a, foreign));
    POISONS(UR_EINVAL, ur_concat(tape, 2, (ur_tensor *[]){a, foreign}, 0));
    POISONS(UR_EINVAL, ur_stack(tape, 2, (ur_tensor *[]){a, foreign}));
    POISONS(UR_EINVAL, ur_gather(tape, foreign, ids));
    POISONS(UR_EINVAL, ur_cross_entropy(tape, foreign, ids));
    POISONS(UR_EINVAL, ur_matmul_cross_entropy(tape, a, foreign, NULL, ids));
    NOTHING(ur_concat(NULL, 1, &a, 0));
    NOTHING(ur_stack(NULL, 1, &a));
    NOTHING(ur_gather(NULL, a, ids));
    NOTHING(ur_cross_entropy(NULL, a, ids));
    NOTHING(ur_matmul_cross_entropy(NULL, a, b, NULL, ids));
    NOTHING(ur_unroll(NULL, ur_norm_gru_step, NULL, a, 0, NULL));
}

static void operations__refuse_shapes_that_do_not_fit(void **unused)
{
    (void)unused;
    binary *const plain[] = {ur_add, ur_sub, ur_mul, ur_div, ur_maximum, ur_minimum,
                             ur_squared_error, ur_absolute_error, ur_bernoulli_nll_each};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        POISONS(UR_ESHAPE, plain[i](a, b));
    POISONS(UR_ESHAPE, ur_where(a, b, a));
    POISONS(UR_ESHAPE, ur_matmul(a, a));
    POISONS(UR_ESHAPE, ur_matmul(a, v));
    POISONS(UR_ESHAPE, ur_matmul_t(a, b));
    POISONS(UR_ESHAPE, ur_bmm(v, a));
    POISONS(UR_ESHAPE, ur_bmm(a, a));
    POISONS(UR_ESHAPE, ur_bmm_t(a, b));
    POISONS(UR_ESHAPE, ur_masked_softmax(a, b));
    POISONS(UR_ESHAPE, ur_masked_softmax(v, a));
    POISONS(UR_ESHAPE, ur_softmax_lengths(v, d3));
    POISONS(UR_ESHAPE, ur_softmax_lengths(a, NULL));
    POISONS(UR_ESHAPE, ur_softmax_lengths(a, (const int[]){1, 4}));
    POISONS(UR_ESHAPE, ur_softmax_lengths(a, (const int[]){-1, 1}));
    POISONS(UR_ESHAPE, ur_layer_norm(a, a, NULL, 1e-5));
    POISONS(UR_ESHAPE, ur_layer_norm(b, NULL, v, 1e-5));
    POISONS(UR_ESHAPE, ur_gaussian_nll(a, b, a));
    POISONS(UR_ESHAPE, ur_quantile_loss(a, a, b));
    POISONS(UR_ESHAPE, ur_transpose(v));
    static const int dims[] = {2, -3, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        POISONS(UR_ESHAPE, ur_sum_over(a, dims[i]));
        POISONS(UR_ESHAPE, ur_mean_over(a, dims[i]));
        POISONS(UR_ESHAPE, ur_max_over(a, dims[i]));
        POISONS(UR_ESHAPE, ur_slice(a, dims[i], 0, 1));
        POISONS(UR_ESHAPE, ur_concat(tape, 1, &a, dims[i]));
        POISONS(UR_ESHAPE, ur_at(a, dims[i]));
    }
}

static void moves__refuse_places_that_are_not_there(void **unused)
{
    (void)unused;
    POISONS(UR_EINVAL, ur_reshape(a, 2, NULL));
    POISONS(UR_ESHAPE, ur_reshape(a, 2, (const int[]){2, 2}));
    POISONS(UR_ESHAPE, ur_reshape(a, 2, (const int[]){-1, -1}));
    POISONS(UR_ESHAPE, ur_reshape(a, 2, (const int[]){-1, 0}));
    POISONS(UR_ESHAPE, ur_reshape(a, 2, (const int[]){-2, -3}));
    POISONS(UR_ESHAPE, ur_reshape(a, 2, (const int[]){INT_MAX, INT_MAX}));
    POISONS(UR_ESHAPE, ur_reshape(a, 0, d23));
    POISONS(UR_ESHAPE, ur_reshape(a, 6, d23));
    POISONS(UR_ESHAPE, ur_reshape(a, INT_MIN, d23));
    POISONS(UR_ESHAPE, ur_permute(a, NULL));
    POISONS(UR_ESHAPE, ur_permute(a, (const int[]){0, 0}));
    POISONS(UR_ESHAPE, ur_permute(a, (const int[]){0, 2}));
    POISONS(UR_ESHAPE, ur_permute(a, (const int[]){-1, INT_MIN}));
    POISONS(UR_ESHAPE, ur_reverse(a, (const int[]){1, 2, 3}));
    POISONS(UR_ESHAPE, ur_reverse(a, (const int[]){-1, 0, 0}));
    POISONS(UR_ESHAPE, ur_reverse(v, d3));
    POISONS(UR_ESHAPE, ur_slice(a, 0, 1, 1));
    POISONS(UR_ESHAPE, ur_slice(a, 0, 2, 1));
    POISONS(UR_ESHAPE, ur_slice(a, 0, -1, 1));
    POISONS(UR_ESHAPE, ur_slice(a, 0, 0, INT_MAX));
    POISONS(UR_ESHAPE, ur_at(a, 2));
    POISONS(UR_EINVAL, ur_concat(tape, 0, &a, 0));
    POISONS(UR_EINVAL, ur_concat(tape, -1, &a, 0));
    POISONS(UR_EINVAL, ur_concat(tape, 2, NULL, 0));
    POISONS(UR_ESHAPE, ur_concat(tape, 2, (ur_tensor *[]){a, b}, 0));
    POISONS(UR_EINVAL, ur_stack(tape, 0, &a));
    POISONS(UR_EINVAL, ur_stack(tape, INT_MIN, &a));
    POISONS(UR_EINVAL, ur_stack(tape, 2, NULL));
    POISONS(UR_ESHAPE, ur_stack(tape, 2, (ur_tensor *[]){a, b}));
}

static void numbers__refuse_what_is_out_of_range(void **unused)
{
    (void)unused;
    static const int32_t in[] = {0, 1, 2}, out[] = {0, 3, 1}, below[] = {0, -1, 1};
    POISONS(UR_EINVAL, ur_gather(tape, b, (ur_ids){out, 3, 1}));
    POISONS(UR_EINVAL, ur_gather(tape, b, (ur_ids){below, 3, 1}));
    POISONS(UR_EINVAL, ur_gather(tape, b, (ur_ids){NULL, 3, 1}));
    POISONS(UR_ESHAPE, ur_gather(tape, b, (ur_ids){in, 0, 1}));
    POISONS(UR_ESHAPE, ur_gather(tape, b, (ur_ids){in, 3, -1}));
    POISONS(UR_ESHAPE, ur_gather(tape, b, (ur_ids){in, INT_MAX, INT_MAX}));
    POISONS(UR_ESHAPE, ur_gather(tape, v, (ur_ids){in, 3, 1}));
    POISONS(UR_EINVAL, ur_cross_entropy(tape, b, (ur_ids){in, 3, 1}));
    POISONS(UR_ESHAPE, ur_cross_entropy(tape, b, (ur_ids){in, 2, 1}));
    POISONS(UR_EINVAL, ur_cross_entropy(tape, b, (ur_ids){NULL, 3, 1}));
    POISONS(UR_ESHAPE, ur_cross_entropy(tape, b, (ur_ids){in, -3, -1}));
    POISONS(UR_ESHAPE, ur_matmul_cross_entropy(tape, a, b, NULL, (ur_ids){in, 2, 1}));
    POISONS(UR_ESHAPE, ur_matmul_cross_entropy(tape, b, b, b, (ur_ids){in, 3, 1}));
    POISONS(UR_EINVAL, ur_matmul_cross_entropy(tape, b, b, NULL, (ur_ids){out, 3, 1}));
    POISONS(UR_ESHAPE, ur_matmul_cross_entropy(tape, b, b, NULL, (ur_ids){in, 1, 1}));
    POISONS(UR_EINVAL, ur_clamp(a, 1, 0));
    POISONS(UR_EINVAL, ur_clamp(a, (double)NAN, 0));
    POISONS(UR_EINVAL, ur_activate(a, (ur_activation)99));
    POISONS(UR_EINVAL, ur_activate(a, (ur_activation)-1));
    static const double p[] = {1, 1.5, -0.1, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof p / sizeof *p; i++)
        POISONS(UR_EINVAL, ur_dropout(a, p[i]));
    static const double epsilon[] = {0, 1, -1, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof epsilon / sizeof *epsilon; i++)
        POISONS(UR_EINVAL, ur_layer_norm(a, NULL, NULL, epsilon[i]));
}

/* ---- callbacks --------------------------------------------------------- */

static ur_status reset_while_dumping(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    ur_tape_reset(tape);
    return UR_OK;
}

static ur_status stop(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return UR_ECANCELED;
}

static ur_tensor *give(const ur_step *step, void *params, ur_tensor *x_t, ur_tensor *const *in,
                       ur_tensor **out)
{
    const char *what = params;
    (void)in;
    if (strcmp(what, "reset") == 0)
        ur_tape_reset(step->tape);
    if (strcmp(what, "no state") != 0)
        out[0] = x_t;
    return strcmp(what, "no output") == 0 ? NULL : x_t;
}

static void callbacks__cannot_take_the_tape_away(void **unused)
{
    (void)unused;
    fresh();
    REFUSED(UR_EINVAL, ur_tape_dump(tape, UR_DUMP_TEXT, reset_while_dumping, NULL));
    fresh();
    assert_int_equal(ur_tape_dump(tape, UR_DUMP_TEXT, stop, NULL), UR_ECANCELED);
    REFUSED(UR_EINVAL, ur_tape_dump(tape, (ur_dump_format)7, stop, NULL));
    ur_tensor *state[17] = {NULL};
    static char reset[] = "reset", no_state[] = "no state", no_output[] = "no output";
    fresh();
    state[0] = v;
    QUIET(ur_unroll(tape, give, reset, a, 1, state));
    REFUSED(UR_EINVAL, ur_tape_status(tape));
    POISONS(UR_EINVAL, ur_unroll(tape, give, no_state, a, 1, state));
    POISONS(UR_EINVAL, ur_unroll(tape, give, no_output, a, 1, state));
    POISONS(UR_EINVAL, ur_unroll(tape, NULL, no_output, a, 1, state));
    POISONS(UR_EINVAL, ur_unroll(tape, give, no_output, a, 1, NULL));
    POISONS(UR_EINVAL, ur_unroll(tape, give, no_output, a, 17, state));
    POISONS(UR_EINVAL, ur_unroll(tape, give, no_output, a, -1, state));
    POISONS(UR_EINVAL, ur_unroll(other, give, no_output, a, 1, state));
}

/* ---- the check of gradients -------------------------------------------- */

static ur_tensor *loss_of(ur_tape *t, ur_tensor *const *inputs, void *user)
{
    const int *form = user;
    (void)t;
    return *form == 0 ? ur_sum(inputs[0]) : *form == 1 ? inputs[0] : NULL;
}

static ur_check_inputs inputs_of(int n, const int *rank, const int *const *dim,
                                 ur_real *const *data, double epsilon)
{
    ur_check_inputs inputs;
    ur_check_inputs_init(&inputs);
    inputs.n = n;
    inputs.rank = rank;
    inputs.dim = dim;
    inputs.data = data;
    inputs.epsilon = epsilon;
    return inputs;
}

static void check__needs_all_of_it(void **unused)
{
    (void)unused;
    const int rank[] = {2}, *const dim[] = {d23}, *const none[] = {NULL};
    ur_real *const data[] = {numbers}, *const no_data[] = {NULL};
    int form = 0;
    double worst;
    ur_check_inputs in;
#define CHECK(w, f, n, r, d, x, e)                                            \
    (in = inputs_of(n, r, d, x, e), ur_check_gradients(w, f, &form, &in))
    REFUSED(UR_EINVAL, ur_check_gradients(&worst, loss_of, &form, NULL));
    REFUSED(UR_EINVAL, ur_check_gradients(&worst, loss_of, &form, &(ur_check_inputs){.n = 1}));
    REFUSED(UR_EINVAL, CHECK(NULL, loss_of, 1, rank, dim, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, NULL, 1, rank, dim, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 0, rank, dim, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, -1, rank, dim, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, NULL, dim, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, NULL, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, dim, NULL, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, none, data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, dim, no_data, 1e-3));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, dim, data, 0));
    REFUSED(UR_EINVAL, CHECK(&worst, loss_of, 1, rank, dim, data, (double)NAN));
    REFUSED(UR_ESHAPE, CHECK(&worst, loss_of, 1, &(const int){9}, dim, data, 1e-3));
    form = 1;
    REFUSED(UR_ESHAPE, CHECK(&worst, loss_of, 1, rank, dim, data, 1e-3));
    form = 2;
    REFUSED(UR_ESHAPE, CHECK(&worst, loss_of, 1, rank, dim, data, 1e-3));
#undef CHECK
}

static void misuse__is_large_enough(void **unused)
{
    (void)unused;
    misuse_total(232);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tape__needs_its_pointers),
        cmocka_unit_test(backward__refuses_what_is_no_loss),
        cmocka_unit_test(leaves__need_possible_shapes),
        cmocka_unit_test(looking__gives_nothing_of_nothing),
        cmocka_unit_test(operations__of_nothing_are_nothing),
        cmocka_unit_test(operations__keep_to_their_tape),
        cmocka_unit_test(operations__refuse_shapes_that_do_not_fit),
        cmocka_unit_test(moves__refuse_places_that_are_not_there),
        cmocka_unit_test(numbers__refuse_what_is_out_of_range),
        cmocka_unit_test(callbacks__cannot_take_the_tape_away),
        cmocka_unit_test(check__needs_all_of_it),
        cmocka_unit_test(misuse__is_large_enough),
    };
    return cmocka_run_group_tests_name("misuse_tape", tests, set_up, tear_down);
}
