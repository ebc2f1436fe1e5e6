/* SPDX-License-Identifier: MIT */
/*
 * Layer-normalised cells in double: unrolled values against plain loops of their own,
 * and the gradient of every parameter, input and initial state against central
 * differences, over random sizes.
 */
#include "testing.h"

#include "base/mem.h"
#include "unroll/cells.h"

#include <math.h>

enum { CASES = 40, MAX = 6, MAX_T = 5 };
static const double difference = 1e-5;

static uint32_t drawn;

static double uniform(double low, double high)
{
    return low + (high - low) * ur_random_uniform(11, 5, 0, drawn++);
}

static int integer(int low, int high)
{
    return low + (int)floor(uniform(0, high - low + 1));
}

/* A cell, a sequence for it, and weights of the loss. */
struct net {
    bool lstm;
    int T, B, I, H;
    ur_params *params;
    ur_norm_cell cell;
    ur_tape *tape;
    double x[MAX_T * MAX * MAX], dx[MAX_T * MAX * MAX];
    double h[2][MAX * MAX], dh[2][MAX * MAX];     /* the initial h and c */
    double weight[MAX_T * MAX * MAX];
};

static void net_new(struct net *n, bool lstm)
{
    *n = (struct net){.lstm = lstm, .T = integer(1, MAX_T), .B = integer(1, 3),
                      .I = integer(1, MAX), .H = integer(2, MAX)};
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok((lstm ? ur_norm_lstm_init : ur_norm_gru_init)(&n->cell, n->params, "cell", n->I,
                                                            n->H));
    assert_ok(ur_params_build(n->params, drawn));
    n->cell.epsilon = 0.05;     /* rows of few numbers bend too sharply without */
    for (size_t i = 0; i < ur_params_size(n->params); i++)
        ur_params_values(n->params)[i] += uniform(-0.6, 0.6);
    for (size_t i = 0; i < sizeof n->x / sizeof *n->x; i++) {
        n->x[i] = uniform(-1.5, 1.5);
        n->weight[i] = uniform(-1, 1);
    }
    for (int i = 0; i < MAX * MAX; i++) {
        n->h[0][i] = uniform(-1, 1);
        n->h[1][i] = uniform(-2, 2);
    }
}

static void net_free(struct net *n)
{
    ur_tape_free(n->tape);
    ur_params_free(n->params);
    assert_int_equal(ur__mem_blocks(), 0);
}

/* Outputs [T,B,H] and the final states. */
static ur_tensor *run(struct net *n, ur_tensor **state)
{
    int x[] = {n->T, n->B, n->I}, h[] = {n->B, n->H};
    ur_tape_reset(n->tape);
    for (int i = 0; i < 1 + n->lstm; i++)
        state[i] = ur_variable(n->tape, 2, h, n->h[i], n->dh[i]);
    return ur_unroll(n->tape, n->lstm ? ur_norm_lstm_step : ur_norm_gru_step, &n->cell,
                     ur_variable(n->tape, 3, x, n->x, n->dx), 1 + n->lstm, state);
}

static ur_tensor *loss(struct net *n)
{
    ur_tensor *state[2], *y = run(n, state);
    int dim[] = {n->T, n->B, n->H};
    ur_tensor *sum = ur_sum(ur_mul(y, ur_constant(n->tape, 3, dim, n->weight)));
    sum = ur_add(sum, ur_sum(ur_square(state[0])));
    return n->lstm ? ur_add(sum, ur_sum(ur_square(state[1]))) : sum;
}

/* ---- values ------------------------------------------------------------ */

static const double *values(const struct net *n, const ur_param *p)
{
    return ur_param_data(n->params, p);
}

/* y = gain∘(x − mean)/√(variance + ε) + bias */
static void norm(const struct net *n, int size, const double *x, const double *gain,
                 const double *bias, double *y)
{
    double mean = 0, variance = 0;
    for (int i = 0; i < size; i++)
        mean += x[i] / size;
    for (int i = 0; i < size; i++)
        variance += (x[i] - mean) * (x[i] - mean) / size;
    for (int i = 0; i < size; i++)
        y[i] = gain[i] * (x[i] - mean) / sqrt(variance + n->cell.epsilon) + bias[i];
}

