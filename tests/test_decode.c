/* SPDX-License-Identifier: MIT */
/* Drawing tokens, sessions, and the figures of metric.h. */
#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "base/random.h"
#include "data/vocab.h"
#include "decode/sample.h"
#include "metric/text.h"
#include "support/settings.h"

enum { V = 10 };

static ur_sample_options options_of(double temperature, int top_k, double top_p)
{
    ur_sample_options o;
    ur_sample_options_init(&o);
    o.temperature = temperature;
    o.top_k = top_k;
    o.top_p = top_p;
    return o;
}

static int32_t sample_one(const ur_real *logits, ur_sample_options o, double uniform)
{
    ur_real weight[V];
    int32_t order[V], id = -1;
    assert_ok(ur__sample(V, logits, &o, uniform, (struct ur__sample_work){weight, order}, &id));
    assert_in_range(id, 0, V - 1);
    return id;
}

/* How often each token is drawn in n draws of seed 123. */
static void count(const ur_real *logits, ur_sample_options o, int n, int hits[V])
{
    memset(hits, 0, V * sizeof *hits);
    for (int i = 0; i < n; i++)
        hits[sample_one(logits, o, ur_random_uniform(123, UR__STREAM_SAMPLE, (uint64_t)i, 0))]++;
}

static const ur_real some[V] = {
    (ur_real)0.5, (ur_real)-1, (ur_real)2, (ur_real)2, (ur_real)0,
    (ur_real)1, (ur_real)-3, (ur_real)1.5, (ur_real)0.25, (ur_real)-0.5
};

/* ---- options ----------------------------------------------------------- */

static ur_status check(double temperature, int top_k, double top_p)
{
    ur_sample_options o = options_of(temperature, top_k, top_p);
    return ur_sample_options_check(&o);
}

static void options__refuse_what_is_impossible(void **state)
{
    (void)state;
    assert_ok(check(1, 0, 1));
    assert_ok(check(0, 5, 0.5));
    assert_status(UR_EINVAL, check(-1, 0, 1));
    assert_status(UR_EINVAL, check((double)NAN, 0, 1));
    assert_status(UR_EINVAL, check((double)INFINITY, 0, 1));
    assert_status(UR_EINVAL, check(1, -1, 1));
    assert_status(UR_EINVAL, check(1, 0, 0));
    assert_status(UR_EINVAL, check(1, 0, 1.01));
    assert_status(UR_EINVAL, check(1, 0, (double)NAN));
}

/* ---- drawing ----------------------------------------------------------- */

/* χ² of 20,000 draws against the exact softmax; 27.9 is passed by chance once in 1000. */
static void check_distribution(const ur_real *logits, ur_sample_options o, const bool keep[V],
                               double limit)
{
    enum { N = 20000 };
    int hits[V];
    double p[V], sum = 0, chi = 0;
    for (int i = 0; i < V; i++) {
        p[i] = keep[i] ? exp((double)logits[i] / o.temperature) : 0;
        sum += p[i];
    }
    count(logits, o, N, hits);
    for (int i = 0; i < V; i++) {
        double want = N * p[i] / sum;
        if (keep[i])
            chi += (hits[i] - want) * (hits[i] - want) / want;
        else
            assert_int_equal(hits[i], 0);
    }
    if (chi > limit)
        fail_msg("chi-square %g, at most %g expected", chi, limit);
}

static void sample__follows_the_softmax(void **state)
{
    (void)state;
    static const bool all[V] = {true, true, true, true, true, true, true, true, true, true};
    check_distribution(some, options_of(1, 0, 1), all, 27.9);
    check_distribution(some, options_of(0.5, 0, 1), all, 27.9);
    check_distribution(some, options_of(3, 0, 1), all, 27.9);
    check_distribution(some, options_of(1, V, 1), all, 27.9);
    check_distribution(some, options_of(1, 1000, 1), all, 27.9);
}

