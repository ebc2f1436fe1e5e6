/* SPDX-License-Identifier: MIT */
/* A chaotic system learnt from a trajectory: `lorenz [STEPS [FILE]]`. An LSTM learns the next step
 * of the Lorenz system (1963), then runs freely on what it says itself. How long that is right is
 * told in Lyapunov times: in each, small errors grow e-fold. FILE gets a run for `unroll plot`. */
#include <stdio.h>
#include <stdlib.h>
#include <unroll.h>

enum { N = 20000, B = 32, T = 40, H = 96, WARM = 100, RUN = 1000, STARTS = 20 };
static const double dt = 0.02, lyapunov = 0.9056;       /* its exponent, in units of time */
static double path[N + STARTS * (WARM + RUN)][3];       /* deviations of about 1 */
static ur_rnn *rnn; static ur_linear_layer out; static ur_state *state;
static void generate(int n)     /* the method of Runge and Kutta, fourth order */
{
    double s[3] = {1, 1, 1}, k[4][3], p[3];
    for (int t = -500; t < n; t++) {
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 3; i++)
                p[i] = s[i] + (j ? (j == 3 ? dt : dt / 2) * k[j - 1][i] : 0);
            k[j][0] = 10 * (p[1] - p[0]); k[j][1] = p[0] * (28 - p[2]) - p[1];
            k[j][2] = p[0] * p[1] - 8 / 3.0 * p[2];
        }
        for (int i = 0; i < 3; i++)
            path[t < 0 ? 0 : t][i] = ((s[i] += dt / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i]
                                                         + k[3][i])) - (i == 2) * 23.5) / 8.3;
    }
}
/* Runs freely after WARM steps from there. How many are within 0.4 deviations; -1: it failed. */
static int run_freely(int from, FILE *file)
{
    ur_real x[3], h[H], d[3] = {0, 0, 0}; int valid = 0; bool right = true;
    ur_state_zero(state);
    for (int t = 0; t < WARM + RUN; t++) {
        double error = 0; const double *now = path[from + t];
        for (int i = 0; i < 3; i++) {
            x[i] = t < WARM ? (ur_real)now[i] : x[i] + d[i] / 10;
            error += ((double)x[i] - now[i]) * ((double)x[i] - now[i]) / 3;
        }
        right = right && error < 0.4 * 0.4; valid += right;
        if (file)
            fprintf(file, "%s{\"series\":\"x\",\"time\":\"%.1f\",\"value\":%f,\"%s\":%f}%s",
                    t ? "," : "{\"forecast\":[", (t - WARM) * dt * lyapunov, 8.3 * now[0], t < WARM
                    ? "told" : "point", 8.3 * (double)x[0], t < WARM + RUN - 1 ? "" : "]}");
        if (ur_rnn_step(rnn, state, x, h) || ur_linear_run(&out, NULL, 1, h, d)) return -1;
    }
    return valid - WARM;
}
int main(int argc, char **argv)
{
    static ur_real x[T][B][3], y[T][B][3]; const int dim[] = {T, B, 3};
    const int steps = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 600; int valid = 0;
    ur_params *params = NULL; ur_optimizer *adamw = NULL; ur_tape *tape = NULL;
    ur_rnn_options net; ur_rnn_options_init(&net); net.input = 3; net.hidden[0] = H;
    ur_optimizer_options how; ur_optimizer_options_init(&how); generate(N + STARTS * (WARM + RUN));
    bool ok = !ur_params_new(&params) && !ur_rnn_new(&rnn, params, "rnn", &net)
      && !ur_linear_init(&out, params, "out", H, 3, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL)
      && !ur_tape_new(&tape, NULL);
    for (int i = 0; ok && i < steps; i++) {
        for (int j = 0; j < T * B * 3; j++) {           /* what is told is ten times the change */
            const int t = j / 3 / B, k = j % 3; const uint32_t b = (uint32_t)(j / 3 % B);
            double (*p)[3] = path + t + (int)((N - T) * ur_random_uniform(1, 0, (uint64_t)i, b));
            x[t][b][k] = (ur_real)p[0][k]; y[t][b][k] = (ur_real)(10 * (p[1][k] - p[0][k]));
        }
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *h = ur_rnn_forward(tape, rnn, ur_constant(tape, 3, dim, x[0][0]), NULL, NULL);
        h = ur_squared_error(ur_linear(tape, &out, h), ur_constant(tape, 3, dim, y[0][0]));
        ok = !ur_backward(tape, h) && !ur_optimizer_step(adamw, 5e-3 * (1 - 0.98 * i / steps), NULL)
          && !ur_rnn_prepare(rnn);
    }
    ok = ok && !ur_linear_prepare(&out) && !ur_state_new(&state, rnn, 1, NULL);
    FILE *file = ok && argc > 2 ? fopen(argv[2], "w") : NULL;
    for (int i = 0, n; ok && i < STARTS; i++, valid += n)
        ok = (n = run_freely(N + i * (WARM + RUN), i ? NULL : file)) >= 0;
    if (file) fclose(file);
    if (ok) printf("valid: %.2f Lyapunov times\n", valid * dt * lyapunov / STARTS);
    else fprintf(stderr, "lorenz: %s\n", ur_errmsg());
    ur_state_free(state); ur_tape_free(tape); ur_optimizer_free(adamw); ur_linear_free(&out);
    ur_rnn_free(rnn); ur_params_free(params); return !ok;
}
