/* SPDX-License-Identifier: MIT */
/*
 * The class RNN of "The Unreasonable Effectiveness of Recurrent Neural Networks" as one
 * object, and two of them stacked by hand.
 *
 *     h = tanh(W_hh h + W_xh x)        y = W_hy h
 *
 * No bias, an output map without activation; h starts at zero and lives in a state. The
 * second net reads what the first one writes; neither knows.
 */
#include <stdio.h>

#include <unroll.h>

enum { INPUT = 4, HIDDEN = 8, OUTPUT = 3, STEPS = 25 };

static int failed(void)
{
    fprintf(stderr, "step: %s\n", ur_errmsg());
    return 1;
}

/* The observer: mean and variance of the hidden state every 10 steps. */
static void print_moments(void *net, int layer, int64_t t, int B, int H, const ur_real *h)
{
    double mean, variance;
    (void)layer;
    ur_moments((size_t)B * (size_t)H, h, &mean, &variance);
    printf("%s, step %2d: mean of h %+.4f, variance %.4f\n", (const char *)net, (int)t, mean,
           variance);
}

int main(void)
{
    ur_params *params = NULL;
    ur_rnn *rnn1 = NULL, *rnn2 = NULL;
    ur_state *state1 = NULL, *state2 = NULL;
    int hidden = HIDDEN, output = OUTPUT, status = 1;
    char name[] = "rnn1";
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.cell = UR_CELL_RNN;
    options.hidden[0] = hidden;
    options.output[0] = output;
    options.biases = 0;

    if (ur_params_new(&params) != UR_OK)
        return failed();
    options.input = INPUT;
    if (ur_rnn_new(&rnn1, params, "rnn1", &options) != UR_OK)
        goto out;
    options.input = OUTPUT;
    if (ur_rnn_new(&rnn2, params, "rnn2", &options) != UR_OK ||
        ur_params_build(params, 1) != UR_OK ||
        ur_rnn_prepare(rnn1) != UR_OK || ur_rnn_prepare(rnn2) != UR_OK ||
        ur_state_new(&state1, rnn1, 1, NULL) != UR_OK ||
        ur_state_new(&state2, rnn2, 1, NULL) != UR_OK)
        goto out;
    ur_state_observe(state1, 10, print_moments, name);

    for (int t = 0; t < STEPS; t++) {
        float x[INPUT] = {0}, y1[OUTPUT], y[OUTPUT];
        x[t % INPUT] = 1;
        if (ur_rnn_step(rnn1, state1, x, y1) != UR_OK ||
            ur_rnn_step(rnn2, state2, y1, y) != UR_OK)
            goto out;
        if (t == STEPS - 1)
            printf("y after %d steps: %+.4f %+.4f %+.4f\n", STEPS, (double)y[0], (double)y[1],
                   (double)y[2]);
    }
    status = 0;
out:
    if (status)
        failed();
    ur_state_free(state1);
    ur_state_free(state2);
    ur_rnn_free(rnn1);
    ur_rnn_free(rnn2);
    ur_params_free(params);
    return status;
}
