/* SPDX-License-Identifier: MIT */
/* The plain encoder–decoder (Goodfellow, Bengio and Courville 2016, figure 10.12; Cho et al. 2014;
 * Sutskever, Vinyals and Le 2014): a context C, the encoder's final state, is all that the decoder
 * has of the input. It starts from C, reads it at every step, and is told the output before. The
 * net learns to sort digits. */
#include <stdio.h>
#include <unroll.h>

enum { T = 5, B = 32, H = 64, DIGITS = 10, START = 10, V = 11, STEPS = 800 };
static ur_params *params; static ur_tape *tape;
static ur_embedding in, fed; static ur_rnn *encoder, *decoder; static ur_linear_layer out;
static int32_t x[T * B], before[T * B], y[T * B];   /* [T,B] digits, output before, output */

static void draw(uint64_t seed, int rows)
{
    for (int b = 0; b < rows; b++)
        for (int t = 0; t < T; t++) {
            int32_t digit = (int)(ur_random_uniform(seed, 5, (uint64_t)t, (uint32_t)b) * DIGITS);
            int at = t;
            x[t * rows + b] = digit;
            for (; at > 0 && y[(at - 1) * rows + b] > digit; at--)
                y[at * rows + b] = y[(at - 1) * rows + b];
            y[at * rows + b] = digit;
        }
    for (int i = 0; i < T * rows; i++)
        before[i] = i < rows ? START : y[i - rows];
}

/* Logits [T,rows,DIGITS] after the outputs `before` [T,rows]. */
static ur_tensor *decode(int rows)
{
    ur_tensor *state[2] = {NULL};       /* h and c */
    ur_rnn_forward_from(tape, encoder, ur_embed(tape, &in, (ur_ids){x, T, rows}), NULL, state);
    ur_tensor *c = ur_reshape(state[0], 3, (int[]){1, rows, H});
    c = ur_add(ur_copy_in(tape, 3, (int[]){T, rows, H}, NULL), c);      /* at every step */
    ur_tensor *read[] = {ur_embed(tape, &fed, (ur_ids){before, T, rows}), c};
    ur_tensor *h = ur_rnn_forward_from(tape, decoder, ur_concat(tape, 2, read, 2), NULL, state);
    return ur_linear(tape, &out, h);
}

int main(void)
{
    ur_optimizer *adamw = NULL; ur_optimizer_options how; ur_optimizer_options_init(&how);
    ur_rnn_options net; ur_rnn_options_init(&net); net.input = net.hidden[0] = H;
    int right = 0;
    bool ok = !ur_params_new(&params) && !ur_tape_new(&tape, NULL)
      && !ur_rnn_new(&encoder, params, "encoder", &net);
    net.input = 2 * H;
    ok = ok && !ur_rnn_new(&decoder, params, "decoder", &net)
      && !ur_embedding_init(&in, params, "in", DIGITS, H)
      && !ur_embedding_init(&fed, params, "fed", V, H)
      && !ur_linear_init(&out, params, "out", H, DIGITS, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(encoder) && !ur_rnn_prepare(decoder)
      && !ur_optimizer_new(&adamw, params, &how, NULL);
    for (uint64_t i = 0; ok && i < STEPS; i++) {        /* it is told the right output before */
        draw(i, B); ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *loss = ur_cross_entropy(tape, decode(B), (ur_ids){y, T, B});
        ok = loss && !ur_backward(tape, loss) && !ur_optimizer_step(adamw, 3e-3, NULL)
          && !ur_rnn_prepare(encoder) && !ur_rnn_prepare(decoder);
    }
    for (uint64_t i = 0; ok && i < 100; i++) {          /* and here its own */
        draw(STEPS + i, 1);
        int good = 1;
        for (int t = 0; t < T; t++) {
            ur_tape_reset(tape);
            const ur_real *o = ur_data(decode(1)) + (ptrdiff_t)t * DIGITS;
            int best = 0;
            for (int v = 1; v < DIGITS; v++)
                best = o[v] > o[best] ? v : best;
            good &= best == y[t];
            if (t + 1 < T) before[t + 1] = best;
        }
        right += good;
    }
    if (ok) printf("right: %d of 100\n", right); else fprintf(stderr, "%s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_rnn_free(encoder); ur_rnn_free(decoder);
    ur_params_free(params);
    return !ok;
}