static void sample__top_k_keeps_the_likeliest(void **state)
{
    (void)state;
    static const bool three[V] = {[2] = true, [3] = true, [7] = true};
    static const bool first[V] = {[2] = true};
    check_distribution(some, options_of(1, 3, 1), three, 13.8);
    check_distribution(some, options_of(2, 3, 1), three, 13.8);
    check_distribution(some, options_of(1, 1, 1), first, 0.001);    /* 2 and 3 are equal */
    const ur_real equal[V] = {0};
    static const bool four[V] = {true, true, true, true};
    check_distribution(equal, options_of(1, 4, 1), four, 16.3);
}

static void sample__top_p_keeps_the_fewest_that_reach_it(void **state)
{
    (void)state;
    /* Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 4, 1, 8, 3; the others have none. */
    ur_real logits[V];
    for (int i = 0; i < V; i++)
        logits[i] = -200;
    logits[4] = (ur_real)log(0.4);
    logits[1] = (ur_real)log(0.3);
    logits[8] = (ur_real)log(0.2);
    logits[3] = (ur_real)log(0.1);
    static const bool one[V] = {[4] = true}, two[V] = {[4] = true, [1] = true};
    static const bool three[V] = {[4] = true, [1] = true, [8] = true};
    static const bool four[V] = {[4] = true, [1] = true, [8] = true, [3] = true};
    check_distribution(logits, options_of(1, 0, 1e-9), one, 0.001);
    check_distribution(logits, options_of(1, 0, 0.39), one, 0.001);
    check_distribution(logits, options_of(1, 0, 0.41), two, 10.8);
    check_distribution(logits, options_of(1, 0, 0.69), two, 10.8);
    check_distribution(logits, options_of(1, 0, 0.71), three, 13.8);
    check_distribution(logits, options_of(1, 0, 0.91), four, 16.3);
    /* After top-k the shares are of what is left: 0.4 of 0.7 is 0.571. */
    check_distribution(logits, options_of(1, 2, 0.56), one, 0.001);
    check_distribution(logits, options_of(1, 2, 0.58), two, 10.8);
    check_distribution(logits, options_of(1, 3, 0.999), three, 13.8);
}

static void sample__min_p_keeps_what_is_near_the_likeliest(void **state)
{
    (void)state;
    /* Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 4, 1, 8, 3: shares 1, 0.75, 0.5, 0.25. */
    ur_real logits[V];
    for (int i = 0; i < V; i++)
        logits[i] = -200;
    logits[4] = (ur_real)log(0.4);
    logits[1] = (ur_real)log(0.3);
    logits[8] = (ur_real)log(0.2);
    logits[3] = (ur_real)log(0.1);
    static const struct {
        double temperature, top_p, min_p;
        bool keep[V];
        double limit;
    } cases[] = {
        {1, 1, 0.24, {[4] = true, [1] = true, [8] = true, [3] = true}, 16.3},
        {1, 1, 0.26, {[4] = true, [1] = true, [8] = true}, 13.8},
        {1, 1, 0.74, {[4] = true, [1] = true}, 10.8},
        {1, 1, 1, {[4] = true}, 0.001},
        {2, 1, 0.51, {[4] = true, [1] = true, [8] = true}, 13.8},   /* shares of square roots */
        {2, 1, 0.49, {[4] = true, [1] = true, [8] = true, [3] = true}, 16.3},
        {1, 0.69, 0.24, {[4] = true, [1] = true}, 10.8},            /* after top-p */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ur_sample_options o = options_of(cases[i].temperature, 0, cases[i].top_p);
        o.min_p = cases[i].min_p;
        check_distribution(logits, o, cases[i].keep, cases[i].limit);
    }
}

static void sample__penalty_makes_what_was_seen_less_likely(void **state)
{
    (void)state;
    const ur_real logits[5] = {3, -3, 3, -3, (ur_real)3e38};
    const unsigned char seen[5] = {1, 1, 0, 0, 1};
    ur_real out[5];
    ur__penalize(5, logits, 1.5, seen, out);
    assert_true(out[0] == 2 && out[1] == (ur_real)-4.5 && out[2] == 3 && out[3] == -3);
    ur__penalize(5, logits, 0.5, seen, out);
    assert_true(out[0] == 6 && out[1] == (ur_real)-1.5 && out[4] <= (ur_real)1e38);
}

