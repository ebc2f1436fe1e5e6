/* SPDX-License-Identifier: MIT */
/* Wrong calls of base.h, rnn.h, layer.h, cells.h and metric.h. */
#include "testing.h"

#include <limits.h>
#include <math.h>

#include "support/misuse.h"
#include "unroll/cells.h"
#include "unroll/metric.h"

enum { B = 2, I = 3, H = 4 };

static ur_params *params, *unbuilt;
static ur_rnn *rnn, *both_ways, *raw, *other_net;   /* raw: never prepared */
static ur_state *state, *two_sided;
static ur_tape *tape;
static ur_linear_layer linear;
static ur_embedding embedding;
static ur_norm_cell lstm, gru;
static ur_real x[B * I], y[B * H * 2];
static const int hidden[2] = {H, H};

static ur_rnn_options options_of(bool bidirectional)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = I;
    memcpy(o.hidden, hidden, sizeof hidden);
    o.bidirectional = bidirectional;
    return o;
}

static int set_up(void **unused)
{
    (void)unused;
    ur_rnn_options one_way = options_of(false), two_ways = options_of(true);
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_new(&unbuilt));
    assert_ok(ur_rnn_new(&rnn, params, "rnn", &one_way));
    assert_ok(ur_rnn_new(&other_net, params, "other", &one_way));
    assert_ok(ur_rnn_new(&both_ways, params, "both", &two_ways));
    assert_ok(ur_linear_init(&linear, params, "linear", H, 5, true));
    assert_ok(ur_embedding_init(&embedding, params, "embedding", 6, I));
    assert_ok(ur_norm_lstm_init(&lstm, params, "lstm", I, H));
    assert_ok(ur_norm_gru_init(&gru, params, "gru", I, H));
    assert_ok(ur_params_build(params, 1));
    assert_ok(ur_rnn_new(&raw, unbuilt, "raw", &one_way));
    assert_ok(ur_rnn_prepare(rnn));
    assert_ok(ur_rnn_prepare(other_net));
    assert_ok(ur_rnn_prepare(both_ways));
    assert_ok(ur_state_new(&state, rnn, B, NULL));
    assert_ok(ur_state_new(&two_sided, both_ways, B, NULL));
    assert_ok(ur_tape_new(&tape, NULL));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ur_tape_free(tape);
    ur_state_free(state);
    ur_state_free(two_sided);
    ur_rnn_free(rnn);
    ur_rnn_free(other_net);
    ur_rnn_free(both_ways);
    ur_rnn_free(raw);
    ur_params_free(params);
    ur_params_free(unbuilt);
    return 0;
}

/* expr is an operation of the tape that fails and poisons it. */
#define POISONS(status, expr)                                                          \
    do {                                                                               \
        ur_tape_reset(tape);                                                           \
        ur_state_detach(state);                                                        \
        if ((expr) != NULL)                                                            \
            fail_msg("a tensor comes of " #expr);                                      \
        REFUSED((status), ur_tape_status(tape));                                       \
        ur_tape_reset(tape);                                                           \
    } while (0)

/* ---- base -------------------------------------------------------------- */

static void base__needs_its_pointers(void **unused)
{
    (void)unused;
    ur_team *team;
    static const int sizes[] = {-1, 1025, INT_MAX, INT_MIN};
    REFUSED(UR_EINVAL, ur_team_new(NULL, 1));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        REFUSED(UR_EINVAL, ur_team_new(&team, sizes[i]));
        assert_null(team);
    }
    ur_team_free(NULL);
    assert_int_equal(ur_team_size(NULL), 1);
    SAYS(ur_random(1, 1, 1, 1, NULL));
    assert_string_equal(ur_status_name((ur_status)99), "?");
    assert_string_equal(ur_status_name((ur_status)-99), "?");
}

