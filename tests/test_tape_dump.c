/* SPDX-License-Identifier: MIT */
/* A tape as text and as a graph: what stands there, of every state of a tape. */
#include "test_tape.h"

#include "unroll/layer.h"

struct text {
    char data[4000];
    size_t size;
    int calls, fail_at;     /* the call that fails; 0: none */
};

static ur_status put(void *user, const void *bytes, size_t n)
{
    struct text *t = user;
    if (++t->calls == t->fail_at)
        return UR_EOUTPUT;
    assert_in_range(n, 1, sizeof t->data - t->size - 1);
    assert_true(((const char *)bytes)[n - 1] == '\n');
    memcpy(t->data + t->size, bytes, n);
    t->size += n;
    t->data[t->size] = '\0';
    return UR_OK;
}

static void assert_dump(ur_dump_format format, const char *want)
{
    struct text t = {0};
    assert_ok(ur_tape_dump(tape, format, put, &t));
    assert_string_equal(t.data, want);
}

static ur_tensor *small_loss(ur_real *w, ur_real *grad)
{
    static const ur_real four[] = {1, 2, 3, 4};
    ur_tensor *x = ur_constant(tape, 2, D(2, 2), four);
    ur_tensor *y = ur_matmul(x, ur_variable(tape, 2, D(2, 1), w, grad));
    return ur_sum(ur_concat(tape, 4, (ur_tensor *[]){y, x, ur_neg(x), y}, 1));
}

static void text__has_a_line_for_each_tensor(void **state)
{
    (void)state;
    ur_real w[2] = {1, -1}, grad[2] = {0};
    ur_tensor *loss = small_loss(w, grad);
    assert_dump(UR_DUMP_TEXT,
                "0 = constant [2,2] min 1 max 4 mean 2.5\n"
                "1 = variable [2,1] grad min -1 max 1 mean 0\n"
                "2 = matmul(0, 1) [2,1] grad min -1 max -1 mean -1\n"
                "3 = neg(0) [2,2] min -4 max -1 mean -2.5\n"
                "4 = concat(2, 0, 3, 2, dim 1) [2,6] grad min -4 max 4 mean -0.3333\n"
                "5 = sum(4) [1] grad min -4 max -4 mean -4\n");
    assert_ok(ur_backward(tape, loss));
    struct text t = {0};
    assert_ok(ur_tape_dump(tape, UR_DUMP_TEXT, put, &t));
    assert_int_equal(t.calls, 6);
    assert_non_null(strstr(t.data, "1 = variable [2,1] grad min -1 max 1 mean 0 "
                                   "gradient norm 14.42\n"));     /* (8,12) */
    assert_non_null(strstr(t.data, "5 = sum(4) [1] grad min -4 max -4 mean -4 gradient norm 1\n"));
    ur_tape_reset(tape);
    assert_dump(UR_DUMP_TEXT, "");
}

static void dot__is_a_graph(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 1, D(2), (ur_real[]){0, -1});
    assert_non_null(ur_add(ur_log(x), x));
    assert_dump(UR_DUMP_DOT,
                "digraph tape {\n"
                "  node [shape=box];\n"
                "  n0 [label=\"copy\\n[2]\", tooltip=\"0: min -1 max 0 mean -0.5\", color=gray, "
                "style=rounded];\n"
                "  n1 [label=\"log\\n[2]\", tooltip=\"1: min nan max nan mean nan not finite 2\", "
                "color=red]; n0 -> n1;\n"
                "  n2 [label=\"add\\n[2]\", tooltip=\"2: min nan max nan mean nan not finite 2\", "
                "color=red]; n1 -> n2; n0 -> n2;\n"
                "}\n");
}

