/* SPDX-License-Identifier: MIT */
/* Series of unequal length in, a label out: `classify_series FILE` (.ts, or CSV with a series a
 * line) learns from four fifths of them and tells the labels of the others. See docs/DATA.md. */
#include <stdio.h>
#include <stdlib.h>
#include <unroll.h>

enum { B = 16, H = 32, EPOCHS = 60 };
static ur_examples *set; static ur_tape *tape;
static ur_rnn *rnn; static ur_pool_layer pool; static ur_linear_layer out;
static ur_real *x;                      /* [T,B,I], zeros behind a series' end */
static int32_t label[B];
static int length[B], I, K;             /* steps of each; numbers a step; how many labels */

/* Scores of the labels of B series, [B,K]; the true ones are in label. NULL: it failed. */
static ur_tensor *score(const int64_t *which, int rows)
{
    int T = ur_examples_longest(set, which, rows);
    ur_tape_reset(tape);
    if (ur_examples_pad_frames(set, which, rows, T, x, length)
        || ur_examples_pad_labels(set, which, rows, T, label))
        return NULL;
    ur_tensor *h = ur_constant(tape, 3, (int[]){T, rows, I}, x);
    h = ur_rnn_forward(tape, rnn, h, length, NULL);                     /* [T,B,2H] */
    return ur_linear(tape, &out, ur_dropout(ur_pool(tape, &pool, h, length, NULL), 0.3));
}

int main(int argc, char **argv)
{
    ur_params *params = NULL; ur_optimizer *adamw = NULL; ur_batches *batches = NULL;
    int64_t *part = NULL, n = 0, right = 0; const int64_t *which; int rows;
    ur_rnn_options net; ur_rnn_options_init(&net);
    ur_optimizer_options how; ur_optimizer_options_init(&how);
    if (argc != 2)
        return fprintf(stderr, "usage: classify_series FILE\n"), 2;
    bool ok = !ur_examples_open(&set, (const char *const *)&argv[1], 1, NULL);
    const int64_t all = ok ? ur_examples_count(set) : 0;
    net.input = I = ok ? ur_examples_width(set) : 0; net.hidden[0] = H; net.bidirectional = true;
    K = ok ? ur_examples_label_count(set) : 0;
    ok = ok && (part = malloc((size_t)all * sizeof *part)) != NULL
      && (x = calloc((size_t)ur_examples_longest(set, NULL, 0), sizeof *x * B * (size_t)I)) != NULL
      && !ur_examples_hold_out(set, 0.2, 1, part, &n)
      && !ur_batches_new(&batches, set, part, n, B, 1) && !ur_params_new(&params)
      && !ur_rnn_new(&rnn, params, "rnn", &net)
      && !ur_pool_init(&pool, params, "pool", UR_POOL_MEAN, 2 * H, 2)
      && !ur_linear_init(&out, params, "out", 2 * H, K, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL)
      && !ur_tape_new(&tape, NULL);
    const int64_t steps = ok ? ur_batches_steps(batches) : 0;
    for (int64_t i = 0; ok && i < EPOCHS * steps; i++) {
        ur_tape_set_training(tape, true, 1, (uint64_t)i);               /* dropout acts */
        ur_params_zero_grads(params);
        ok = !ur_batches_at(batches, i / steps, i % steps, &which, &rows);
        ur_tensor *y = ok ? score(which, rows) : NULL;
        ok = y && !ur_backward(tape, ur_cross_entropy(tape, y, (ur_ids){label, 1, rows}))
          && !ur_optimizer_step(adamw, 5e-3, NULL) && !ur_rnn_prepare(rnn);
    }
    if (ok)
        ur_tape_set_training(tape, false, 0, 0);
    for (int64_t i = n; ok && i < all; i++) {
        const ur_real *p = ur_data(score(part + i, 1));
        int best = 0;
        for (int k = 1; p && k < K; k++)
            best = p[k] > p[best] ? k : best;
        printf("%s, told %s\n", ur_examples_label_name(set, label[0]),
               ur_examples_label_name(set, best));
        right += best == label[0];
        ok = p != NULL;
    }
    if (ok)
        printf("right: %d of %d\n", (int)right, (int)(all - n));
    else
        fprintf(stderr, "classify_series: %s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_rnn_free(rnn); ur_params_free(params);
    ur_batches_free(batches); ur_examples_close(set); free(part); free(x);
    return !ok;
}