static void metrics__need_their_pointers(void **unused)
{
    (void)unused;
    double d, series[2] = {1, 2};
    ur_metrics m;
    ur_metrics_init(&m);
    SAYS(ur_metrics_add(NULL, "loss", "", false, 1));
    SAYS(ur_metrics_add(&m, NULL, "", false, 1));
    SAYS(ur_metrics_add(&m, "loss", NULL, false, 1));
    assert_int_equal(m.n, 0);
    NOTHING(ur_metrics_find(NULL, "loss"));
    NOTHING(ur_metrics_find(&m, NULL));
    SAYS(ur_metrics_get(NULL, "loss"));
    SAYS(ur_metrics_get(&m, NULL));
    assert_true(isnan(ur_metrics_get(NULL, "loss")));
    QUIET(ur_metrics_find(&m, "loss"));
    SAYS(ur_moments(2, NULL, &d, &d));
    SAYS(ur_moments(2, x, NULL, &d));
    SAYS(ur_moments(2, x, &d, NULL));
    SAYS(ur_correlation(2, NULL, series));
    SAYS(ur_correlation(2, series, NULL));
    assert_true(isnan(ur_correlation(2, NULL, series)));
    ur_moments(0, NULL, &d, &d);
    assert_true(ur_correlation(0, NULL, NULL) == 0);
}

/* ---- parameters -------------------------------------------------------- */

