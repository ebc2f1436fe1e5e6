/* SPDX-License-Identifier: MIT */
/* Cells on the tape in float: what they declare, what they refuse, and that a
 * layer-normalised LSTM and GRU learn. Values and gradients: double_cells.c. */
#include "testing.h"

#include "base/mem.h"
#include "support/settings.h"
#include "unroll/cells.h"
#include "unroll/train.h"

#include <math.h>

enum { SYMBOLS = 4, STEPS = 8, BATCH = 16, HIDDEN = 12, UPDATES = 250 };

static ur_params *params;
static ur_tape *tape;

static int setup(void **state)
{
    (void)state;
    return ur_params_new(&params) == UR_OK && ur_tape_new(&tape, NULL) == UR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ur_tape_free(tape);
    ur_params_free(params);
    assert_int_equal(ur__mem_blocks(), 0);
    return 0;
}

/* ---- parameters -------------------------------------------------------- */

static void assert_param(const char *name, int rank, int rows, int columns, double low, double high)
{
    const ur_param *p = ur_params_find(params, name);
    assert_non_null(p);
    assert_int_equal(p->rank, rank);
    assert_int_equal(p->dim[0], rows);
    if (rank == 2)
        assert_int_equal(p->dim[1], columns);
    const ur_real *v = ur_param_data(params, p);
    for (size_t i = 0; i < p->size; i++)
        assert_true((double)v[i] >= low && (double)v[i] <= high);
}

static void init__declares_names_shapes_and_values(void **state)
{
    (void)state;
    ur_norm_cell lstm, gru;
    assert_ok(ur_norm_lstm_init(&lstm, params, "a", 3, 4));
    assert_ok(ur_norm_gru_init(&gru, params, "b", 5, 9));
    assert_int_equal(ur_params_count(params), 8 + 6);
    assert_ok(ur_params_build(params, 1));
    assert_param("a.weight_ih", 2, 16, 3, -0.5, 0.5);
    assert_param("a.weight_hh", 2, 16, 4, -0.5, 0.5);
    assert_param("a.gain_ih", 1, 16, 0, 1, 1);
    assert_param("a.bias_hh", 1, 16, 0, 0, 0);
    assert_param("a.gain_c", 1, 4, 0, 1, 1);
    assert_param("a.bias_c", 1, 4, 0, 0, 0);
    assert_param("b.weight_ih", 2, 27, 5, -1 / 3.0, 1 / 3.0);
    assert_param("b.gain_hh", 1, 27, 0, 1, 1);
    assert_param("b.bias_ih", 1, 27, 0, 0, 0);
    assert_null(gru.gain_c);
    assert_true(lstm.epsilon == 1e-5 && lstm.I == 3 && lstm.H == 4);
}

static void init__that_fails_declares_nothing(void **state)
{
    (void)state;
    ur_norm_cell cell;
    assert_status(UR_EINVAL, ur_norm_lstm_init(&cell, params, "a", 0, 4));
    assert_string_equal(ur_errmsg(), "a: a cell cannot have 4 units and 0 inputs");
    assert_status(UR_EINVAL, ur_norm_gru_init(&cell, params, "a", 1, INT32_MAX));
    assert_ok(ur_params_add(params, "a.bias_c", 1, (int[]){1}, (ur_start){UR_INIT_CONSTANT, 0},
                            NULL));
    assert_status(UR_EINVAL, ur_norm_lstm_init(&cell, params, "a", 3, 4));
    assert_int_equal(ur_params_count(params), 1);
    assert_ok(ur_norm_gru_init(&cell, params, "a", 3, 4));
}

static void step__names_sizes_that_do_not_fit(void **state)
{
    (void)state;
    ur_norm_cell cell;
    assert_ok(ur_norm_gru_init(&cell, params, "a", 3, 4));
    assert_ok(ur_params_build(params, 1));
    ur_tensor *h = ur_copy_in(tape, 2, (int[]){2, 4}, NULL), *next;
    assert_null(ur_norm_gru_step(&(ur_step){.tape = tape}, &cell, h, &h, &next));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    assert_string_equal(ur_errmsg(), "norm_gru: x is [2,4] and h is [2,4] but the cell has 3 "
                                     "inputs, 4 units");
    assert_null(ur_norm_lstm_step(&(ur_step){.tape = tape}, &cell, NULL, &h, &next));
}

