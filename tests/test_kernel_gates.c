/* SPDX-License-Identifier: MIT */
/* Gate stages of recurrent cells against their equations in double, with equal bits in
 * all tables. Their gradients are checked by finite differences in double_kernel.c. */
#include "test_kernel.h"

#define TOLERANCE 2e-6

/* A stage call: gates [4,H] and up to three rows, in place or not as the stage says. */
enum { GATES, PREV, CELL, OUT, ARRAYS };
struct arrays {
    int H;
    ur_real *at[ARRAYS];
};

static double s(double x)
{
    return 1 / (1 + exp(-x));
}

/* One unit: its 4 gates, h_prev or c_prev, c, and dh, h, or drh. */
struct unit {
    double g[4], prev, cell, out;
};

typedef void (*exact_stage)(struct unit *u);
typedef void (*stage)(const struct ur__kernel *k, struct arrays *a);

/* ---- the equations ---- */

static void exact_lstm_forward(struct unit *u)
{
    const double i = s(u->g[0]), f = s(u->g[1]), g = tanh(u->g[2]), o = s(u->g[3]);
    u->cell = f * u->prev + i * g;
    u->out = o * tanh(u->cell);
    u->g[0] = i, u->g[1] = f, u->g[2] = g, u->g[3] = o;
}

/* cell: c; out: dh; prev: c_prev. dc is element 4 of the gates' array, see below. */
static double exact_dc;
static void exact_lstm_backward(struct unit *u)
{
    const double i = u->g[0], f = u->g[1], g = u->g[2], o = u->g[3], t = tanh(u->cell);
    const double dc = exact_dc + u->out * o * (1 - t * t);
    u->g[0] = dc * g * i * (1 - i);
    u->g[1] = dc * u->prev * f * (1 - f);
    u->g[2] = dc * i * (1 - g * g);
    u->g[3] = u->out * t * o * (1 - o);
    exact_dc = dc * f;
}

static void exact_gru_forward(struct unit *u)
{
    const double r = s(u->g[0]), z = s(u->g[1]), n = tanh(u->g[2] + r * u->g[3]);
    u->g[0] = r, u->g[1] = z, u->g[2] = n;
    u->out = n + z * (u->prev - n);
}

static void exact_gru_backward(struct unit *u)
{
    const double r = u->g[0], z = u->g[1], n = u->g[2], hn = u->g[3], d = u->out;
    const double dn = d * (1 - z) * (1 - n * n);
    u->g[0] = dn * hn * r * (1 - r);
    u->g[1] = d * (u->prev - n) * z * (1 - z);
    u->g[2] = dn;
    u->g[3] = dn * r;
    u->out = d * z;
}

static void exact_before_open(struct unit *u)
{
    u->g[0] = s(u->g[0]);
    u->g[1] = s(u->g[1]);
    u->g[3] = u->g[0] * u->prev;
}

static void exact_before_close(struct unit *u)
{
    u->g[2] = tanh(u->g[2]);
    u->out = u->g[2] + u->g[1] * (u->prev - u->g[2]);
}

static void exact_back_open(struct unit *u)
{
    const double z = u->g[1], n = u->g[2], d = u->out;
    u->g[1] = d * (u->prev - n) * z * (1 - z);
    u->g[2] = d * (1 - z) * (1 - n * n);
    u->out = d * z;
}

/* cell: drh; out: dh. */
static void exact_back_close(struct unit *u)
{
    const double r = u->g[0];
    u->g[0] = u->cell * u->prev * r * (1 - r);
    u->out += u->cell * r;
}

/* ---- the stages ---- */

static void run_lstm_forward(const struct ur__kernel *k, struct arrays *a)
{
    k->lstm_forward(a->H, a->at[GATES], a->at[PREV], a->at[CELL], a->at[OUT]);
}

static void run_gru_forward(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_forward(a->H, a->at[GATES], a->at[PREV], a->at[OUT]);
}

static void run_gru_backward(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_backward(a->H, a->at[GATES], a->at[PREV], a->at[OUT]);
}

static void run_before_open(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_before_open(a->H, a->at[GATES], a->at[PREV]);
}

static void run_before_close(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_before_close(a->H, a->at[GATES], a->at[PREV], a->at[OUT]);
}

static void run_back_open(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_before_back_open(a->H, a->at[GATES], a->at[PREV], a->at[OUT]);
}

static void run_back_close(const struct ur__kernel *k, struct arrays *a)
{
    k->gru_before_back_close(a->H, a->at[GATES], a->at[PREV], a->at[CELL], a->at[OUT]);
}

