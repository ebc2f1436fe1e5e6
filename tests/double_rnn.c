/* SPDX-License-Identifier: MIT */
/* Gradient checks of recurrent nets in double precision: random stacks of every cell and
 * option, random lengths, initial states on the tape, one-hot and dense inputs; every
 * parameter, input and initial state against central differences. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "extra/extra.h"
#include "unroll/layer.h"

enum { MAX_LAYERS = 3, MAX_SLOTS = 2 * MAX_LAYERS, N_CASES = 1200 / EACH, MAX_PARAMS = 8192 };

static uint64_t draws;

static double uniform(void)
{
    return ur_random_uniform(2026, 77, 0, (uint32_t)draws++);
}

static int between(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

struct net {
    ur_rnn_options options;
    int slots;
    bool projects, maps;
    int T, B, lengths[8];
    bool with_lengths, with_ids, with_state, training;
    int32_t ids[64];
    ur_params *params;
    ur_rnn *rnn;
    ur_state *state;
    ur_tape *tape;
    /* x, then h0, c0 of each slot */
    double data[1 + 2 * MAX_SLOTS][256], grad[1 + 2 * MAX_SLOTS][256];
    size_t size[1 + 2 * MAX_SLOTS];
    double weight[2048];                /* of the loss */
};

/* Σ w∘y over the output and every final state, so that all outputs get gradients. */
static double weighted(struct net *n, size_t *used, ur_tensor *y, ur_tensor **sum)
{
    if (!y)
        return 0;
    int dim = (int)ur_size(y);
    ur_tensor *w = ur_constant(n->tape, 1, &dim, n->weight + *used);
    *used += ur_size(y);
    ur_tensor *s = ur_sum(ur_mul(ur_reshape(y, 1, &dim), w));
    *sum = *sum ? ur_add(*sum, s) : s;
    return 0;
}

static double loss(struct net *n, bool backward)
{
    const ur_rnn_options *o = &n->options;
    ur_tape_reset(n->tape);
    ur_tape_set_training(n->tape, n->training, 5, 9);
    assert_ok(ur_rnn_prepare(n->rnn));
    ur_state_zero(n->state);
    for (int s = 0; n->with_state && s < n->slots; s++) {
        int l = s / ur_rnn_directions(n->rnn), i = 1 + 2 * s;
        int h_dim[2] = {n->B, ur_rnn_state_size(n->rnn, l)}, c_dim[2] = {n->B, o->hidden[l]};
        ur_tensor *h = ur_variable(n->tape, 2, h_dim, n->data[i], n->grad[i]);
        assert_ok(ur_state_put(n->state, s, "h", h));
        if (ur_state_name(n->state, s, 1)) {
            ur_tensor *c = ur_variable(n->tape, 2, c_dim, n->data[i + 1], n->grad[i + 1]);
            assert_ok(ur_state_put(n->state, s, ur_state_name(n->state, s, 1), c));
        }
    }
    int dim[3] = {n->T, n->B, o->input};
    const int *lengths = n->with_lengths ? n->lengths : NULL;
    ur_tensor *y;
    if (n->with_ids)
        y = ur_rnn_forward_ids(n->tape, n->rnn, (ur_ids){n->ids, n->T, n->B}, lengths, n->state);
    else
        y = ur_rnn_forward(n->tape, n->rnn,
                           ur_variable(n->tape, 3, dim, n->data[0], n->grad[0]), lengths,
                           n->state);
    size_t used = 0;
    ur_tensor *sum = NULL;
    weighted(n, &used, y, &sum);
    for (int s = 0; s < n->slots; s++) {
        weighted(n, &used, ur_state_tensor(n->state, s, "h"), &sum);
        if (ur_state_name(n->state, s, 1))
            weighted(n, &used, ur_state_tensor(n->state, s, ur_state_name(n->state, s, 1)), &sum);
    }
    assert_true(used <= 2048);
    assert_ok(ur_tape_status(n->tape));
    double value = ur_scalar(sum);
    if (backward) {
        ur_params_zero_grads(n->params);
        memset(n->grad, 0, sizeof n->grad);
        assert_ok(ur_backward(n->tape, sum));
    }
    ur_state_detach(n->state);
    return value;
}