static void sample__greedy_takes_the_first_likeliest(void **state)
{
    (void)state;
    const ur_real equal[V] = {0};
    for (int i = 0; i < 50; i++) {
        double u = i / 50.0;
        assert_int_equal(sample_one(some, options_of(0, 0, 1), u), 2);
        assert_int_equal(sample_one(some, options_of(0, 7, 0.5), u), 2);
        assert_int_equal(sample_one(equal, options_of(0, 0, 1), u), 0);
        int32_t cold = sample_one(some, options_of(1e-300, 0, 1), u);
        assert_int_equal(cold, u < 0.5 ? 2 : 3);
    }
    const ur_real falling[V] = {-1, -2, -3, -4, -5, -6, -7, -8, -9, (ur_real)-0.5};
    assert_int_equal(sample_one(falling, options_of(0, 0, 1), 0.3), V - 1);
}

static void sample__extremes_stay_in_range(void **state)
{
    (void)state;
    const double last = 1 - 0x1p-53;
    ur_real steep[V] = {0};
    steep[6] = sizeof(ur_real) == 4 ? (ur_real)3e38 : (ur_real)1e308;
    steep[7] = -steep[6];
    assert_int_equal(sample_one(some, options_of(1, 0, 1), 0), 0);
    assert_int_equal(sample_one(some, options_of(1, 0, 1), last), V - 1);
    assert_int_equal(sample_one(some, options_of(1e300, 0, 1), last), V - 1);
    assert_int_equal(sample_one(steep, options_of(1, 0, 1), 0), 6);
    assert_int_equal(sample_one(steep, options_of(1, 0, 1), last), 6);
    assert_int_equal(sample_one(steep, options_of(1, 3, 0.9), last), 6);
    /* Everything as likely: tenths. */
    for (int i = 0; i < V; i++)
        assert_int_equal(sample_one(some, options_of(1e300, 0, 1), (i + 0.5) / V), i);
}

static void sample__names_what_is_not_finite(void **state)
{
    (void)state;
    ur_real weight[V], logits[V] = {0};
    int32_t order[V], id;
    const struct ur__sample_work work = {weight, order};
    ur_sample_options o = options_of(1, 0, 1), greedy = options_of(0, 0, 1);
    logits[7] = (ur_real)NAN;
    assert_status(UR_ENUMERIC, ur__sample(V, logits, &o, 0.5, work, &id));
    assert_non_null(strstr(ur_errmsg(), "token 7"));
    assert_status(UR_ENUMERIC, ur__sample(V, logits, &greedy, 0.5, work, &id));
    logits[7] = (ur_real)INFINITY;
    assert_status(UR_ENUMERIC, ur__sample(V, logits, &greedy, 0.5, work, &id));
}

/* ---- sessions ---------------------------------------------------------- */

static ur_model *small_model(void)
{
    ur_options c = net_of("lm", "hidden=16 embed=8");
    ur_vocab *v;
    ur_model *m;
    uint32_t codes[V];
    for (uint32_t i = 0; i < V; i++)
        codes[i] = 'a' + i;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, V, codes));
    assert_ok(ur_model_new(&m, &c, 1, &v, 5));
    return m;
}

static void draw_text(ur_session *s, const ur_sample_options *o, int n, int32_t *ids)
{
    for (int i = 0; i < n; i++) {
        assert_ok(ur_session_draw(s, o, &ids[i]));
        assert_ok(ur_session_feed(s, ids[i]));
    }
}