/* Fills the arrays in `from` and runs a stage on copies in every table. */
static void check_stage(const char *name, stage run, exact_stage exact, double range, bool zeros)
{
    static ur_real from[ARRAYS][4 * 300], first[ARRAYS][4 * 300];
    static double truth[ARRAYS][4 * 300];
    for (int l = 0; l < N_LENGTHS; l++) {
        const int H = lengths[l];
        for (int a = 0; a < ARRAYS; a++)
            fill(from[a], (size_t)(a == GATES ? 4 * H : H), -range, range);
        for (int j = 0; j < H; j++) {
            struct unit u = {.prev = zeros ? 0 : (double)from[PREV][j],
                             .cell = (double)from[CELL][j], .out = (double)from[OUT][j]};
            for (int g = 0; g < 4; g++)
                u.g[g] = (double)from[GATES][g * H + j];
            exact(&u);
            for (int g = 0; g < 4; g++)
                truth[GATES][g * H + j] = u.g[g];
            truth[PREV][j] = (double)from[PREV][j];
            truth[CELL][j] = u.cell;
            truth[OUT][j] = u.out;
        }
        EACH_TABLE(k) {
            struct arrays x = {.H = H};
            for (int a = 0; a < ARRAYS; a++)
                x.at[a] = copied(a, from[a], (size_t)(a == GATES ? 4 * H : H));
            ur_real *prev = x.at[PREV];
            if (zeros)
                x.at[PREV] = NULL;
            run(k, &x);
            x.at[PREV] = prev;
            for (int a = 0; a < ARRAYS; a++) {
                const size_t n = (size_t)(a == GATES ? 4 * H : H);
                check_close(name, x.at[a], truth[a], n, TOLERANCE);
                if (k == ur__kernels_available()[0])
                    memcpy(first[a], x.at[a], n * sizeof(ur_real));
                check_bits(name, k->name, x.at[a], first[a], n);
            }
            check_canaries();
        }
    }
}

static void stages__follow_their_equations(void **state)
{
    (void)state;
    for (int zeros = 0; zeros < 2; zeros++) {
        check_stage("lstm forward", run_lstm_forward, exact_lstm_forward, 6, zeros);
        check_stage("gru forward", run_gru_forward, exact_gru_forward, 6, zeros);
        check_stage("gru backward", run_gru_backward, exact_gru_backward, 1, zeros);
        check_stage("gru before open", run_before_open, exact_before_open, 6, zeros);
        check_stage("gru before close", run_before_close, exact_before_close, 3, zeros);
        check_stage("gru before back open", run_back_open, exact_back_open, 1, zeros);
        check_stage("gru before back close", run_back_close, exact_back_close, 1, zeros);
    }
}

static void lstm_backward__follows_its_equations(void **state)
{
    (void)state;
    ur_real gates[4 * 300], c_prev[300], c[300], dh[300], dc[300], first[5 * 300];
    for (int l = 0; l < N_LENGTHS; l++) {
        const int H = lengths[l];
        const size_t n = (size_t)H;
        fill(gates, 4 * n, 0, 1);
        fill(c_prev, n, -2, 2);
        fill(c, n, -2, 2);
        fill(dh, n, -1, 1);
        fill(dc, n, -1, 1);
        EACH_TABLE(k) {
            ur_real *x = copied(0, gates, 4 * n), *d = copied(1, dc, n);
            k->lstm_backward(H, x, copied(2, c_prev, n), copied(3, c, n), copied(4, dh, n), d);
            check_canaries();
            for (int j = 0; j < H; j++) {
                struct unit u = {.prev = (double)c_prev[j], .cell = (double)c[j]};
                u.out = (double)dh[j];
                for (int g = 0; g < 4; g++)
                    u.g[g] = (double)gates[g * H + j];
                exact_dc = (double)dc[j];
                exact_lstm_backward(&u);
                for (int g = 0; g < 4; g++)
                    check_close("lstm backward", &x[g * H + j], &u.g[g], 1, TOLERANCE);
                check_close("lstm backward, dc", &d[j], &exact_dc, 1, TOLERANCE);
            }
            if (k == ur__kernels_available()[0]) {
                memcpy(first, x, 4 * n * sizeof *x);
                memcpy(first + 4 * n, d, n * sizeof *d);
            }
            check_bits("lstm backward", k->name, x, first, 4 * n);
            check_bits("lstm backward, dc", k->name, d, first + 4 * n, n);
        }
    }
}

/* c may be c_prev. */
static void lstm_forward__works_in_place(void **state)
{
    (void)state;
    EACH_TABLE(k) {
        ur_real gates[4 * 37], again[4 * 37], c[37], cell[37], h[37], g[37];
        fill(gates, 4 * 37, -3, 3);
        fill(c, 37, -1, 1);
        memcpy(again, gates, sizeof gates);
        k->lstm_forward(37, gates, c, cell, h);
        k->lstm_forward(37, again, c, c, g);
        check_bits("c in place", k->name, c, cell, 37);
        check_bits("h in place", k->name, g, h, 37);
    }
}

