/* SPDX-License-Identifier: MIT */
/* Gradients of networks that translate in double precision: every parameter against central
 * differences, over kinds of attention, cells, layers, lengths, fed inputs, smoothed labels and
 * inputs that are the network's own; and those of what an attention layer reads. */
#include "double_models.h"
#include "translate_models.h"

enum { S = 4, T = 4, B = 3, V = 5, W = 4, N_RANDOM = 16 };

static ur_tensor *loss(ur_tape *tape, const ur_model *model, const ur_batch *batch)
{
    return ur_model_loss(tape, model, batch, NULL);
}

static double check_net(const char *settings, uint64_t seed)
{
    struct pairs_batch p = {.S = S, .T = T, .B = B};
    pairs_fill(&p, seed, V, W);
    const ur_batch batch = pairs_batch(&p);
    return worst_gradient(translate_model(settings, V, W, seed), &batch, loss, seed);
}

static void translate__gradients_match_differences(void **unused)
{
    (void)unused;
    double worst = 0;
    for (int i = 0; i < N_TRANSLATE_NETS; i++) {
        double error = check_net(translate_nets[i], 11 + (uint64_t)i);
        worst = error > worst ? error : worst;
        if (error >= 1e-6)
            fail_msg("%s: error %.1e", translate_nets[i], error);
    }
    print_message("%d nets, largest error %.1e\n", N_TRANSLATE_NETS, worst);
}

static void translate__gradients_of_random_nets(void **unused)
{
    (void)unused;
    static const char *const cells[] = {"lstm", "gru", "rnn"};
    static const char *const kinds[] = {"none", "general", "additive", "dot"};
    double worst = 0;
    for (uint64_t i = 0; i < N_RANDOM; i++) {
        char text[256];
        const int kind = (int)(i % 4), feeds = kind && i % 3 == 0, own = i % 5 == 0;
        snprintf(text, sizeof text, "cell=%s hidden=%d embed=3 attention=%s input-feeding=%s "
                 "label-smoothing=%g scheduled-sampling=%g dropout=%g", cells[i % 3],
                 2 + (int)(i % 3), kinds[kind],
                 feeds ? "yes" : "no", i % 2 ? 0.1 : 0, own ? 0.5 : 0,
                 i % 7 ? 0 : 0.3);
        double error = check_net(text, 100 + i);
        worst = error > worst ? error : worst;
        if (error >= 1e-6)
            fail_msg("%s: error %.1e", text, error);
    }
    print_message("%d nets, largest error %.1e\n", N_RANDOM, worst);
}

/* ---- the layer --------------------------------------------------------- */

struct look {
    ur_attention_layer layer;
    const int *lengths;
};

/* Something of what was read and of the weights. */
static ur_tensor *look(ur_tape *tape, ur_tensor *const *in, void *user)
{
    const struct look *l = user;
    ur_attention_memory memory;
    ur_tensor *weights;
    ur_attention_remember(tape, &l->layer, in[0], l->lengths, &memory);
    ur_tensor *c = ur_attention(tape, &l->layer, &memory, in[1], &weights);
    return ur_add(ur_sum(ur_square(c)), ur_sum(ur_square(weights)));
}

static void attention__gradients_of_memory_and_queries(void **unused)
{
    (void)unused;
    enum { M = 3 };
    static const int states[] = {S, B, M}, queries[] = {T, B, M}, lengths[B] = {S, 1, 0};
    ur_real memory[S * B * M], query[T * B * M];
    double worst = 0;
    for (int i = 0; i < S * B * M; i++)
        memory[i] = 2 * pairs_draw(3, (uint32_t)i) - 1;
    for (int i = 0; i < T * B * M; i++)
        query[i] = 2 * pairs_draw(4, (uint32_t)i) - 1;
    for (int kind = UR_SCORE_DOT; kind <= UR_SCORE_ADDITIVE; kind++)
        for (int padded = 0; padded < 2; padded++) {
            struct look l = {.lengths = padded ? lengths : NULL};
            ur_params *params;
            double error;
            assert_ok(ur_params_new(&params));
            assert_ok(ur_attention_init(&l.layer, params, "a", (ur_scoring)kind, M, M));
            assert_ok(ur_params_build(params, 5));
            ur_check_inputs in;
            ur_check_inputs_init(&in);
            in.n = 2;
            in.rank = (const int[]){3, 3};
            in.dim = (const int *const[]){states, queries};
            in.data = (ur_real *const[]){memory, query};
            assert_ok(ur_check_gradients(&error, look, &l, &in));
            worst = error > worst ? error : worst;
            ur_params_free(params);
        }
    print_message("6 layers, largest error %.1e\n", worst);
    assert_true(worst < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translate__gradients_match_differences),
        cmocka_unit_test(translate__gradients_of_random_nets),
        cmocka_unit_test(attention__gradients_of_memory_and_queries),
    };
    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
