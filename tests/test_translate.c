/* SPDX-License-Identifier: MIT */
/* Networks that translate: rows of a runner against one pass on a tape, a sequence against its
 * company, and a beam against all sequences that there are. */
#include "translate_models.h"

#include <math.h>

enum { V = 7, W = 6 };

/* ---- bits -------------------------------------------------------------- */

static struct pairs_batch some_pairs(uint64_t seed)
{
    struct pairs_batch p = {.S = 9, .T = 8, .B = 7};
    pairs_fill(&p, seed, V, W);
    return p;
}

static const ur_real *outputs_of(ur_tape *tape, const ur_model *m, const ur_batch *batch)
{
    ur_tape_reset(tape);
    const ur_tensor *y = ur_model_outputs(tape, m, batch, NULL);
    assert_ok(ur_tape_status(tape));
    return ur_data(y);
}

static ur_batch source_of(const struct pairs_batch *p)
{
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_batch_ids(&batch, "source", p->S, p->B, p->source, p->source_lengths));
    return batch;
}

static void rows__have_the_bits_of_one_pass(void **unused)
{
    (void)unused;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 5);
        const struct pairs_batch p = some_pairs((uint64_t)k);
        const ur_batch all = pairs_batch(&p), given = source_of(&p);
        const ur_real *y = outputs_of(tape, m, &all);
        ur_runner *r;
        assert_ok(ur_runner_new(&r, m, p.B, NULL));
        for (int twice = 0; twice < 2; twice++) {
            assert_ok(ur_runner_begin(r, 0, &given));
            for (int t = 0; t < p.T; t++) {
                assert_ok(ur_runner_step(r, p.input + (ptrdiff_t)t * p.B));
                for (int b = 0; b < p.B; b++)
                    if (t < p.lengths[b])
                        assert_memory_equal(ur_runner_output(r, b),
                                            y + ((ptrdiff_t)t * p.B + b) * W, W * sizeof *y);
            }
        }
        ur_runner_free(r);
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

static void outputs__do_not_hang_on_the_batch(void **unused)
{
    (void)unused;
    ur_tape *tape, *other;
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_tape_new(&other, NULL));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 5);
        const struct pairs_batch p = some_pairs(30 + (uint64_t)k);
        const ur_batch all = pairs_batch(&p);
        const ur_real *y = outputs_of(tape, m, &all);
        for (int b = 0; b < p.B; b++) {
            struct pairs_batch one;
            pairs_take(&one, &p, b);
            const ur_batch alone = pairs_batch(&one);
            const ur_real *z = outputs_of(other, m, &alone);
            for (int t = 0; t < one.T; t++)
                assert_memory_equal(z + (ptrdiff_t)t * W, y + ((ptrdiff_t)t * p.B + b) * W,
                                    W * sizeof *y);
        }
        ur_model_free(m);
    }
    ur_tape_free(tape);
    ur_tape_free(other);
}

/* Rows that come from one source go on apart; others begin in the midst. */
static void rows__branch_and_begin_anew(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 6);
        const struct pairs_batch p = some_pairs(60 + (uint64_t)k);
        ur_runner *r, *alone;
        struct pairs_batch one[2];
        ur_batch given[2];
        for (int i = 0; i < 2; i++) {
            pairs_take(&one[i], &p, i + 1);
            given[i] = source_of(&one[i]);
        }
        assert_ok(ur_runner_new(&r, m, 3, NULL));
        assert_ok(ur_runner_new(&alone, m, 1, NULL));
        assert_ok(ur_runner_select(r, 1, (const int[]){-1}));
        assert_ok(ur_runner_begin(r, 0, &given[0]));
        assert_ok(ur_runner_step(r, (const int32_t[]){0}));
        assert_ok(ur_runner_select(r, 3, (const int[]){0, -1, 0}));
        assert_ok(ur_runner_begin(r, 1, &given[1]));
        assert_ok(ur_runner_step(r, (const int32_t[]){2, 0, 3}));
        for (int row = 0; row < 3; row++) {
            assert_ok(ur_runner_begin(alone, 0, &given[row == 1]));
            assert_ok(ur_runner_step(alone, (const int32_t[]){0}));
            if (row != 1)
                assert_ok(ur_runner_step(alone, (const int32_t[]){row ? 3 : 2}));
            assert_memory_equal(ur_runner_output(r, row), ur_runner_output(alone, 0),
                                W * sizeof(ur_real));
        }
        ur_runner_free(r);
        ur_runner_free(alone);
        ur_model_free(m);
    }
}

