/* SPDX-License-Identifier: MIT */
/*
 * Copy memory (Hochreiter and Schmidhuber 1997, in the form of Arjovsky, Shah and Bengio
 * 2016): ten letters out of eight are shown, blanks follow, then a cue, and the ten letters
 * are to be said again. What is said while nothing is asked is the blank. Without a memory
 * the loss is 10·ln 8 / (BLANKS + 20) at best, a mean over all steps.
 *
 *     copy [CELL [BLANKS [UPDATES [SEED]]]]
 *
 * CELL is gru or lstm. Their gates start so that units keep what they hold for times between
 * a step and the whole sequence (chrono initialisation: Tallec and Ollivier 2018). Exit
 * status 0: more than 99 of 100 letters are right in sequences never seen; 1: not.
 */
#include <stdio.h>
#include <stdlib.h>

#include <unroll.h>

enum {
    LETTERS = 8, BLANK = 8, CUE = 9, SYMBOLS = 10, SHOWN = 10, MOST_BLANKS = 1000,
    BATCH = 32, REPORT = 200, HIDDEN = 128, STREAM = 5
};

/* Batches are numbered: training counts up from 1, these two sets lie far behind. */
#define HELD_OUT (UINT64_C(1) << 40)
#define TEST (UINT64_C(1) << 41)

static const double learning_rate = 1e-2, ln8 = 2.0794415416798357;

struct task {
    ur_cell cell;
    int blanks, T;
    long updates;
    uint64_t seed;
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_optimizer *adam;
    ur_tape *tape;
};

static int32_t shown[(MOST_BLANKS + 2 * SHOWN) * BATCH];    /* [T,BATCH] */
static int32_t asked[(MOST_BLANKS + 2 * SHOWN) * BATCH];

/* ---- the net ----------------------------------------------------------- */

/* The gate that keeps (f; z of a GRU) starts at σ(ln u) = u/(1+u), u uniform in 1 ... T−1,
 * which forgets in about u steps; the LSTM's input gate at the opposite. The logarithm is the
 * tape's: its bits are the same everywhere. */
static ur_status set_gates(struct task *k)
{
    static const int dim[1] = {HIDDEN};
    float u[HIDDEN];
    float *input = ur_param_data(k->params, ur_params_find(k->params, "rnn.bias_ih_l0"));
    float *hidden = ur_param_data(k->params, ur_params_find(k->params, "rnn.bias_hh_l0"));
    for (int i = 0; i < HIDDEN; i++)
        u[i] = (float)(1 + (k->T - 2) * ur_random_uniform(k->seed, STREAM + 1, 0, (uint32_t)i));
    const float *bias = ur_data(ur_log(ur_constant(k->tape, 1, dim, u)));
    for (int i = 0; bias && i < HIDDEN; i++) {
        input[HIDDEN + i] = bias[i];        /* i,f,g,o or r,z,n: the second in both */
        hidden[HIDDEN + i] = 0;
        if (k->cell == UR_CELL_LSTM) {
            input[i] = -bias[i];
            hidden[i] = 0;
        }
    }
    return ur_tape_status(k->tape);
}

static ur_status make(struct task *k)
{
    ur_rnn_options o;
    ur_optimizer_options adam;
    ur_rnn_options_init(&o);
    ur_optimizer_options_init(&adam);
    o.cell = k->cell;
    o.input = SYMBOLS;
    o.hidden[0] = HIDDEN;
    o.orthogonal = true;
    adam.kind = UR_OPTIMIZER_ADAM;
    ur_status status = ur_params_new(&k->params);
    if (status == UR_OK)
        status = ur_rnn_new(&k->rnn, k->params, "rnn", &o);
    if (status == UR_OK)
        status = ur_linear_init(&k->decoder, k->params, "decoder", HIDDEN, SYMBOLS, true);
    if (status == UR_OK)
        status = ur_params_build(k->params, k->seed);
    if (status == UR_OK)
        status = ur_tape_new(&k->tape, NULL);
    if (status == UR_OK)
        status = set_gates(k);
    if (status == UR_OK)
        status = ur_rnn_prepare(k->rnn);
    return status == UR_OK ? ur_optimizer_new(&k->adam, k->params, &adam, NULL) : status;
}

/* ---- learning ---------------------------------------------------------- */

static void draw(const struct task *k, uint64_t number)
{
    int cue = SHOWN + k->blanks;
    for (int t = 0; t < k->T; t++)
        for (int b = 0; b < BATCH; b++) {
            int at = t * BATCH + b;
            double u = ur_random_uniform(k->seed, STREAM, number, (uint32_t)at);
            shown[at] = t < SHOWN ? (int)(u * LETTERS) : t == cue ? CUE : BLANK;
            asked[at] = t < cue ? BLANK : shown[(t - cue) * BATCH + b];
        }
}

