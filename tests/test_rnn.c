/* SPDX-License-Identifier: MIT */
/* Recurrent nets in float: against the equations in plain double, and their manners. Equal
 * bits are the matter of test_rnn_bits.c. */
#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "kernel/select.h"
#include "rnn/cells.h"
#include "rnn/pack.h"
#include "rnn/stack.h"
#include "unroll/layer.h"

enum { T = 23, B = 9, I = 7, L = 2, MAX_H = 37, ROOM = T * B * 2 * MAX_H };

struct variant {
    const char *name;
    ur_cell cell;
    ur_activation activation;
    bool reset_before;
    int hidden[L], output[L];
};

static const struct variant variants[] = {
    {"lstm", UR_CELL_LSTM, UR_ACT_TANH, false, {37, 16}, {0, 0}},
    {"lstm, output maps", UR_CELL_LSTM, UR_ACT_TANH, false, {8, 21}, {5, 19}},
    {"gru", UR_CELL_GRU, UR_ACT_TANH, false, {37, 17}, {0, 0}},
    {"gru, reset before", UR_CELL_GRU, UR_ACT_TANH, true, {33, 12}, {0, 3}},
    {"rnn tanh", UR_CELL_RNN, UR_ACT_TANH, false, {37, 5}, {0, 0}},
    {"rnn relu", UR_CELL_RNN, UR_ACT_RELU, false, {16, 20}, {4, 0}},
    {"rnn sigmoid", UR_CELL_RNN, UR_ACT_SIGMOID, false, {9, 1}, {0, 0}},
    {"rnn saturated-linear", UR_CELL_RNN, UR_ACT_SATLIN, false, {9, 30}, {0, 0}},
};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

struct net {
    const struct variant *v;
    ur_params *params;
    ur_rnn *rnn;
};

static float noise(uint32_t i)
{
    return (float)(2 * ur_random_uniform(7, 5, 1, i) - 1);
}

static void make(struct net *n, const struct variant *v, int biases)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = v->cell;
    o.activation = v->activation;
    o.reset_before = v->reset_before;
    o.input = I;
    o.layers = L;
    memcpy(o.hidden, v->hidden, sizeof v->hidden);
    memcpy(o.output, v->output, sizeof v->output);
    o.output_activation = v->output[0] || v->output[1] ? UR_ACT_TANH : UR_ACT_IDENTITY;
    o.biases = biases;
    n->v = v;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &o));
    assert_ok(ur_params_build(n->params, 3));
    assert_ok(ur_rnn_prepare(n->rnn));
}

static void unmake(struct net *n)
{
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

static void each_variant(void (*test)(struct net *n))
{
    for (int i = 0; i < N_VARIANTS; i++) {
        struct net n;
        make(&n, &variants[i], i % 3);
        test(&n);
        unmake(&n);
    }
}

/* ---- values ------------------------------------------------------------ */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static const float *parameter(struct net *n, const char *kind, int layer)
{
    static const char *const forms[] = {"", "_before", "_sigmoid", "_satlin"};
    char name[64];
    int form = 0;
    if (!strcmp(kind, "weight_hh"))     /* named after what PyTorch does not compute */
        form = n->v->reset_before ? 1 : n->v->activation == UR_ACT_SIGMOID ? 2
               : n->v->activation == UR_ACT_SATLIN ? 3 : 0;
    snprintf(name, sizeof name, "rnn.%s%s_l%d", kind, forms[form], layer);
    const ur_param *p = ur_params_find(n->params, name);
    return p ? ur_param_data(n->params, p) : NULL;
}

static double row_times(const float *w, int row, int n, const double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)w[row * n + i] * x[i];
    return sum;
}

static double bias(const float *v, int i)
{
    return v ? (double)v[i] : 0;
}

/* One step of one layer of one sequence by the equations of docs/MATH.md; returns the
 * size of its output. */
