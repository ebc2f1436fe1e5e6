/* SPDX-License-Identifier: MIT */
/*
 * The adding problem (Hochreiter and Schmidhuber 1997, in the form of Le, Jaitly and Hinton
 * 2015): each step brings a number in [0,1) and a mark; what is asked at the end is the sum
 * of the two marked numbers, one from each half of the sequence. Whoever always answers 1,
 * the mean, has a squared error of 1/6. To do better, gradients must cross the sequence.
 *
 *     adding [CELL [LENGTH [UPDATES [SEED]]]]
 *
 * No sequence is seen twice. Exit status 0: CELL (lstm, gru, rnn) ends below 0.01 on sequences
 * never seen; 1: it does not. Without arguments, 0: the GRU does at 200 steps, and the simple
 * net with the same number of updates does not.
 */
#include <stdio.h>
#include <stdlib.h>

#include <unroll.h>

enum { BATCH = 32, TESTS = 64, REPORT = 100, STREAM = 5, LONGEST = 100000 };

/* Sequences are numbered: training counts up from 0, these two sets lie far behind it. */
#define HELD_OUT (UINT64_C(1) << 40)
#define TEST (UINT64_C(1) << 41)

static const double bound = 0.01;

struct task {
    ur_cell cell;
    int length, hidden;
    long updates;
    uint64_t seed;
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_optimizer *adam;
    ur_tape *tape;
    float *x, y[BATCH];     /* [length,BATCH,2], [BATCH] */
};

static ur_status make(struct task *k)
{
    ur_rnn_options o;
    ur_optimizer_options adam;
    ur_rnn_options_init(&o);
    k->x = malloc((size_t)k->length * BATCH * 2 * sizeof *k->x);
    if (!k->x)
        return UR_ENOMEM;
    o.cell = k->cell;
    o.input = 2;
    o.hidden[0] = k->hidden;
    o.forget_bias = k->cell == UR_CELL_LSTM ? 1 : 0;
    ur_optimizer_options_init(&adam);
    adam.kind = UR_OPTIMIZER_ADAM;
    ur_status status = ur_params_new(&k->params);
    if (status == UR_OK)
        status = ur_rnn_new(&k->rnn, k->params, "rnn", &o);
    if (status == UR_OK)
        status = ur_linear_init(&k->decoder, k->params, "decoder", k->hidden, 1, true);
    if (status == UR_OK)
        status = ur_params_build(k->params, k->seed);
    if (status == UR_OK)
        status = ur_rnn_prepare(k->rnn);
    if (status == UR_OK)
        status = ur_optimizer_new(&k->adam, k->params, &adam, NULL);
    return status == UR_OK ? ur_tape_new(&k->tape, NULL) : status;
}

/* Sequences first ... first + BATCH − 1: functions of seed and number alone. */
static void draw(struct task *k, uint64_t first)
{
    int T = k->length, half = T / 2;
    for (int b = 0; b < BATCH; b++) {
        uint64_t n = first + (uint64_t)b;
        int at[2];
        at[0] = (int)(ur_random_uniform(k->seed, STREAM, n, 0) * half);
        at[1] = half + (int)(ur_random_uniform(k->seed, STREAM, n, 1) * (T - half));
        k->y[b] = 0;
        for (int t = 0; t < T; t++) {
            float *x = k->x + 2 * (t * BATCH + b);
            bool marked = t == at[0] || t == at[1];
            x[0] = (float)ur_random_uniform(k->seed, STREAM, n, 2 + (uint32_t)t);
            x[1] = marked ? 1.0f : 0.0f;
            k->y[b] += marked ? x[0] : 0.0f;
        }
    }
}

/* Mean squared error of what the net says after the last step. */
static ur_tensor *error(struct task *k)
{
    int T = k->length, dim[3] = {T, BATCH, 2}, ydim[2] = {BATCH, 1};
    ur_tape_reset(k->tape);
    ur_tensor *x = ur_constant(k->tape, 3, dim, k->x);
    ur_tensor *h = ur_rnn_forward(k->tape, k->rnn, x, NULL, NULL);
    ur_tensor *said = ur_linear(k->tape, &k->decoder, ur_at(h, T - 1));
    ur_tensor *d = ur_sub(said, ur_constant(k->tape, 2, ydim, k->y));
    return ur_mean(ur_mul(d, d));
}

static ur_status update(struct task *k, uint64_t number)
{
    draw(k, number * BATCH);
    ur_tensor *e = error(k);
    ur_params_zero_grads(k->params);
    ur_status status = ur_backward(k->tape, e);
    if (status == UR_OK)
        status = ur_optimizer_step(k->adam, 5e-3, NULL);
    return status == UR_OK ? ur_rnn_prepare(k->rnn) : status;
}

/* Over batches · BATCH sequences of a set. */
static ur_status measure(struct task *k, uint64_t set, int batches, double *mse)
{
    ur_status status = UR_OK;
    double sum = 0;
    ur_tape_set_recording(k->tape, false);
    for (int i = 0; i < batches && status == UR_OK; i++) {
        draw(k, set + (uint64_t)i * BATCH);
        sum += ur_scalar(error(k));
        status = ur_tape_status(k->tape);
    }
    ur_tape_set_recording(k->tape, true);
    *mse = sum / batches;
    return status;
}

/* Until sequences never seen are well below the bound. The test is on others again. */
static ur_status learn(struct task *k, double *mse)
{
    ur_status status = UR_OK;
    for (long i = 1; i <= k->updates && status == UR_OK; i++) {
        status = update(k, (uint64_t)i);
        if (status != UR_OK || i % REPORT != 0)
            continue;
        status = measure(k, HELD_OUT, TESTS / 4, mse);
        printf("%s, update %5ld: held-out mse %.5f\n", ur_cell_name(k->cell), i, *mse);
        fflush(stdout);
        if (*mse < bound / 2)
            break;
    }
    return status == UR_OK ? measure(k, TEST, TESTS, mse) : status;
}

static bool solves(struct task k)
{
    double mse = 0;
    ur_status status = make(&k);
    if (status == UR_OK)
        status = learn(&k, &mse);
    if (status != UR_OK)
        fprintf(stderr, "adding: %s\n", ur_errmsg());
    else
        printf("%s: mse %.5f on %d new sequences of %d steps: %s\n", ur_cell_name(k.cell), mse,
               TESTS * BATCH, k.length, mse < bound ? "solved" : "not solved");
    ur_optimizer_free(k.adam);
    ur_tape_free(k.tape);
    ur_rnn_free(k.rnn);
    ur_params_free(k.params);
    free(k.x);
    return status == UR_OK && mse < bound;
}

int main(int argc, char **argv)
{
    struct task k = {.cell = UR_CELL_GRU, .length = 200, .hidden = 64, .updates = 1000, .seed = 1};
    if (argc > 5 || (argc > 1 && !ur_cell_find(argv[1], &k.cell))) {
        fprintf(stderr, "usage: adding [lstm|gru|rnn [LENGTH [UPDATES [SEED]]]]\n");
        return 2;
    }
    if (argc > 2)
        k.length = (int)strtol(argv[2], NULL, 10);
    if (argc > 3)
        k.updates = strtol(argv[3], NULL, 10);
    if (argc > 4)
        k.seed = strtoull(argv[4], NULL, 10);
    if (k.length < 2 || k.length > LONGEST) {
        fprintf(stderr, "adding: LENGTH is 2 to %d\n", LONGEST);
        return 2;
    }
    bool solved = solves(k);
    if (argc > 1)
        return !solved;
    k.cell = UR_CELL_RNN;
    return !solved || solves(k);
}