static void dump__shows_attributes(void **state)
{
    (void)state;
    const int lengths[] = {2, 2, 2, 2, 1, 2, 1, 2, 1};
    ur_tensor *x = ur_copy_in(tape, 2, D(2, 9), NULL);
    assert_non_null(ur_dropout(ur_affine(ur_reverse(x, lengths), 0.5, 0), 0));
    assert_dump(UR_DUMP_TEXT,
                "0 = copy [2,9] min 0 max 0 mean 0\n"
                "1 = reverse(0, lengths 2 2 2 2 1 2 1 2 ...) [2,9] min 0 max 0 mean 0\n"
                "2 = affine(1, scale 0.5, shift 0) [2,9] min 0 max 0 mean 0\n");
    ur_tape_reset(tape);
    ur__tape_measure(tape, true);
    ur_tensor *y = ur_reverse(ur_slice(ur_copy_in(tape, 2, D(2, 2), NULL), 1, 0, 1), lengths);
    assert_non_null(y);
    assert_dump(UR_DUMP_DOT,
                "digraph tape {\n"
                "  node [shape=box];\n"
                "  n0 [label=\"copy\\n[2,2]\", color=gray, style=rounded];\n"
                "  n1 [label=\"slice\\ndim 1\\nbegin 0\\nend 1\\n[2,1]\", color=gray]; n0 -> n1;\n"
                "  n2 [label=\"reverse\\nlengths ...\\n[2,1]\", color=gray]; n1 -> n2;\n"
                "}\n");
}

static void dump__shows_where_a_gradient_is_lost(void **state)
{
    (void)state;
    ur_real w = 0, grad = 0;
    ur_tensor *x = ur_sqrt(ur_square(ur_variable(tape, 1, D(1), &w, &grad)));
    assert_ok(ur_backward(tape, x));    /* infinite at 0, times 0 */
    struct text t = {0};
    assert_ok(ur_tape_dump(tape, UR_DUMP_TEXT, put, &t));
    assert_string_equal(t.data, "0 = variable [1] grad min 0 max 0 mean 0 gradient norm nan\n"
                                "1 = square(0) [1] grad min 0 max 0 mean 0 gradient norm inf\n"
                                "2 = sqrt(1) [1] grad min 0 max 0 mean 0 gradient norm 1\n");
    t = (struct text){0};
    assert_ok(ur_tape_dump(tape, UR_DUMP_DOT, put, &t));
    assert_non_null(strstr(t.data, "gradient norm inf\", color=red]; n0 -> n1;"));
    assert_non_null(strstr(t.data, "gradient norm 1\", color=black]; n1 -> n2;"));
}