static int reference_step(struct net *n, int l, int inputs, const double *x, double *h, double *c,
                          double *y)
{
    const struct variant *v = n->v;
    const float *wi = parameter(n, "weight_ih", l), *wh = parameter(n, "weight_hh", l);
    const float *bi = parameter(n, "bias_ih", l), *bh = parameter(n, "bias_hh", l);
    int H = v->hidden[l], O = v->output[l];
    double next[MAX_H], reset[MAX_H];
#define X(g, j) (row_times(wi, (g) * H + (j), inputs, x) + bias(bi, (g) * H + (j)))
#define U(g, j, from) (row_times(wh, (g) * H + (j), H, from) + bias(bh, (g) * H + (j)))
    for (int j = 0; j < H && v->cell == UR_CELL_GRU; j++)
        reset[j] = sigmoid(X(0, j) + U(0, j, h)) * h[j];
    for (int j = 0; j < H; j++) {
        if (v->cell == UR_CELL_LSTM) {
            double i = sigmoid(X(0, j) + U(0, j, h)), f = sigmoid(X(1, j) + U(1, j, h));
            double g = tanh(X(2, j) + U(2, j, h)), o = sigmoid(X(3, j) + U(3, j, h));
            c[j] = f * c[j] + i * g;
            next[j] = o * tanh(c[j]);
        } else if (v->cell == UR_CELL_GRU) {
            double r = sigmoid(X(0, j) + U(0, j, h)), z = sigmoid(X(1, j) + U(1, j, h));
            double m = v->reset_before ? X(2, j) + U(2, j, reset) : X(2, j) + r * U(2, j, h);
            next[j] = (1 - z) * tanh(m) + z * h[j];
        } else {
            double p = X(0, j) + U(0, j, h);
            next[j] = v->activation == UR_ACT_TANH      ? tanh(p)
                      : v->activation == UR_ACT_RELU    ? fmax(p, 0)
                      : v->activation == UR_ACT_SIGMOID ? sigmoid(p)
                                                    : fmin(fmax(p, 0), 1);
        }
    }
#undef X
#undef U
    memcpy(h, next, (size_t)H * sizeof *h);
    const float *wy = parameter(n, "weight_hy", l), *by = parameter(n, "bias_hy", l);
    for (int j = 0; j < O; j++)
        y[j] = tanh(row_times(wy, j, H, h) + bias(by, j));
    if (!O)
        memcpy(y, h, (size_t)H * sizeof *y);
    return O ? O : H;
}

static void follows_the_equations(struct net *n)
{
    static float x[T * I], y[ROOM];
    double h[L][MAX_H] = {{0}}, c[L][MAX_H] = {{0}}, in[MAX_H], out[MAX_H];
    ur_state *s;
    for (int i = 0; i < T * I; i++)
        x[i] = 2 * noise((uint32_t)i);
    assert_ok(ur_state_new(&s, n->rnn, 1, NULL));
    assert_ok(ur_rnn_run(n->rnn, s, T, x, NULL, y));
    for (int t = 0; t < T; t++) {
        int size = I;
        for (int i = 0; i < I; i++)
            in[i] = (double)x[t * I + i];
        for (int l = 0; l < L; l++) {
            size = reference_step(n, l, size, in, h[l], c[l], out);
            memcpy(in, out, sizeof in);
        }
        for (int j = 0; j < size; j++)
            assert_true(fabs((double)y[t * size + j] - out[j]) < 1e-5);
    }
    ur_state_free(s);
}

static void rnn__follows_the_equations(void **unused)
{
    (void)unused;
    each_variant(follows_the_equations);
}

/* ---- manners ----------------------------------------------------------- */

static void rnn__steps_allocate_nothing(void **unused)
{
    (void)unused;
    struct net n;
    ur_state *s;
    float x[I] = {1}, y[MAX_H];
    make(&n, &variants[0], 2);
    assert_ok(ur_state_new(&s, n.rnn, 1, NULL));
    long before = ur__mem_allocations();
    for (int t = 0; t < 1000; t++)
        assert_ok(ur_rnn_step(n.rnn, s, x, y));
    assert_int_equal(ur__mem_allocations(), before);
    ur_state_free(s);
    unmake(&n);
}