static void product(int rows, int columns, const double *w, const double *x, double *y)
{
    for (int i = 0; i < rows; i++) {
        y[i] = 0;
        for (int j = 0; j < columns; j++)
            y[i] += w[i * columns + j] * x[j];
    }
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of one row, in place on h (and c). */
static void plain_step(const struct net *n, const double *x, double *h, double *c)
{
    const ur_norm_cell *p = &n->cell;
    const int H = n->H, G = n->lstm ? 4 : 3, together = n->lstm ? 4 * H : 2 * H;
    const double *gx = values(n, p->gain_ih), *bx = values(n, p->bias_ih);
    const double *gh = values(n, p->gain_hh), *bh = values(n, p->bias_hh);
    double wx[4 * MAX], uh[4 * MAX], a[4 * MAX], b[4 * MAX], seen[MAX];
    product(G * H, n->I, values(n, p->weight_ih), x, wx);
    product(G * H, H, values(n, p->weight_hh), h, uh);
    norm(n, together, wx, gx, bx, a);
    norm(n, together, uh, gh, bh, b);
    if (!n->lstm) {
        norm(n, H, wx + 2 * H, gx + 2 * H, bx + 2 * H, a + 2 * H);
        norm(n, H, uh + 2 * H, gh + 2 * H, bh + 2 * H, b + 2 * H);
        for (int j = 0; j < H; j++) {
            double r = logistic(a[j] + b[j]), z = logistic(a[H + j] + b[H + j]);
            double candidate = tanh(a[2 * H + j] + r * b[2 * H + j]);
            h[j] = z * h[j] + (1 - z) * candidate;
        }
        return;
    }
    for (int j = 0; j < H; j++)
        c[j] = logistic(a[H + j] + b[H + j]) * c[j] +
               logistic(a[j] + b[j]) * tanh(a[2 * H + j] + b[2 * H + j]);
    norm(n, H, c, values(n, p->gain_c), values(n, p->bias_c), seen);
    for (int j = 0; j < H; j++)
        h[j] = logistic(a[3 * H + j] + b[3 * H + j]) * tanh(seen[j]);
}

static void values__match_plain_loops(void **state)
{
    (void)state;
    double worst = 0;
    for (int k = 0; k < 2 * CASES; k++) {
        struct net n;
        net_new(&n, k % 2);
        ur_tensor *final[2], *y = run(&n, final);
        assert_ok(ur_tape_status(n.tape));
        for (int b = 0; b < n.B; b++) {
            double *h = n.h[0] + b * n.H, *c = n.h[1] + b * n.H;
            for (int t = 0; t < n.T; t++) {
                size_t row = (size_t)(t * n.B + b);
                plain_step(&n, n.x + row * (size_t)n.I, h, c);
                for (int j = 0; j < n.H; j++)
                    worst = fmax(worst, fabs(ur_data(y)[row * (size_t)n.H + (size_t)j] - h[j]));
            }
            for (int j = 0; n.lstm && j < n.H; j++)
                worst = fmax(worst, fabs(ur_data(final[1])[b * n.H + j] - c[j]));
        }
        net_free(&n);
    }
    print_message("%d sequences, largest difference %.2g\n", 2 * CASES, worst);
    assert_true(worst < 1e-13);
}

/* ---- gradients --------------------------------------------------------- */

/* The largest error of g against the slopes of the loss at x[0..size). */
static double compare(struct net *n, size_t size, double *x, const double *g)
{
    double worst = 0;
    for (size_t i = 0; i < size; i++) {
        double kept = x[i];
        x[i] = kept + difference;
        double above = ur_scalar(loss(n));
        x[i] = kept - difference;
        double below = ur_scalar(loss(n));
        x[i] = kept;
        double slope = (above - below) / (2 * difference);
        double scale = fmax(fmax(fabs(slope), fabs(g[i])), 1e-3);
        worst = fmax(worst, fabs(slope - g[i]) / scale);
    }
    return worst;
}

static void gradients__of_all_there_is(void **state)
{
    (void)state;
    double worst = 0;
    int checked = 0;
    for (int k = 0; k < 2 * CASES; k++) {
        struct net n;
        net_new(&n, k % 2);
        ur_params_zero_grads(n.params);
        assert_ok(ur_backward(n.tape, loss(&n)));
        size_t sizes[] = {ur_params_size(n.params), (size_t)(n.T * n.B * n.I),
                          (size_t)(n.B * n.H), n.lstm ? (size_t)(n.B * n.H) : 0};
        double *at[] = {ur_params_values(n.params), n.x, n.h[0], n.h[1]};
        const double *g[] = {ur_params_grads(n.params), n.dx, n.dh[0], n.dh[1]};
        for (int s = 0; s < 4; s++) {
            double error = compare(&n, sizes[s], at[s], g[s]);
            checked += (int)sizes[s];
            worst = fmax(worst, error);
            if (!(error <= 1e-6))
                fail_msg("case %d (%s), part %d: error %g", k, n.lstm ? "lstm" : "gru", s, error);
        }
        net_free(&n);
    }
    print_message("%d nets, %d numbers, largest error %.2g\n", 2 * CASES, checked, worst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values__match_plain_loops),
        cmocka_unit_test(gradients__of_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