static void params__need_their_pointers(void **unused)
{
    (void)unused;
    const int dim[1] = {2};
    const ur_param *p = ur_params_at(params, 0);
    REFUSED(UR_EINVAL, ur_params_new(NULL));
    ur_params_free(NULL);
    REFUSED(UR_EINVAL, ur_params_add(NULL, "p", 1, dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, NULL, 1, dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "", 1, dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 1, NULL, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(NULL, "p", 1, dim, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, NULL, 1, dim, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, "p", 1, NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_build(NULL, 1));
    NOTHING(ur_params_count(NULL));
    NOTHING(ur_params_at(NULL, 0));
    NOTHING(ur_params_find(NULL, "p"));
    NOTHING(ur_params_find(params, NULL));
    NOTHING(ur_params_size(NULL));
    NOTHING(ur_params_values(NULL));
    NOTHING(ur_params_grads(NULL));
    SAYS(ur_params_zero_grads(NULL));
    NOTHING(ur_param_data(NULL, p));
    NOTHING(ur_param_data(params, NULL));
    NOTHING(ur_param_tensor(NULL, params, p));
    POISONS(UR_EINVAL, ur_param_tensor(tape, NULL, p));
    POISONS(UR_EINVAL, ur_param_tensor(tape, params, NULL));
    QUIET(ur_params_at(params, -1));
    QUIET(ur_params_at(params, INT_MAX));
    QUIET(ur_params_find(params, "nowhere"));
    QUIET(ur_params_values(unbuilt));
    QUIET(ur_params_grads(unbuilt));
    QUIET(ur_param_data(unbuilt, ur_params_at(unbuilt, 0)));
}

static void params__refuse_the_impossible(void **unused)
{
    (void)unused;
    static const int bad[][2] = {{0, 1}, {-1, 2}, {1, INT_MIN}, {INT_MAX, INT_MAX}, {65536, 65536}};
    const int dim[2] = {3, 2};
    const ur_param *p = ur_params_find(params, "embedding.weight"), *out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, bad[i],
                                         (ur_start){UR_INIT_CONSTANT, 0}, &out));
        REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, "p", 2, bad[i], 0, &out));
        assert_null(out);
    }
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 0, dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 6, dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", INT_MIN, dim, (ur_start){UR_INIT_CONSTANT, 0},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim, (ur_start){UR_INIT_ORTHOGONAL, 1},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 1, dim, (ur_start){UR_INIT_ORTHOGONAL, 1},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim, (ur_start){(ur_init)99, 1}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim, (ur_start){(ur_init)-1, 1}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim,
                                     (ur_start){UR_INIT_UNIFORM, (double)NAN}, NULL));
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim, (ur_start){UR_INIT_NORMAL, HUGE_VAL},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, "p", 2, dim, (double)NAN, NULL));
    for (int init = UR_INIT_CONSTANT; init <= UR_INIT_NORMAL; init++)
        REFUSED(UR_EINVAL, ur_params_add(unbuilt, "p", 2, dim, (ur_start){(ur_init)init, -2e37},
                                         NULL));
    /* Names that no file can hold. */
    static const char *const names[] = {"__metadata__", "a\x1b[1m", "\xff", "a\nb"};
    for (int i = 0; i < 4; i++) {
        REFUSED(UR_EINVAL, ur_params_add(unbuilt, names[i], 2, dim, (ur_start){UR_INIT_CONSTANT, 0},
                                         NULL));
        REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, names[i], 2, dim, 0, NULL));
        REFUSED(UR_EINVAL, ur_params_add_typed(unbuilt, names[i], UR_TYPE_I8, 2, dim, NULL));
    }
    const char *taken = ur_params_at(unbuilt, 0)->name;
    REFUSED(UR_EINVAL, ur_params_add(unbuilt, taken, 2, dim, (ur_start){UR_INIT_CONSTANT, 0},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(unbuilt, taken, 2, dim, 0, NULL));
    /* Too late, twice, of another store. */
    REFUSED(UR_EINVAL, ur_params_add(params, "late", 2, dim, (ur_start){UR_INIT_CONSTANT, 0},
                                     NULL));
    REFUSED(UR_EINVAL, ur_params_add_buffer(params, "late", 2, dim, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_build(params, 1));
    NOTHING(ur_param_data(unbuilt, p));
    POISONS(UR_EINVAL, ur_param_tensor(tape, unbuilt, p));
    POISONS(UR_EINVAL, ur_param_tensor(tape, unbuilt, ur_params_at(unbuilt, 0)));
}

/* ---- simple layers ----------------------------------------------------- */

static void layers__refuse_the_impossible(void **unused)
{
    (void)unused;
    ur_linear_layer l;
    ur_embedding e;
    const ur_param *bias = ur_params_find(params, "linear.bias");
    static const int bad[] = {0, -1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(UR_EINVAL, ur_linear_init(&l, unbuilt, "l", bad[i], 3, true));
        REFUSED(UR_EINVAL, ur_linear_init(&l, unbuilt, "l", 3, bad[i], true));
        REFUSED(UR_EINVAL, ur_embedding_init(&e, unbuilt, "e", bad[i], 3));
        REFUSED(UR_EINVAL, ur_embedding_init(&e, unbuilt, "e", 3, bad[i]));
        REFUSED(UR_EINVAL, ur_norm_lstm_init(&lstm, unbuilt, "c", bad[i], 3));
        REFUSED(UR_EINVAL, ur_norm_gru_init(&gru, unbuilt, "c", 3, bad[i]));
    }
    REFUSED(UR_EINVAL, ur_linear_init(NULL, unbuilt, "l", 2, 3, true));
    REFUSED(UR_EINVAL, ur_linear_init(&l, NULL, "l", 2, 3, true));
    REFUSED(UR_EINVAL, ur_linear_init(&l, unbuilt, NULL, 2, 3, true));
    REFUSED(UR_EINVAL, ur_linear_init(&l, params, "late", 2, 3, true));
    REFUSED(UR_EINVAL, ur_linear_init_tied(NULL, unbuilt, "l", linear.weight, true));
    REFUSED(UR_EINVAL, ur_linear_init_tied(&l, NULL, "l", linear.weight, true));
    REFUSED(UR_EINVAL, ur_linear_init_tied(&l, unbuilt, NULL, linear.weight, true));
    REFUSED(UR_EINVAL, ur_linear_init_tied(&l, unbuilt, "l", NULL, true));
    REFUSED(UR_EINVAL, ur_linear_init_tied(&l, unbuilt, "l", bias, true));
    REFUSED(UR_EINVAL, ur_embedding_init(NULL, unbuilt, "e", 2, 3));
    REFUSED(UR_EINVAL, ur_embedding_init(&e, NULL, "e", 2, 3));
    REFUSED(UR_EINVAL, ur_embedding_init(&e, unbuilt, NULL, 2, 3));
    REFUSED(UR_EINVAL, ur_embedding_init(&e, params, "late", 2, 3));
    REFUSED(UR_EINVAL, ur_norm_lstm_init(NULL, unbuilt, "c", 2, 3));
    REFUSED(UR_EINVAL, ur_norm_lstm_init(&lstm, NULL, "c", 2, 3));
    REFUSED(UR_EINVAL, ur_norm_lstm_init(&lstm, unbuilt, NULL, 2, 3));
    REFUSED(UR_EINVAL, ur_norm_gru_init(NULL, unbuilt, "c", 2, 3));
    REFUSED(UR_EINVAL, ur_norm_gru_init(&gru, NULL, "c", 2, 3));
    REFUSED(UR_EINVAL, ur_norm_gru_init(&gru, unbuilt, NULL, 2, 3));
}

static void layers__refuse_to_run_wrongly(void **unused)
{
    (void)unused;
    const int bh[2] = {B, H}, bi[2] = {B, I};
    static const int32_t id[] = {0, 1}, out_of_range[] = {0, 6};
    const ur_ids ids = {id, 1, 2};
    const ur_linear_layer none = {0};
    const ur_embedding no_table = {0};
    const ur_norm_cell no_cell = {0};
    ur_norm_cell good;
    ur_tensor *out[2];
#define H_() ur_copy_in(tape, 2, bh, NULL)
#define X_() ur_copy_in(tape, 2, bi, NULL)
#define STATE_() ((ur_tensor *[]){H_(), H_()})
    POISONS(UR_EINVAL, ur_linear(tape, NULL, H_()));
    POISONS(UR_EINVAL, ur_linear(tape, &none, H_()));
    POISONS(UR_ESHAPE, ur_linear(tape, &linear, X_()));
    NOTHING(ur_linear(NULL, &linear, H_()));
    ur_tape_reset(tape);
    QUIET(ur_linear(tape, &linear, NULL));
    POISONS(UR_EINVAL, ur_linear_cross_entropy(tape, NULL, H_(), ids));
    POISONS(UR_EINVAL, ur_linear_cross_entropy(tape, &none, H_(), ids));
    POISONS(UR_ESHAPE, ur_linear_cross_entropy(tape, &linear, X_(), ids));
    POISONS(UR_ESHAPE, ur_linear_cross_entropy(tape, &linear, H_(), (ur_ids){id, 1, 1}));
    QUIET(ur_linear_cross_entropy(tape, &linear, NULL, ids));
    POISONS(UR_EINVAL, ur_embed(tape, NULL, ids));
    POISONS(UR_EINVAL, ur_embed(tape, &no_table, ids));
    POISONS(UR_EINVAL, ur_embed(tape, &embedding, (ur_ids){out_of_range, 1, 2}));
    POISONS(UR_EINVAL, ur_embed(tape, &embedding, (ur_ids){NULL, 1, 2}));
    NOTHING(ur_embed(NULL, &embedding, ids));
#define AT_ (&(ur_step){.tape = tape})
    /* The cells were spoilt above: a failed declaration leaves none. */
    POISONS(UR_EINVAL, ur_norm_lstm_step(AT_, &lstm, X_(), STATE_(), out));
    POISONS(UR_EINVAL, ur_norm_lstm_step(AT_, NULL, X_(), STATE_(), out));
    POISONS(UR_EINVAL, ur_norm_gru_step(AT_, NULL, X_(), STATE_(), out));
    POISONS(UR_EINVAL, ur_norm_gru_step(AT_, (void *)(uintptr_t)&no_cell, X_(), STATE_(), out));
    ur_params *p;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_norm_gru_init(&good, p, "cell", I, H));
    assert_ok(ur_params_build(p, 1));
    POISONS(UR_EINVAL, ur_norm_lstm_step(AT_, &good, X_(), STATE_(), out));
    POISONS(UR_EINVAL, ur_norm_gru_step(AT_, &good, X_(), NULL, out));
    POISONS(UR_EINVAL, ur_norm_gru_step(AT_, &good, X_(), STATE_(), NULL));
    POISONS(UR_ESHAPE, ur_norm_gru_step(AT_, &good, H_(), STATE_(), out));
    POISONS(UR_ESHAPE, ur_norm_gru_step(AT_, &good, X_(), ((ur_tensor *[]){X_()}), out));
    SAYS(ur_norm_gru_step(NULL, &good, X_(), NULL, out));
    QUIET(ur_norm_gru_step(AT_, &good, NULL, STATE_(), out));
    ur_tape_reset(tape);
    ur_params_free(p);
}

