/* SPDX-License-Identifier: MIT */
/* A label for each frame as it comes: `tag_frames FILE` (a line of numbers and a label a frame, a
 * blank line between sequences) learns from four fifths of them, then goes through the others frame
 * by frame, as through a signal that has not ended yet. See docs/DATA.md. */
#include <stdio.h>
#include <stdlib.h>
#include <unroll.h>

enum { B = 8, H = 32, EPOCHS = 40 };
static ur_params *params; static ur_rnn *rnn; static ur_linear_layer out; static ur_tape *tape;
static ur_optimizer *adamw; static ur_state *state;     /* of a sequence that is told */

static bool make(int I, int K)
{
    ur_rnn_options net; ur_rnn_options_init(&net);
    ur_optimizer_options how; ur_optimizer_options_init(&how);
    net.cell = UR_CELL_GRU; net.input = I; net.hidden[0] = H;
    return !ur_params_new(&params) && !ur_rnn_new(&rnn, params, "rnn", &net)
        && !ur_linear_init(&out, params, "out", H, K, true) && !ur_params_build(params, 1)
        && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL)
        && !ur_tape_new(&tape, NULL) && !ur_state_new(&state, rnn, 1, NULL);
}

int main(int argc, char **argv)
{
    ur_examples *set = NULL; ur_batches *batches = NULL; const int64_t *which;
    int64_t *part = NULL, n = 0; ur_real *x = NULL, *p = NULL, h[H]; int32_t *label = NULL, truth;
    int length[B], rows, right = 0, frames = 0;
    ur_examples_options read; ur_examples_options_init(&read); read.tagged = true;
    if (argc != 2)
        return fprintf(stderr, "usage: tag_frames FILE\n"), 2;
    bool ok = !ur_examples_open(&set, (const char *const *)&argv[1], 1, &read);
    const int64_t all = ok ? ur_examples_count(set) : 0;
    const int I = ok ? ur_examples_width(set) : 0, K = ok ? ur_examples_label_count(set) : 0;
    const size_t most = ok ? (size_t)ur_examples_longest(set, NULL, 0) * B : 0;
    ok = ok && make(I, K) && (part = calloc((size_t)all, sizeof *part)) != NULL
      && (x = calloc(most, sizeof *x * (size_t)I)) != NULL
      && (p = calloc((size_t)K, sizeof *p)) != NULL && (label = calloc(most, sizeof *label)) != NULL
      && !ur_examples_hold_out(set, 0.2, 1, part, &n)
      && !ur_batches_new(&batches, set, part, n, B, 1);
    const int64_t steps = ok ? ur_batches_steps(batches) : 0;
    for (int64_t i = 0; ok && i < EPOCHS * steps; i++) {
        ok = !ur_batches_at(batches, i / steps, i % steps, &which, &rows);
        int T = ok ? ur_examples_longest(set, which, rows) : 0;
        ok = ok && !ur_examples_pad_frames(set, which, rows, T, x, length)
          && !ur_examples_pad_labels(set, which, rows, T, label);   /* -1 behind an end */
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *y = ok ? ur_constant(tape, 3, (int[]){T, rows, I}, x) : NULL;
        y = ur_linear(tape, &out, ur_rnn_forward(tape, rnn, y, length, NULL));  /* [T,B,K] */
        ok = ok && !ur_backward(tape, ur_cross_entropy(tape, y, (ur_ids){label, T, rows}))
          && !ur_optimizer_step(adamw, 5e-3, NULL) && !ur_rnn_prepare(rnn);
    }
    ok = ok && !ur_linear_prepare(&out);
    for (int64_t i = n; ok && i < all; i++) {
        ur_state_zero(state);
        for (int t = 0; ok && t < ur_examples_length(set, part[i]); t++, frames++) {
            ok = !ur_examples_frames(set, part[i], t, 1, x) && !ur_rnn_step(rnn, state, x, h)
              && !ur_linear_run(&out, NULL, 1, h, p)
              && !ur_examples_tags(set, part[i], t, 1, &truth);
            int best = 0;
            for (int k = 1; k < K; k++)
                best = p[k] > p[best] ? k : best;
            printf("%s%s", t ? " " : "", ur_examples_label_name(set, best));
            right += ok && best == truth;
        }
        puts("");
    }
    if (ok)
        printf("right: %d of %d\n", right, frames);
    else
        fprintf(stderr, "tag_frames: %s\n", ur_errmsg());
    ur_linear_free(&out); ur_state_free(state); ur_tape_free(tape); ur_optimizer_free(adamw);
    ur_rnn_free(rnn); ur_params_free(params); ur_batches_free(batches); ur_examples_close(set);
    free(part); free(x); free(p); free(label);
    return !ok;
}