struct seen {
    int n;
    int64_t t[64];
    int layer[64];
    double mean[64], variance[64];
};

static void see(void *user, int layer, int64_t t, int batch, int H, const ur_real *h)
{
    struct seen *s = user;
    assert_true(s->n < 64);
    s->t[s->n] = t;
    s->layer[s->n] = layer;
    ur_moments((size_t)(batch * H), h, &s->mean[s->n], &s->variance[s->n]);
    s->n++;
}

static void observer__sees_every_nth_step(void **unused)
{
    (void)unused;
    struct net n;
    ur_state *s, *q;
    static float x[T * B * I], y[ROOM];
    struct seen run = {0}, step = {0};
    for (int i = 0; i < T * B * I; i++)
        x[i] = noise((uint32_t)i);
    make(&n, &variants[4], 1);
    assert_ok(ur_state_new(&s, n.rnn, B, NULL));
    assert_ok(ur_state_new(&q, n.rnn, B, NULL));
    ur_state_observe(s, 10, see, &run);
    ur_state_observe(q, 10, see, &step);
    assert_ok(ur_rnn_run(n.rnn, s, T, x, NULL, y));
    for (int t = 0; t < T; t++)
        assert_ok(ur_rnn_step(n.rnn, q, x + t * B * I, y));
    assert_int_equal(run.n, 3 * L);         /* t = 0, 10, 20 of both layers */
    assert_int_equal(step.n, 3 * L);
    for (int i = 0; i < step.n; i++) {
        assert_int_equal(step.t[i], 10 * (i / L));
        assert_int_equal(step.layer[i], i % L);
    }
    for (int l = 0, last = -1; l < L; l++, last = -1)
        for (int i = 0; i < run.n; i++)
            if (run.layer[i] == l) {
                assert_true(run.t[i] == (last < 0 ? 0 : last + 10));
                last = (int)run.t[i];
            }
    assert_true(run.variance[0] > 0 && fabs(run.mean[0]) < 1);
    ur_state_free(s);
    ur_state_free(q);
    unmake(&n);
}

static void moments__are_mean_and_unbiased_variance(void **unused)
{
    (void)unused;
    float x[4] = {1, 2, 4, 9};
    double mean, variance;
    ur_moments(4, x, &mean, &variance);
    assert_true(fabs(mean - 4) < 1e-12 && fabs(variance - 38.0 / 3) < 1e-9);
    ur_moments(1, x, &mean, &variance);
    assert_true(variance == 0);
}

static void rnn__rejects_what_does_not_fit(void **unused)
{
    (void)unused;
    struct net n;
    ur_state *s;
    ur_tape *tape;
    float x[64] = {0}, y[64];
    int32_t id = I;
    int dim[3] = {2, 1, I + 1}, good[3] = {2, 1, I}, lengths[1] = {3};
    make(&n, &variants[0], 2);
    assert_ok(ur_tape_new(&tape, NULL));
    assert_null(ur_rnn_forward(tape, n.rnn, ur_constant(tape, 3, dim, x), NULL, NULL));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    ur_tape_reset(tape);
    assert_null(ur_rnn_forward(tape, n.rnn, ur_constant(tape, 3, good, x), lengths, NULL));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    assert_ok(ur_state_new(&s, n.rnn, 1, NULL));
    assert_status(UR_EINVAL, ur_rnn_step_ids(n.rnn, s, &id, y));
    assert_non_null(strstr(ur_errmsg(), "not in [0,7)"));
    ur_state_free(s);
    assert_status(UR_EINVAL, ur_state_new(&s, n.rnn, 0, NULL));
    assert_null(s);
    ur_tape_free(tape);
    unmake(&n);
}