/* ---- recurrent nets ---------------------------------------------------- */

static void rnn__refuses_impossible_options(void **unused)
{
    (void)unused;
    ur_rnn *net;
    static const int bad[][2] = {{0, 1}, {-1, 1}, {INT_MAX, 1}, {INT_MIN, 1}};
    ur_rnn_options o = options_of(false);
    REFUSED(UR_EINVAL, ur_rnn_new(NULL, unbuilt, "n", &o));
    REFUSED(UR_EINVAL, ur_rnn_new(&net, NULL, "n", &o));
    REFUSED(UR_EINVAL, ur_rnn_new(&net, unbuilt, NULL, &o));
    REFUSED(UR_EINVAL, ur_rnn_new(&net, unbuilt, "n", NULL));
    REFUSED(UR_EINVAL, ur_rnn_new(&net, params, "late", &o));
    REFUSED(UR_EINVAL, ur_rnn_new(&net, unbuilt, "raw", &o));      /* taken */
#define WITH(change)                                                                   \
    do {                                                                               \
        o = options_of(false);                                                         \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_rnn_new(&net, unbuilt, "n", &o));                        \
        assert_null(net);                                                              \
    } while (0)
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WITH(o.hidden[0] = bad[i][0]);
        WITH(o.input = bad[i][0] == INT_MAX ? 0 : bad[i][0]);
        WITH(o.layers = bad[i][0]);
    }
    WITH(o.size = 0);
    WITH(o.size = 7);
    WITH(o.size = SIZE_MAX);
    WITH(o.input = INT_MAX);
    WITH(o.cell = (ur_cell)99);
    WITH(o.cell = (ur_cell)-1);
    WITH(o.activation = (ur_activation)99);
    WITH(o.output_activation = UR_ACT_RELU);
    WITH(o.output[0] = -1);
    WITH(o.projection[0] = H);
    WITH(o.projection[0] = -1);
    WITH(o.cell = UR_CELL_GRU; o.projection[0] = 2);
    WITH(o.cell = UR_CELL_GRU; o.peepholes = true);
    WITH(o.cell = UR_CELL_RNN; o.coupled = true);
    WITH(o.cell = UR_CELL_GRU; o.cell_clip = 1);
    WITH(o.cell = UR_CELL_GRU; o.zoneout_c = 0.1);
    WITH(o.time_residual = true);
    WITH(o.activation = UR_ACT_RELU);
    WITH(o.cell = UR_CELL_GRU; o.activation = UR_ACT_SIGMOID);
    WITH(o.reset_before = true);
    WITH(o.cell = UR_CELL_RNN; o.reset_before = true);
    WITH(o.cell = UR_CELL_RNN; o.forget_bias = 1);
    WITH(o.cell = UR_CELL_GRU; o.forget_bias = 1);
    WITH(o.coupled = true; o.forget_bias = 1);
    WITH(o.biases = 0; o.forget_bias = 1);
    WITH(o.output_activation = UR_ACT_TANH);
    WITH(o.cell_clip = -1);
    WITH(o.cell_clip = (double)NAN);
    WITH(o.biases = 3);
    WITH(o.biases = -1);
    WITH(o.dropout = 1);
    WITH(o.dropout = (double)NAN);
    WITH(o.recurrent_dropout = -0.1);
    WITH(o.zoneout_h = 1.5);
    WITH(o.zoneout_c = (double)INFINITY);
    WITH(o.forget_bias = (double)NAN);
    WITH(o.forget_bias = HUGE_VAL);
    WITH(o.forget_bias = -2e37);
