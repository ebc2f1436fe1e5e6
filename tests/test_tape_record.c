/* SPDX-License-Identifier: MIT */
/* The record of a round, walked as one who writes it down for another program does: each node's
 * operation, inputs, attributes and parameters. */
#include "test_tape.h"

#include "unroll/layer.h"
#include "unroll/model.h"

/* What is expected of a node; inputs by their places in the record. */
struct want {
    const char *op, *name;
    int n_inputs, inputs[8];
    const char *attributes;     /* "dim 1, begin 0"; NULL: none */
};

static void attributes_text(const ur_tensor *x, char *to, size_t size)
{
    size_t at = 0;
    to[0] = '\0';
    for (const struct ur__attribute *a = x->attributes; a; a = a->next) {
        at += (size_t)snprintf(to + at, size - at, at ? ", %s" : "%s", a->name);
        for (int i = 0; a->whole && i < a->n; i++)
            at += (size_t)snprintf(to + at, size - at, " %d", a->whole[i]);
        if (!a->whole)
            at += (size_t)snprintf(to + at, size - at, " %g", a->real);
        assert_true(at < size);
    }
}

static void expect_nodes(int n, const struct want *want)
{
    int i = 0;
    for (const ur_tensor *x = ur__tape_first(tape); x; x = x->later, i++) {
        char text[400];
        assert_true(i < n);
        assert_int_equal(x->ordinal, i);
        assert_string_equal(x->made_by, want[i].op);
        assert_string_equal(x->name ? x->name : "", want[i].name ? want[i].name : "");
        assert_int_equal(x->n_inputs, want[i].n_inputs);
        for (int k = 0; k < x->n_inputs; k++) {
            assert_int_equal(x->inputs[k]->ordinal, want[i].inputs[k]);
            assert_true(x->inputs[k]->ordinal < i);
        }
        attributes_text(x, text, sizeof text);
        assert_string_equal(text, want[i].attributes ? want[i].attributes : "");
    }
    assert_int_equal(i, n);
}

/* ---- a formula --------------------------------------------------------- */

static void formula__can_be_walked(void **state)
{
    (void)state;
    ur_real w[12] = {1, 2, 3, 4}, grad[12] = {0}, gain[2] = {1, 1};
    for (int recording = 0; recording < 2; recording++) {
        ur_tape_reset(tape);
        ur_tape_set_recording(tape, recording);
        ur_tensor *x = ur_variable(tape, 3, D(2, 3, 2), w, grad);
        ur_tensor *part = ur_slice(x, -2, 1, 3);                    /* a copy */
        ur_tensor *turned = ur_permute(ur_slice(part, 0, 1, 2), D(2, 0, 1));
        ur_tensor *y = ur_layer_norm(turned, NULL, ur_constant(tape, 1, D(2), gain), 1e-3);
        y = ur_affine(ur_softmax(y), 2, -0.5);
        y = ur_concat(tape, 2, (ur_tensor *[]){y, turned}, -1);
        assert_non_null(ur_reverse(ur_sum_over(ur_at(y, 1), 1), NULL));
        const struct want want[] = {
            {.op = "variable"},
            {.op = "slice", .n_inputs = 1, .inputs = {0}, .attributes = "dim 1, begin 1, end 3"},
            {.op = "slice", .n_inputs = 1, .inputs = {1}, .attributes = "dim 0, begin 1, end 2"},
            {.op = "permute", .n_inputs = 1, .inputs = {2}, .attributes = "order 2 0 1"},
            {.op = "constant"},
            {.op = "layer_norm", .n_inputs = 2, .inputs = {3, 4},
             .attributes = "epsilon 0.001, gain 0, bias 1"},
            {.op = "softmax", .n_inputs = 1, .inputs = {5}},
            {.op = "affine", .n_inputs = 1, .inputs = {6}, .attributes = "scale 2, shift -0.5"},
            {.op = "concat", .n_inputs = 2, .inputs = {7, 3}, .attributes = "dim 2"},
            {.op = "at", .n_inputs = 1, .inputs = {8}, .attributes = "index 1"},
            {.op = "sum_over", .n_inputs = 1, .inputs = {9}, .attributes = "dim 1"},
            {.op = "reverse", .n_inputs = 1, .inputs = {10}},
        };
        expect_nodes(COUNT(want), want);
    }
}

/* Those that the formula above has no place for. */
static void attributes__of_other_operations(void **state)
{
    (void)state;
    ur_real w[8] = {1, 2, 3, 4}, grad[8] = {0};
    int lengths[2] = {2, 1};
    ur_tape_set_training(tape, true, 1, 1);
    ur_tensor *x = ur_variable(tape, 2, D(4, 2), w, grad);
    const struct {
        ur_tensor *y;
        const char *want;
    } cases[] = {
        {ur_dropout(x, 0.25), "p 0.25"},
        {ur_transpose(x), "order 1 0"},
        {ur_mean_over(x, -1), "dim 1"},
        {ur_max_over(x, 0), "dim 0"},
        {ur_reverse(x, lengths), "lengths 2 1"},
        {ur_softmax_lengths(ur_slice(x, 0, 0, 2), lengths), "lengths 2 1"},
        {ur_gather(tape, x, (ur_ids){(int32_t[]){3, 0}, 1, 2}), "ids 3 0"},
    };
    lengths[0] = 1;     /* the caller's array may change */
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[100];
        assert_non_null(cases[i].y);
        attributes_text(cases[i].y, text, sizeof text);
        assert_string_equal(text, cases[i].want);
    }
    const struct ur__attribute *p = ur__tape_attribute(cases[0].y, "p");
    assert_true(p && !p->whole && p->real == 0.25);
    assert_null(ur__tape_attribute(cases[0].y, "dim"));
}