/* The loss on the batch that was drawn, and what was said to it. */
static ur_tensor *answer(struct task *k, ur_tensor **said)
{
    ur_ids in = {shown, k->T, BATCH}, out = {asked, k->T, BATCH};
    ur_tape_reset(k->tape);
    ur_tensor *h = ur_rnn_forward_ids(k->tape, k->rnn, in, NULL, NULL);
    *said = ur_linear(k->tape, &k->decoder, h);
    return ur_cross_entropy(k->tape, *said, out);
}

static ur_status update(struct task *k, long number)
{
    ur_tensor *said;
    draw(k, (uint64_t)number);
    ur_params_zero_grads(k->params);
    ur_status status = ur_backward(k->tape, answer(k, &said));
    double left = 1 - (double)(number - 1) / (double)k->updates;
    if (status == UR_OK)
        status = ur_optimizer_step(k->adam, learning_rate * left, NULL);
    return status == UR_OK ? ur_rnn_prepare(k->rnn) : status;
}

static int right(const struct task *k, const float *said)
{
    int n = 0;
    for (int i = (SHOWN + k->blanks) * BATCH; said && i < k->T * BATCH; i++) {
        const float *y = said + i * SYMBOLS;
        int best = 0;
        for (int s = 1; s < SYMBOLS; s++)
            best = y[s] > y[best] ? s : best;
        n += best == asked[i];
    }
    return n;
}

/* Mean loss, and share of letters that are right, over batches of a set. */
static ur_status measure(struct task *k, uint64_t set, int batches, double *loss, double *share)
{
    ur_status status = UR_OK;
    *loss = *share = 0;
    ur_tape_set_recording(k->tape, false);
    for (int i = 0; i < batches && status == UR_OK; i++) {
        ur_tensor *said;
        draw(k, set + (uint64_t)i);
        *loss += ur_scalar(answer(k, &said)) / batches;
        *share += (double)right(k, ur_data(said)) / (SHOWN * BATCH * batches);
        status = ur_tape_status(k->tape);
    }
    ur_tape_set_recording(k->tape, true);
    return status;
}

static ur_status learn(struct task *k, double *loss, double *share)
{
    ur_status status = UR_OK;
    for (long i = 1; i <= k->updates && status == UR_OK; i++) {
        status = update(k, i);
        if (status != UR_OK || i % REPORT != 0)
            continue;
        status = measure(k, HELD_OUT, 4, loss, share);
        printf("update %5ld: held-out loss %.4f nats, %.2f %% of the letters\n", i, *loss,
               100 * *share);
        fflush(stdout);
        if (*share > 0.998)
            break;
    }
    return status == UR_OK ? measure(k, TEST, 32, loss, share) : status;
}

int main(int argc, char **argv)
{
    struct task k = {.cell = UR_CELL_GRU, .blanks = 10, .updates = 6000, .seed = 1};
    double loss = 0, share = 0;
    if (argc > 1 && !ur_cell_find(argv[1], &k.cell))
        k.cell = UR_CELL_RNN;
    if (argc > 2)
        k.blanks = (int)strtol(argv[2], NULL, 10);
    if (argc > 3)
        k.updates = strtol(argv[3], NULL, 10);
    if (argc > 4)
        k.seed = strtoull(argv[4], NULL, 10);
    if (k.cell == UR_CELL_RNN || k.blanks < 0 || k.blanks > MOST_BLANKS || argc > 5) {
        fprintf(stderr, "usage: copy [gru|lstm [BLANKS, up to %d [UPDATES [SEED]]]]\n",
                MOST_BLANKS);
        return 2;
    }
    k.T = k.blanks + 2 * SHOWN;
    double base = SHOWN * ln8 / k.T;
    ur_status status = make(&k);
    if (status == UR_OK)
        status = learn(&k, &loss, &share);
    bool solved = status == UR_OK && share > 0.99 && loss < base / 10;
    if (status != UR_OK)
        fprintf(stderr, "copy: %s\n", ur_errmsg());
    else
        printf("%s, %d blanks: loss %.4f nats (without a memory %.4f), %.2f %% of the letters: "
               "%s\n", ur_cell_name(k.cell), k.blanks, loss, base, 100 * share,
               solved ? "solved" : "not solved");
    ur_optimizer_free(k.adam);
    ur_tape_free(k.tape);
    ur_rnn_free(k.rnn);
    ur_params_free(k.params);
    return !solved;
}