#undef WITH
}

static void says(const char *what, const ur_rnn_options *o)
{
    ur_rnn *net;
    REFUSED(UR_EINVAL, ur_rnn_new(&net, unbuilt, "n", o));
    if (strcmp(ur_errmsg(), what) != 0)
        fail_msg("%s, not %s", ur_errmsg(), what);
}

static void rnn__says_what_is_wrong_with_its_options(void **unused)
{
    (void)unused;
    ur_rnn_options o = options_of(false);
    o.hidden[0] = 8;
    o.projection[0] = 12;
    says("layer 0: projection must be smaller than hidden (12 >= 8)", &o);
    o = options_of(false);
    o.hidden[0] = 0;
    says("layer 0: hidden must be 1 to 3355443, not 0", &o);
    o = options_of(false);
    o.layers = 33;
    says("layers must be 1 to 32, not 33", &o);
    o = options_of(false);
    o.size = 0;
    says("ur_rnn_options is not initialised: call ur_rnn_options_init first", &o);
    o = options_of(false);
    o.reset_before = true;
    says("cell lstm has no option reset", &o);
    o = options_of(false);
    o.coupled = true;
    o.forget_bias = 1;
    says("cell lstm has no option forget-bias when it is coupled", &o);
    o = options_of(false);
    o.output_activation = UR_ACT_TANH;
    says("output-activation needs an output map (output)", &o);
}

