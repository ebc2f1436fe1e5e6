/* SPDX-License-Identifier: MIT */
/* Many vectors in, one label out: is a noisy wave a triangle, a square or a saw? A step is two
 * points of it, a quarter period apart. Exit 0: the net knows new ones. See docs/FIRST_NET.md. */
#include <stdio.h>
#include <unroll.h>

enum { T = 24, B = 32, I = 2, H = 16, CLASSES = 3, UPDATES = 150, TESTS = 20 };
static ur_real x[T * B * I];    /* [T,B,I]; what stands after a sequence's end plays no part */
static int32_t label[B];
static int length[B];           /* steps of each sequence, T at most */

static void draw(uint64_t batch)
{
    for (uint32_t b = 0, n = 0; b < B; b++) {
        label[b] = (int32_t)(CLASSES * ur_random_uniform(1, 0, batch, n++));
        length[b] = T / 2 + (int)((T / 2 + 1) * ur_random_uniform(1, 0, batch, n++));
        double phase = ur_random_uniform(1, 0, batch, n++);
        for (uint32_t i = 0; i < I * (uint32_t)length[b]; i++) {
            double p = phase + 0.11 * (i / I) + 0.25 * (i % I), q = p - (int)p;
            double wave[] = {q < 0.5 ? 1 - 4 * q : 4 * q - 3, q < 0.5 ? 1 : -1, 2 * q - 1};
            double noise = ur_random_uniform(1, 0, batch, n++) - 0.5;
            x[(i / I * B + b) * I + i % I] = (ur_real)(wave[label[b]] + noise);
        }
    }
}

int main(void)
{
    ur_params *params = NULL; ur_rnn *rnn = NULL; ur_linear_layer out;
    ur_state *state = NULL; ur_tape *tape = NULL; ur_optimizer *adamw = NULL;
    int right = 0, count[CLASSES] = {0}, most = 0;
    ur_rnn_options net; ur_rnn_options_init(&net); net.input = I; net.hidden[0] = H;
    ur_optimizer_options how; ur_optimizer_options_init(&how);
    bool ok = !ur_params_new(&params) && !ur_rnn_new(&rnn, params, "rnn", &net)
           && !ur_linear_init(&out, params, "out", H, CLASSES, true) && !ur_params_build(params, 1)
           && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL)
           && !ur_state_new(&state, rnn, B, NULL) && !ur_tape_new(&tape, NULL);
    for (int i = 0; ok && i < UPDATES + TESTS; i++) {
        draw((uint64_t)i);
        ur_state_detach(state); ur_state_zero(state);
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_rnn_forward(tape, rnn, ur_constant(tape, 3, (int[]){T, B, I}, x), length, state);
        ur_tensor *y = ur_linear(tape, &out, ur_state_tensor(state, 0, "h"));   /* [B,CLASSES] */
        ur_tensor *loss = ur_cross_entropy(tape, y, (ur_ids){label, 1, B});
        ok = i < UPDATES ? !ur_backward(tape, loss) && !ur_optimizer_step(adamw, 0.02, NULL)
                           && !ur_rnn_prepare(rnn) : !ur_tape_status(tape);
        for (int b = 0; ok && i >= UPDATES && b < B; b++) {
            const ur_real *p = ur_data(y) + b * CLASSES; int best = p[1] > p[0];
            right += (p[2] > p[best] ? 2 : best) == label[b];
            most += ++count[label[b]] > most;
        }
    }
    if (ok)
        printf("right: %d of %d; always the commonest label: %d\n", right, TESTS * B, most);
    else
        fprintf(stderr, "classify: %s\n", ur_errmsg());
    ur_optimizer_free(adamw); ur_tape_free(tape); ur_state_free(state);
    ur_rnn_free(rnn); ur_params_free(params);
    return !(ok && right > most + TESTS * B / 3);
}
