/* SPDX-License-Identifier: MIT */
/* A tape that measures: it foretells what a round takes to the byte, touches no numbers, and
 * computes again afterwards. (Each operation by itself: double_tape.h.) */
#include "test_tape.h"

#include "layer/state.h"
#include "unroll/cells.h"

#include <math.h>

/* ---- large tensors ----------------------------------------------------- */

static void measure__takes_no_memory_for_numbers(void **state)
{
    (void)state;
    const size_t n = (size_t)1000 * 1000 * 1000;
    ur_real one = 1, grad = 0;
    size_t before = ur_memory_used(), peak = ur_memory_peak();
    ur__tape_measure(tape, true);
    ur_tensor *x = ur_variable(tape, 3, D(1000, 1000, 1000), UR__NOWHERE, UR__NOWHERE);
    ur_tensor *w = ur_variable(tape, 1, D(1), &one, &grad);
    ur_tensor *h = ur_layer_norm(ur_tanh(ur_mul(x, w)), NULL, NULL, 1e-5);
    ur_tensor *p = ur_softmax(ur_bmm_t(h, ur_permute(x, D(0, 2, 1))));
    ur_tensor *loss = ur_mean(ur_concat(tape, 2, (ur_tensor *[]){p, h}, 0));
    assert_ok(ur_tape_status(tape));
    struct ur__room forward = ur__tape_room(tape);
    assert_ok(ur_backward(tape, loss));
    struct ur__room both = ur__tape_room(tape);
    /* mul, tanh, norm twice, permute, bmm, softmax, concat twice as large */
    assert_in_range(forward.arena, 9 * n * sizeof(ur_real), 9 * n * sizeof(ur_real) + (8 << 20));
    assert_true(both.arena > forward.arena + 6 * n * sizeof(ur_real));
    assert_true(ur_memory_used() < before + (128 << 10));
    if (peak < before + (128 << 10))
        peak = before + (128 << 10);
    assert_true(ur_memory_peak() <= peak);
    assert_null(ur_data(loss));
    assert_null(ur_grad(h));
    assert_true(isnan(ur_scalar(loss)));
    assert_true(one == 1 && grad == 0);
}

/* Sums beyond the address space are refused, not wrapped. */
static void measure__refuses_what_no_memory_holds(void **state)
{
    (void)state;
    ur__tape_measure(tape, true);
    ur_tensor *x = ur_variable(tape, 2, D(1 << 30, 1 << 30), UR__NOWHERE, NULL);
    for (int i = 0; i < 8; i++)
        x = ur_tanh(x);
    assert_null(x);
    assert_status(UR_ENOMEM, ur_tape_status(tape));
    assert_non_null(strstr(ur_errmsg(), "address space"));
}

/* ---- there and back ---------------------------------------------------- */

static ur_real round_of(ur_real *grad)
{
    static const ur_real a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};
    memset(grad, 0, 6 * sizeof *grad);
    ur_tensor *x = ur_variable(tape, 2, D(2, 3), a, grad);
    ur_tensor *loss = ur_mean(ur_matmul(x, ur_constant(tape, 2, D(3, 2), b)));
    assert_ok(ur_backward(tape, loss));
    return (ur_real)ur_scalar(loss);
}

static void measure__computes_again_afterwards(void **state)
{
    (void)state;
    ur_real before[6], measured[6], after[6];
    ur_real loss = round_of(before);
    struct ur__room taken = ur__tape_room(tape);
    ur__tape_measure(tape, true);
    assert_true(ur__tape_measures(tape));
    assert_true(isnan(round_of(measured)));
    for (int i = 0; i < 6; i++)
        assert_true(measured[i] == 0);
    struct ur__room room = ur__tape_room(tape);
    assert_int_equal(room.arena, taken.arena);
    assert_int_equal(room.scratch, taken.scratch);
    ur_tape_reset(tape);
    assert_int_equal(ur__tape_room(tape).arena, 0);
    ur__tape_measure(tape, false);
    assert_true(round_of(after) == loss);
    assert_memory_equal(after, before, sizeof before);
}

/* A dump of shapes alone. */
static ur_status append(void *user, const void *text, size_t n)
{
    char *to = user;
    strncat(to, text, n);
    return UR_OK;
}

static void measure__dumps_shapes(void **state)
{
    (void)state;
    char text[400] = "";
    ur__tape_measure(tape, true);
    ur_tanh(ur_constant(tape, 2, D(2, 3), UR__NOWHERE));
    assert_ok(ur_tape_dump(tape, UR_DUMP_TEXT, append, text));
    assert_string_equal(text, "0 = constant [2,3]\n1 = tanh(0) [2,3]\n");
    assert_ok(ur_tape_dump(tape, UR_DUMP_DOT, append, text));
}

