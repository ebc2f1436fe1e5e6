/* SPDX-License-Identifier: MIT */
/* The double build's kernels: gradients of every gate stage by finite differences, and
 * the entries that other gradient checks stand on. */
#include "test_kernel.h"

#include "kernel/gemm.h"

#define LIMIT 1e-6
#define H 7
#define STEP 1e-5

/* What a cell computes from its inputs x: gates' pre-activations [4,H], then h_prev and
 * c_prev [H] each; loss = sum of weights times outputs [2,H]. */
enum { GATES = 4 * H, INPUTS = 6 * H };

struct cell {
    const char *name;
    double (*loss)(const struct ur__kernel *k, const double *x, const double *weights);
    void (*gradient)(const struct ur__kernel *k, const double *x, const double *weights,
                     double *dx);
};

static double weighted(const double *weights, const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += weights[i] * y[i];
    return sum;
}

/* ---- LSTM ---- */

static double lstm_loss(const struct ur__kernel *k, const double *x, const double *weights)
{
    double gates[GATES], out[2 * H];
    memcpy(gates, x, sizeof gates);
    k->lstm_forward(H, gates, x + 5 * H, out + H, out);
    return weighted(weights, out, 2 * H);
}

static void lstm_gradient(const struct ur__kernel *k, const double *x, const double *weights,
                          double *dx)
{
    double c[H], h[H];
    memcpy(dx, x, GATES * sizeof *dx);
    k->lstm_forward(H, dx, x + 5 * H, c, h);
    memset(dx + GATES, 0, H * sizeof *dx);
    memcpy(dx + 5 * H, weights + H, H * sizeof *dx);
    k->lstm_backward(H, dx, x + 5 * H, c, weights, dx + 5 * H);
}

/* ---- GRU ---- */

static double gru_loss(const struct ur__kernel *k, const double *x, const double *weights)
{
    double gates[GATES], h[H];
    memcpy(gates, x, sizeof gates);
    k->gru_forward(H, gates, x + GATES, h);
    return weighted(weights, h, H);
}

static void gru_gradient(const struct ur__kernel *k, const double *x, const double *weights,
                         double *dx)
{
    double h[H];
    memcpy(dx, x, GATES * sizeof *dx);
    memset(dx + 5 * H, 0, H * sizeof *dx);
    k->gru_forward(H, dx, x + GATES, h);
    memcpy(dx + GATES, weights, H * sizeof *dx);
    k->gru_backward(H, dx, x + GATES, dx + GATES);
}

/* Reset before, with U_n a diagonal of 0.8: block 2's pre-activation is x's part plus 0.8
 * r∘h_prev. Block 3 is no input. */
static double before_loss(const struct ur__kernel *k, const double *x, const double *weights)
{
    double gates[GATES], h[H];
    memcpy(gates, x, sizeof gates);
    k->gru_before_open(H, gates, x + GATES);
    for (int j = 0; j < H; j++)
        gates[2 * H + j] += 0.8 * gates[3 * H + j];
    k->gru_before_close(H, gates, x + GATES, h);
    return weighted(weights, h, H);
}

static void before_gradient(const struct ur__kernel *k, const double *x, const double *weights,
                            double *dx)
{
    double h[H], drh[H], *dh = dx + GATES;
    memcpy(dx, x, GATES * sizeof *dx);
    memset(dx + 5 * H, 0, H * sizeof *dx);
    k->gru_before_open(H, dx, x + GATES);
    for (int j = 0; j < H; j++)
        dx[2 * H + j] += 0.8 * dx[3 * H + j];
    k->gru_before_close(H, dx, x + GATES, h);
    memcpy(dh, weights, H * sizeof *dx);
    k->gru_before_back_open(H, dx, x + GATES, dh);
    for (int j = 0; j < H; j++)
        drh[j] = 0.8 * dx[2 * H + j];
    k->gru_before_back_close(H, dx, x + GATES, drh, dh);
    memset(dx + 3 * H, 0, H * sizeof *dx);
}

/* ---- simple recurrent network: the first H inputs ---- */

static ur_activation activation;

static double rnn_loss(const struct ur__kernel *k, const double *x, const double *weights)
{
    double h[H];
    k->rnn_forward(H, activation, x, h);
    return weighted(weights, h, H);
}

static void rnn_gradient(const struct ur__kernel *k, const double *x, const double *weights,
                         double *dx)
{
    double h[H];
    memset(dx, 0, INPUTS * sizeof *dx);
    k->rnn_forward(H, activation, x, h);
    k->rnn_backward(H, activation, h, weights, dx);
}

