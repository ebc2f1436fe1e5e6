/* SPDX-License-Identifier: MIT */
/* Gradients of whole models of task fill in double precision: every parameter, those of
 * both stacks, the decoder and the vectors, against central differences. */
#include "double_models.h"

enum { V = 7, T = 5, B = 3, N_CASES = 40 };

static uint64_t draws;

static double uniform(void)
{
    return ur_random_uniform(2027, 77, 0, (uint32_t)draws++);
}

static int between(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

static ur_options random_config(void)
{
    static const char *const cells[] = {"rnn", "lstm", "gru"};
    char text[256];
    int cell = between(0, 2), layers = between(1, 2), first = between(2, 4), second = between(2, 4);
    int embed = between(0, 3);
    bool tie = embed > 0 && between(0, 1), learned = between(0, 1), drops = between(0, 1);
    bool before = cell == 2 && between(0, 1);
    if (tie)
        embed = 2 * (layers == 2 ? second : first);
    snprintf(text, sizeof text, "cell=%s layers=%d hidden=%d%s%.0d embed=%d tie=%s "
             "learned-state=%s dropout=%g reset=%s", cells[cell], layers, first,
             layers == 2 ? "," : "", layers == 2 ? second : 0, embed, tie ? "yes" : "no",
             learned ? "yes" : "no", drops * 0.3, before ? "before" : "after");
    return net_of("fill", text);
}

static ur_tensor *loss(ur_tape *tape, const ur_model *model, const ur_batch *batch)
{
    ur_tensor *logits = ur_model_outputs(tape, model, batch, NULL);
    return ur_cross_entropy(tape, logits, (ur_ids){ur_batch_find(batch, "target")->ids, T, B});
}

static double check_case(void)
{
    int32_t ids[T * B], targets[T * B];
    int lengths[B];
    ur_options c = random_config();
    ur_model *model = model_of(&c, V, draws);
    const uint64_t step = draws;
    for (int b = 0; b < B; b++)
        lengths[b] = b == 0 ? T : between(1, T);
    for (int i = 0; i < T * B; i++) {
        ids[i] = between(0, V - 1);
        targets[i] = i / B < lengths[i % B] ? ids[i] : -1;
    }
    const ur_batch batch = batch_of(T, B, ids, lengths, targets);
    return worst_gradient(model, &batch, loss, step);
}

static void fill__gradients_match_differences(void **unused)
{
    (void)unused;
    double worst = 0;
    for (int i = 0; i < N_CASES; i++) {
        double error = check_case();
        worst = error > worst ? error : worst;
    }
    print_message("%d nets, largest error %.1e\n", N_CASES, worst);
    assert_true(worst < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill__gradients_match_differences),
    };
    return cmocka_run_group_tests_name("fill", tests, NULL, NULL);
}
