/* SPDX-License-Identifier: MIT */
/* What may be done with a state between calls, and what recurrent layers and optimizers
 * refuse. */
#include "testing.h"

#include <fenv.h>
#include <math.h>

#include "support/settings.h"
#include "unroll/train.h"

enum { T = 3, B = 2, I = 2, H = 3 };

struct net {
    ur_params *params;
    ur_rnn *rnn;
    ur_tape *tape;
    ur_state *state;
};

static const float x[T * B * I] = {0.3f, -0.2f, 0.9f, 0.1f, -0.7f, 0.4f,
                                   0.2f, 0.8f,  -0.5f, 0.6f, 0.1f, -0.9f};

static void make(struct net *n)
{
    int hidden = H;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = I;
    o.hidden[0] = hidden;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &o));
    assert_ok(ur_params_build(n->params, 7));
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok(ur_state_new(&n->state, n->rnn, B, NULL));
}

static void unmake(struct net *n)
{
    ur_state_free(n->state);
    ur_tape_free(n->tape);
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

/* Step t as a sequence of one. */
static ur_tensor *forward(struct net *n, ur_tape *tape, int t)
{
    int dim[3] = {1, B, I};
    return ur_rnn_forward(tape, n->rnn, ur_constant(tape, 3, dim, x + t * B * I), NULL, n->state);
}

static void state__of_a_tape_that_was_reset_is_refused(void **unused)
{
    (void)unused;
    struct net n;
    make(&n);
    assert_non_null(forward(&n, n.tape, 0));
    ur_tape_reset(n.tape);
    assert_null(forward(&n, n.tape, 1));
    assert_status(UR_EINVAL, ur_tape_status(n.tape));
    assert_non_null(strstr(ur_errmsg(), "ur_state_detach"));
    ur_tape_reset(n.tape);
    ur_state_detach(n.state);
    assert_non_null(forward(&n, n.tape, 1));
    unmake(&n);
}

static void state__of_another_tape_is_refused(void **unused)
{
    (void)unused;
    struct net n;
    ur_tape *other;
    make(&n);
    assert_ok(ur_tape_new(&other, NULL));
    assert_non_null(forward(&n, n.tape, 0));
    assert_null(forward(&n, other, 1));
    assert_status(UR_EINVAL, ur_tape_status(other));
    ur_tape_reset(other);
    int dim[3] = {1, B, I};
    ur_tensor *foreign = ur_constant(n.tape, 3, dim, x);
    assert_null(ur_rnn_forward(other, n.rnn, foreign, NULL, NULL));
    assert_null(ur_rnn_forward(NULL, n.rnn, foreign, NULL, NULL));
    assert_null(ur_rnn_forward_ids(NULL, n.rnn, (ur_ids){NULL, 1, 1}, NULL, NULL));
    ur_tape_free(other);
    unmake(&n);
}

/* Three steps in a row, the middle one without the tape, equal three on it. */
static void state__numbers_that_have_moved_count(void **unused)
{
    (void)unused;
    struct net n;
    float whole[T * B * H], y[B * H];
    make(&n);
    assert_ok(ur_rnn_run(n.rnn, n.state, T, x, NULL, whole));
    ur_state_zero(n.state);
    assert_non_null(forward(&n, n.tape, 0));
    assert_ok(ur_rnn_step(n.rnn, n.state, x + B * I, y));
    ur_tensor *last = forward(&n, n.tape, 2);
    assert_memory_equal(ur_data(last), whole + 2 * B * H, sizeof y);
    /* Writing zeros is starting anew. */
    memset(ur_state_buffer(n.state, 0, "h", NULL), 0, sizeof y);
    memset(ur_state_buffer(n.state, 0, "c", NULL), 0, sizeof y);
    assert_memory_equal(ur_data(forward(&n, n.tape, 0)), whole, sizeof y);
    unmake(&n);
}

static void state__put_tensors_are_for_forward_and_must_fit(void **unused)
{
    (void)unused;
    struct net n;
    float y[B * H];
    int good[2] = {B, H}, turned[2] = {H, B};
    make(&n);
    ur_tensor *h = ur_copy_in(n.tape, 2, good, NULL);
    assert_status(UR_ESHAPE,
                  ur_state_put(n.state, 0, "h", ur_copy_in(n.tape, 2, turned, NULL)));
    assert_status(UR_EINVAL, ur_state_put(n.state, 1, "h", h));
    assert_status(UR_EINVAL, ur_state_put(n.state, 0, "m", h));
    assert_ok(ur_state_put(n.state, 0, "h", h));
    assert_status(UR_EINVAL, ur_rnn_step(n.rnn, n.state, x, y));
    assert_non_null(forward(&n, n.tape, 0));
    assert_ok(ur_rnn_step(n.rnn, n.state, x, y));
    assert_non_null(ur_state_tensor(n.state, 0, "h"));
    assert_non_null(ur_state_tensor(n.state, 0, "c"));
    assert_null(ur_state_tensor(n.state, 0, "m"));
    unmake(&n);
}

/* ---- rows -------------------------------------------------------------- */

enum { ROOM = 4, LONG = 9, STEPS = LONG };

/* The outputs [STEPS,H] of one sequence alone, its k-th steps reading inputs 31·id + k. */
static void alone(struct net *n, int id, float *y)
{
    ur_state *s;
    assert_ok(ur_state_new(&s, n->rnn, 1, NULL));
    for (int k = 0; k < STEPS; k++) {
        float in[I] = {sinf((float)(31 * id + k)), cosf((float)(7 * id + k))};
        assert_ok(ur_rnn_step(n->rnn, s, in, y + k * H));
    }
    ur_state_free(s);
}

/* Sequences join, leave, change places and branch; each has the bits that it has alone. */
static void state__rows_go_on_as_if_alone(void **unused)
{
    (void)unused;
    static const int choice[LONG][ROOM] = {{-1, -1}, {1, 0}, {0, -1, 1}, {2, 1, 0, -1},
                                           {3, 3, 0, 1},
                                           {0, 2}, {1, -1, 0, -1}, {3, 2, 1, 0}, {2}};
    static const int rows[LONG] = {2, 2, 3, 4, 4, 2, 4, 4, 1};
    struct net n;
    ur_state *s;
    float y[ROOM * H], want[2 * LONG * ROOM][STEPS * H];
    int id[ROOM], age[ROOM], next = 0, compared = 0;
    make(&n);
    assert_ok(ur_state_new(&s, n.rnn, ROOM, NULL));
    assert_int_equal(ur_state_rows(s), ROOM);
    for (int t = 0; t < LONG; t++) {
        int old_id[ROOM], old_age[ROOM];
        float in[ROOM * I];
        size_t size, all;
        memcpy(old_id, id, sizeof id);
        memcpy(old_age, age, sizeof age);
        assert_ok(ur_state_select(s, rows[t], choice[t]));
        assert_int_equal(ur_state_rows(s), rows[t]);
        assert_non_null(ur_state_buffer(s, 0, "c", &size));
        assert_int_equal(size, rows[t] * H);
        assert_non_null(ur_state_data(s, &all));
        assert_int_equal(all, 2 * size);
        for (int b = 0; b < rows[t]; b++) {
            id[b] = choice[t][b] < 0 ? next : old_id[choice[t][b]];
            age[b] = choice[t][b] < 0 ? 0 : old_age[choice[t][b]];
            if (choice[t][b] < 0)
                alone(&n, next, want[next]), next++;
            in[b * I] = sinf((float)(31 * id[b] + age[b]));
            in[b * I + 1] = cosf((float)(7 * id[b] + age[b]));
        }
        assert_ok(ur_rnn_step(n.rnn, s, in, y));
        for (int b = 0; b < rows[t]; age[b++]++, compared++)
            assert_memory_equal(y + b * H, want[id[b]] + age[b] * H, H * sizeof *y);
    }
    print_message("rows: %d steps of %d sequences, equal bits in all\n", compared, next);
    ur_state_free(s);
    unmake(&n);
}

static void state__copies_go_on_alike(void **unused)
{
    (void)unused;
    struct net n;
    ur_state *wide, *narrow;
    float y[B * H], z[B * H];
    const int first = 0;
    make(&n);
    assert_ok(ur_state_new(&wide, n.rnn, ROOM, NULL));
    assert_ok(ur_state_new(&narrow, n.rnn, 1, NULL));
    assert_ok(ur_rnn_step(n.rnn, n.state, x, y));
    assert_ok(ur_state_copy(wide, n.state));
    assert_int_equal(ur_state_rows(wide), B);
    assert_int_equal(ur_state_steps(wide), 1);
    assert_ok(ur_rnn_step(n.rnn, n.state, x + B * I, y));
    assert_ok(ur_rnn_step(n.rnn, wide, x + B * I, z));
    assert_memory_equal(y, z, sizeof y);
    assert_status(UR_EINVAL, ur_state_copy(narrow, wide));
    assert_ok(ur_state_select(wide, 1, &first));
    assert_ok(ur_state_copy(narrow, wide));
    assert_ok(ur_rnn_step(n.rnn, n.state, x, y));
    assert_ok(ur_rnn_step(n.rnn, narrow, x, z));
    assert_memory_equal(y, z, H * sizeof *y);
    ur_state_free(wide);
    ur_state_free(narrow);
    unmake(&n);
}

static void rnn__padding_plays_no_part(void **unused)
{
    (void)unused;
    struct net n;
    float padded[T * B * I], clean[100];
    int dim[3] = {T, B, I}, lengths[B] = {T, 1};
    make(&n);
    for (int pass = 0; pass < 2; pass++) {
        memcpy(padded, x, sizeof x);
        for (int t = 1; t < T; t++)
            for (int i = 0; i < I; i++)
                padded[(t * B + 1) * I + i] = pass ? NAN : 0;
        ur_tape_reset(n.tape);
        ur_params_zero_grads(n.params);
        ur_tensor *y = ur_rnn_forward(n.tape, n.rnn, ur_constant(n.tape, 3, dim, padded),
                                      lengths, NULL);
        assert_ok(ur_backward(n.tape, ur_sum(y)));
        size_t bytes = ur_params_size(n.params) * sizeof(float);
        assert_true(bytes <= sizeof clean);
        if (!pass)
            memcpy(clean, ur_params_grads(n.params), bytes);
        else
            assert_memory_equal(clean, ur_params_grads(n.params), bytes);
    }
    unmake(&n);
}

static void rnn__sizes_beyond_int_are_refused(void **unused)
{
    (void)unused;
    struct net n;
    int32_t id = 0;
    make(&n);
    assert_null(ur_rnn_forward_ids(n.tape, n.rnn, (ur_ids){&id, 1 << 16, 1 << 15}, NULL, NULL));
    assert_status(UR_ESHAPE, ur_tape_status(n.tape));
    unmake(&n);
}

static void rnn__a_failed_constructor_leaves_no_parameters(void **unused)
{
    (void)unused;
    ur_params *p;
    ur_rnn *rnn;
    ur_linear_layer linear;
    int hidden[2] = {2, 2}, one = 1;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 2;
    memcpy(o.hidden, hidden, sizeof hidden);
    assert_ok(ur_params_new(&p));
    o.activation = (ur_activation)99;
    assert_status(UR_EINVAL, ur_rnn_new(&rnn, p, "q", &o));
    o.activation = UR_ACT_TANH;
    assert_ok(ur_params_add(p, "q.weight_ih_l1", 1, &one, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    o.layers = 2;       /* the second layer's name is taken */
    assert_status(UR_EINVAL, ur_rnn_new(&rnn, p, "q", &o));
    assert_int_equal(ur_params_count(p), 1);
    assert_int_equal(ur_params_size(p), 1);
    assert_ok(ur_params_add(p, "out.bias", 1, &one, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    assert_status(UR_EINVAL, ur_linear_init(&linear, p, "out", 2, 3, true));
    assert_int_equal(ur_params_count(p), 2);
    ur_params_free(p);
}

static void optimizer__refuses_what_cannot_be_computed(void **unused)
{
    (void)unused;
    ur_params *p;
    ur_optimizer *opt;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    int one = 1;
    o.clip_norm = 0;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "w", 1, &one, (ur_start){UR_INIT_CONSTANT, 1}, NULL));
    assert_status(UR_EINVAL, ur_optimizer_new(&opt, p, &o, NULL));
    assert_ok(ur_params_build(p, 1));
    o.eps = 1e-20;
    assert_status(UR_EINVAL, ur_optimizer_new(&opt, p, &o, NULL));
    o.eps = 0;
    assert_ok(ur_optimizer_new(&opt, p, &o, NULL));
    ur_params_grads(p)[0] = 1;
    assert_status(UR_EINVAL, ur_optimizer_step(opt, 1e39, NULL));
    ur_params_grads(p)[0] = 1e22f;
    assert_status(UR_ENUMERIC, ur_optimizer_step(opt, 1e-3, NULL));
    assert_true(ur_params_values(p)[0] == 1);
    ur_optimizer_free(opt);
    ur_params_free(p);
}

static void rnn__must_be_prepared_again_after_an_update(void **unused)
{
    (void)unused;
    struct net n;
    ur_optimizer *opt;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    float y[B * H];
    make(&n);
    assert_ok(ur_optimizer_new(&opt, n.params, &o, NULL));
    assert_ok(ur_rnn_step(n.rnn, n.state, x, y));
    assert_ok(ur_optimizer_step(opt, 1e-3, NULL));
    assert_status(UR_EINVAL, ur_rnn_step(n.rnn, n.state, x, y));
    assert_non_null(strstr(ur_errmsg(), "ur_rnn_prepare"));
    assert_null(forward(&n, n.tape, 0));
    ur_tape_reset(n.tape);
    assert_ok(ur_rnn_prepare(n.rnn));
    assert_ok(ur_rnn_step(n.rnn, n.state, x, y));
    assert_non_null(forward(&n, n.tape, 0));
    ur_optimizer_free(opt);
    unmake(&n);
}

static void names__null_is_found_nowhere(void **unused)
{
    (void)unused;
    ur_cell cell;
    ur_optimizer_kind optimizer;
    ur_schedule_kind schedule;
    ur_token_kind tokens;
    assert_false(ur_cell_find(NULL, &cell));
    assert_false(ur_optimizer_find(NULL, &optimizer));
    assert_false(ur_schedule_find(NULL, &schedule));
    assert_false(ur_token_kind_find(NULL, &tokens));
    struct net n;
    make(&n);
    assert_null(ur_param_tensor(n.tape, n.params, ur_params_find(n.params, "typo")));
    assert_status(UR_EINVAL, ur_tape_status(n.tape));
    unmake(&n);
}

static void affine__ignores_the_callers_rounding(void **unused)
{
    (void)unused;
    ur_tape *tape;
    int one = 1, old = fegetround();
    float got[2];
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < 2; i++) {
        fesetround(i ? FE_UPWARD : FE_DOWNWARD);
        ur_tensor *y = ur_affine(ur_copy_in(tape, 1, &one, NULL), 1, 0.1 - 1e-9);
        got[i] = ur_data(y)[0];
    }
    fesetround(old);
    assert_memory_equal(&got[0], &got[1], sizeof(float));
    ur_tape_free(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state__of_a_tape_that_was_reset_is_refused),
        cmocka_unit_test(state__of_another_tape_is_refused),
        cmocka_unit_test(state__numbers_that_have_moved_count),
        cmocka_unit_test(state__put_tensors_are_for_forward_and_must_fit),
        cmocka_unit_test(state__rows_go_on_as_if_alone),
        cmocka_unit_test(state__copies_go_on_alike),
        cmocka_unit_test(rnn__padding_plays_no_part),
        cmocka_unit_test(rnn__sizes_beyond_int_are_refused),
        cmocka_unit_test(rnn__a_failed_constructor_leaves_no_parameters),
        cmocka_unit_test(optimizer__refuses_what_cannot_be_computed),
        cmocka_unit_test(rnn__must_be_prepared_again_after_an_update),
        cmocka_unit_test(names__null_is_found_nowhere),
        cmocka_unit_test(affine__ignores_the_callers_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
