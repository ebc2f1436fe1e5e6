/* SPDX-License-Identifier: MIT */
/* Gradients of whole models that feed labels back in double precision: every parameter against
 * central differences, over cells, layers, lengths and steps without a label. */
#include "double_models.h"

#include "data/labels.h"

enum { K = 3, T = 5, B = 3, N_CASES = 30 };

static uint64_t draws;

static double uniform(void)
{
    return ur_random_uniform(2031, 78, 0, (uint32_t)draws++);
}

static int between(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

static ur_model *random_model(void)
{
    static const char *const cells[] = {"rnn", "lstm", "gru", "none"};
    static const char *const word[] = {"<unk>", "</s>", "a", "b", "c", "d"};
    char text[256];
    int cell = between(0, 3), first = between(2, 4), second = between(2, 4);
    int embed = between(1, 3), drops = between(0, 1), label = between(1, 3);
    snprintf(text, sizeof text, "cell=%s hidden=%d,%d embed=%d letters=0 dropout=%g feedback=yes "
             "label-embed=%d label-smoothing=%g", cells[cell], first, second, embed, 0.3 * drops,
             label, 0.1 * between(0, 1));
    ur_options c = net_of("tag", text);
    ur_vocab *v[3] = {NULL, NULL, NULL};
    ur_model *m;
    assert_ok(ur__vocab_new_words(&v[0], UR_TOKEN_WORD, 6, word));
    assert_ok(ur__vocab_new_words(&v[1], UR_TOKEN_WORD, 2 + K, word));
    assert_ok(ur_model_new(&m, &c, 3, v, draws));
    return m;
}

static ur_tensor *loss(ur_tape *tape, const ur_model *model, const ur_batch *batch)
{
    return ur_model_loss(tape, model, batch, NULL);
}

static double check_case(void)
{
    int32_t ids[T * B], targets[T * B];
    int lengths[B];
    ur_model *model = random_model();
    const uint64_t step = draws;
    for (int b = 0; b < B; b++)
        lengths[b] = b == 0 ? T : between(1, T);
    for (int i = 0; i < T * B; i++) {
        ids[i] = between(0, 5);
        targets[i] = i / B < lengths[i % B] ? between(-1, K - 1) : -1;
    }
    targets[0] = 1;
    const ur_batch batch = batch_of(T, B, ids, lengths, targets);
    return worst_gradient(model, &batch, loss, step);
}

static void feedback__gradients_match_differences(void **unused)
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
        cmocka_unit_test(feedback__gradients_match_differences),
    };
    return cmocka_run_group_tests_name("feedback", tests, NULL, NULL);
}