static double exact_activation(ur_activation f, double x)
{
    switch (f) {
    case UR_ACT_TANH:
        return tanh(x);
    case UR_ACT_RELU:
        return x > 0 ? x : 0;
    case UR_ACT_SIGMOID:
        return s(x);
    case UR_ACT_SATLIN:
        return x < 0 ? 0 : x > 1 ? 1 : x;
    case UR_ACT_IDENTITY:
    default:
        return x;
    }
}

/* f' in terms of y = f(x) */
static double exact_slope(ur_activation f, double y)
{
    switch (f) {
    case UR_ACT_TANH:
        return 1 - y * y;
    case UR_ACT_RELU:
        return y > 0;
    case UR_ACT_SIGMOID:
        return y * (1 - y);
    case UR_ACT_SATLIN:
        return y > 0 && y < 1;
    case UR_ACT_IDENTITY:
    default:
        return 1;
    }
}

static void rnn__follows_its_equations(void **state)
{
    (void)state;
    ur_real pre[300], dh[300], h[300], dx0[300], first[3][300];
    double y[300], d[300], sum[300];
    for (ur_activation f = UR_ACT_IDENTITY; f <= UR_ACT_SATLIN; f++) {
        for (int l = 0; l < N_LENGTHS; l++) {
            const int H = lengths[l];
            const size_t n = (size_t)H;
            fill(pre, n, -2, 2);
            fill(dh, n, -1, 1);
            fill(dx0, n, -1, 1);
            EACH_TABLE(k) {
                const bool is_first = k == ur__kernels_available()[0];
                for (int j = 0; j < H; j++)
                    y[j] = exact_activation(f, (double)pre[j]);
                ur_real *x = copied(0, pre, n), *out = guarded(1, n);
                k->rnn_forward(H, f, x, out);
                k->rnn_forward(H, f, x, x);
                check_bits("rnn forward in place", k->name, x, out, n);
                check_close("rnn forward", out, y, n, TOLERANCE);
                memcpy(h, out, n * sizeof *h);
                for (int j = 0; j < H; j++) {
                    d[j] = (double)dh[j] * exact_slope(f, (double)h[j]);
                    sum[j] = (double)dx0[j] + d[j];
                }
                ur_real *back = guarded(2, n), *g = copied(3, dh, n), *dx = copied(4, dx0, n);
                k->rnn_backward(H, f, out, g, back);
                k->activation_back(n, f, out, g, dx);
                check_close("rnn backward", back, d, n, TOLERANCE);
                check_close("activation back", dx, sum, n, TOLERANCE);
                k->rnn_backward(H, f, out, g, g);
                check_bits("rnn backward in place", k->name, g, back, n);
                const ur_real *results[] = {out, back, dx};
                for (int r = 0; r < 3; r++) {
                    if (is_first)
                        memcpy(first[r], results[r], n * sizeof(ur_real));
                    check_bits("rnn", k->name, results[r], first[r], n);
                }
                check_canaries();
            }
        }
    }
}

static void gradients__below_2_to_minus_100_become_0(void **state)
{
    (void)state;
    const ur_real tiny = (ur_real)0x1p-101, big = (ur_real)0x1p-99;
    EACH_TABLE(k) {
        ur_real h = 0, d = tiny, e = big, out;
        k->rnn_backward(1, UR_ACT_IDENTITY, &h, &d, &out);
        assert_true(out == 0);
        k->rnn_backward(1, UR_ACT_IDENTITY, &h, &e, &out);
        assert_true(out == big);
        const ur_real half = (ur_real)0.5;
        ur_real lstm[4] = {half, half, half, half}, c = 1, dc = tiny;
        k->lstm_backward(1, lstm, &c, &c, &tiny, &dc);
        assert_true(lstm[0] == 0 && lstm[1] == 0 && lstm[2] == 0 && lstm[3] == 0 && dc == 0);
        ur_real gru[4] = {half, half, half, half}, dh = tiny;
        k->gru_backward(1, gru, &c, &dh);
        assert_true(gru[0] == 0 && gru[1] == 0 && gru[2] == 0 && gru[3] == 0 && dh == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages__follow_their_equations),
        cmocka_unit_test(lstm_backward__follows_its_equations),
        cmocka_unit_test(lstm_forward__works_in_place),
        cmocka_unit_test(rnn__follows_its_equations),
        cmocka_unit_test(gradients__below_2_to_minus_100_become_0),
    };
    return cmocka_run_group_tests_name("kernel gates", tests, NULL, NULL);
}