static double difference(struct net *n, double *x, double eps)
{
    double keep = *x;
    *x = keep + eps;
    double up = loss(n, false);
    *x = keep - eps;
    double down = loss(n, false);
    *x = keep;
    return (up - down) / (2 * eps);
}

static double error_at(struct net *n, double *x, double analytic)
{
    /* Smaller steps for curvature and, though they round more, for kinks. */
    static const double steps[] = {1e-5, 2e-6, 5e-7};
    double worst = (double)INFINITY;
    for (int i = 0; i < 3 && worst > 1e-7; i++) {
        double numeric = difference(n, x, steps[i]);
        double scale = fmax(fmax(fabs(analytic), fabs(numeric)), 1e-3);
        worst = fmin(worst, fabs(analytic - numeric) / scale);
    }
    return worst;
}

static bool maybe(double p)
{
    return uniform() < p;
}

/* Options that belong to one cell, and those of what it remembers. */
static void random_form(struct net *n)
{
    ur_rnn_options *o = &n->options;
    bool lstm = o->cell == UR_CELL_LSTM, plain = maybe(0.2);
    o->bidirectional = maybe(0.4);
    o->reset_before = o->cell == UR_CELL_GRU && maybe(0.5);
    if (plain)
        return;
    n->projects = lstm && maybe(0.3);
    o->peepholes = lstm && maybe(0.4);
    o->coupled = lstm && maybe(0.3);
    o->cell_clip = lstm && maybe(0.3) ? 0.3 : 0;
    o->time_residual = o->cell == UR_CELL_RNN && maybe(0.3);
    o->learned_state = maybe(0.3);
    o->variational = maybe(0.5);
    o->recurrent_dropout = maybe(0.3) ? 0.35 : 0;
    o->zoneout_h = maybe(0.3) ? 0.2 : 0;
    o->zoneout_c = lstm && maybe(0.3) ? 0.4 : 0;
}

