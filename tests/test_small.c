/* SPDX-License-Identifier: MIT */
/* What a small net takes: docs/PERFORMANCE.md, "Small nets". Of its own, for the peak of memory is
 * the process's. */
#include "testing.h"

#include "unroll/layer.h"

#define MOST ((size_t)64 << 10)

/* Weights of about 10 kB, prepared, with a state, and one step. */
static void take_step(ur_cell cell, int hidden)
{
    enum { INPUT = 8, STEPS = 3 };
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_params *params;
    ur_rnn *rnn;
    ur_state *state;
    ur_real x[INPUT] = {1}, y[64], before = 0;
    size_t none = ur_memory_used();
    o.cell = cell;
    o.input = INPUT;
    o.hidden[0] = hidden;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_rnn_new(&rnn, params, "rnn", &o));
    assert_ok(ur_params_build(params, 1));
    assert_ok(ur_rnn_prepare(rnn));
    assert_ok(ur_state_new(&state, rnn, 1, NULL));
    size_t ready = ur_memory_used(), weights = ur_params_size(params) * sizeof(ur_real);
    assert_in_range(weights, 9500, 10500);
    for (int t = 0; t < STEPS; t++) {
        assert_ok(ur_rnn_step(rnn, state, x, y));
        assert_true(y[0] != before);
        before = y[0];
    }
    print_message("%s: %zu bytes of weights, %zu in all\n", ur_cell_name(cell), weights,
                  ur_memory_used() - none);
    assert_int_equal(ur_memory_used(), ready);
    ur_state_free(state);
    ur_rnn_free(rnn);
    ur_params_free(params);
    assert_int_equal(ur_memory_used(), none);
}

static void small__nets_take_less_than_64_kb(void **unused)
{
    (void)unused;
    take_step(UR_CELL_LSTM, 21);
    take_step(UR_CELL_GRU, 24);
    take_step(UR_CELL_RNN, 46);
    assert_true(ur_memory_peak() < MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small__nets_take_less_than_64_kb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