/* A cross entropy that does not end the tape passes on what it made for itself, too. */
static void measure__foretells_a_loss_of_losses(void **state)
{
    (void)state;
    static const ur_real logits[] = {1, 2, 3, 4, 5, 6};
    static const int32_t id[] = {0, 2};
    struct ur__room room[2];
    ur_real grad[6] = {0};
    for (int measuring = 0; measuring < 2; measuring++) {
        ur__tape_measure(tape, measuring);
        ur_tensor *x = ur_tanh(ur_variable(tape, 2, D(2, 3), logits, grad));
        ur_tensor *a = ur_cross_entropy(tape, x, (ur_ids){id, 2, 1});
        ur_tensor *b = ur_cross_entropy(tape, ur_tanh(x), (ur_ids){id, 2, 1});
        assert_ok(ur_backward(tape, ur_add(ur_affine(a, 0.5, 0), b)));
        room[measuring] = ur__tape_room(tape);
    }
    assert_int_equal(room[0].arena, room[1].arena);
    assert_int_equal(room[0].scratch, room[1].scratch);
}

/* ---- layers ------------------------------------------------------------ */

/* A net with what follows it. Its parameters are built, or on a measuring tape not. */
struct net {
    ur_params *params;
    ur_rnn *rnn;
    ur_embedding embed;
    ur_linear_layer out;
    ur_norm_cell cell;
    ur_state *state;
    int T, B, V;
    bool vectors, lengths, with_state, unrolled;
    const int32_t *ids;
    const int *length;
};

static const struct form {
    const char *what;
    ur_rnn_options o;
    int T, B, V;
    bool vectors, lengths, with_state, unrolled, see;
    double dropout;
} forms[] = {
    {"lstm", {.cell = UR_CELL_LSTM}, 5, 3, 7, .with_state = true},
    {"gru", {.cell = UR_CELL_GRU}, 4, 8, 5, .vectors = true, .with_state = true},
    {"gru, before", {.cell = UR_CELL_GRU, .reset_before = true, .biases = 1}, 4, 2, 5,
     .lengths = true},
    {"lstm, normalised", {.cell = UR_CELL_LSTM, .norm = UR_NORM_LAYER, .biases = 2}, 4, 3, 5,
     .with_state = true},
    {"gru, normalised", {.cell = UR_CELL_GRU, .norm = UR_NORM_LAYER, .biases = 2,
                         .bidirectional = true, .learned_state = true}, 4, 3, 5, .vectors = true},
    {"rnn", {.cell = UR_CELL_RNN, .time_residual = true}, 9, 1, 3, .vectors = true},
    {"two directions", {.cell = UR_CELL_LSTM, .bidirectional = true}, 5, 3, 7, .vectors = true,
     .lengths = true},
    {"learned state", {.cell = UR_CELL_LSTM, .learned_state = true, .peepholes = true}, 5, 3, 7,
     .with_state = true},
    {"noise", {.cell = UR_CELL_LSTM, .dropout = 0.2, .variational = true, .recurrent_dropout = 0.1,
               .zoneout_h = 0.1, .zoneout_c = 0.1}, 6, 2, 7, .vectors = true, .with_state = true},
    {"gradients seen", {.cell = UR_CELL_LSTM}, 6, 2, 7, .with_state = true, .see = true},
    {"many classes", {.cell = UR_CELL_GRU}, 64, 4, 20000, .vectors = true, .dropout = 0.3},
    {"a cell on the tape", {.cell = UR_CELL_RNN}, 5, 4, 9, .vectors = true, .unrolled = true},
};

static void seen(void *user, int layer, int64_t t, int B, int H, const ur_real *h)
{
    (void)layer;
    (void)t;
    (void)h;
    *(size_t *)user += (size_t)B * (size_t)H;
}

static void net_open(struct net *n, const struct form *f, bool built)
{
    ur_rnn_options o = f->o;
    const int E = 6;
    *n = (struct net){.T = f->T, .B = f->B, .V = f->V, .vectors = f->vectors,
                      .lengths = f->lengths, .with_state = f->with_state,
                      .unrolled = f->unrolled};
    o.size = sizeof o;
    o.activation = UR_ACT_TANH;
    o.layers = 2;
    o.hidden[0] = 12;
    o.hidden[1] = 20;
    o.input = f->vectors ? E : f->V;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_embedding_init(&n->embed, n->params, "embed", f->V, E));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &o));
    assert_ok(ur_norm_lstm_init(&n->cell, n->params, "cell", E, 20));
    assert_ok(ur_linear_init(&n->out, n->params, "out", f->unrolled ? 20 : ur_rnn_output(n->rnn),
                             f->V, true));
    if (built) {
        assert_ok(ur_params_build(n->params, 1));
        assert_ok(ur_rnn_prepare(n->rnn));
    }
}