static void random_net(struct net *n, int number)
{
    ur_rnn_options *o = &n->options;
    ur_rnn_options_init(o);
    n->projects = false;
    static const struct {
        int cell;
        ur_norm norm;
    } cells[] = {{UR_CELL_RNN, 0}, {UR_CELL_LSTM, 0}, {UR_CELL_GRU, 0}, {UR_CELL_RNN, 0},
                 {UR_CELL_LSTM, 0}, {UR_CELL_GRU, 0}, {UR_CELL_MGU, 0}, {UR_CELL_PEEK, 0},
                 {UR_CELL_LSTM, UR_NORM_LAYER}, {UR_CELL_GRU, UR_NORM_LAYER}};
    o->cell = (ur_cell)cells[number % 10].cell;
    o->norm = cells[number % 10].norm;
    bool on_tape = o->norm || (int)o->cell == UR_CELL_PEEK;
    o->layers = between(1, on_tape ? 2 : MAX_LAYERS);
    o->input = between(1, 5);
    bool tanh_output = maybe(0.5);
    n->maps = maybe(0.4) && !on_tape;
    if (o->cell == UR_CELL_RNN)
        o->activation = (ur_activation)between(UR_ACT_IDENTITY, UR_ACT_SATLIN);
    if (on_tape) {
        o->bidirectional = maybe(0.4);
        o->learned_state = maybe(0.3);
        o->variational = maybe(0.5);
    } else {
        random_form(n);
    }
    o->biases = on_tape ? 2 : between(0, 2);
    o->dropout = uniform() < 0.3 ? 0.4 : 0;
    bool forgets = !on_tape && o->cell == UR_CELL_LSTM && !o->coupled && o->biases;
    o->forget_bias = forgets && maybe(0.3) ? 1 : 0;
    o->orthogonal = !on_tape && maybe(0.3);
    n->T = between(1, on_tape ? 2 : 5);
    n->B = between(1, 4);
    n->with_lengths = uniform() < 0.5;
    n->with_ids = uniform() < 0.3;
    n->with_state = uniform() < 0.6;
    n->training = uniform() < 0.5;
    for (int l = 0; l < MAX_LAYERS; l++) {
        o->hidden[l] = between(o->norm ? 4 : 1, 6);     /* few numbers are normalised steeply */
        o->output[l] = n->maps ? between(0, 4) : 0;
        if (l < o->layers && o->output[l] && tanh_output)
            o->output_activation = UR_ACT_TANH;
        if (n->projects && o->hidden[l] > 1)
            o->projection[l] = between(0, o->hidden[l] - 1);
    }
    /* An orthogonal weight of one unit is 1 or −1: sums with it are exactly 0, a kink of relu. */
    for (int l = 0; o->cell == UR_CELL_RNN && l < o->layers; l++)
        o->orthogonal = o->orthogonal && o->hidden[l] > 1;
    n->size[0] = (size_t)(n->T * n->B * o->input);
    for (int b = 0; b < n->B; b++)
        n->lengths[b] = between(0, n->T);
    for (int i = 0; i < n->T * n->B; i++)
        n->ids[i] = between(0, o->input - 1);
    for (size_t i = 0; i < sizeof n->data / sizeof(double); i++)
        (&n->data[0][0])[i] = 2 * uniform() - 1;
    for (size_t i = 0; i < 2048; i++)
        n->weight[i] = 2 * uniform() - 1;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", o));
    assert_ok(ur_params_build(n->params, (uint64_t)number));
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok(ur_state_new(&n->state, n->rnn, n->B, NULL));
    n->slots = o->layers * ur_rnn_directions(n->rnn);
    for (int s = 0; s < n->slots; s++) {
        int l = s / ur_rnn_directions(n->rnn);
        n->size[1 + 2 * s] = (size_t)(n->B * ur_rnn_state_size(n->rnn, l));
        n->size[2 + 2 * s] = (size_t)(n->B * o->hidden[l]);
    }
    for (int i = 0; i < ur_params_count(n->params); i++) {
        const ur_param *p = ur_params_at(n->params, i);     /* learned states start at zero */
        for (size_t j = 0; strstr(p->name, "_0_l") && j < p->size; j++)
            ur_param_data(n->params, p)[j] = uniform() - 0.5;
    }
    assert_ok(ur_rnn_prepare(n->rnn));
}

static double check(struct net *n)
{
    double worst = 0;
    static double analytic[MAX_PARAMS], inputs[1 + 2 * MAX_SLOTS][256];
    size_t size = ur_params_size(n->params);
    assert_true(size <= MAX_PARAMS);
    loss(n, true);
    memcpy(analytic, ur_params_grads(n->params), size * sizeof(double));
    memcpy(inputs, n->grad, sizeof inputs);
    for (size_t i = 0; i < size; i++)
        worst = fmax(worst, error_at(n, ur_params_values(n->params) + i, analytic[i]));
    for (int j = 0; j < 1 + 2 * n->slots; j++) {
        bool there = j == 0 ? !n->with_ids
                            : n->with_state && (j % 2 || ur_state_name(n->state, 0, 1));
        for (size_t i = 0; there && i < n->size[j]; i++)
            worst = fmax(worst, error_at(n, &n->data[j][i], inputs[j][i]));
    }
    return worst;
}

static void describe(const struct net *n, int number, double error)
{
    const ur_rnn_options *o = &n->options;
    print_message("case %d: %s %s%s, L %d, D %d, T %d, B %d%s%s%s%s%s%s%s%s%s%s, recurrent dropout "
                  "%g, zoneout %g %g, clip %g: %g\n", number, ur_cell_name(o->cell),
                  ur_activation_name(o->activation), o->norm ? ", norm" : "", o->layers,
                  o->bidirectional ? 2 : 1, n->T, n->B, n->with_lengths ? ", lengths" : "",
                  n->training ? ", training" : "", n->with_state ? ", states" : "",
                  o->reset_before ? ", reset before" : "", n->projects ? ", projection" : "",
                  o->peepholes ? ", peepholes" : "", o->coupled ? ", coupled" : "",
                  o->time_residual ? ", residual" : "", o->learned_state ? ", learned" : "",
                  n->maps ? ", output map" : "", o->recurrent_dropout, o->zoneout_h,
                  o->zoneout_c, o->cell_clip, error);
}