static void weights__are_shares_of_the_source(void **unused)
{
    (void)unused;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 7);
        const struct pairs_batch p = some_pairs(90 + (uint64_t)k);
        const ur_batch all = pairs_batch(&p);
        ur_tensor *w;
        ur_tape_reset(tape);
        ur__translate_weights(tape, m, &all, &w);
        assert_ok(ur_tape_status(tape));
        assert_int_equal(w != NULL, ur__translate_attends(m));
        for (int b = 0; w && b < p.B; b++)
            for (int t = 0; t < p.T; t++) {
                const ur_real *row = ur_data(w) + ((ptrdiff_t)b * p.T + t) * p.S;
                double sum = 0;
                for (int s = 0; s < p.S; s++) {
                    assert_true(s < p.source_lengths[b] ? row[s] > 0 : row[s] == 0);
                    sum += (double)row[s];
                }
                assert_true(fabs(sum - 1) < 1e-5);
            }
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

/* ---- searching --------------------------------------------------------- */

enum { NETS = 500, LETTERS = 3, LONG = 4, TREE = 81 };

/* The best of all sequences over the tokens that end with token 0 or are LONG, by the model's own
 * log probabilities. */
struct best {
    int32_t ids[LONG];
    int n;
    double log_p, score;
};

/* log p of ids [n] after the source. */
static double log_p_of(ur_tape *tape, const ur_model *m, const struct pairs_batch *p,
                       const int32_t *ids, int n)
{
    struct pairs_batch q = *p;
    double sum = 0;
    q.T = q.lengths[0] = n;
    for (int t = 0; t < n; t++) {
        q.input[t] = t ? ids[t - 1] : 0;
        q.target[t] = ids[t];
    }
    const ur_batch batch = pairs_batch(&q);
    ur_tape_reset(tape);
    const ur_tensor *y = ur_log_softmax(ur_model_outputs(tape, m, &batch, NULL));
    assert_ok(ur_tape_status(tape));
    for (int t = 0; t < n; t++)
        sum += (double)ur_data(y)[t * LETTERS + ids[t]];
    return sum;
}

static void try_all(ur_tape *tape, const ur_model *m, const struct pairs_batch *p, double power,
                    struct best *best)
{
    best->score = -(double)INFINITY;
    for (int code = 0; code < TREE; code++) {
        struct best one = {.n = LONG};
        for (int t = 0, rest = code; t < LONG; t++, rest /= LETTERS) {
            one.ids[t] = rest % LETTERS;
            if (one.ids[t] == 0 && one.n == LONG)
                one.n = t + 1;
        }
        one.log_p = log_p_of(tape, m, p, one.ids, one.n);
        one.score = one.log_p / pow(one.n, power);
        if (one.score > best->score + 1e-6)
            *best = one;
    }
}

/* Weights so large that tokens matter to each other. */
static ur_model *sharp_model(const char *settings, uint64_t seed)
{
    ur_model *m = translate_model(settings, 4, LETTERS, seed);
    ur_params *params = ur_model_params(m);
    for (size_t i = 0; i < ur_params_size(params); i++)
        ur_params_values(params)[i] *= 3;
    assert_ok(ur_model_prepare(m));
    return m;
}

