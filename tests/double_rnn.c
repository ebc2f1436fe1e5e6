/* SPDX-License-Identifier: MIT */
/* Gradient checks of recurrent nets in double precision: random stacks of every cell and
 * option, random lengths, initial states on the tape, one-hot and dense inputs; every
 * parameter, input and initial state against central differences. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unroll/layer.h"

enum { MAX_LAYERS = 3, N_CASES = 240 };

static uint64_t draws;

static double uniform(void)
{
    return ur_random_uniform(2026, 77, 0, (uint32_t)draws++);
}

static int between(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

struct net {
    ur_rnn_options options;
    int hidden[MAX_LAYERS], output[MAX_LAYERS];
    int T, B, lengths[8];
    bool with_lengths, with_ids, with_state, training;
    int32_t ids[64];
    ur_params *params;
    ur_rnn *rnn;
    ur_state *state;
    ur_tape *tape;
    int n_inputs;                       /* x, then h0, c0 of each layer */
    double data[1 + 2 * MAX_LAYERS][256], grad[1 + 2 * MAX_LAYERS][256];
    size_t size[1 + 2 * MAX_LAYERS];
    double weight[2048];                /* of the loss */
};

/* Σ w∘y over the output and every final state, so that all outputs get gradients. */
static double weighted(struct net *n, size_t *used, ur_tensor *y, ur_tensor **sum)
{
    if (!y)
        return 0;
    int dim = (int)ur_size(y);
    ur_tensor *w = ur_constant(n->tape, 1, &dim, n->weight + *used);
    *used += ur_size(y);
    ur_tensor *s = ur_sum(ur_mul(ur_reshape(y, 1, &dim), w));
    *sum = *sum ? ur_add(*sum, s) : s;
    return 0;
}

static double loss(struct net *n, bool backward)
{
    const ur_rnn_options *o = &n->options;
    ur_tape_reset(n->tape);
    ur_tape_set_training(n->tape, n->training, 5, 9);
    assert_ok(ur_rnn_prepare(n->rnn));
    ur_state_zero(n->state);
    for (int l = 0; n->with_state && l < o->layers; l++) {
        int dim[2] = {n->B, n->hidden[l]}, i = 1 + 2 * l;
        ur_tensor *h = ur_variable(n->tape, 2, dim, n->data[i], n->grad[i]);
        ur_tensor *c = NULL;
        if (o->cell == UR_LSTM)
            c = ur_variable(n->tape, 2, dim, n->data[i + 1], n->grad[i + 1]);
        assert_ok(ur_state_put(n->state, l, h, c));
    }
    int dim[3] = {n->T, n->B, o->input};
    const int *lengths = n->with_lengths ? n->lengths : NULL;
    ur_tensor *y;
    if (n->with_ids)
        y = ur_rnn_forward_ids(n->tape, n->rnn, (ur_ids){n->ids, n->T, n->B}, lengths, n->state);
    else
        y = ur_rnn_forward(n->tape, n->rnn,
                           ur_variable(n->tape, 3, dim, n->data[0], n->grad[0]), lengths,
                           n->state);
    size_t used = 0;
    ur_tensor *sum = NULL;
    weighted(n, &used, y, &sum);
    for (int l = 0; l < o->layers; l++) {
        ur_tensor *h, *c;
        ur_state_tensors(n->state, l, &h, &c);
        weighted(n, &used, h, &sum);
        weighted(n, &used, c, &sum);
    }
    assert_true(used <= 2048);
    assert_ok(ur_tape_status(n->tape));
    double value = ur_scalar(sum);
    if (backward) {
        ur_params_zero_grads(n->params);
        memset(n->grad, 0, sizeof n->grad);
        assert_ok(ur_backward(n->tape, sum));
    }
    ur_state_detach(n->state);
    return value;
}

static double difference(struct net *n, double *x, double eps)
{
    double keep = *x;
    *x = keep + eps;
    double up = loss(n, false);
    *x = keep - eps;
    double down = loss(n, false);
    *x = keep;
    return (up - down) / (2 * eps);
}