static void rnn__needs_its_pointers(void **unused)
{
    (void)unused;
    size_t n = 1;
    ur_state *s;
    const int row = 0, beyond = B;
    ur_rnn_free(NULL);
    ur_state_free(NULL);
    REFUSED(UR_EINVAL, ur_rnn_prepare(NULL));
    NOTHING(ur_rnn_layers(NULL));
    NOTHING(ur_rnn_directions(NULL));
    NOTHING(ur_rnn_input(NULL));
    NOTHING(ur_rnn_hidden(NULL, 0));
    NOTHING(ur_rnn_state_size(NULL, 0));
    NOTHING(ur_rnn_output(NULL));
    QUIET(ur_rnn_hidden(rnn, -1));
    QUIET(ur_rnn_hidden(rnn, 1));
    QUIET(ur_rnn_state_size(rnn, INT_MAX));
    REFUSED(UR_EINVAL, ur_state_new(NULL, rnn, B, NULL));
    REFUSED(UR_EINVAL, ur_state_new(&s, NULL, B, NULL));
    REFUSED(UR_EINVAL, ur_state_new(&s, raw, B, NULL));
    REFUSED(UR_EINVAL, ur_state_new(&s, rnn, 0, NULL));
    REFUSED(UR_EINVAL, ur_state_new(&s, rnn, -1, NULL));
    REFUSED(UR_EINVAL, ur_state_new(&s, rnn, INT_MAX, NULL));
    SAYS(ur_state_zero(NULL));
    NOTHING(ur_state_buffer(NULL, 0, "h", NULL));
    NOTHING(ur_state_buffer(NULL, 0, "c", NULL));
    QUIET(ur_state_buffer(state, -1, "h", NULL));
    QUIET(ur_state_buffer(state, 1, "c", NULL));
    NOTHING(ur_state_data(NULL, &n));
    assert_int_equal(n, 0);
    NOTHING(ur_state_data(state, NULL));
    NOTHING(ur_state_steps(NULL));
    SAYS(ur_state_observe(NULL, 1, NULL, NULL));
    SAYS(ur_state_observe_gradients(NULL, NULL, NULL));
    NOTHING(ur_state_buffer(state, 0, NULL, NULL));
    QUIET(ur_state_buffer(state, 0, "m", NULL));
    NOTHING(ur_state_name(NULL, 0, 0));
    QUIET(ur_state_name(state, 0, -1));
    QUIET(ur_state_name(state, -1, 0));
    NOTHING(ur_state_rows(NULL));
    REFUSED(UR_EINVAL, ur_state_copy(NULL, state));
    REFUSED(UR_EINVAL, ur_state_copy(state, NULL));
    REFUSED(UR_EINVAL, ur_state_select(NULL, 1, &row));
    REFUSED(UR_EINVAL, ur_state_select(state, 1, NULL));
    REFUSED(UR_EINVAL, ur_state_select(state, 0, &row));
    REFUSED(UR_EINVAL, ur_state_select(state, B + 1, &row));
    REFUSED(UR_EINVAL, ur_state_select(state, 1, &beyond));
    REFUSED(UR_EINVAL, ur_state_select(state, 1, &(int){-2}));
    REFUSED(UR_EINVAL, ur_state_put(NULL, 0, "h", NULL));
    REFUSED(UR_EINVAL, ur_state_put(state, 0, NULL, NULL));
    NOTHING(ur_state_tensor(NULL, 0, "h"));
    NOTHING(ur_state_tensor(state, 0, NULL));
    SAYS(ur_state_detach(NULL));
}