static void beam__as_wide_as_the_tree_finds_the_best(void **unused)
{
    (void)unused;
    ur_tape *tape;
    double worst = 0;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < NETS; i++) {
        const double power = i % 3 * 0.5;
        ur_model *m = sharp_model(translate_nets[i % N_TRANSLATE_NETS], 1000 + (uint64_t)i);
        struct pairs_batch p = {.S = 1 + i % 5, .T = 1, .B = 1};
        struct best best;
        const ur_hypothesis *found;
        ur_beam_options o;
        ur_beam *beam;
        int n;
        pairs_fill(&p, (uint64_t)i, 4, LETTERS);
        const ur_batch given = source_of(&p);
        ur_beam_options_init(&o);
        o.width = o.ended = TREE;
        o.most = LONG;
        o.length_power = power;
        assert_ok(ur_beam_new(&beam, m, &o, NULL));
        assert_ok(ur_beam_search(beam, &given, &found, &n));
        assert_int_equal(n, 1);
        try_all(tape, m, &p, power, &best);
        const double off = fabs(found->score - best.score);
        worst = off > worst ? off : worst;
        assert_true(off < 1e-5);
        assert_true(fabs(log_p_of(tape, m, &p, found->ids, found->n) - found->log_p) < 1e-5);
        ur_beam_free(beam);
        ur_model_free(m);
    }
    ur_tape_free(tape);
    print_message("%d nets, %d sequences each: scores differ by at most %.1e\n", NETS, TREE,
                  worst);
}

static void same_hypotheses(const ur_hypothesis *a, const ur_hypothesis *b, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(a[i].n, b[i].n);
        assert_memory_equal(a[i].ids, b[i].ids, (size_t)a[i].n * sizeof *a[i].ids);
        assert_true(a[i].log_p == b[i].log_p && a[i].score == b[i].score);
    }
}

static void beam__finds_the_same_in_any_company(void **unused)
{
    (void)unused;
    ur_team *team;
    assert_ok(ur_team_new(&team, 3));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 8);
        const struct pairs_batch p = some_pairs(120 + (uint64_t)k);
        const ur_batch all = source_of(&p);
        const ur_hypothesis *found[8], *alone;
        int n[8], most[8], m_alone;
        ur_beam_options o;
        ur_beam *many, *one;
        ur_beam_options_init(&o);
        o.width = 5;
        o.best = 3;
        o.ended = k % 2 ? 5 : 0;
        o.most = 20;
        o.length_power = 0.7;
        o.sequences = 8;
        for (int b = 0; b < p.B; b++)
            most[b] = 6 + 2 * b;
        assert_ok(ur_beam_new(&many, m, &o, team));
        assert_ok(ur_beam_search_all(many, &all, most, found, n));
        o.sequences = 1;
        for (int b = 0; b < p.B; b++) {
            struct pairs_batch q;
            pairs_take(&q, &p, b);
            const ur_batch given = source_of(&q);
            o.most = most[b];
            assert_ok(ur_beam_new(&one, m, &o, NULL));
            assert_ok(ur_beam_search(one, &given, &alone, &m_alone));
            assert_int_equal(m_alone, n[b]);
            same_hypotheses(alone, found[b], n[b]);
            ur_beam_free(one);
        }
        ur_beam_free(many);
        ur_model_free(m);
    }
    ur_team_free(team);
}

static void beam__of_width_1_takes_the_likeliest(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 9);
        struct pairs_batch p = {.S = 5, .T = 1, .B = 1};
        pairs_fill(&p, (uint64_t)k, V, W);
        const ur_batch given = source_of(&p);
        const ur_hypothesis *found;
        ur_beam_options o;
        ur_beam *beam;
        ur_runner *r;
        int n;
        ur_beam_options_init(&o);
        o.width = o.ended = 1;
        o.most = 12;
        assert_ok(ur_beam_new(&beam, m, &o, NULL));
        assert_ok(ur_beam_search(beam, &given, &found, &n));
        assert_ok(ur_runner_new(&r, m, 1, NULL));
        assert_ok(ur_runner_begin(r, 0, &given));
        for (int t = 0; t < found->n; t++) {
            const int32_t fed = t ? found->ids[t - 1] : 0;
            assert_ok(ur_runner_step(r, &fed));
            const ur_real *y = ur_runner_output(r, 0);
            for (int i = 0; i < W; i++)
                assert_true(y[i] <= y[found->ids[t]]);
        }
        assert_true(found->n == 12 || found->ids[found->n - 1] == 0);
        ur_runner_free(r);
        ur_beam_free(beam);
        ur_model_free(m);
    }
}

/* Drawn, too, a sequence gets the same in any company, with the model's own probabilities; without
 * temperature it is the likeliest. */
