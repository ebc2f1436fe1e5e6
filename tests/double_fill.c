/* SPDX-License-Identifier: MIT */
/* Gradients of whole models of task fill in double precision: every parameter, those of
 * both stacks, the decoder and the vectors, against central differences. */
#include "models.h"

#include <math.h>

#include "layer/params.h"

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

struct net {
    ur_model *model;
    ur_tape *tape;
    int32_t ids[T * B], targets[T * B];
    int lengths[B];
};

static double loss(struct net *n, bool backward)
{
    ur_tape_reset(n->tape);
    assert_ok(ur_model_prepare(n->model));
    const ur_batch batch = batch_of(T, B, n->ids, n->lengths, NULL);
    ur_tensor *logits = ur_model_outputs(n->tape, n->model, &batch, NULL);
    ur_tensor *e = ur_cross_entropy(n->tape, logits, (ur_ids){n->targets, T, B});
    assert_ok(ur_tape_status(n->tape));
    double value = ur_scalar(e);
    if (backward)
        assert_ok(ur_backward(n->tape, e));
    return value;
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

static double check_case(void)
{
    struct net n;
    ur_options c = random_config();
    n.model = model_of(&c, V, draws);
    assert_ok(ur_tape_new(&n.tape, NULL));
    ur_tape_set_training(n.tape, true, 5, draws);
    for (int b = 0; b < B; b++)
        n.lengths[b] = b == 0 ? T : between(1, T);
    for (int i = 0; i < T * B; i++) {
        n.ids[i] = between(0, V - 1);
        n.targets[i] = i / B < n.lengths[i % B] ? n.ids[i] : -1;
    }
    ur_params *p = ur_model_params(n.model);
    size_t size = ur_params_size(p);
    ur_params_zero_grads(p);
    loss(&n, true);
    double worst = 0;
    for (size_t i = 0; i < size; i++) {
        const double e = 1e-5, old = ur_params_values(p)[i], a = ur_params_grads(p)[i];
        ur_params_values(p)[i] = old + e;
        double up = loss(&n, false);
        ur_params_values(p)[i] = old - e;
        double down = loss(&n, false);
        ur_params_values(p)[i] = old;
        double d = (up - down) / (2 * e);
        double error = fabs(a - d) / fmax(fmax(fabs(a), fabs(d)), 1e-3);
        worst = error > worst ? error : worst;
    }
    ur_tape_free(n.tape);
    ur_model_free(n.model);
    return worst;
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