static void net_close(struct net *n)
{
    ur_state_free(n->state);
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

static ur_tensor *net_loss(ur_tape *t, void *arg)
{
    struct net *n = arg;
    ur_ids ids = {n->ids, n->T, n->B};
    const int *lengths = n->lengths ? n->length : NULL;
    ur_tensor *h, *x = n->vectors ? ur_embed(t, &n->embed, ids) : NULL;
    if (n->unrolled) {
        ur_tensor *start[] = {ur_copy_in(t, 2, D(n->B, 20), NULL),
                              ur_copy_in(t, 2, D(n->B, 20), NULL)};
        h = ur_unroll(t, ur_norm_lstm_step, &n->cell, x, 2, start);
    } else if (x) {
        h = ur_rnn_forward(t, n->rnn, x, lengths, n->state);
    } else {
        h = ur_rnn_forward_ids(t, n->rnn, ids, lengths, n->state);
    }
    return ur_linear_cross_entropy(t, &n->out, ur_dropout(h, 0.1), ids);
}

/* A round by a net that is there, and what it took. */
static struct ur__room take_round(const struct form *f, ur_team *team, bool training,
                                  size_t *shown, size_t *state_bytes)
{
    struct net n;
    ur_tape *t;
    int32_t ids[256];
    int length[8];
    net_open(&n, f, true);
    for (int i = 0; i < f->T * f->B; i++)
        ids[i] = i % f->V;
    for (int b = 0; b < f->B; b++)
        length[b] = 1 + b % f->T;
    n.ids = ids;
    n.length = length;
    size_t before = ur_memory_used();
    if (n.with_state)
        assert_ok(ur_state_new(&n.state, n.rnn, n.B, team));
    *state_bytes = ur_memory_used() - before;
    if (f->see)
        ur_state_observe_gradients(n.state, seen, shown);
    assert_ok(ur_tape_new(&t, team));
    ur_tape_set_training(t, training, 1, 1);
    ur_tape_set_recording(t, training);
    ur_tensor *loss = net_loss(t, &n);
    assert_ok(training ? ur_backward(t, loss) : ur_tape_status(t));
    struct ur__room taken = ur__tape_room(t);
    ur_tape_free(t);
    net_close(&n);
    return taken;
}

static void compare_round(const struct form *f, ur_team *team, bool training)
{
    struct net n;
    struct ur__room room;
    size_t shown = 0, never = 0, state_taken, state_bytes = 0;
    struct ur__room taken = take_round(f, team, training, &shown, &state_taken);
    net_open(&n, f, false);
    n.ids = UR__NOWHERE;
    n.length = UR__NOWHERE;
    if (n.with_state)
        assert_ok(ur__state_measure(&n.state, n.rnn, n.B, team, &state_bytes));
    if (f->see)
        ur_state_observe_gradients(n.state, seen, &never);
    size_t used = ur_memory_used();
    assert_ok(ur__tape_measure_round(&room, net_loss, &n, training, team));
    assert_int_equal(ur_memory_used(), used);
    assert_int_equal(never, 0);
    assert_int_equal(shown > 0, f->see && training);
    net_close(&n);
    if (room.arena != taken.arena || room.scratch != taken.scratch)
        fail_msg("%s: %zu and %zu bytes are measured, %zu and %zu taken", f->what, room.arena,
                 room.scratch, taken.arena, taken.scratch);
    /* Three blocks, and what the heap keeps beside each; of cells on the tape also a tape. */
    size_t beside = f->o.norm ? 16384 : (size_t)3 * 2 * UR__ALIGN;
    if (n.with_state)
        assert_in_range(state_taken, state_bytes, state_bytes + beside);
}

static void measure__foretells_nets_to_the_byte(void **state)
{
    (void)state;
    ur_team *team;
    assert_ok(ur_team_new(&team, 3));
    for (size_t i = 0; i < COUNT(forms); i++) {
        compare_round(&forms[i], NULL, true);
        compare_round(&forms[i], team, true);
        compare_round(&forms[i], NULL, false);
    }
    ur_team_free(team);
}

/* A parameter is not there without memory, but on a measuring tape. */
static void measure__needs_no_parameters(void **state)
{
    (void)state;
    struct net n;
    net_open(&n, &forms[0], false);
    assert_null(ur_param_tensor(tape, n.params, n.out.weight));
    ur__tape_measure(tape, true);
    assert_non_null(ur_param_tensor(tape, n.params, n.out.weight));
    assert_ok(ur_tape_status(tape));
    net_close(&n);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(measure__takes_no_memory_for_numbers),
        TEST(measure__refuses_what_no_memory_holds),
        TEST(measure__computes_again_afterwards),
        TEST(measure__dumps_shapes),
        TEST(measure__foretells_a_loss_of_losses),
        TEST(measure__foretells_nets_to_the_byte),
        TEST(measure__needs_no_parameters),
    };
    return cmocka_run_group_tests_name("tape_measure", tests, NULL, NULL);
}