/* ---- a model ----------------------------------------------------------- */

/* A round of a language model with two layers of lstm; *lengths may be NULL. */
static ur_model *lm_round(const char *const settings[][2], int n, const int *lengths)
{
    static const int32_t ids[] = {0, 1, 2, 3, 4, 0}, targets[] = {1, 2, 3, 4, 0, -1};
    ur_options net;
    ur_model *m;
    ur_vocab *vocab;
    ur_batch batch;
    assert_ok(ur_config_init(&net, "lm"));
    for (int i = 0; i < n; i++)
        assert_ok(ur_options_set(&net, settings[i][0], settings[i][1]));
    assert_ok(ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, "abcde", 5, 1));
    assert_ok(ur_model_new(&m, &net, 1, &vocab, 1));
    assert_ok(ur_model_prepare(m));
    ur_batch_init(&batch);
    assert_ok(ur_batch_ids(&batch, "input", 3, 2, ids, lengths));
    assert_ok(ur_batch_ids(&batch, "target", 3, 2, targets, NULL));
    assert_non_null(ur_model_loss(tape, m, &batch, NULL));
    return m;
}

static const ur_tensor *find(const char *op)
{
    const ur_tensor *x = ur__tape_first(tape);
    while (x && strcmp(x->made_by, op) != 0)
        x = x->later;
    assert_non_null(x);
    return x;
}

static void expect_parameters(ur_model *m, const char *const *names, int n)
{
    const ur_tensor *rnn = find("rnn");
    struct ur__tape_param p;
    for (int i = 0; i < n; i++) {
        assert_true(rnn->params(rnn->params_of, i, &p));
        assert_string_equal(p.name, names[i]);
        const ur_param *own = ur_params_find(ur_model_params(m), p.name);
        assert_non_null(own);
        assert_ptr_equal(p.data, ur_param_data(ur_model_params(m), own));
        assert_int_equal(p.rank, own->rank);
        assert_memory_equal(p.dim, own->dim, (size_t)p.rank * sizeof *p.dim);
    }
    assert_false(rnn->params(rnn->params_of, n, &p));
}

static void model__can_be_walked(void **state)
{
    (void)state;
    const char *const settings[][2] = {{"hidden", "4"}, {"layers", "2"}, {"embed", "3"}};
    ur_model *m = lm_round(settings, 3, NULL);
    const struct want want[] = {
        {.op = "parameter", .name = "embed.weight"},
        {.op = "gather", .n_inputs = 1, .inputs = {0}, .attributes = "ids 0 1 2 3 4 0"},
        {.op = "rnn", .n_inputs = 1, .inputs = {1},
         .attributes = "cell 1, layers 2, directions 1"},
        {.op = "rnn_state", .n_inputs = 1, .inputs = {2}, .attributes = "slot 0 0"},
        {.op = "rnn_state", .n_inputs = 1, .inputs = {2}, .attributes = "slot 0 1"},
        {.op = "rnn_state", .n_inputs = 1, .inputs = {2}, .attributes = "slot 1 0"},
        {.op = "rnn_state", .n_inputs = 1, .inputs = {2}, .attributes = "slot 1 1"},
        {.op = "parameter", .name = "decoder.weight"},
        {.op = "matmul_t", .n_inputs = 2, .inputs = {2, 7}},
        {.op = "parameter", .name = "decoder.bias"},
        {.op = "add", .n_inputs = 2, .inputs = {8, 9}},
        {.op = "cross_entropy", .n_inputs = 1, .inputs = {10}},
    };
    expect_nodes(COUNT(want), want);
    static const char *const names[] = {
        "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
        "rnn.weight_ih_l1", "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1",
    };
    expect_parameters(m, names, COUNT(names));
    ur_model_free(m);
}

/* Numbers as input, learned states, lengths, projections, peepholes. */
static void model__says_what_its_net_reads(void **state)
{
    (void)state;
    const char *const settings[][2] = {
        {"hidden", "4"}, {"layers", "1"}, {"learned-state", "yes"}, {"projection", "2"},
        {"peepholes", "yes"},
    };
    ur_model *m = lm_round(settings, 5, (const int[]){3, 2});
    const ur_tensor *rnn = find("rnn");
    char text[400];
    attributes_text(rnn, text, sizeof text);
    assert_string_equal(text, "from 0 1, cell 1, layers 1, directions 1, lengths 3 2, "
                              "ids 0 1 2 3 4 0");
    assert_int_equal(rnn->n_inputs, 2);
    for (int i = 0; i < 2; i++)
        assert_true(rnn->inputs[i]->ordinal < rnn->ordinal);
    assert_int_equal(ur_dim(rnn->inputs[0], 1), 2);     /* h is projected, c is not */
    assert_int_equal(ur_dim(rnn->inputs[1], 1), 4);
    static const char *const names[] = {
        "urnn.weight_ih_l0", "urnn.weight_hh_l0", "urnn.bias_ih_l0", "urnn.bias_hh_l0",
        "urnn.weight_hr_l0", "urnn.weight_peep_l0",
    };
    expect_parameters(m, names, COUNT(names));
    ur_model_free(m);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        UNIT(formula__can_be_walked),
        UNIT(attributes__of_other_operations),
        UNIT(model__can_be_walked),
        UNIT(model__says_what_its_net_reads),
    };
#undef UNIT
    return cmocka_run_group_tests(tests, NULL, NULL);
}