static void session__draws_are_functions_of_seed_and_count(void **state)
{
    (void)state;
    enum { N = 200 };
    int32_t a[N], b[N], c[N], d[N];
    ur_model *m = small_model();
    ur_session *s, *t;
    ur_team *team;
    ur_sample_options o;
    ur_sample_options_init(&o);
    ur_sample_options other = o;
    other.seed = 124;
    assert_ok(ur_team_new(&team, 2));
    assert_ok(ur_session_new(&s, m, NULL));
    assert_ok(ur_session_new(&t, m, team));
    long allocations = ur__mem_allocations();
    draw_text(s, &o, N, a);
    draw_text(t, &o, N, b);
    assert_ok(ur_session_reset(s));
    draw_text(s, &o, N, c);
    assert_ok(ur_session_reset(t));
    draw_text(t, &other, N, d);
    assert_int_equal(ur__mem_allocations(), allocations);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(a, c, sizeof a);
    assert_memory_not_equal(a, d, sizeof a);
    assert_int_equal(ur_state_steps(ur_session_state(s)), N);
    /* A draw counts even if nothing is fed, and greedy ones count too. */
    ur_sample_options greedy = o;
    greedy.temperature = 0;
    assert_ok(ur_session_reset(s));
    assert_ok(ur_session_reset(t));
    int32_t first, second, skipped;
    assert_ok(ur_session_draw(s, &o, &first));
    assert_ok(ur_session_draw(s, &o, &second));
    assert_ok(ur_session_draw(t, &greedy, &skipped));
    assert_int_equal(skipped, 0);
    assert_ok(ur_session_draw(t, &o, &skipped));
    assert_int_equal(skipped, second);
    ur_session_free(s);
    ur_session_free(t);
    ur_team_free(team);
    ur_model_free(m);
    ur_session_free(NULL);
}

/* What was fed is what counts, until the reset. */
static void session__penalty_is_on_what_was_fed(void **state)
{
    (void)state;
    ur_model *m = small_model();
    ur_session *s;
    ur_sample_options o;
    ur_sample_options_init(&o);
    bool drawn[V] = {false};
    o.temperature = 0;
    o.repetition_penalty = 1e6;
    assert_ok(ur_session_new(&s, m, NULL));
    /* With all logits far above zero each token comes once. */
    ur_params *p = ur_model_params(m);
    for (int k = 0; k < V; k++)
        ur_param_data(p, ur_params_find(p, "decoder.bias"))[k] = 5;
    assert_ok(ur_model_prepare(m));
    assert_ok(ur_session_feed(s, 3));
    drawn[3] = true;
    for (int i = 1; i < V; i++) {
        int32_t id;
        assert_ok(ur_session_draw(s, &o, &id));
        assert_false(drawn[id]);
        drawn[id] = true;
        assert_ok(ur_session_feed(s, id));
    }
    assert_ok(ur_session_reset(s));
    o.repetition_penalty = 1;
    int32_t plain, penalized;
    assert_ok(ur_session_draw(s, &o, &plain));
    o.repetition_penalty = 1e6;
    assert_ok(ur_session_reset(s));
    assert_ok(ur_session_draw(s, &o, &penalized));
    assert_int_equal(plain, penalized);
    ur_session_free(s);
    ur_model_free(m);
}

/* Without a prime a text starts as a line does, if the vocabulary has lines. */
static void session__begins_after_a_line_feed(void **state)
{
    (void)state;
    static const uint32_t with[] = {'\n', 'a', 'b'}, without[] = {'a', 'b', 'c'};
    for (int i = 0; i < 2; i++) {
        ur_options config = net_of("lm", "hidden=4");
        ur_vocab *vocab;
        ur_model *m;
        ur_session *s, *fed;
        assert_ok(ur__vocab_new(&vocab, UR_TOKEN_CHAR, 3, i ? without : with));
        assert_ok(ur_model_new(&m, &config, 1, &vocab, 1));
        assert_ok(ur_session_new(&s, m, NULL));
        assert_ok(ur_session_new(&fed, m, NULL));
        assert_ok(ur_session_begin(s));
        if (i == 0)
            assert_ok(ur_session_feed(fed, 0));
        assert_int_equal(ur_state_steps(ur_session_state(s)), 1 - i);
        assert_memory_equal(ur_session_logits(s), ur_session_logits(fed), 3 * sizeof(ur_real));
        ur_session_free(s);
        ur_session_free(fed);
        ur_model_free(m);
    }
}