static double worst_error(const struct cell *cell)
{
    const struct ur__kernel *k = ur__kernel();
    double worst = 0;
    for (int round = 0; round < 50; round++) {
        double x[INPUTS], weights[2 * H], dx[INPUTS];
        fill(x, INPUTS, -2, 2);
        fill(weights, 2 * H, -1, 1);
        for (int i = 0; i < INPUTS; i++) {
            /* Away from the kinks of relu and satlin. */
            if (fabs(x[i]) < 0.01 || fabs(x[i] - 1) < 0.01)
                x[i] += 0.05;
        }
        cell->gradient(k, x, weights, dx);
        for (int i = 0; i < INPUTS; i++) {
            const double at = x[i];
            x[i] = at + STEP;
            const double up = cell->loss(k, x, weights);
            x[i] = at - STEP;
            const double n = (up - cell->loss(k, x, weights)) / (2 * STEP);
            x[i] = at;
            const double error = fabs(dx[i] - n) / fmax(fmax(fabs(dx[i]), fabs(n)), 1e-3);
            worst = fmax(worst, error);
        }
    }
    return worst;
}

static void stages__gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    static const struct cell cells[] = {
        {"lstm", lstm_loss, lstm_gradient},
        {"gru", gru_loss, gru_gradient},
        {"gru, reset before", before_loss, before_gradient},
    };
    static const char *const names[] = {"identity", "tanh", "relu", "sigmoid", "satlin"};
    const struct cell rnn = {"rnn", rnn_loss, rnn_gradient};
    for (int c = 0; c < 3; c++) {
        const double error = worst_error(&cells[c]);
        print_message("%-18s largest error %.2e\n", cells[c].name, error);
        assert_true(error <= LIMIT);
    }
    for (int f = 0; f < 5; f++) {
        activation = (ur_activation)f;
        const double error = worst_error(&rnn);
        print_message("rnn %-14s largest error %.2e\n", names[f], error);
        assert_true(error <= LIMIT);
    }
}

static void functions__are_those_of_libm(void **state)
{
    (void)state;
    const struct ur__kernel *k = ur__kernel();
    assert_string_equal(k->name, "scalar");
    double x[33], y[33];
    fill(x, 33, 0.1, 20);
    k->exp(33, x, y);
    assert_true(y[32] == exp(x[32]));
    k->log(33, x, y);
    assert_true(y[32] == log(x[32]));
    k->tanh(33, x, y);
    assert_true(y[32] == tanh(x[32]));
    k->sigmoid(33, x, y);
    assert_true(y[32] == 1 / (1 + exp(-x[32])));
    k->cos(33, x, y);
    assert_true(y[32] == cos(x[32]));
}

static void gemm__agrees_with_a_plain_loop(void **state)
{
    (void)state;
    const struct ur__kernel *k = ur__kernel();
    for (int i = 0; i < 300; i++) {
        const int M = test_below(20), N = test_below(40), K = test_below(300);
        const bool transposed = i % 2, packed = i % 3 == 0;
        const double *a = filled(0, (size_t)(M * K), -1, 1), *b = filled(1, (size_t)(N * K), -1, 1);
        struct ur__gemm g = {.M = M, .N = N, .K = K, .a = a, .a_row = transposed ? 1 : K,
                             .a_k = transposed ? M : 1, .b = b, .b_k = N, .b_col = 1,
                             .c = guarded(2, (size_t)(M * N)), .c_row = N};
        struct ur__matrix w = {.K = K, .N = N};
        if (packed) {
            w.data = guarded(3, k->packed_bytes(&w) / sizeof(double));
            k->pack(&w, 0, N, b, N, 1);
            g.w = &w;
        }
        k->gemm(&g, 0, M, 0, N, guarded(4, (k->scratch_bytes + 63) / 64 * 8));
        for (int at = 0; at < M * N; at++) {
            double sum = 0;
            for (int j = 0; j < K; j++)
                sum += a[at / N * g.a_row + j * g.a_k] * b[j * N + at % N];
            assert_true(fabs(g.c[at] - sum) <= 1e-13 * (K + 1));
        }
        check_canaries();
    }
}

static void losses__have_the_right_gradient(void **state)
{
    (void)state;
    const struct ur__kernel *k = ur__kernel();
    double x[23], dx[23], worst = 0;
    fill(x, 23, -3, 3);
    k->cross_entropy(23, x, 5, 1, dx);
    for (int i = 0; i < 23; i++) {
        const double at = x[i];
        x[i] = at + STEP;
        const double up = k->cross_entropy(23, x, 5, 1, NULL);
        x[i] = at - STEP;
        const double n = (up - k->cross_entropy(23, x, 5, 1, NULL)) / (2 * STEP);
        x[i] = at;
        worst = fmax(worst, fabs(dx[i] - n) / fmax(fmax(fabs(dx[i]), fabs(n)), 1e-3));
    }
    print_message("cross entropy      largest error %.2e\n", worst);
    assert_true(worst <= LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages__gradients_agree_with_finite_differences),
        cmocka_unit_test(functions__are_those_of_libm),
        cmocka_unit_test(gemm__agrees_with_a_plain_loop),
        cmocka_unit_test(losses__have_the_right_gradient),
    };
    return cmocka_run_group_tests_name("kernel, double", tests, NULL, NULL);
}
