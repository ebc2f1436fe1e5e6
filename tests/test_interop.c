/* SPDX-License-Identifier: MIT */
/* The weights of PyTorch's recurrent modules compute here what they compute there, and go
 * back as they came. */
#include "interop.h"
#include "told.h"

static const ur_rename bare = {"rnn.*", "*"};   /* a module's own names have no prefix */

/* [B,T,n] -> [T,B,n], or back with B and T exchanged. */
static void swap_axes(int B, int T, int n, const ur_real *from, ur_real *to)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++)
            memcpy(to + ((ptrdiff_t)t * B + b) * n, from + ((ptrdiff_t)b * T + t) * n,
                   (size_t)n * sizeof *to);
}

/* want: what the file ought to tell; the net is made of what it does. */
static void run_module(const char *folder, const ur_rnn_options *want, bool batch_first)
{
    ur_weights *io = open_weights(folder, "io.safetensors");
    ur_weights *model = open_weights(folder, "model.safetensors");
    ur_rnn_options told;
    ur_rnn_options_init(&told);
    ur_rnn_options *o = &told;
    assert_ok(ur_weights_rnn_options(model, "rnn", 1, &bare, o));
    expect_told(o, want, folder);
    int T = dim_of(io, "x", batch_first), B = dim_of(io, "x", !batch_first);
    int dim[3] = {T, B, o->input};
    double worst = 0;
    ur_params *params;
    ur_rnn *rnn;
    ur_state *s;
    ur_tape *tape;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_rnn_new(&rnn, params, "rnn", o));
    ur_weights_close(model);
    assert_ok(ur_params_load(params, place(folder, "model.safetensors"), 1, &bare, true));
    assert_ok(ur_rnn_prepare(rnn));
    assert_ok(ur_state_new(&s, rnn, B, NULL));
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tape_set_recording(tape, false);
    ur_real *x = reals(io, "x");
    if (batch_first) {
        ur_real *turned = reals(io, "x");
        swap_axes(B, T, o->input, x, turned);
        ur__free(x);
        x = turned;
    }
    ur_tensor *y = ur_rnn_forward(tape, rnn, ur_constant(tape, 3, dim, x), NULL, s);
    assert_ok(ur_tape_status(tape));
    ur_real *turned = ur__alloc(ur_size(y), sizeof *turned);
    if (batch_first)
        swap_axes(T, B, ur_rnn_output(rnn), ur_data(y), turned);
    compare(io, "y", ur_size(y), batch_first ? turned : ur_data(y), &worst);
    compare_states(io, "h_n", rnn, s, B, &worst);
    if (want->cell == UR_CELL_LSTM)
        compare_states(io, "c_n", rnn, s, B, &worst);
    if (ur_rnn_directions(rnn) == 1)
        expect_steps(rnn, T, B, x, ur_data(y));
    expect_same_file(folder, params, 1, &bare);
    print_message("%s: largest error %.2g\n", folder, worst);
    ur__free(turned);
    ur__free(x);
    ur_tape_free(tape);
    ur_state_free(s);
    ur_rnn_free(rnn);
    ur_params_free(params);
    ur_weights_close(io);
}

static void pytorch__lstm(void **state)
{
    (void)state;
    const int hidden = 8;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 5;
    o.hidden[0] = hidden;
    run_module("pytorch-safetensors/lstm_1layer", &o, true);
}

static void pytorch__rnn(void **state)
{
    (void)state;
    const int hidden = 5;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = UR_CELL_RNN;
    o.input = 3;
    o.hidden[0] = hidden;
    run_module("pytorch-safetensors/rnn_tanh", &o, false);
}

static void pytorch__lstm_with_projection(void **state)
{
    (void)state;
    const int hidden = 9, projection = 3;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 4;
    o.hidden[0] = hidden;
    o.projection[0] = projection;
    run_module("pytorch-safetensors/lstm_proj", &o, false);
}

static void pytorch__gru_in_two_layers_and_directions(void **state)
{
    (void)state;
    const int hidden[2] = {6, 6};
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = UR_CELL_GRU;
    o.input = 4;
    o.layers = 2;
    memcpy(o.hidden, hidden, sizeof hidden);
    o.bidirectional = true;
    run_module("pytorch-safetensors/gru_2layer_bidirectional", &o, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pytorch__lstm),
        cmocka_unit_test(pytorch__rnn),
        cmocka_unit_test(pytorch__lstm_with_projection),
        cmocka_unit_test(pytorch__gru_in_two_layers_and_directions),
    };
    if (!find_data())
        return 77;
    return cmocka_run_group_tests_name("interop", tests, NULL, NULL);
}