/* Inputs of any scale and shift give the same step: only differences matter. */
static void step__ignores_the_scale_of_its_products(void **state)
{
    (void)state;
    ur_norm_cell cell;
    assert_ok(ur_norm_lstm_init(&cell, params, "a", 2, 16));
    assert_ok(ur_params_build(params, 1));
    ur_real x[] = {0.5f, -1}, big[] = {500, -1000};
    ur_tensor *zero = ur_copy_in(tape, 2, (int[]){1, 16}, NULL), *in[2] = {zero, zero}, *out[2];
    const ur_real *y = ur_data(ur_norm_lstm_step(
        &(ur_step){.tape = tape}, &cell, ur_constant(tape, 2, (int[]){1, 2}, x), in, out));
    const ur_real *z = ur_data(ur_norm_lstm_step(
        &(ur_step){.tape = tape}, &cell, ur_constant(tape, 2, (int[]){1, 2}, big), in, out));
    assert_ok(ur_tape_status(tape));
    for (int i = 0; i < 16; i++)
        assert_true(fabs((double)y[i] - (double)z[i]) < 1e-3 && y[i] != 0);
}

/* ---- learning ---------------------------------------------------------- */

/* Tell at the end which symbol came first. */
static double update(const ur_linear_layer *out, ur_step_function step, ur_norm_cell *cell,
                     int n_states, ur_optimizer *optimizer, int number)
{
    ur_real x[STEPS * BATCH * SYMBOLS] = {0};
    int32_t first[BATCH];
    for (int t = 0; t < STEPS; t++)
        for (int b = 0; b < BATCH; b++) {
            int symbol = (int)(ur_random_uniform(3, 5, (uint64_t)number,
                                                 (uint32_t)(t * BATCH + b)) * SYMBOLS);
            x[(t * BATCH + b) * SYMBOLS + symbol] = 1;
            if (t == 0)
                first[b] = symbol;
        }
    ur_tape_reset(tape);
    ur_params_zero_grads(params);
    ur_tensor *zero = ur_copy_in(tape, 2, (int[]){BATCH, HIDDEN}, NULL), *state[2] = {zero, zero};
    ur_tensor *h = ur_unroll(tape, step, cell,
                             ur_constant(tape, 3, (int[]){STEPS, BATCH, SYMBOLS}, x), n_states,
                             state);
    ur_tensor *loss = ur_cross_entropy(tape, ur_linear(tape, out, ur_at(h, STEPS - 1)),
                                       (ur_ids){first, 1, BATCH});
    assert_ok(ur_backward(tape, loss));
    assert_ok(ur_optimizer_step(optimizer, 0.01, NULL));
    return ur_scalar(loss);
}

static void learn(bool lstm)
{
    ur_norm_cell cell;
    ur_linear_layer out;
    ur_optimizer *optimizer;
    ur_optimizer_options options = optimizer_of(UR_OPTIMIZER_ADAMW);
    assert_ok((lstm ? ur_norm_lstm_init : ur_norm_gru_init)(&cell, params, "cell", SYMBOLS,
                                                            HIDDEN));
    assert_ok(ur_linear_init(&out, params, "out", HIDDEN, SYMBOLS, true));
    assert_ok(ur_params_build(params, 1));
    assert_ok(ur_optimizer_new(&optimizer, params, &options, NULL));
    double first = 0, last = 0;
    for (int i = 0; i < UPDATES; i++) {
        double loss = update(&out, lstm ? ur_norm_lstm_step : ur_norm_gru_step, &cell, 1 + lstm,
                             optimizer, i);
        first += i < 10 ? loss / 10 : 0;
        last += i >= UPDATES - 10 ? loss / 10 : 0;
    }
    print_message("loss %.3f at first, %.4f after %d updates\n", first, last, UPDATES);
    assert_true(first > 1.2 && last < 0.1);
    ur_optimizer_free(optimizer);
}

static void lstm__learns_to_remember(void **state)
{
    (void)state;
    learn(true);
}

static void gru__learns_to_remember(void **state)
{
    (void)state;
    learn(false);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(init__declares_names_shapes_and_values),
        T(init__that_fails_declares_nothing),
        T(step__names_sizes_that_do_not_fit),
        T(step__ignores_the_scale_of_its_products),
        T(lstm__learns_to_remember),
        T(gru__learns_to_remember),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