static void session__logits_are_the_models(void **state)
{
    (void)state;
    ur_model *m = small_model();
    ur_session *s;
    ur_runner *run;
    ur_real want[V];
    const ur_real zeros[V] = {0};
    assert_ok(ur_session_new(&s, m, NULL));
    assert_ok(ur_runner_new(&run, m, 1, NULL));
    assert_memory_equal(ur_session_logits(s), zeros, sizeof zeros);
    for (int32_t i = 0; i < 3 * V; i++) {
        int32_t id = i * 3 % V;
        assert_ok(ur_runner_run(run, 1, &id, want));
        assert_ok(ur_session_feed(s, id));
        assert_memory_equal(ur_session_logits(s), want, sizeof want);
    }
    assert_status(UR_EINVAL, ur_session_feed(s, V));
    assert_status(UR_EINVAL, ur_session_feed(s, -1));
    assert_memory_equal(ur_session_logits(s), want, sizeof want);
    assert_ok(ur_session_reset(s));
    assert_memory_equal(ur_session_logits(s), zeros, sizeof zeros);
    assert_int_equal(ur_state_steps(ur_session_state(s)), 0);
    ur_runner_free(run);
    ur_session_free(s);
    ur_model_free(m);
}

static void session__stops_at_what_is_not_finite(void **state)
{
    (void)state;
    ur_model *m = small_model();
    ur_session *s;
    ur_sample_options o;
    ur_sample_options_init(&o);
    ur_sample_options bad = o;
    int32_t id;
    ur_params *p = ur_model_params(m);
    ur_param_data(p, ur_params_find(p, "decoder.bias"))[3] = (ur_real)NAN;
    assert_ok(ur_model_prepare(m));
    assert_ok(ur_session_new(&s, m, NULL));
    assert_status(UR_ENUMERIC, ur_session_feed(s, 1));
    assert_string_equal(ur_errmsg(), "output 3 of the network is not finite");
    assert_status(UR_ENUMERIC, ur_session_feed(s, 1));
    assert_status(UR_ENUMERIC, ur_session_draw(s, &o, &id));
    assert_ok(ur_session_reset(s));
    assert_ok(ur_session_draw(s, &o, &id));
    bad.top_p = 2;
    assert_status(UR_EINVAL, ur_session_draw(s, &bad, &id));
    ur_session_free(s);
    ur_model_free(m);
}

static void session__survives_any_failed_allocation(void **state)
{
    (void)state;
    ur_model *m = small_model();
    ur_session *s = NULL;
    long blocks = ur__mem_blocks(), n = 0;
    while (!s) {
        ur__mem_fail_at(++n, false);
        ur_status status = ur_session_new(&s, m, NULL);
        ur__mem_fail_at(0, false);
        assert_true(status == UR_OK || (status == UR_ENOMEM && !s));
        if (!s)
            assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_true(n > 4);
    ur_session_free(s);
    assert_int_equal(ur__mem_blocks(), blocks);
    ur_model_free(m);
}

/* ---- metrics ----------------------------------------------------------- */

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12))
        fail_msg("%.17g is not %.17g", a, b);
}