static void rnn__survives_failing_allocations(void **unused)
{
    (void)unused;
    long blocks = ur__mem_blocks();
    int failures = 0;
    for (long at_n = 1;; at_n++) {
        struct net n = {0};
        ur_state *s = NULL;
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        int hidden[2] = {3, 4};
        o.input = 2;
        o.layers = 2;
        memcpy(o.hidden, hidden, sizeof hidden);
        ur__mem_fail_at(at_n, false);
        ur_status status = ur_params_new(&n.params);
        if (status == UR_OK)
            status = ur_rnn_new(&n.rnn, n.params, "rnn", &o);
        if (status == UR_OK)
            status = ur_params_build(n.params, 1);
        if (status == UR_OK)
            status = ur_rnn_prepare(n.rnn);
        if (status == UR_OK)
            status = ur_state_new(&s, n.rnn, 2, NULL);
        ur__mem_fail_at(0, false);
        ur_state_free(s);
        unmake(&n);
        assert_int_equal(ur__mem_blocks(), blocks);
        if (status == UR_OK)
            break;
        assert_int_equal(status, UR_ENOMEM);
        failures++;
    }
    assert_true(failures > 10);
}

/* The promise of docs/PERFORMANCE.md: with the outputs 24 bytes a unit and step of an LSTM. Packed
 * weights do not count. */
static void training__keeps_few_bytes_a_unit_and_step(void **unused)
{
    (void)unused;
    const struct {
        ur_cell cell;
        int reals;      /* of a unit and step, the output among them */
    } most[] = {{UR_CELL_LSTM, 6}, {UR_CELL_GRU, 5}, {UR_CELL_RNN, 2}};
    for (int i = 0; i < 3; i++) {
        const struct ur__rnn_layer layer = {
            .cell = ur__cell_of(most[i].cell), .I = 1024, .H = 1024, .P = 1024, .biases = 2,
        };
        const struct ur__stack stack = {.layers = 1, .directions = 1, .layer = &layer};
        const struct ur__stack_job job = {
            .k = ur__kernel(), .stack = &stack, .T = 100, .B = 32, .training = true,
        };
        double bytes = (double)ur__stack_bytes(&job) + (double)ur__stack_back_bytes(&job)
            - (double)(ur__packed_back_bytes(job.k, &layer));
        double each = bytes / (100.0 * 32 * 1024) + sizeof(ur_real);
        print_message("%s: %.2f bytes a unit and step, with the output\n", layer.cell->name, each);
        /* What is kept once, not for each step: states and their gradients. */
        assert_true(each <= most[i].reals * (double)sizeof(ur_real) + 0.2);
    }
}

static void cells__are_found_by_their_names(void **unused)
{
    (void)unused;
    ur_cell cell = UR_CELL_GRU;
    ur_activation f = UR_ACT_RELU;
    for (int i = 0; ur_cell_name((ur_cell)i); i++)
        assert_true(ur_cell_find(ur_cell_name((ur_cell)i), &cell) && (int)cell == i);
    for (int i = 0; ur_activation_name((ur_activation)i); i++)
        assert_true(ur_activation_find(ur_activation_name((ur_activation)i), &f) && (int)f == i);
    assert_false(ur_cell_find("lst", &cell) || ur_cell_find("", &cell) ||
                 ur_cell_find(NULL, &cell));
    assert_false(ur_activation_find("tan", &f) || ur_activation_find("", &f) ||
                 ur_activation_find(NULL, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells__are_found_by_their_names),
        cmocka_unit_test(rnn__follows_the_equations),
        cmocka_unit_test(rnn__steps_allocate_nothing),
        cmocka_unit_test(observer__sees_every_nth_step),
        cmocka_unit_test(moments__are_mean_and_unbiased_variance),
        cmocka_unit_test(rnn__rejects_what_does_not_fit),
        cmocka_unit_test(rnn__survives_failing_allocations),
        cmocka_unit_test(training__keeps_few_bytes_a_unit_and_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
