/* SPDX-License-Identifier: MIT */
/* Draws beside pages that may not be touched: the sampler in arrays of exactly its size,
 * sessions of word models in blocks of the heap that end at such pages. */
#include "testing.h"

#include "base/mem.h"
#include "base/random.h"
#include "data/vocab.h"
#include "decode/sample.h"
#include "model/model.h"
#include "support/guard.h"
#include "support/settings.h"

static const struct how { double temperature; int top_k; double top_p, min_p, penalty; } hows[] = {
    {0, 0, 1, 0, 1}, {1, 0, 1, 0, 1}, {1, 1, 1, 0, 1}, {1, 3, 1, 0, 1}, {1, 39, 1, 0, 1},
    {1, 0, 1e-9, 0, 1}, {1, 0, 0.5, 0, 1}, {2, 0, 0.999999, 0, 1}, {1, 2, 0.9, 0, 1},
    {1, 0, 1, 1, 1}, {1, 0, 1, 0.1, 1}, {1, 0, 1, 0, 2}, {1, 0, 0.9, 0.1, 0.5}, {0, 0, 1, 0, 3},
};
#define N_HOWS ((int)(sizeof hows / sizeof *hows))

static ur_sample_options options_of(int i)
{
    ur_sample_options o;
    ur_sample_options_init(&o);
    o.temperature = hows[i].temperature;
    o.top_k = hows[i].top_k;
    o.top_p = hows[i].top_p;
    o.min_p = hows[i].min_p;
    o.repetition_penalty = hows[i].penalty;
    return o;
}

/* How many tokens have a larger logit: less than top-k if the draw is right. */
static int rank_of(int V, const ur_real *logits, int32_t id)
{
    int rank = 0;
    for (int i = 0; i < V; i++)
        rank += logits[i] > logits[id];
    return rank;
}

static void draw_beside_pages(int V, guard_side side, int how)
{
    const double uniforms[] = {0, 0.3, 0.7, 1 - 0x1p-53};
    const ur_sample_options o = options_of(how);
    for (size_t i = 0; i < sizeof uniforms / sizeof *uniforms; i++) {
        guard_begin(side, "V %d, top-k %d, top-p %g, uniform %g", V, o.top_k, o.top_p,
                    uniforms[i]);
        ur_real *logits = guard_reals("logits", (size_t)V);
        ur_real *weight = guard_reals("weight", (size_t)V);
        int32_t *order = guard_bytes("order", (size_t)V * sizeof *order, sizeof *order), id = -1;
        for (int k = 0; k < V; k++)
            logits[k] = (ur_real)(4 * ur_random_uniform(7, 1, (uint64_t)V, (uint32_t)k));
        const struct ur__sample_work work = {weight, order};
        assert_ok(ur__sample(V, logits, &o, uniforms[i], work, &id));
        assert_in_range(id, 0, V - 1);
        if (o.top_k > 0)
            assert_true(rank_of(V, logits, id) < o.top_k);
        const char *changed = guard_check();
        if (changed)
            fail_msg("%s: the canaries of %s have changed", guard_case(), changed);
    }
}

static void sample__stays_within_its_arrays(void **unused)
{
    (void)unused;
    guard_watch();
    for (int V = 1; V <= 40; V++) {
        for (int how = 0; how < N_HOWS; how++) {
            draw_beside_pages(V, GUARD_END, how);
            draw_beside_pages(V, GUARD_BEGIN, how);
        }
    }
}

/* Vectors of 16 and 32 reals fill their blocks to the last byte. */
static void draw_words(int V)
{
    char text[32][8];
    const char *words[32] = {"<unk>", "</s>"};
    for (int i = 2; i < V; i++) {
        snprintf(text[i], sizeof text[i], "w%d", i);
        words[i] = text[i];
    }
    const ur_options c = net_of("lm", "layers=1 hidden=4 embed=2");
    ur_vocab *vocab;
    ur_model *m;
    ur_session *s;
    assert_ok(ur__vocab_new_words(&vocab, UR_TOKEN_WORD, V, words));
    assert_ok(ur_model_new(&m, &c, 1, &vocab, 5));
    assert_ok(ur_session_new(&s, m, NULL));
    for (int how = 0; how < N_HOWS; how++) {
        const ur_sample_options o = options_of(how);
        assert_ok(ur_session_reset(s));
        assert_ok(ur_session_begin(s));
        for (int i = 0; i < 20; i++) {
            int32_t id;
            assert_ok(ur_session_draw(s, &o, &id));
            assert_in_range(id, 1, V - 1);
            /* With a penalty the order is another. */
            int top = o.repetition_penalty != 1 ? 0 : o.temperature == 0 ? 1 : o.top_k;
            if (top > 0)    /* among those that have a text */
                assert_true(rank_of(V - 1, ur_session_logits(s) + 1, id - 1) < top);
            assert_ok(ur_session_feed(s, id));
        }
    }
    ur_session_free(s);
    ur_model_free(m);
}

static void session__stays_within_its_blocks(void **unused)
{
    (void)unused;
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(guard_allocator, NULL);
    guard_watch();
    for (int V = 3; V <= 32; V++) {
        guard_begin(GUARD_END, "a session of %d words", V);
        draw_words(V);
    }
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample__stays_within_its_arrays),
        cmocka_unit_test(session__stays_within_its_blocks),
    };
    return cmocka_run_group_tests_name("guard_decode", tests, NULL, NULL);
}