static void rnn__gradients_match_differences(void **unused)
{
    (void)unused;
    static struct net n;
    double worst = 0;
    for (int i = 0; i < N_CASES; i++) {
        random_net(&n, i);
        double error = check(&n);
        if (error > 1e-6)
            describe(&n, i, error);
        worst = fmax(worst, error);
        ur_state_free(n.state);
        ur_tape_free(n.tape);
        ur_rnn_free(n.rnn);
        ur_params_free(n.params);
    }
    print_message("recurrent nets: %d cases, largest error %.2e\n", N_CASES, worst);
    assert_true(worst <= 1e-6);
}

/* ---- shared weights ---------------------------------------------------- */

struct towers {
    ur_params *params;
    ur_rnn *rnn;
    ur_tape *tape;
    double x[2][18], weight[18];      /* [3,2,3] */
};

/* Σ w∘(f(f(x0)) ∘ f(x1)): one layer as both layers of a tower, and a second tower of it. */
static double towers_loss(struct towers *t, bool backward)
{
    const int dim[] = {3, 2, 3};
    ur_tensor *y[2];
    ur_tape_reset(t->tape);
    assert_ok(ur_rnn_prepare(t->rnn));
    for (int i = 0; i < 2; i++)
        y[i] = ur_rnn_forward(t->tape, t->rnn, ur_constant(t->tape, 3, dim, t->x[i]), NULL, NULL);
    y[0] = ur_rnn_forward(t->tape, t->rnn, y[0], NULL, NULL);
    ur_tensor *sum = ur_sum(ur_mul(ur_mul(y[0], y[1]), ur_constant(t->tape, 3, dim, t->weight)));
    assert_ok(ur_tape_status(t->tape));
    double value = ur_scalar(sum);
    if (backward) {
        ur_params_zero_grads(t->params);
        assert_ok(ur_backward(t->tape, sum));
    }
    return value;
}

static void rnn__layers_that_share_weights_add_their_gradients(void **state)
{
    (void)state;
    double worst = 0;
    size_t checked = 0;
    for (int cell = UR_CELL_RNN; cell <= UR_CELL_GRU; cell++) {
        struct towers t;
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        o.cell = (ur_cell)cell;
        o.input = o.hidden[0] = 3;
        assert_ok(ur_params_new(&t.params));
        assert_ok(ur_rnn_new(&t.rnn, t.params, "tower", &o));
        assert_ok(ur_params_build(t.params, 4));
        assert_ok(ur_tape_new(&t.tape, NULL));
        for (int i = 0; i < 18; i++) {
            t.x[0][i] = 2 * uniform() - 1;
            t.x[1][i] = 2 * uniform() - 1;
            t.weight[i] = 2 * uniform() - 1;
        }
        towers_loss(&t, true);
        double *values = ur_params_values(t.params), got[256];
        size_t n = ur_params_size(t.params);
        memcpy(got, ur_params_grads(t.params), n * sizeof *got);
        for (size_t i = 0; i < n; i++, checked++) {
            const double eps = 1e-5, keep = values[i];
            values[i] = keep + eps;
            double up = towers_loss(&t, false);
            values[i] = keep - eps;
            double want = (up - towers_loss(&t, false)) / (2 * eps);
            values[i] = keep;
            worst = fmax(worst, fabs(want - got[i]) / fmax(fmax(fabs(want), fabs(got[i])), 1e-3));
        }
        ur_tape_free(t.tape);
        ur_rnn_free(t.rnn);
        ur_params_free(t.params);
    }
    print_message("shared weights: %zu gradients, largest error %.2e\n", checked, worst);
    assert_true(worst <= 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rnn__gradients_match_differences),
        cmocka_unit_test(rnn__layers_that_share_weights_add_their_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
