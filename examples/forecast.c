/* SPDX-License-Identifier: MIT */
/* What comes next, and how sure that is: a GRU reads four days of an hourly load and says the
 * quantiles of the next day's hours, all at once. See docs/MATH.md, section Forecast. */
#include <math.h>
#include <stdio.h>
#include <unroll.h>

enum { N = 3000, TEST = 2400, C = 96, H = 24, Q = 3, B = 16, UNITS = 32, STEPS = 800 };
static double load[N];
static const ur_real level[Q] = {(ur_real)0.1, (ur_real)0.5, (ur_real)0.9};
static ur_tape *tape; static ur_rnn *rnn; static ur_linear_layer out;
static ur_real x[C][B][1], y[H][B][1];

/* A day and a week, weather that lasts some hours, noise. */
static void generate(void)
{
    double weather = 0;
    for (int t = 0; t < N; t++) {
        weather = 0.97 * weather + ur_random_uniform(1, 0, 0, (uint32_t)t) - 0.5;
        load[t] = 30 + 5 * sin(t * 0.2617994) + (t / 24 % 7 > 4 ? -6 : 0) + weather
            + ur_random_uniform(1, 1, 0, (uint32_t)t);
    }
}

/* Column b: what was before that hour and what came, told from the last value. */
static void put(int hour, int b)
{
    for (int t = 0; t < C; t++)
        x[t][b][0] = (ur_real)((load[hour - C + t] - load[hour - 1]) / 5);
    for (int t = 0; t < H; t++)
        y[t][b][0] = (ur_real)((load[hour + t] - load[hour - 1]) / 5);
}

/* Quantiles [H,rows,Q]. */
static ur_tensor *say(int rows)
{
    ur_tensor *h = ur_constant(tape, 3, (int[]){C, B, 1}, x[0][0]);
    h = ur_slice(ur_rnn_forward(tape, rnn, h, NULL, NULL), 0, C - 1, C);
    h = ur_reshape(ur_linear(tape, &out, h), 3, (int[]){B, H, Q});
    return ur_slice(ur_permute(h, (int[]){1, 0, 2}), 1, 0, rows);
}

int main(void)
{
    ur_params *params = NULL; ur_optimizer *adamw = NULL;
    ur_forecast_sums sums = {.n = 0}; ur_metrics found; ur_metrics_init(&found);
    ur_rnn_options net; ur_rnn_options_init(&net);
    ur_optimizer_options how; ur_optimizer_options_init(&how); generate();
    net.cell = UR_CELL_GRU; net.input = 1; net.hidden[0] = UNITS;
    bool ok = !ur_params_new(&params) && !ur_rnn_new(&rnn, params, "rnn", &net)
      && !ur_linear_init(&out, params, "out", UNITS, H * Q, true) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL)
      && !ur_tape_new(&tape, NULL);
    for (int i = 0; ok && i < STEPS; i++) {
        for (int b = 0; b < B; b++)
            put(C + (int)((TEST - C - H) * ur_random_uniform(1, 2, (uint64_t)i, (uint32_t)b)), b);
        ur_tape_reset(tape); ur_params_zero_grads(params);
        ur_tensor *q = ur_constant(tape, 1, (int[]){Q}, level);
        ur_tensor *truth = ur_constant(tape, 3, (int[]){H, B, 1}, y[0][0]);
        ok = !ur_backward(tape, ur_quantile_loss(say(B), q, truth))
          && !ur_optimizer_step(adamw, 5e-3 * (1 - 0.9 * i / STEPS), NULL) && !ur_rnn_prepare(rnn);
    }
    for (int hour = TEST; ok && hour + H <= N; hour += H) {     /* each day of the test */
        put(hour, 0); ur_tape_reset(tape);
        const ur_real *q = ur_data(say(1)); const double last = load[hour - 1];
        ok = q != NULL;
        for (int t = 0; ok && t < H; t++, q += Q)
            ur_forecast_add(&sums, load[hour + t], last + 5 * (double)q[1], last + 5 * (double)q[0],
                            last + 5 * (double)q[2]);
    }
    ur_forecast_figures(&sums, ur_seasonal_error(TEST, load, 24), &found);
    if (ok)
        printf("MASE %.2f, %.0f %% within the interval\n", ur_metrics_get(&found, "mase"),
               100 * ur_metrics_get(&found, "coverage"));
    else
        fprintf(stderr, "forecast: %s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_rnn_free(rnn); ur_params_free(params);
    return !ok;
}
