/* SPDX-License-Identifier: MIT */
/* The report of how far back gradients reach, against the same norms found another way: the
 * net is run without a tape until k steps before the end, its state is made a variable of
 * the tape, and only the rest is differentiated. */
#include "test_task.h"

#include <math.h>

enum { T = 16, B = 8, H = 12 };

struct seen {
    int reports, layers, distances;
    double reach[T];
    int64_t step[8];
};

static bool keep(void *user, const ur_report *r)
{
    struct seen *s = user;
    if (r->kind != UR_REPORT_GRADIENTS)
        return true;
    s->step[s->reports] = r->step;
    if (s->reports++ == 0) {
        s->layers = r->layers;
        s->distances = r->distances;
        for (int k = 0; k < r->distances && k < T; k++)
            s->reach[k] = r->reach[k];
    }
    return true;
}

static ur_train_options options_of(ur_cell cell, int64_t steps)
{
    char settings[64];
    snprintf(settings, sizeof settings, "cell=%s hidden=%d layers=1", ur_cell_name(cell), H);
    ur_train_options o = small_run("lm", tmp_path("m.safetensors"), settings);
    o.val = 0;
    o.steps = steps;
    o.report_gradients = true;
    return o;
}

/* The first window: B rows side by side, with what follows each token. */
static void first_window(const ur_model *m, int32_t *in, int32_t *next)
{
    size_t size, n;
    char *text = read_all(text_path, &size);
    int32_t *ids = malloc(size * sizeof *ids);
    assert_ok(ur_vocab_encode(ur_model_vocab(m, NULL), text, size, ids, &n));
    size_t row = (n - 1) / B;
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++) {
            in[t * B + b] = ids[b * row + t];
            next[t * B + b] = ids[b * row + t + 1];
        }
    free(ids);
    ur__free(text);
}

/* The norm k steps before the last: T − k steps without a tape, k on it. */
static double norm_at(const ur_model *m, const int32_t *in, const int32_t *next, int k)
{
    static const int dim[2] = {B, H};
    ur_real h[B * H], c[B * H], dh[B * H] = {0};
    ur_runner *runner;
    ur_model_state *rest;
    ur_tape *tape;
    int before = T - k, V = ur_vocab_size(ur_model_vocab(m, NULL));
    ur_real *logits = malloc((size_t)(T * B * V) * sizeof *logits);
    assert_ok(ur_runner_new(&runner, m, B, NULL));
    assert_ok(ur_model_state_new(&rest, m, B, NULL));
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_runner_run(runner, before, in, logits));
    free(logits);
    ur_state *state = ur_runner_state(runner, 0);
    ur_state *start = ur_model_state_at(rest, 0);
    memcpy(h, ur_state_buffer(state, 0, "h", NULL), sizeof h);
    if (ur_state_buffer(state, 0, "c", NULL)) {
        memcpy(c, ur_state_buffer(state, 0, "c", NULL), sizeof c);
        assert_ok(ur_state_put(start, 0, "c", ur_constant(tape, 2, dim, c)));
    }
    assert_ok(ur_state_put(start, 0, "h", ur_variable(tape, 2, dim, h, dh)));
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_batch_ids(&batch, "input", k, B, in + before * B, NULL));
    ur_tensor *y = ur_model_outputs(tape, m, &batch, rest);
    ur_tensor *last = ur_at(y, k - 1);
    assert_ok(ur_backward(tape, ur_cross_entropy(tape, last,
                                                 (ur_ids){next + (T - 1) * B, 1, B})));
    double sum = 0;
    for (int i = 0; i < B * H; i++)
        sum += (double)dh[i] * (double)dh[i];
    ur_runner_free(runner);
    ur_model_state_free(rest);
    ur_tape_free(tape);
    return sqrt(sum);
}

static void reach__is_what_differentiating_the_rest_gives(void **unused)
{
    (void)unused;
    static const ur_cell cells[] = {UR_CELL_RNN, UR_CELL_LSTM, UR_CELL_GRU};
    double worst = 0;
    for (int i = 0; i < 3; i++) {
        struct seen seen = {0};
        int32_t in[T * B], next[T * B];
        ur_model *m;
        ur_train_options o = options_of(cells[i], 1);
        assert_ok(ur_train(&o, keep, &seen));
        o = options_of(cells[i], 0);        /* the initial model, which the report looked at */
        assert_ok(ur_train(&o, NULL, NULL));
        assert_ok(ur_model_load(&m, o.model));
        assert_int_equal(seen.layers, 1);
        assert_int_equal(seen.distances, T - 1);
        first_window(m, in, next);
        for (int k = 1; k < T; k++) {
            double norm = norm_at(m, in, next, k);
            assert_true(norm > 0);
            worst = fmax(worst, fabs(seen.reach[k - 1] - norm) / norm);
        }
        ur_model_free(m);
    }
    print_message("45 norms, largest relative error %.1e\n", worst);
    assert_true(worst < 1e-5);
}

static void reach__comes_at_the_start_at_validations_and_at_the_end(void **unused)
{
    (void)unused;
    struct seen seen = {0};
    ur_train_options o = options_of(UR_CELL_GRU, 60);
    o.val = 0.1;
    assert_ok(ur_train(&o, keep, &seen));
    assert_int_equal(seen.reports, 4);
    static const int64_t at[] = {0, 25, 50, 60};
    for (int i = 0; i < 4; i++)
        assert_int_equal(seen.step[i], at[i]);
    seen = (struct seen){0};
    o.model = tmp_path("without.safetensors");
    o.report_gradients = false;
    assert_ok(ur_train(&o, keep, &seen));
    assert_int_equal(seen.reports, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reach__is_what_differentiating_the_rest_gives),
        cmocka_unit_test(reach__comes_at_the_start_at_validations_and_at_the_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
