/* SPDX-License-Identifier: MIT */
/* One vector to a sequence (Goodfellow, Bengio and Courville 2016, figure 10.9): the vector is read
 * anew at every step, beside the symbol before; its product with R is a bias of its own for each
 * step. From two numbers, a digit's place on a circle, the net writes the digit's name. */
#include <stdio.h>
#include <string.h>
#include <unroll.h>

enum { N = 10, T = 6, X = 2, E = 8, H = 48, START = 0, V = 27, STEPS = 400 };
static const char *const names[N] = {"zero", "one", "two", "three", "four", "five", "six", "seven",
                                     "eight", "nine"};
static const ur_real circle[N * X] = {  /* of ten points */
    1, 0, 0.809F, 0.588F, 0.309F, 0.951F, -0.309F, 0.951F, -0.809F, 0.588F,
    -1, 0, -0.809F, -0.588F, -0.309F, -0.951F, 0.309F, -0.951F, 0.809F, -0.588F};
static ur_params *params; static ur_tape *tape;
static ur_embedding symbol; static ur_linear_layer r, out; static ur_rnn *rnn;
static int32_t before[T * N], after[T * N];     /* [T,N] letters 1 to 26; 0 stands at both ends */

/* Logits [T,rows,V] for vectors [rows,X]. */
static ur_tensor *write_names(const ur_real *vectors, int rows)
{
    ur_tensor *x = ur_constant(tape, 3, (int[]){1, rows, X}, vectors);
    ur_tensor *y = ur_embed(tape, &symbol, (ur_ids){before, T, rows});
    y = ur_add(y, ur_linear(tape, &r, x));      /* the same at all T steps */
    return ur_linear(tape, &out, ur_rnn_forward(tape, rnn, y, NULL, NULL));
}

int main(void)
{
    ur_optimizer *adamw = NULL; ur_optimizer_options how; ur_optimizer_options_init(&how);
    ur_rnn_options net; ur_rnn_options_init(&net); net.input = E; net.hidden[0] = H;
    int right = 0;
    bool ok = !ur_params_new(&params) && !ur_tape_new(&tape, NULL)
      && !ur_rnn_new(&rnn, params, "rnn", &net) && !ur_embedding_init(&symbol, params, "y", V, E)
      && !ur_linear_init(&r, params, "r", X, E, false)
      && !ur_linear_init(&out, params, "out", H, V, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL);
    for (int i = 0; i < T * N; i++) {
        const int t = i / N, n = (int)strlen(names[i % N]);
        after[i] = t < n ? names[i % N][t] - 'a' + 1 : t == n ? START : -1;
        before[i] = t == 0 || t > n ? START : names[i % N][t - 1] - 'a' + 1;
    }
    for (int i = 0; ok && i < STEPS; i++) {
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *loss = ur_cross_entropy(tape, write_names(circle, N), (ur_ids){after, T, N});
        ok = loss && !ur_backward(tape, loss) && !ur_optimizer_step(adamw, 5e-3, NULL)
          && !ur_rnn_prepare(rnn);
    }
    for (int k = 0; ok && k < N; k++) {         /* each letter is fed back */
        char name[T + 1] = "";
        memset(before, START, sizeof before);
        for (int t = 0, best = 1; t < T && best != START; t++) {
            ur_tape_reset(tape);
            const ur_real *y = ur_data(write_names(circle + k * X, 1)) + (ptrdiff_t)t * V;
            best = 0;
            for (int v = 1; v < V; v++)
                best = y[v] > y[best] ? v : best;
            if (best != START) name[t] = (char)('a' + best - 1);
            if (t + 1 < T) before[t + 1] = best;
        }
        printf("%5.2f %5.2f  %s\n", (double)circle[k * X], (double)circle[k * X + 1], name);
        right += strcmp(name, names[k]) == 0;
    }
    if (ok) printf("right: %d of %d\n", right, N); else fprintf(stderr, "%s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_rnn_free(rnn); ur_params_free(params);
    return !ok;
}