static void names__of_parameters_and_of_every_operation(void **state)
{
    (void)state;
    ur_params *params;
    ur_linear_layer layer;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_linear_init(&layer, params, "a \"quoted\\ name", 2, 1, true));
    assert_ok(ur_params_build(params, 1));
    assert_non_null(ur_linear(tape, &layer, ur_copy_in(tape, 2, D(1, 2), NULL)));
    struct text t = {0};
    assert_ok(ur_tape_dump(tape, UR_DUMP_TEXT, put, &t));
    assert_non_null(strstr(t.data, "1 = a _quoted_ name.weight [1,2] grad "));
    assert_non_null(strstr(t.data, "\n4 = add(2, 3) [1,1] grad "));
    ur_tape_reset(tape);

    ur_tensor *x = ur_copy_in(tape, 3, D(2, 2, 2), NULL), *row = ur_at(ur_at(x, 0), 0);
    ur_ids ids = {(int32_t[]){0, 1}, 2, 1};
    ur_tape_set_training(tape, true, 1, 1);
    ur_tensor *made[] = {
        row, ur_sub(x, x), ur_mul(x, x), ur_div(x, x), ur_maximum(x, x), ur_minimum(x, x),
        ur_where(x, x, x), ur_affine(x, 1, 0), ur_matmul_t(x, ur_at(x, 0)), ur_bmm(x, x),
        ur_bmm_t(x, x), ur_tanh(x), ur_sigmoid(x), ur_relu(x), ur_satlin(x), ur_exp(x), ur_log(x),
        ur_square(x), ur_sqrt(x), ur_abs(x), ur_clamp(x, 0, 1), ur_dropout(x, 0.5),
        ur_stop_gradient(x), ur_mean(x), ur_sum_over(x, 0), ur_mean_over(x, 0), ur_max_over(x, 0),
        ur_softmax(x), ur_log_softmax(x), ur_masked_softmax(x, x),
        ur_softmax_lengths(x, D(1, 2)), ur_layer_norm(x, row, row, 1e-5),
        ur_cross_entropy(tape, ur_at(x, 0), ids),
        ur_weighted_cross_entropy(tape, ur_at(x, 0), ids, NULL, 0.1),
        ur_crf_loss(ur_reshape(row, 3, D(1, 1, 2)), ur_at(x, 0), row, row,
                    (ur_ids){ids.id, 1, 1}, NULL),
        ur_gaussian_nll_each(x, x, x),
        ur_bernoulli_nll_each(x, x), ur_reshape(x, 1, D(8)), ur_slice(x, 2, 0, 1),
        ur_slice(x, 0, 0, 1), ur_stack(tape, 2, (ur_tensor *[]){x, x}),
        ur_gather(tape, ur_at(x, 0), ids), ur_transpose(x), ur_permute(x, D(2, 0, 1)),
        ur_reverse(x, NULL),
    };
    for (size_t i = 0; i < COUNT(made); i++) {
        assert_non_null(made[i]);
        if (strcmp(made[i]->made_by, "node") == 0 || made[i]->n_inputs == 0)
            fail_msg("operation %d of the list has no name or no inputs", (int)i);
    }
    assert_string_equal(ur__tensor_new(tape, 1, D(1), false)->made_by, "node");
    ur_params_free(params);
}

static void dump__of_a_poisoned_tape_ends_where_it_failed(void **state)
{
    (void)state;
    ur_tensor *x = ur_copy_in(tape, 2, D(1, 2), (ur_real[]){1, 2});
    assert_null(ur_matmul(ur_square(x), x));
    assert_dump(UR_DUMP_TEXT, "0 = copy [1,2] min 1 max 2 mean 1.5\n"
                              "1 = square(0) [1,2] min 1 max 4 mean 2.5\n");
}

static void dump__passes_failures_on(void **state)
{
    (void)state;
    ur_real w[2] = {1, -1}, grad[2] = {0};
    assert_non_null(small_loss(w, grad));
    struct text t = {.fail_at = 3};
    assert_status(UR_EOUTPUT, ur_tape_dump(tape, UR_DUMP_TEXT, put, &t));
    assert_int_equal(t.calls, 3);
    assert_status(UR_EINVAL, ur_tape_dump(tape, (ur_dump_format)9, put, &t));
    assert_string_equal(ur_errmsg(), "tape_dump: there is no format 9");
    assert_status(UR_EINVAL, ur_tape_dump(tape, UR_DUMP_DOT, NULL, &t));
    long blocks = ur__mem_blocks();
    t = (struct text){0};
    ur__mem_fail_at(1, true);
    assert_status(UR_ENOMEM, ur_tape_dump(tape, UR_DUMP_DOT, put, &t));
    ur__mem_fail_at(0, false);
    assert_int_equal(ur__mem_blocks(), blocks);
    assert_ok(ur_tape_status(tape));
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        UNIT(text__has_a_line_for_each_tensor),
        UNIT(dot__is_a_graph),
        UNIT(dump__shows_attributes),
        UNIT(dump__shows_where_a_gradient_is_lost),
        UNIT(names__of_parameters_and_of_every_operation),
        UNIT(dump__of_a_poisoned_tape_ends_where_it_failed),
        UNIT(dump__passes_failures_on),
    };
#undef UNIT
    return cmocka_run_group_tests(tests, NULL, NULL);
}
