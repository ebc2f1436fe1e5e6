/* SPDX-License-Identifier: MIT */
/* Few sequences and many units: the hidden units of a step are shared out over the team.
 * The bits are those of one thread, for every cell and form, batched, padded and stepped. */
#include "testing.h"

#include <math.h>

#include "base/team.h"
#include "unroll/layer.h"

/* Large enough for the units to be shared out, and no multiple of any vector. */
enum { T = 7, I = 19, H = 301, H2 = 258, P = 263, O = 11, MAX_B = 5 };

struct form {
    const char *name;
    ur_cell cell;
    bool bidirectional, before, projection, peepholes, coupled, residual, output, noise;
    double clip;
};

static const struct form forms[] = {
    {.name = "lstm", .cell = UR_CELL_LSTM},
    {.name = "lstm, two directions", .cell = UR_CELL_LSTM, .bidirectional = true},
    {.name = "lstm, projection, output map", .cell = UR_CELL_LSTM, .projection = true, .output =
     true},
    {.name = "lstm, peepholes, clip", .cell = UR_CELL_LSTM, .peepholes = true, .clip = 0.2},
    {.name = "lstm, coupled, noise", .cell = UR_CELL_LSTM, .coupled = true, .noise = true},
    {.name = "lstm, projection, noise", .cell = UR_CELL_LSTM, .projection = true, .noise = true},
    {.name = "gru", .cell = UR_CELL_GRU},
    {.name = "gru, two directions, noise", .cell = UR_CELL_GRU, .bidirectional = true, .noise =
     true},
    {.name = "gru, reset before", .cell = UR_CELL_GRU, .before = true},
    {.name = "gru, reset before, noise", .cell = UR_CELL_GRU, .before = true, .noise = true},
    {.name = "rnn", .cell = UR_CELL_RNN, .output = true},
    {.name = "rnn, residual, noise", .cell = UR_CELL_RNN, .residual = true, .noise = true},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

struct net {
    ur_params *params;
    ur_rnn *rnn;
};

static float noise(uint32_t i)
{
    return (float)(2 * ur_random_uniform(11, 5, 1, i) - 1);
}

static void make(struct net *n, const struct form *f)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = f->cell;
    o.input = I;
    o.layers = 2;
    o.hidden[0] = H;
    o.hidden[1] = H2;
    o.bidirectional = f->bidirectional;
    o.reset_before = f->before;
    o.projection[0] = f->projection ? P : 0;
    o.output[1] = f->output ? O : 0;
    o.output_activation = f->output ? UR_ACT_TANH : UR_ACT_IDENTITY;
    o.peepholes = f->peepholes;
    o.coupled = f->coupled;
    o.time_residual = f->residual;
    o.cell_clip = f->clip;
    if (f->noise) {
        o.dropout = 0.3;
        o.recurrent_dropout = 0.25;
        o.zoneout_h = 0.2;
        o.zoneout_c = f->cell == UR_CELL_LSTM ? 0.1 : 0;
    }
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &o));
    assert_ok(ur_params_build(n->params, 3));
    assert_ok(ur_rnn_prepare(n->rnn));
}

static void unmake(struct net *n)
{
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

struct result {
    float y[T * MAX_B * 2 * H], state[8 * MAX_B * H];
    size_t n_state;
};
static struct result one, many;
static float x[T * MAX_B * I];
static int32_t ids[T * MAX_B];

static void pass(const struct net *n, int B, const int *lengths, bool by_number, ur_team *team,
                 struct result *r)
{
    ur_tape *tape;
    ur_state *state;
    int dim[3] = {T, B, I};
    memset(r, 0, sizeof *r);
    assert_ok(ur_tape_new(&tape, team));
    ur_tape_set_training(tape, true, 4, 8);
    assert_ok(ur_state_new(&state, n->rnn, B, team));
    ur_tensor *y = by_number ? ur_rnn_forward_ids(tape, n->rnn, (ur_ids){ids, T, B}, lengths, state)
                             : ur_rnn_forward(tape, n->rnn, ur_constant(tape, 3, dim, x), lengths,
                                              state);
    assert_ok(ur_tape_status(tape));
    assert_true(ur_size(y) * sizeof(float) <= sizeof r->y);
    memcpy(r->y, ur_data(y), ur_size(y) * sizeof(float));
    const float *numbers = ur_state_data(state, &r->n_state);
    assert_true(r->n_state * sizeof(float) <= sizeof r->state);
    memcpy(r->state, numbers, r->n_state * sizeof(float));
    ur_state_detach(state);
    ur_state_free(state);
    ur_tape_free(tape);
}

/* Steps on a team against the same steps alone; training's noise is off here. */
static void stepped(const struct net *n, int B, ur_team *team)
{
    static float a[MAX_B * 2 * H], b[MAX_B * 2 * H];
    ur_state *alone, *together;
    assert_ok(ur_state_new(&alone, n->rnn, B, NULL));
    assert_ok(ur_state_new(&together, n->rnn, B, team));
    for (int t = 0; t < T; t++) {
        assert_ok(ur_rnn_step(n->rnn, alone, x + t * B * I, a));
        assert_ok(ur_rnn_step(n->rnn, together, x + t * B * I, b));
        assert_memory_equal(a, b, (size_t)(B * ur_rnn_output(n->rnn)) * sizeof(float));
    }
    ur_state_free(alone);
    ur_state_free(together);
}

static void split__units_give_the_bits_of_one_thread(void **unused)
{
    (void)unused;
    static const int teams[] = {2, 3, 7}, batches[] = {1, 2, MAX_B};
    static const int lengths[MAX_B] = {4, T, 0, 1, T};
    int passes = 0;
    for (int i = 0; i < T * MAX_B * I; i++)
        x[i] = noise((uint32_t)i);
    for (int i = 0; i < T * MAX_B; i++)
        ids[i] = i * 5 % I;
    for (int i = 0; i < 3 * N_FORMS; i += EACH > 1 ? 4 : 1) {
        struct net n;
        ur_team *team;
        make(&n, &forms[i / 3]);
        assert_ok(ur_team_new(&team, teams[i % 3]));
        ur__team_insist(team);
        for (int j = 0; j < 3 * 4; j++, passes++) {
            int B = batches[j / 4];
            const int *len = j % 2 ? lengths : NULL;
            pass(&n, B, len, j % 4 > 1, NULL, &one);
            pass(&n, B, len, j % 4 > 1, team, &many);
            assert_memory_equal(&one, &many, sizeof one);
            if (j % 4 == 0 && ur_rnn_directions(n.rnn) == 1)
                stepped(&n, B, team);
        }
        ur_team_free(team);
        unmake(&n);
    }
    print_message("units shared out: %d passes with equal bits\n", passes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split__units_give_the_bits_of_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