static void beam__draws_the_same_in_any_company(void **unused)
{
    (void)unused;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = sharp_model(translate_nets[k], 70 + (uint64_t)k);
        struct pairs_batch p = {.S = 6, .T = 1, .B = 7};
        const ur_hypothesis *found[8], *alone;
        int n[8], m_alone, differ = 0;
        ur_sample_options draw;
        ur_beam_options o;
        ur_beam *many, *one, *likeliest;
        pairs_fill(&p, (uint64_t)k, 4, LETTERS);
        const ur_batch all = source_of(&p);
        ur_sample_options_init(&draw);
        ur_beam_options_init(&o);
        o.width = o.best = 5;
        o.most = 9;
        o.sequences = 8;
        o.draw = &draw;
        assert_ok(ur_beam_new(&many, m, &o, NULL));
        assert_ok(ur_beam_search_all(many, &all, NULL, found, n));
        assert_ok(ur_beam_new(&one, m, &o, NULL));
        draw.temperature = 0;
        o.width = o.best = 1;
        assert_ok(ur_beam_new(&likeliest, m, &o, NULL));
        o.draw = NULL;
        for (int b = 0; b < p.B; b++) {
            struct pairs_batch q;
            pairs_take(&q, &p, b);
            q.T = 1;
            const ur_batch given = source_of(&q);
            assert_ok(ur_beam_search(one, &given, &alone, &m_alone));
            assert_int_equal(m_alone, 5);
            assert_int_equal(n[b], 5);
            same_hypotheses(alone, found[b], 5);
            for (int i = 0; i < 5; i++) {
                assert_true(fabs(log_p_of(tape, m, &q, alone[i].ids, alone[i].n) - alone[i].log_p)
                            < 1e-5);
                differ += alone[i].n != alone[0].n
                    || memcmp(alone[i].ids, alone[0].ids, (size_t)alone[0].n * 4) != 0;
            }
            ur_beam *greedy;
            const ur_hypothesis *a, *c;
            assert_ok(ur_beam_new(&greedy, m, &o, NULL));
            assert_ok(ur_beam_search(greedy, &given, &a, &m_alone));
            assert_ok(ur_beam_search(likeliest, &given, &c, &m_alone));
            same_hypotheses(a, c, 1);
            ur_beam_free(greedy);
        }
        assert_true(differ > 0);
        ur_beam_free(many);
        ur_beam_free(one);
        ur_beam_free(likeliest);
        draw.temperature = -1;
        o.draw = &draw;
        assert_status(UR_EINVAL, ur_beam_new(&many, m, &o, NULL));
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

static void search__allocates_nothing_by_the_step(void **unused)
{
    (void)unused;
    ur_model *m = translate_model(translate_nets[4], V, W, 9);
    const struct pairs_batch p = some_pairs(3);
    const ur_batch given = source_of(&p);
    const ur_hypothesis *found[8];
    int n[8];
    ur_beam_options o;
    ur_beam *beam;
    ur_beam_options_init(&o);
    o.sequences = 8;
    assert_ok(ur_beam_new(&beam, m, &o, NULL));
    assert_ok(ur_beam_search_all(beam, &given, NULL, found, n));
    const long before = ur__mem_allocations();
    assert_ok(ur_beam_search_all(beam, &given, NULL, found, n));
    assert_int_equal(ur__mem_allocations(), before);
    ur_beam_free(beam);
    ur_model_free(m);
}

/* ---- what is refused --------------------------------------------------- */

static void refuse(const char *settings, const char *message)
{
    ur_options c = net_of("translate", settings);
    assert_status(UR_EINVAL, ur_config_check(&c));
    expect_message(message);
}

static void options__that_are_impossible(void **unused)
{
    (void)unused;
    refuse("cell=none", "cell none has no memory");
    refuse("attention=none input-feeding=yes", "input-feeding feeds back what was attended to");
    refuse("attention=dot decoder-hidden=9", "attention dot needs a decoder that puts out");
    refuse("sampling-steps=9", "sampling-steps belongs to scheduled-sampling");
    refuse("decoder-hidden=9,8 decoder-layers=3", "hidden lists 2 layers but layers is 3");
}

/* A file has all there is to run it; vocabularies that cannot be are refused. */
static void models__are_saved_and_loaded(void **unused)
{
    (void)unused;
    ur_tape *tape, *other;
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_tape_new(&other, NULL));
    for (int k = 0; k < N_TRANSLATE_NETS; k++) {
        ur_model *m = translate_model(translate_nets[k], V, W, 5), *again;
        const struct pairs_batch p = some_pairs(200 + (uint64_t)k);
        const ur_batch all = pairs_batch(&p);
        const char *path = tmp_path("t.safetensors");
        assert_ok(ur_model_save(m, path));
        assert_ok(ur_model_load(&again, path));
        assert_memory_equal(outputs_of(tape, m, &all), outputs_of(other, again, &all),
                            (size_t)p.T * (size_t)p.B * W * sizeof(ur_real));
        ur_model_free(m);
        ur_model_free(again);
    }
    ur_tape_free(tape);
    ur_tape_free(other);
    const ur_options c = net_of("translate", "hidden=4 embed=3");
    const uint32_t letters[] = {'a', 'b'};
    ur_vocab *v[2] = {vocab_of(V), NULL};
    ur_model *m;
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 2, v, 1));
    expect_message("the vocabulary \"target\" is NULL");
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 1, v, 1));
    assert_ok(ur__vocab_new(&v[1], UR_TOKEN_CHAR, 2, letters));
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 2, v, 1));
    expect_message("the vocabulary of what is decoded has no line's end");
    ur_vocab *const turned[] = {v[1], v[0]};
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 2, turned, 1));
    expect_message("the vocabulary of the source has no line's end");
    ur_vocab_free(v[0]);
    ur_vocab_free(v[1]);
}

