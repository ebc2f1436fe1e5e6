/* SPDX-License-Identifier: MIT */
/* Nets that begin with nothing multiply nothing by it, and give the bits that a state of zeros
 * gives: outputs, the gradients by inputs and by parameters. */
#include "testing.h"

#include "golden_case.h"

enum { T = 9, MAX_B = 7, I = 6, MAX_Y = T * MAX_B * 256 };

static const struct {
    const char *words;
    int B;
} cases[] = {
    {"lstm hidden=21,10", 7},
    {"lstm hidden=17,9 bidirectional projection=5,0", 7},
    {"lstm hidden=9,33 bidirectional peepholes output=0,3", 5},
    {"lstm hidden=12,8 coupled recurrent_dropout=0.25 bidirectional", 7},
    {"lstm hidden=13,20 zoneout=0.25,0.5", 6},
    {"gru hidden=19,34 bidirectional", 7},
    {"gru hidden=33,12 before bidirectional recurrent_dropout=0.5", 4},
    {"rnn_tanh hidden=18,5 bidirectional", 7},
    {"rnn_relu hidden=9,34 residual bias=1", 7},
    {"mgu hidden=20,11 bidirectional", 7},
    {"lstm hidden=192,192", 1},     /* its units are split over a team */
};

struct net {
    struct golden_case c;
    ur_params *params;
    ur_rnn *rnn;
};

struct result {
    float y[MAX_Y], dx[T * MAX_B * I], grads[700000];
};

static struct result with, without;

static float noise(int i)
{
    return (float)(2 * ur_random_uniform(7, 5, 1, (uint32_t)i) - 1);
}

static void make(struct net *n, const char *words, int B)
{
    char line[256];
    snprintf(line, sizeof line, "%s layers=2 input=%d time=%d batch=%d", words, I, T, B);
    assert_true(golden_parse(&n->c, line));
    n->c.options.recurrent_dropout = golden_real(line, "recurrent_dropout", 0);
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &n->c.options));
    assert_ok(ur_params_build(n->params, 3));
    assert_ok(ur_rnn_prepare(n->rnn));
}

static void pass(struct net *n, int B, const int *lengths, ur_team *team, bool zeros,
                 struct result *r)
{
    static float x[T * MAX_B * I];
    const int dim[3] = {T, B, I};
    ur_tape *tape;
    ur_state *state = NULL;
    memset(r, 0, sizeof *r);
    for (int i = 0; i < T * B * I; i++)
        x[i] = noise(i);
    assert_ok(ur_tape_new(&tape, team));
    ur_tape_set_training(tape, true, 11, 4);
    if (zeros)
        assert_ok(ur_state_new(&state, n->rnn, B, team));
    ur_tensor *y = ur_rnn_forward(tape, n->rnn, ur_variable(tape, 3, dim, x, r->dx), lengths,
                                  state);
    assert_ok(ur_tape_status(tape));
    assert_true(ur_size(y) <= MAX_Y && ur_params_size(n->params) <= 700000);
    memcpy(r->y, ur_data(y), ur_size(y) * sizeof(float));
    ur_params_zero_grads(n->params);
    assert_ok(ur_backward(tape, ur_sum(ur_mul(y, y))));
    memcpy(r->grads, ur_params_grads(n->params), ur_params_size(n->params) * sizeof(float));
    ur_state_detach(state);
    ur_state_free(state);
    ur_tape_free(tape);
}

static void compare(struct net *n, int B, const int *lengths, ur_team *team)
{
    pass(n, B, lengths, team, true, &with);
    pass(n, B, lengths, team, false, &without);
    if (memcmp(&with, &without, sizeof with) != 0)
        fail_msg("%s: other bits without a state%s", n->c.line, lengths ? ", ragged" : "");
}

static void rnn__no_state_gives_the_bits_of_zeros(void **unused)
{
    (void)unused;
    int count = sizeof cases / sizeof *cases;
    for (int i = 0; i < count; i++) {
        static struct net n;
        int lengths[MAX_B];
        for (int b = 0; b < cases[i].B; b++)
            lengths[b] = b == 3 ? 0 : 1 + (b * 5 + 3) % T;
        make(&n, cases[i].words, cases[i].B);
        for (int threads = 1; threads <= 3; threads++) {
            ur_team *team;
            assert_ok(ur_team_new(&team, threads));
            compare(&n, cases[i].B, NULL, team);
            compare(&n, cases[i].B, lengths, team);
            ur_team_free(team);
        }
        ur_rnn_free(n.rnn);
        ur_params_free(n.params);
    }
    print_message("%d nets, dense and ragged, on 1 to 3 threads\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rnn__no_state_gives_the_bits_of_zeros)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