static double error_at(struct net *n, double *x, double analytic)
{
    double worst = (double)INFINITY;   /* a second, smaller step excludes kinks */
    for (double eps = 1e-5; eps > 1e-7 && worst > 1e-7; eps /= 20) {
        double numeric = difference(n, x, eps);
        double scale = fmax(fmax(fabs(analytic), fabs(numeric)), 1e-3);
        worst = fmin(worst, fabs(analytic - numeric) / scale);
    }
    return worst;
}

static void random_net(struct net *n, int number)
{
    ur_rnn_options *o = &n->options;
    *o = (ur_rnn_options)UR_RNN_OPTIONS_INIT;
    o->cell = (ur_cell)(number % 3);
    o->layers = between(1, MAX_LAYERS);
    o->input = between(1, 5);
    o->hidden = n->hidden;
    o->output = uniform() < 0.4 ? n->output : NULL;
    o->output_activation = uniform() < 0.5 ? UR_TANH : UR_IDENTITY;
    o->activation = (ur_activation)between(UR_TANH, UR_SATLIN);
    o->reset_before = uniform() < 0.5;
    o->biases = between(0, 2);
    o->dropout = uniform() < 0.3 ? 0.4 : 0;
    o->forget_bias = uniform() < 0.3 ? 1 : 0;
    o->orthogonal = uniform() < 0.3;
    n->T = between(1, 5);
    n->B = between(1, 4);
    n->with_lengths = uniform() < 0.5;
    n->with_ids = uniform() < 0.3;
    n->with_state = uniform() < 0.6;
    n->training = uniform() < 0.5;
    for (int l = 0; l < MAX_LAYERS; l++) {
        n->hidden[l] = between(1, 6);
        n->output[l] = between(0, 4);
        n->size[1 + 2 * l] = n->size[2 + 2 * l] = (size_t)(n->B * n->hidden[l]);
    }
    n->size[0] = (size_t)(n->T * n->B * o->input);
    for (int b = 0; b < n->B; b++)
        n->lengths[b] = between(0, n->T);
    for (int i = 0; i < n->T * n->B; i++)
        n->ids[i] = between(0, o->input - 1);
    for (size_t i = 0; i < sizeof n->data / sizeof(double); i++)
        (&n->data[0][0])[i] = 2 * uniform() - 1;
    for (size_t i = 0; i < 2048; i++)
        n->weight[i] = 2 * uniform() - 1;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", o));
    assert_ok(ur_params_build(n->params, (uint64_t)number));
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok(ur_state_new(&n->state, n->rnn, n->B, NULL));
}

static double check(struct net *n)
{
    double worst = 0;
    static double analytic[4096], inputs[1 + 2 * MAX_LAYERS][256];
    size_t size = ur_params_size(n->params);
    assert_true(size <= 4096);
    loss(n, true);
    memcpy(analytic, ur_params_grads(n->params), size * sizeof(double));
    memcpy(inputs, n->grad, sizeof inputs);
    for (size_t i = 0; i < size; i++)
        worst = fmax(worst, error_at(n, ur_params_values(n->params) + i, analytic[i]));
    for (int j = 0; j < 1 + 2 * n->options.layers; j++) {
        bool there = j == 0 ? !n->with_ids
                            : n->with_state && (j % 2 || n->options.cell == UR_LSTM);
        for (size_t i = 0; there && i < n->size[j]; i++)
            worst = fmax(worst, error_at(n, &n->data[j][i], inputs[j][i]));
    }
    return worst;
}

static void rnn__gradients_match_differences(void **unused)
{
    (void)unused;
    static struct net n;
    double worst = 0;
    for (int i = 0; i < N_CASES; i++) {
        random_net(&n, i);
        double error = check(&n);
        if (error > 1e-6)
            print_message("case %d: cell %s, %d layers, T %d, B %d, reset before %d: %g\n", i,
                          ur_cell_name(n.options.cell), n.options.layers, n.T, n.B,
                          n.options.reset_before, error);
        worst = fmax(worst, error);
        ur_state_free(n.state);
        ur_tape_free(n.tape);
        ur_rnn_free(n.rnn);
        ur_params_free(n.params);
    }
    print_message("recurrent nets: %d cases, largest error %.2e\n", N_CASES, worst);
    assert_true(worst <= 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rnn__gradients_match_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
