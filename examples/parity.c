/* SPDX-License-Identifier: MIT */
/*
 * Parity: is the number of ones in a string of bits odd? One bit more or less turns the
 * answer round, so no feed-forward net of fixed size reads it off long strings; a recurrent
 * one needs a single bit of memory. Here it is asked at the end of strings of 1 to 20 bits,
 * and what is learnt is tested on strings of 100 and of 1000 bits, which training never saw.
 *
 *     parity [CELL [HIDDEN [UPDATES [SEED]]]]
 *
 * CELL is rnn, lstm or gru. Exit status 0: every answer on the long strings is right; 1: not.
 */
#include <stdio.h>
#include <stdlib.h>

#include <unroll.h>

enum { SHORT = 20, LONG = 1000, BATCH = 64, REPORT = 200, STREAM = 5 };

/* Batches are numbered: training counts up from 1, those of the tests lie far behind. */
#define TEST (UINT64_C(1) << 40)

struct task {
    ur_cell cell;
    int hidden;
    long updates;
    uint64_t seed;
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_optimizer *adam;
    ur_tape *tape;
};

static int32_t bits[LONG * BATCH], odd[LONG * BATCH];   /* [T,BATCH] */

static ur_status make(struct task *k)
{
    ur_rnn_options o;
    ur_optimizer_options adam;
    ur_rnn_options_init(&o);
    o.cell = k->cell;
    o.input = 2;
    o.hidden[0] = k->hidden;
    ur_optimizer_options_init(&adam);
    adam.kind = UR_OPTIMIZER_ADAM;
    ur_status status = ur_params_new(&k->params);
    if (status == UR_OK)
        status = ur_rnn_new(&k->rnn, k->params, "rnn", &o);
    if (status == UR_OK)
        status = ur_linear_init(&k->decoder, k->params, "decoder", k->hidden, 2, true);
    if (status == UR_OK)
        status = ur_params_build(k->params, k->seed);
    if (status == UR_OK)
        status = ur_rnn_prepare(k->rnn);
    if (status == UR_OK)
        status = ur_optimizer_new(&k->adam, k->params, &adam, NULL);
    return status == UR_OK ? ur_tape_new(&k->tape, NULL) : status;
}

/* Strings of batch `number`, each of lengths[b] <= T bits. The answer stands at the last bit;
 * −1 elsewhere: nothing is asked. */
static void draw(const struct task *k, uint64_t number, int T, const int *lengths)
{
    for (int b = 0; b < BATCH; b++) {
        int32_t parity = 0;
        for (int t = 0; t < T; t++) {
            uint32_t index = (uint32_t)(t * BATCH + b);
            int32_t bit = ur_random_uniform(k->seed, STREAM, number, index) < 0.5;
            parity ^= bit;
            bits[index] = bit;
            odd[index] = t == lengths[b] - 1 ? parity : -1;
        }
    }
}

static ur_tensor *answer(struct task *k, int T, const int *lengths)
{
    ur_tape_reset(k->tape);
    ur_tensor *h = ur_rnn_forward_ids(k->tape, k->rnn, (ur_ids){bits, T, BATCH}, lengths, NULL);
    return ur_linear(k->tape, &k->decoder, h);
}

static ur_status update(struct task *k, long number, double *loss)
{
    int lengths[BATCH];
    for (int b = 0; b < BATCH; b++)
        lengths[b] = 1 + (int)(SHORT * ur_random_uniform(k->seed, STREAM + 1, (uint64_t)number,
                                                         (uint32_t)b));
    draw(k, (uint64_t)number, SHORT, lengths);
    ur_tensor *y = answer(k, SHORT, lengths);
    ur_tensor *e = ur_cross_entropy(k->tape, y, (ur_ids){odd, SHORT, BATCH});
    ur_params_zero_grads(k->params);
    ur_status status = ur_backward(k->tape, e);
    *loss = ur_scalar(e);
    if (status == UR_OK)
        status = ur_optimizer_step(k->adam, 1e-2, NULL);
    return status == UR_OK ? ur_rnn_prepare(k->rnn) : status;
}

/* Right answers among BATCH strings of `length` bits. */
static ur_status count(struct task *k, uint64_t number, int length, int *right)
{
    int lengths[BATCH];
    for (int b = 0; b < BATCH; b++)
        lengths[b] = length;
    draw(k, number, length, lengths);
    ur_tape_set_recording(k->tape, false);
    const float *y = ur_data(answer(k, length, lengths));
    ur_tape_set_recording(k->tape, true);
    for (int i = (length - 1) * BATCH; y && i < length * BATCH; i++)
        *right += (y[2 * i + 1] > y[2 * i]) == odd[i];
    return ur_tape_status(k->tape);
}

/* Until all of 64 strings of 100 bits are right, and the loss says that it is no luck. */
static ur_status learn(struct task *k)
{
    ur_status status = UR_OK;
    for (long i = 1; i <= k->updates && status == UR_OK; i++) {
        double loss;
        int right = 0;
        status = update(k, i, &loss);
        if (status != UR_OK || i % REPORT != 0)
            continue;
        status = count(k, TEST + (uint64_t)i, 100, &right);
        printf("update %5ld: loss %.5f nats; of %d strings of 100 bits %d are right\n", i, loss,
               BATCH, right);
        fflush(stdout);
        if (right == BATCH && loss < 0.001)
            break;
    }
    return status;
}

/* On new strings. */
static ur_status test(struct task *k, bool *solved)
{
    static const int lengths[] = {20, 100, LONG};
    ur_status status = UR_OK;
    *solved = true;
    for (int i = 0; i < 3 && status == UR_OK; i++) {
        enum { BATCHES = 16 };
        int right = 0;
        for (int n = 0; n < BATCHES && status == UR_OK; n++)
            status = count(k, 2 * TEST + (uint64_t)(i * BATCHES + n), lengths[i], &right);
        printf("%4d bits: %d of %d right\n", lengths[i], right, BATCHES * BATCH);
        *solved = *solved && right == BATCHES * BATCH;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct task k = {.cell = UR_CELL_RNN, .hidden = 16, .updates = 10000, .seed = 1};
    bool solved = false;
    if (argc > 5 || (argc > 1 && !ur_cell_find(argv[1], &k.cell))) {
        fprintf(stderr, "usage: parity [rnn|lstm|gru [HIDDEN [UPDATES [SEED]]]]\n");
        return 2;
    }
    if (argc > 2)
        k.hidden = (int)strtol(argv[2], NULL, 10);
    if (argc > 3)
        k.updates = strtol(argv[3], NULL, 10);
    if (argc > 4)
        k.seed = strtoull(argv[4], NULL, 10);
    ur_status status = make(&k);
    if (status == UR_OK)
        status = learn(&k);
    if (status == UR_OK)
        status = test(&k, &solved);
    if (status != UR_OK)
        fprintf(stderr, "parity: %s\n", ur_errmsg());
    else
        printf("%s: %s with %d units\n", solved ? "solved" : "not solved",
               ur_cell_name(k.cell), k.hidden);
    ur_optimizer_free(k.adam);
    ur_tape_free(k.tape);
    ur_rnn_free(k.rnn);
    ur_params_free(k.params);
    return !solved;
}