static void check_metrics(double loss, double hits, double n, double unknown, bool words)
{
    const double sums[UR__TEXT_SUMS] = {
        [UR__TEXT_LOSS] = loss, [UR__TEXT_HITS] = hits, [UR__TEXT_N] = n,
        [UR__TEXT_UNKNOWN] = unknown
    };
    ur_metrics m;
    ur_metrics_init(&m);
    ur__text_figures(sums, words ? "word" : "character", words, &m);
    assert_int_equal(m.n, words ? 6 : 5);
    assert_string_equal(m.at[0].name, "loss");
    assert_true(ur_metrics_get(&m, "n") == n);
    assert_int_equal(isnan(ur_metrics_get(&m, "bpc")), words || n == 0);
    assert_int_equal(ur_metrics_find(&m, "unk") == NULL, !words);
    assert_null(ur_metrics_find(&m, "sheep"));
    for (int i = 0; i < m.n; i++)
        assert_int_equal(m.at[i].rising, strcmp(m.at[i].name, "accuracy") == 0);
    if (n == 0) {
        for (int i = 0; i < m.n - 1; i++)
            assert_true(isnan(m.at[i].value));
        return;
    }
    assert_near(ur_metrics_get(&m, "loss"), loss / n);
    assert_near(ur_metrics_get(&m, "perplexity"), exp(loss / n));
    assert_near(ur_metrics_get(&m, "accuracy"), hits / n);
    if (words)
        assert_near(ur_metrics_get(&m, "unk"), unknown / n);
    else
        assert_near(ur_metrics_get(&m, "bpc"), loss / n / log(2));
}

static void metrics__follow_from_sums(void **state)
{
    (void)state;
    for (int words = 0; words < 2; words++) {
        check_metrics(8 * log(4), 6, 8, 2, words);
        check_metrics(0, 0, 0, 0, words);
    }
    ur_metrics m;
    ur_metrics_init(&m);
    assert_true(isnan(ur_metrics_get(&m, "loss")));
    for (int i = 0; i < 2 * UR_MAX_METRICS; i++)
        ur_metrics_add(&m, "x", "", false, i);
    assert_int_equal(m.n, UR_MAX_METRICS);
}

static void correlation__lies_between_minus_one_and_one(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4}, b[] = {-2, -4, -6, -8}, c[] = {0.1, 0.1, 0.1, 0.1};
    const double d[] = {1, -1, -1, 1}, e[] = {1, 3, 2, 5};
    const double f[] = {2, 2, 5, 6};    /* begins as if it were constant */
    assert_near(ur_correlation(4, a, a), 1);
    assert_near(ur_correlation(4, a, b), -1);
    assert_true(ur_correlation(4, a, c) == 0);
    assert_true(ur_correlation(4, c, a) == 0);
    assert_near(ur_correlation(4, a, d), 0);
    assert_near(ur_correlation(4, a, e), 5.5 / sqrt(5 * 8.75));
    assert_near(ur_correlation(4, a, f), 7.5 / sqrt(5 * 12.75));
    /* The mean of ten times 0.1 is not 0.1; squares that vanish; a spread of exactly 1. */
    const double g[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 9}, h[] = {0, 1e-200, 0, 1e-200};
    const double i[] = {0, 1, 0, 1};
    assert_true(ur_correlation(10, g, x) == 0 && ur_correlation(10, x, g) == 0);
    assert_true(ur_correlation(4, a, h) == 0);
    assert_near(ur_correlation(4, i, i), 1);
    assert_true(ur_correlation(1, a, b) == 0);
    assert_true(ur_correlation(0, NULL, NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__refuse_what_is_impossible),
        cmocka_unit_test(sample__follows_the_softmax),
        cmocka_unit_test(sample__top_k_keeps_the_likeliest),
        cmocka_unit_test(sample__top_p_keeps_the_fewest_that_reach_it),
        cmocka_unit_test(sample__min_p_keeps_what_is_near_the_likeliest),
        cmocka_unit_test(sample__penalty_makes_what_was_seen_less_likely),
        cmocka_unit_test(session__penalty_is_on_what_was_fed),
        cmocka_unit_test(sample__greedy_takes_the_first_likeliest),
        cmocka_unit_test(sample__extremes_stay_in_range),
        cmocka_unit_test(sample__names_what_is_not_finite),
        cmocka_unit_test(session__draws_are_functions_of_seed_and_count),
        cmocka_unit_test(session__begins_after_a_line_feed),
        cmocka_unit_test(session__logits_are_the_models),
        cmocka_unit_test(session__stops_at_what_is_not_finite),
        cmocka_unit_test(session__survives_any_failed_allocation),
        cmocka_unit_test(metrics__follow_from_sums),
        cmocka_unit_test(correlation__lies_between_minus_one_and_one),
    };
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
