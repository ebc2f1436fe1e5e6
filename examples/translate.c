/* SPDX-License-Identifier: MIT */
/* A translator with attention (Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015), of
 * layers: it learns to write words backwards. The decoder looks back at all that was read. */
#include <stdio.h>
#include <unroll.h>

enum { S = 8, T = S + 1, B = 32, E = 16, H = 32, END = 26, V = 27, STEPS = 600 };
static ur_params *params; static ur_tape *tape;
static ur_embedding source, target; static ur_rnn *encoder, *decoder;
static ur_attention_layer attention; static ur_linear_layer combine, out;
static int32_t word[S * B], before[T * B], after[T * B]; static int length[B], steps[B];

static void draw(uint64_t seed, int rows)       /* words of 3 to 8 letters, and what they become */
{
    for (int b = 0; b < rows; b++) {
        length[b] = 3 + (int)(ur_random_uniform(seed, 5, 0, (uint32_t)b) * (S - 2));
        steps[b] = length[b] + 1;
        for (uint32_t s = 0; s < S; s++)
            word[(int)s * rows + b] = (int)(ur_random_uniform(seed, 6, s, (uint32_t)b) * END);
        for (int t = 0; t < T; t++) {
            const int at = length[b] - 1 - t;   /* in the word */
            after[t * rows + b] = at >= 0 ? word[at * rows + b] : at == -1 ? END : -1;
            before[t * rows + b] = t && at >= -1 ? word[(at + 1) * rows + b] : END;
        }
    }
}

/* Logits [T,rows,V] of what stands after the letters `before` [T,rows]. */
static ur_tensor *decode(int rows)
{
    ur_tensor *state[4] = {NULL}, *start[2];    /* h and c, of both directions */
    ur_attention_memory memory;
    ur_tensor *x = ur_embed(tape, &source, (ur_ids){word, S, rows});
    x = ur_rnn_forward_from(tape, encoder, x, length, state);
    for (int i = 0; i < 2; i++)
        start[i] = ur_concat(tape, 2, (ur_tensor *[]){state[i], state[2 + i]}, 1);
    ur_attention_remember(tape, &attention, x, length, &memory);
    x = ur_embed(tape, &target, (ur_ids){before, T, rows});
    ur_tensor *h = ur_rnn_forward_from(tape, decoder, x, steps, start);
    ur_tensor *both[] = {ur_attention(tape, &attention, &memory, h, NULL), h};
    return ur_linear(tape, &out, ur_tanh(ur_linear(tape, &combine, ur_concat(tape, 2, both, 2))));
}

int main(void)
{
    ur_optimizer *adamw = NULL; ur_optimizer_options how; ur_optimizer_options_init(&how);
    ur_rnn_options net; ur_rnn_options_init(&net); net.input = E; net.hidden[0] = H;
    net.bidirectional = true; int right = 0;
    bool ok = !ur_params_new(&params) && !ur_rnn_new(&encoder, params, "encoder", &net);
    net.bidirectional = false; net.hidden[0] = 2 * H;
    ok = ok && !ur_tape_new(&tape, NULL) && !ur_rnn_new(&decoder, params, "decoder", &net)
      && !ur_embedding_init(&source, params, "source", END, E)
      && !ur_embedding_init(&target, params, "target", V, E)
      && !ur_attention_init(&attention, params, "attention", UR_SCORE_GENERAL, 2 * H, 2 * H)
      && !ur_linear_init(&combine, params, "combine", 4 * H, 2 * H, true)
      && !ur_linear_init(&out, params, "out", 2 * H, V, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(encoder) && !ur_rnn_prepare(decoder)
      && !ur_optimizer_new(&adamw, params, &how, NULL);
    for (uint64_t i = 0; ok && i < STEPS; i++) {
        draw(i, B); ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *loss = ur_cross_entropy(tape, decode(B), (ur_ids){after, T, B});
        ok = loss && !ur_backward(tape, loss) && !ur_optimizer_step(adamw, 5e-3, NULL)
          && !ur_rnn_prepare(encoder) && !ur_rnn_prepare(decoder);
    }
    for (uint64_t i = 0; ok && i < 100; i++) {          /* words that it has not seen */
        draw(STEPS + i, 1); int good = 1;
        for (int t = 0; ok && t < steps[0]; t++, ur_tape_reset(tape)) {  /* its own fed back */
            const ur_real *y = ur_data(decode(1)) + (ptrdiff_t)t * V; int best = 0;
            for (int v = 1; v < V; v++)
                if (y[v] > y[best]) best = v;
            good &= best == after[t];
            if (t + 1 < T) before[t + 1] = best;
        }
        right += good;
    }
    if (ok) printf("right: %d of 100\n", right); else fprintf(stderr, "%s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw);
    ur_rnn_free(encoder); ur_rnn_free(decoder); ur_params_free(params);
    return !ok;
}
