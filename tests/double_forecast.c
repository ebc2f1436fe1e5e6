/* SPDX-License-Identifier: MIT */
/* Gradients of whole networks of forecasts in double precision: every parameter against central
 * differences, over cells, outputs, missing values and both ways to reach the horizon. */
#include "double_models.h"

enum { B = 3, MOST = 400, N_CASES = 60 };

static uint64_t draws;

static double uniform(void)
{
    return ur_random_uniform(2032, 79, 0, (uint32_t)draws++);
}

static int between(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

struct sizes {
    int C, H, N, F, K;
    bool gaps;
};

static ur_model *random_model(int i, struct sizes *s)
{
    static const char *const cells[] = {"rnn", "lstm", "gru"};
    static const char *const outputs[] = {"point", "gaussian", "quantile"};
    char text[256];
    *s = (struct sizes){between(1, 4), between(1, 3), between(1, 2), between(0, 2), between(0, 2),
                        between(0, 1) == 1};
    snprintf(text, sizeof text, "cell=%s hidden=%d,%d context=%d horizon=%d targets=%d inputs=%d "
             "ahead=%d gaps=%s distribution=%s recursive=%s dropout=%g interval=%g",
             cells[between(0, 2)], between(2, 4), between(2, 4), s->C, s->H, s->N, s->F, s->K,
             s->gaps ? "yes" : "no", outputs[i % 3], i / 3 % 2 ? "yes" : "no",
             0.3 * between(0, 1), 0.5 + 0.4 * uniform());
    ur_options c = net_of("forecast", text);
    ur_vocab *none[1] = {NULL};
    ur_model *m;
    assert_ok(ur_model_new(&m, &c, 0, none, draws));
    return m;
}

static ur_model_state *state;

static ur_tensor *loss(ur_tape *tape, const ur_model *model, const ur_batch *batch)
{
    if (state) {
        ur_model_state_detach(state);
        ur_model_state_zero(state);
    }
    return ur_model_loss(tape, model, batch, state);
}

static void draw(ur_real *x, size_t n)
{
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++)
        x[i] = 2 * uniform() - 1;
}

static double check_case(int i)
{
    static ur_real input[MOST], ahead[MOST], base[MOST], target[MOST];
    struct sizes s;
    ur_model *model = random_model(i, &s);
    const uint64_t step = draws;
    const int I = (s.N + s.F) * (s.gaps ? 2 : 1) + s.K, T = 2 * s.N;
    ur_batch batch;
    ur_batch_init(&batch);
    draw(input, (size_t)(s.C * B * I));
    draw(ahead, (size_t)(s.H * B * (s.K + 1)));
    draw(base, (size_t)(s.H * B * s.N));
    draw(target, (size_t)(s.H * B * T));
    for (int k = 0; k < s.H * B * T; k++)
        target[k] = k % T < s.N ? target[k] : k % 3 != 0 || k < T;
    assert_ok(ur_batch_reals(&batch, "input", 3, (int[]){s.C, B, I}, input, NULL));
    if (s.K)
        assert_ok(ur_batch_reals(&batch, "ahead", 3, (int[]){s.H, B, s.K}, ahead, NULL));
    assert_ok(ur_batch_reals(&batch, "base", 3, (int[]){s.H, B, s.N}, base, NULL));
    assert_ok(ur_batch_reals(&batch, "target", 3, (int[]){s.H, B, T}, target, NULL));
    state = NULL;
    if (i / 3 % 2)
        assert_ok(ur_model_state_new(&state, model, B, NULL));
    double worst = worst_gradient(model, &batch, loss, step);
    ur_model_state_free(state);
    return worst;
}

static void forecast__gradients_match_differences(void **unused)
{
    (void)unused;
    double worst = 0;
    for (int i = 0; i < N_CASES; i++) {
        double error = check_case(i);
        if (error > 1e-6)
            print_message("case %d: %.1e\n", i, error);
        worst = error > worst ? error : worst;
    }
    print_message("%d nets, largest error %.1e\n", N_CASES, worst);
    assert_true(worst < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecast__gradients_match_differences),
    };
    return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