static void calls__that_are_wrong(void **unused)
{
    (void)unused;
    ur_model *m = translate_model(translate_nets[0], V, W, 9);
    const struct pairs_batch p = some_pairs(4);
    const ur_batch all = pairs_batch(&p), given = source_of(&p);
    const ur_hypothesis *found[8];
    int n[8], most[8] = {0};
    ur_beam_options o;
    ur_beam *beam;
    ur_runner *r;
    assert_ok(ur_runner_new(&r, m, 2, NULL));
    assert_status(UR_EINVAL, ur_runner_begin(r, 0, &given));
    expect_message("7 sequences cannot begin at row 0 of 2");
    assert_status(UR_EINVAL, ur_runner_begin(r, 0, NULL));
    expect_message("a translation begins with a source");
    assert_status(UR_EINVAL, ur_runner_step(r, (const int32_t[]){0, 0}));
    expect_message("row 0 has nothing to look back at");
    ur_beam_options_init(&o);
    o.sequences = 7;
    assert_ok(ur_beam_new(&beam, m, &o, NULL));
    assert_status(UR_EINVAL, ur_beam_search_all(beam, &all, NULL, found, n));
    assert_status(UR_EINVAL, ur_beam_search_all(beam, &given, most, found, n));
    expect_message("1 to 256 tokens at most, not 0");
    ur_beam_free(beam);
    o.sequences = 6;
    assert_ok(ur_beam_new(&beam, m, &o, NULL));
    assert_status(UR_EINVAL, ur_beam_search_all(beam, &given, NULL, found, n));
    expect_message("7 sequences are more than the beam's 6");
    ur_beam_free(beam);
    o.ended = -1;
    assert_status(UR_EINVAL, ur_beam_new(&beam, m, &o, NULL));
    o.ended = 0;
    o.sequences = 1 << 19;
    assert_status(UR_EINVAL, ur_beam_new(&beam, m, &o, NULL));
    ur_runner_free(r);
    ur_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows__have_the_bits_of_one_pass),
        cmocka_unit_test(outputs__do_not_hang_on_the_batch),
        cmocka_unit_test(rows__branch_and_begin_anew),
        cmocka_unit_test(weights__are_shares_of_the_source),
        cmocka_unit_test(beam__as_wide_as_the_tree_finds_the_best),
        cmocka_unit_test(beam__finds_the_same_in_any_company),
        cmocka_unit_test(beam__of_width_1_takes_the_likeliest),
        cmocka_unit_test(beam__draws_the_same_in_any_company),
        cmocka_unit_test(search__allocates_nothing_by_the_step),
        cmocka_unit_test(models__are_saved_and_loaded),
        cmocka_unit_test(options__that_are_impossible),
        cmocka_unit_test(calls__that_are_wrong),
    };
    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
