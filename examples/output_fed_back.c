/* SPDX-License-Identifier: MIT */
/* Outputs fed back (Goodfellow, Bengio and Courville 2016, figures 10.4 and 10.10): the only way
 * from one step to the next is the output, h_t = tanh(W [x_t ; o_{t−1}] + b). Told the right output
 * before (teacher forcing, 10.6), all steps learn at once, without backpropagation through time;
 * then the net reads its own. It learns the parity of the bits so far, over far longer rows than
 * those it learnt from. */
#include <stdio.h>
#include <unroll.h>

enum { T = 10, LONG = 1000, B = 16, H = 8, STEPS = 400 };
static ur_params *params; static ur_tape *tape; static ur_linear_layer hidden, out;

/* Logits [n,2] of the output after bits and outputs before, [n,2] side by side. */
static ur_tensor *step(const ur_real *in, int n)
{
    ur_tensor *x = ur_constant(tape, 2, (int[]){n, 2}, in);
    return ur_linear(tape, &out, ur_tanh(ur_linear(tape, &hidden, x)));
}

static ur_real bit(uint64_t seed, int t, int b)
{
    return ur_random_uniform(seed, 5, (uint64_t)t, (uint32_t)b) < 0.5 ? 0 : 1;
}

int main(void)
{
    ur_optimizer *adamw = NULL; ur_optimizer_options how; ur_optimizer_options_init(&how);
    int right = 0;
    bool ok = !ur_params_new(&params) && !ur_tape_new(&tape, NULL)
      && !ur_linear_init(&hidden, params, "hidden", 2, H, true)
      && !ur_linear_init(&out, params, "out", H, 2, true) && !ur_params_build(params, 1)
      && !ur_optimizer_new(&adamw, params, &how, NULL);
    for (uint64_t i = 0; ok && i < STEPS; i++) {
        ur_real in[T * B * 2];
        int32_t parity[T * B];
        for (int t = 0; t < T; t++)
            for (int b = 0; b < B; b++) {
                ur_real *x = in + (t * B + b) * 2;
                x[0] = bit(i, t, b);
                x[1] = t ? (ur_real)parity[(t - 1) * B + b] : 0;
                parity[t * B + b] = x[0] != x[1];
            }
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *loss = ur_cross_entropy(tape, step(in, T * B), (ur_ids){parity, T, B});
        ok = loss && !ur_backward(tape, loss) && !ur_optimizer_step(adamw, 2e-2, NULL);
    }
    ur_real in[2] = {0, 0};
    for (int t = 0, parity = 0; ok && t < LONG; t++) {
        in[0] = bit(STEPS, t, 0);
        parity ^= in[0] > 0;
        ur_tape_reset(tape);
        const ur_real *y = ur_data(step(in, 1));
        in[1] = y[1] > y[0] ? 1 : 0;            /* what it says itself */
        right += (in[1] > 0) == parity;
    }
    if (ok) printf("right: %d of %d\n", right, LONG); else fprintf(stderr, "%s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_params_free(params);
    return !ok;
}