static void rnn__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    static const int32_t in[] = {0, 2}, out[] = {0, 3}, below[] = {0, -1};
    REFUSED(UR_EINVAL, ur_rnn_prepare(raw));
    REFUSED(UR_EINVAL, ur_rnn_step(NULL, state, x, y));
    assert_string_equal(ur_errmsg(), "ur_rnn_step: rnn is NULL");
    REFUSED(UR_EINVAL, ur_rnn_step(rnn, NULL, x, y));
    REFUSED(UR_EINVAL, ur_rnn_step(rnn, state, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_step(raw, state, x, y));
    REFUSED(UR_EINVAL, ur_rnn_step(other_net, state, x, y));
    REFUSED(UR_EINVAL, ur_rnn_step(both_ways, two_sided, x, y));
    REFUSED(UR_EINVAL, ur_rnn_step_ids(NULL, state, in, y));
    REFUSED(UR_EINVAL, ur_rnn_step_ids(rnn, NULL, in, y));
    REFUSED(UR_EINVAL, ur_rnn_step_ids(rnn, state, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_step_ids(rnn, state, out, y));
    REFUSED(UR_EINVAL, ur_rnn_step_ids(rnn, state, below, y));
    REFUSED(UR_EINVAL, ur_rnn_run(NULL, state, 1, x, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_run(rnn, NULL, 1, x, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_run(rnn, state, 1, NULL, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_run(rnn, state, 1, x, in, y));
    REFUSED(UR_EINVAL, ur_rnn_run(rnn, state, -1, x, NULL, y));
    REFUSED(UR_EINVAL, ur_rnn_run(rnn, state, INT_MIN, NULL, in, y));
    assert_int_equal(ur_state_steps(state), 0);
    assert_ok(ur_rnn_step(rnn, state, x, y));       /* and is none the worse for it */
    ur_state_zero(state);
}

static void rnn__refuses_wrong_sequences(void **unused)
{
    (void)unused;
    static const int32_t id[] = {0, 1, 2, 3};
    const int tbi[3] = {2, B, I}, bad[3] = {2, B, I + 1}, other[3] = {2, B + 1, I}, h[2] = {B, H};
    ur_tape *second;
    assert_ok(ur_tape_new(&second, NULL));
#define SEQUENCE() ur_copy_in(tape, 3, tbi, NULL)
    QUIET(ur_rnn_forward(tape, rnn, NULL, NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward(tape, NULL, SEQUENCE(), NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward(NULL, rnn, SEQUENCE(), NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward(second, rnn, SEQUENCE(), NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward(tape, raw, SEQUENCE(), NULL, NULL));
    POISONS(UR_EINVAL, ur_rnn_forward(tape, other_net, SEQUENCE(), NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward(tape, rnn, ur_copy_in(tape, 3, bad, NULL), NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward(tape, rnn, ur_copy_in(tape, 3, other, NULL), NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward(tape, rnn, ur_copy_in(tape, 2, h, NULL), NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward(tape, rnn, SEQUENCE(), (const int[]){3, 1}, state));
    POISONS(UR_ESHAPE, ur_rnn_forward(tape, rnn, SEQUENCE(), (const int[]){-1, 1}, state));
    NOTHING(ur_rnn_forward_ids(NULL, rnn, (ur_ids){id, 1, B}, NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward_ids(tape, NULL, (ur_ids){id, 1, B}, NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward_ids(tape, rnn, (ur_ids){NULL, 1, B}, NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward_ids(tape, rnn, (ur_ids){id, 0, B}, NULL, state));
    POISONS(UR_ESHAPE, ur_rnn_forward_ids(tape, rnn, (ur_ids){id, 1, -1}, NULL, NULL));
    POISONS(UR_ESHAPE, ur_rnn_forward_ids(tape, rnn, (ur_ids){id, INT_MAX, 2}, NULL, NULL));
    POISONS(UR_ESHAPE, ur_rnn_forward_ids(tape, rnn, (ur_ids){id, 1, 3}, NULL, state));
    POISONS(UR_EINVAL, ur_rnn_forward_ids(tape, rnn, (ur_ids){id, 2, B}, NULL, state));
    /* Tensors of a round that is over. */
    ur_tape_reset(tape);
    assert_non_null(ur_rnn_forward(tape, rnn, SEQUENCE(), NULL, state));
    ur_tape_reset(tape);
    QUIET(ur_rnn_forward(tape, rnn, SEQUENCE(), NULL, state));
    REFUSED(UR_EINVAL, ur_tape_status(tape));
    ur_state_detach(state);
    ur_tape_reset(tape);
    REFUSED(UR_EINVAL, ur_state_put(state, 1, "h", NULL));
    REFUSED(UR_EINVAL, ur_state_put(state, -1, "h", NULL));
    REFUSED(UR_EINVAL, ur_state_put(state, 0, "m", NULL));
    REFUSED(UR_ESHAPE, ur_state_put(state, 0, "h", SEQUENCE()));
    REFUSED(UR_ESHAPE, ur_state_put(state, 0, "c", SEQUENCE()));
    assert_ok(ur_state_put(state, 0, "h", ur_copy_in(tape, 2, h, NULL)));
    REFUSED(UR_EINVAL, ur_state_put(state, 0, "c", ur_copy_in(second, 2, h, NULL)));
    REFUSED(UR_EINVAL, ur_rnn_step(rnn, state, x, y));      /* waits for a forward call */
    ur_state_detach(state);
    ur_state_zero(state);
    ur_tape_free(second);
}

/* ---- observers --------------------------------------------------------- */

static int called;

static void step_again(void *user, int slot, int64_t t, int rows, int size, const ur_real *h)
{
    (void)user;
    (void)slot;
    (void)t;
    (void)rows;
    (void)size;
    (void)h;
    called++;
    REFUSED(UR_EINVAL, ur_rnn_step(rnn, state, x, y));
    SAYS(ur_state_zero(state));
    NOTHING(ur_rnn_forward_ids(tape, rnn, (ur_ids){(const int32_t[]){0, 1}, 1, B}, NULL, state));
    REFUSED(UR_EINVAL, ur_tape_status(tape));
}

static void reset_tape(void *user, int slot, int64_t t, int rows, int size, const ur_real *dh)
{
    (void)user;
    (void)slot;
    (void)t;
    (void)rows;
    (void)size;
    (void)dh;
    called++;
    SAYS(ur_tape_reset(tape));
}

static void observers__cannot_use_what_is_under_way(void **unused)
{
    (void)unused;
    const int tbi[3] = {2, B, I};
    ur_real alone[B * H], observed[B * H];
    ur_state_zero(state);
    assert_ok(ur_rnn_step(rnn, state, x, alone));
    ur_state_zero(state);
    ur_state_observe(state, 1, step_again, NULL);
    assert_ok(ur_rnn_step(rnn, state, x, observed));
    assert_memory_equal(alone, observed, sizeof alone);
    assert_int_equal(ur_state_steps(state), 1);
    ur_state_observe(state, 0, NULL, NULL);
    ur_tape_reset(tape);
    ur_state_zero(state);
    ur_state_observe_gradients(state, reset_tape, NULL);
    ur_tensor *h = ur_rnn_forward(tape, rnn, ur_copy_in(tape, 3, tbi, NULL), NULL, state);
    REFUSED(UR_EINVAL, ur_backward(tape, ur_sum(h)));
    ur_state_observe_gradients(state, NULL, NULL);
    ur_state_detach(state);
    ur_tape_reset(tape);
    assert_int_equal(called, 3);
}

static void misuse__is_large_enough(void **unused)
{
    (void)unused;
    misuse_total(200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base__needs_its_pointers),
        cmocka_unit_test(metrics__need_their_pointers),
        cmocka_unit_test(params__need_their_pointers),
        cmocka_unit_test(params__refuse_the_impossible),
        cmocka_unit_test(layers__refuse_the_impossible),
        cmocka_unit_test(layers__refuse_to_run_wrongly),
        cmocka_unit_test(rnn__refuses_impossible_options),
        cmocka_unit_test(rnn__says_what_is_wrong_with_its_options),
        cmocka_unit_test(rnn__needs_its_pointers),
        cmocka_unit_test(rnn__refuses_to_run_wrongly),
        cmocka_unit_test(rnn__refuses_wrong_sequences),
        cmocka_unit_test(observers__cannot_use_what_is_under_way),
        cmocka_unit_test(misuse__is_large_enough),
    };
    return cmocka_run_group_tests_name("misuse", tests, set_up, tear_down);
}
