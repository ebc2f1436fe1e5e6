/* SPDX-License-Identifier: MIT */
/* What somebody adds to the lists, used as the library's own: an encoder-decoder over two files
 * with two vocabularies and a number beside each line (extra/arch_pair.c, extra/task_pair.c), and
 * cells. It is best by a rising figure and decoded by a beam over the rows of a runner. */
#include "test_task.h"

#include <math.h>

#include "model/arch.h"
#include "unroll/decode.h"

enum { LINES = 400, LONGEST = 4, LETTERS = 3, CODES = 300 };

static const char *pair_path[2];

/* A word of a, b, c; the target is its letters in capitals, turned round where the number is
 * above 0. */
static int set_up_pairs(void **unused)
{
    (void)unused;
    for (int side = 0; side < 2; side++)
        pair_path[side] = strdup(tmp_path(side ? "target.txt" : "source.txt"));
    FILE *source = fopen(pair_path[0], "w"), *target = fopen(pair_path[1], "w");
    assert_true(source && target);
    for (uint32_t i = 0; i < LINES; i++) {
        int n = 1 + (int)(LONGEST * ur_random_uniform(7, 0, 0, i));
        bool turn = ur_random_uniform(7, 1, 0, i) < 0.5;
        char word[LONGEST + 1] = "", other[LONGEST + 1] = "";
        n = n < LONGEST ? n : LONGEST;
        for (int t = 0; t < n; t++)
            word[t] = (char)('a' + (int)(LETTERS * ur_random_uniform(7, 2 + (uint32_t)t, 0, i)));
        for (int t = 0; t < n; t++)
            other[t] = (char)(word[turn ? n - 1 - t : t] - 'a' + 'A');
        fprintf(source, "%s\t%s\n", turn ? "1" : "-1", word);
        fprintf(target, "%s\n", other);
    }
    assert_int_equal(fclose(source) | fclose(target), 0);
    return 0;
}

static int tear_down_pairs(void **unused)
{
    (void)unused;
    for (int side = 0; side < 2; side++)
        free((void *)(uintptr_t)pair_path[side]);
    return 0;
}

static ur_train_options pair_run(const char *model, const char *settings)
{
    ur_train_options o = run_of("pair", "encoder-hidden=32 decoder-hidden=32 encoder-cell=gru");
    o.data = pair_path;
    o.n_data = 2;
    o.model = model;
    o.batch = 16;
    o.lr = 0.01;
    o.steps = 900;
    set_run(&o, settings);
    return o;
}

struct seen {
    int validations;
    double best, accuracy;
    const char *best_name;
    int64_t steps;
    int64_t cancel_at;
};

static bool see(void *user, const ur_report *r)
{
    struct seen *s = user;
    if (r->kind == UR_REPORT_VALID) {
        s->validations++;
        s->best = r->best;
        s->accuracy = ur_metrics_get(r->metrics, "accuracy");
        s->best_name = r->best_name;
    }
    s->steps = r->step;
    return !s->cancel_at || r->step < s->cancel_at;
}

/* ---- training ---------------------------------------------------------- */

static void pair__learns_and_is_measured(void **unused)
{
    (void)unused;
    const char *path = tmp_path("learns.safetensors");
    const ur_train_options o = pair_run(path, "eval-every=225");
    struct seen s = {0};
    ur_model *m;
    ur_metrics found;
    ur_metrics_init(&found);
    assert_ok(ur_train(&o, see, &s));
    assert_string_equal(s.best_name, "accuracy");
    assert_int_equal(s.validations, 4);
    assert_true(s.best > 0.9 && s.best >= s.accuracy);
    assert_ok(ur_model_load(&m, path));
    assert_string_equal(ur_model_arch(m), "pair");
    assert_int_equal(ur_vocab_size(ur_model_vocab(m, "source")), LETTERS + 1);
    assert_non_null(ur_model_vocab(m, "target"));
    ur_eval_options all = eval_of(pair_path, 2);
    assert_ok(ur_evaluate(m, &all, &found));
    assert_true(ur_metrics_get(&found, "accuracy") > 0.9);
    assert_true(ur_metrics_get(&found, "loss") > 0);
    ur_model_free(m);
}

/* A model whose tensor of another type, which nothing trains, is filled. The numbers are its
 * own until it is freed. */
static ur_model *coded(const char *path, int8_t **numbers)
{
    ur_model *m;
    const ur_train_options o = pair_run(path, "steps=2");
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&m, path));
    const ur_typed *code = ur_params_find_typed(ur_model_params(m), "code");
    *numbers = ur_typed_data(ur_model_params(m), code, UR_TYPE_I8);
    for (int i = 0; i < CODES; i++)
        (*numbers)[i] = (int8_t)(i * 7 % 256 - 128);
    return m;
}

static void assert_code(const char *path, const int8_t *numbers)
{
    ur_model *m;
    assert_ok(ur_model_load(&m, path));
    const ur_typed *code = ur_params_find_typed(ur_model_params(m), "code");
    assert_memory_equal(ur_typed_data(ur_model_params(m), code, UR_TYPE_I8), numbers, CODES);
    ur_model_free(m);
}

static void pair__keeps_numbers_of_another_type(void **unused)
{
    (void)unused;
    const char *path = tmp_path("kinds.safetensors"), *copy = tmp_path("copy.safetensors");
    int8_t *numbers;
    ur_model *m = coded(path, &numbers);
    assert_ok(ur_model_save(m, copy));
    assert_code(copy, numbers);
    /* A run that begins with its weights has them too. */
    ur_train_options from = pair_run(path, "steps=1 force=yes");
    assert_ok(ur_train_set(&from, "init-from", copy));
    assert_ok(ur_train(&from, NULL, NULL));
    assert_code(path, numbers);
    ur_model_free(m);
}

/* More of it is better: with a rate of next to nothing nothing gets better. */
static void pair__stops_early(void **unused)
{
    (void)unused;
    const ur_train_options o = pair_run(tmp_path("early.safetensors"),
                                        "eval-every=5 patience=2 lr=1e-30");
    struct seen s = {0};
    assert_ok(ur_train(&o, see, &s));
    assert_int_equal(s.steps, 15);
    assert_true(s.best == s.accuracy);
}

static void pair__resumes_to_the_same_bits(void **unused)
{
    (void)unused;
    const char *whole = tmp_path("whole.safetensors"), *parts = tmp_path("parts.safetensors");
    const char *settings = "eval-every=20 checkpoint-every=10 decoder-zoneout=0.1";
    ur_train_options o = pair_run(whole, settings);
    o.steps = 60;
    assert_ok(ur_train(&o, NULL, NULL));
    struct seen s = {.cancel_at = 33};
    o = pair_run(parts, settings);
    o.steps = 60;
    o.report_every = 1;
    assert_status(UR_ECANCELED, ur_train(&o, see, &s));
    o.resume = true;
    s.cancel_at = 0;
    assert_ok(ur_train(&o, see, &s));
    assert_same_run(whole, parts);
}

static void pair__resumes_with_numbers_of_another_type(void **unused)
{
    (void)unused;
    const char *first = tmp_path("first.safetensors"), *whole = tmp_path("whole_code.safetensors");
    const char *parts = tmp_path("parts_code.safetensors");
    int8_t *numbers;
    ur_model *m = coded(first, &numbers);
    assert_ok(ur_model_save(m, first));
    struct seen s = {.cancel_at = 13};
    ur_train_options o = pair_run(whole, "steps=20 checkpoint-every=10");
    assert_ok(ur_train_set(&o, "init-from", first));
    assert_ok(ur_train(&o, NULL, NULL));
    o.model = parts;
    o.report_every = 1;
    assert_status(UR_ECANCELED, ur_train(&o, see, &s));
    o.resume = true;
    s.cancel_at = 0;
    assert_ok(ur_train(&o, see, &s));
    assert_same_run(whole, parts);
    assert_code(parts, numbers);
    ur_model_free(m);
}

/* The first run of the process: the peak is its own. */
static void pair__plan_holds(void **unused)
{
    (void)unused;
    ur_train_options o = pair_run(tmp_path("plan.safetensors"), "eval-every=20");
    ur_plan plan;
    ur_plan_init(&plan);
    o.steps = 40;
    o.batch = 64;
    set_run(&o, "encoder-hidden=96 decoder-hidden=96");
    assert_ok(ur_train_plan(&o, 0, NULL, NULL, &plan));
    size_t before = ur_memory_used();
    assert_ok(ur_train(&o, NULL, NULL));
    size_t peak = ur_memory_peak() - before;
    double ratio = (double)plan.memory / (double)peak;
    print_message("plan %zu, peak %zu: %+.1f %%\n", plan.memory, peak, 100 * (ratio - 1));
    assert_true(ratio > 0.97 && ratio < 1.03);
    size_t size;
    ur__free(read_all(with_end(o.model, ".state"), &size));
    ratio = (double)plan.state_file / (double)size;
    print_message("state %zu, planned %+.1f %%\n", size, 100 * (ratio - 1));
    assert_true(ratio > 0.97 && ratio < 1.03);
}

static void pair__refuses_what_cannot_be(void **unused)
{
    (void)unused;
    ur_train_options o = pair_run(tmp_path("none.safetensors"), "");
    o.n_data = 1;
    assert_status(UR_EINVAL, ur_train(&o, NULL, NULL));
    assert_message("two files");
    const char *turned[] = {pair_path[1], pair_path[0]};
    o = pair_run(tmp_path("none.safetensors"), "");
    o.data = turned;
    assert_status(UR_EDATA, ur_train(&o, NULL, NULL));
    assert_message("number and a tab");
}

/* ---- a beam ------------------------------------------------------------ */

static double log_share(const ur_real *logits, int V, int id)
{
    double most = -HUGE_VAL, sum = 0;
    for (int i = 0; i < V; i++)
        most = fmax(most, (double)logits[i]);
    for (int i = 0; i < V; i++)
        sum += exp((double)logits[i] - most);
    return (double)logits[id] - most - log(sum);
}

static void given(const ur_model *m, const char *word, const ur_real *number, int32_t *ids,
                  ur_batch *batch)
{
    static const int one[] = {1, 1};
    size_t n;
    assert_ok(ur_vocab_encode(ur_model_vocab(m, "source"), word, strlen(word), ids, &n));
    ur_batch_init(batch);
    assert_ok(ur_batch_ids(batch, "source", (int)n, 1, ids, NULL));
    assert_ok(ur_batch_reals(batch, "numbers", 2, one, number, NULL));
}

/* The log probability of a target, on the tape. */
static double score(const ur_model *m, ur_batch batch, const int32_t *token, int n, int end)
{
    int32_t input[LONGEST + 2];
    ur_tape *tape;
    for (int t = 0; t < n; t++)
        input[t] = t ? token[t - 1] : end;
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tape_set_recording(tape, false);
    assert_ok(ur_batch_ids(&batch, "input", n, 1, input, NULL));
    ur_tensor *logits = ur_model_outputs(tape, m, &batch, NULL);
    assert_ok(ur_tape_status(tape));
    int V = ur_dim(logits, 2);
    double sum = 0;
    for (int t = 0; t < n; t++)
        sum += log_share(ur_data(logits) + t * V, V, token[t]);
    ur_tape_free(tape);
    return sum;
}

enum { MOST_FOUND = 512 };

struct all {
    int n;
    double score[MOST_FOUND];   /* of all targets there can be, the highest first */
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Tokens before the last are letters. */
static void try_all(struct all *a, const ur_model *m, const ur_batch *batch, int end, double power)
{
    int V = ur_vocab_size(ur_model_vocab(m, "target"));
    a->n = 0;
    for (int n = 1; n <= LONGEST + 1; n++) {
        int all = n == LONGEST + 1 ? V : 1;
        for (int k = 1; k < n; k++)
            all *= V - 1;
        for (int code = 0; code < all; code++) {
            int32_t token[LONGEST + 1];
            int rest = code;
            for (int t = 0; t < n - 1; t++, rest /= V - 1)
                token[t] = rest % (V - 1) + (rest % (V - 1) >= end);
            token[n - 1] = n == LONGEST + 1 ? rest : end;
            a->score[a->n++] = score(m, *batch, token, n, end) / pow(n, power);
        }
    }
    qsort(a->score, (size_t)a->n, sizeof *a->score, compare);
}

static ur_model *trained_pair(const char *settings)
{
    const char *path = tmp_path("beam.safetensors");
    ur_train_options o = pair_run(path, settings);
    ur_model *m;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&m, path));
    return m;
}

/* Where outputs are not tokens of what the steps read, nobody takes the one for the other. */
static void pair__steps_in_other_tokens_are_refused(void **state)
{
    (void)state;
    ur_options net;
    ur_vocab *vocab[2];
    ur_model *m;
    assert_ok(ur_config_init(&net, "pair"));
    assert_ok(ur_options_set(&net, "encoder-hidden", "4"));
    assert_ok(ur_options_set(&net, "decoder-hidden", "4"));
    assert_ok(ur_vocab_of_text(&vocab[0], UR_TOKEN_CHAR, "\nabcdefgh", 9, 1));
    assert_ok(ur_vocab_of_text(&vocab[1], UR_TOKEN_CHAR, "\nabc", 4, 1));
    assert_ok(ur_model_new(&m, &net, 2, vocab, 1));
    const struct ur__arch *own = m->arch;
    struct ur__arch odd = *own;
    const int O = ur_vocab_size(ur_model_vocab(m, "target"));
    ur_session *session;
    ur_beam *beam;
    ur_runner *runner;
    ur_beam_options o;
    int32_t id[64];
    double p[64];
    odd.steps_of = "source";
    assert_true(ur_vocab_size(ur_model_vocab(m, "source")) != O && O <= 64);
    m->arch = &odd;
    assert_status(UR_EINVAL, ur_session_new(&session, m, NULL));
    assert_null(session);
    ur_beam_options_init(&o);
    assert_status(UR_EINVAL, ur_beam_new(&beam, m, &o, NULL));
    assert_ok(ur_runner_new(&runner, m, 1, NULL));
    assert_int_equal(ur_runner_best(runner, 0, 64, id, p), O);      /* none is left out */
    ur_runner_free(runner);
    m->arch = own;
    ur_model_free(m);
}

/* All that hold an architecture's vocabularies have so much room. */
static void archs__have_room_for_their_vocabularies(void **state)
{
    (void)state;
    for (const char *const *name = ur_arch_names(); *name; name++) {
        const struct ur__arch *arch = ur__arch_find(*name);
        int n = 0;
        while (arch->vocabs[n])
            n++;
        assert_true(n <= UR__MAX_VOCABS);
    }
}

static ur_beam *beam_of(const ur_model *m, int width, int best, double power)
{
    ur_beam_options o;
    ur_beam *b;
    ur_beam_options_init(&o);
    o.width = width;
    o.best = best;
    o.most = LONGEST + 1;
    o.begin = o.end = ur_vocab_line_end(ur_model_vocab(m, "target"));
    o.length_power = power;
    assert_ok(ur_beam_new(&b, m, &o, NULL));
    return b;
}

/* What is found for a word, against all that there is and against the tape. */
static void compare_search(const ur_model *m, ur_beam *wide, ur_beam *narrow, int word,
                           double power)
{
    static const char *const words[] = {"abc\n", "cab\n", "b\n"};
    const ur_real number = word % 2 ? -1 : 1;
    const int end = (int)ur_vocab_line_end(ur_model_vocab(m, "target"));
    const ur_hypothesis *found;
    int32_t ids[LONGEST + 1];
    struct all all;
    ur_batch batch;
    int n;
    given(m, words[word], &number, ids, &batch);
    try_all(&all, m, &batch, end, power);
    assert_ok(ur_beam_search(wide, &batch, &found, &n));
    assert_int_equal(n, 20);
    for (int i = 0; i < n; i++) {
        const ur_hypothesis *h = &found[i];
        assert_true(fabs(h->score - all.score[i]) < 1e-4);
        assert_true(fabs(h->log_p - score(m, batch, h->ids, h->n, end)) < 1e-4);
        assert_true(i == 0 || h->score <= found[i - 1].score);
        assert_true(h->n == LONGEST + 1 || h->ids[h->n - 1] == end);
    }
    double best = found[0].score;
    assert_ok(ur_beam_search(narrow, &batch, &found, &n));
    assert_true(n >= 1 && found[0].score <= best + 1e-6);
}

static void pair__beam_finds_what_trying_all_finds(void **unused)
{
    (void)unused;
    static const double powers[] = {0, 0.7, 2};
    ur_model *m = trained_pair("steps=60 eval-every=30");
    for (int i = 0; i < 3; i++) {
        ur_beam *wide = beam_of(m, 400, 20, powers[i]), *narrow = beam_of(m, 3, 2, powers[i]);
        for (int word = 0; word < 3; word++)
            compare_search(m, wide, narrow, word, powers[i]);
        ur_beam_free(wide);
        ur_beam_free(narrow);
    }
    ur_model_free(m);
}

/* Of a beam of width 1 each token is the likeliest one. */
static void pair__narrowest_beam_is_greedy(void **unused)
{
    (void)unused;
    ur_model *m = trained_pair("steps=60 eval-every=30 force=yes");
    ur_beam *b = beam_of(m, 1, 1, 0);
    ur_runner *r;
    const ur_hypothesis *h;
    const ur_real number = 1;
    int32_t ids[LONGEST + 1], id = ur_vocab_line_end(ur_model_vocab(m, "target"));
    ur_batch batch;
    int n;
    given(m, "cab\n", &number, ids, &batch);
    assert_ok(ur_beam_search(b, &batch, &h, &n));
    assert_int_equal(n, 1);
    assert_ok(ur_runner_new(&r, m, 1, NULL));
    assert_ok(ur_runner_begin(r, 0, &batch));
    for (int t = 0; t < h->n; t++) {
        assert_ok(ur_runner_step(r, &id));
        const ur_real *logits = ur_runner_output(r, 0);
        id = 0;
        for (int i = 1; i < ur_runner_outputs(r); i++)
            id = logits[i] > logits[id] ? i : id;
        assert_int_equal(id, h->ids[t]);
    }
    ur_runner_free(r);
    ur_beam_free(b);
    ur_model_free(m);
}

/* A net of zeros: all tokens are equally likely, and the lower number wins. */
static void pair__beam_takes_the_lower_of_equals(void **unused)
{
    (void)unused;
    ur_model *m = trained_pair("steps=2 eval-every=2 force=yes");
    ur_params *params = ur_model_params(m);
    memset(ur_params_values(params), 0, ur_params_size(params) * sizeof(ur_real));
    assert_ok(ur_model_prepare(m));
    static const int32_t want[][3] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}};
    const ur_hypothesis *h;
    const ur_real number = 1;
    int32_t ids[LONGEST + 1];
    ur_batch batch;
    int n;
    given(m, "b\n", &number, ids, &batch);
    for (int width = 2; width <= 4; width++) {
        ur_beam *b = beam_of(m, width, width < 3 ? width : 3, 0);
        assert_ok(ur_beam_search(b, &batch, &h, &n));
        assert_int_equal(n, width < 3 ? width : 3);
        for (int i = 0; i < n; i++) {       /* the end is 0 */
            assert_int_equal(h[i].n, i + 1);
            assert_memory_equal(h[i].ids, want[i], (size_t)h[i].n * sizeof *h[i].ids);
        }
        ur_beam_free(b);
    }
    ur_model_free(m);
}

/* ---- answers ----------------------------------------------------------- */

static void pair__answers_lines(void **unused)
{
    (void)unused;
    ur_model *m = trained_pair("eval-every=225 force=yes");
    ur_predictor *p;
    ur_predict_options o;
    const ur_answer *a;
    ur_predict_options_init(&o);
    o.best = 3;
    assert_ok(ur_predictor_new(&p, m, &o));
    assert_ok(ur_predictor_line(p, "-1\tab", 5, &a));
    assert_string_equal(a->figure, "log_p");
    assert_int_equal(a->n, 2);
    assert_memory_equal(a->text, "AB", 2);
    assert_ok(ur_predictor_line(p, "1\tab", 4, &a));
    assert_memory_equal(a->text, "BA", 2);
    assert_int_equal(a->n_places, 1);
    assert_int_equal(a->place[0].n, 3);
    assert_memory_equal(a->place[0].best[0].text, "BA", 2);
    for (int i = 0; i < 3; i++)
        assert_true(a->place[0].best[i].p <= (i ? a->place[0].best[i - 1].p : 0));
    assert_status(UR_EDATA, ur_predictor_line(p, "ab", 2, &a));
    assert_message("a number and a tab");
    assert_status(UR_EDATA, ur_predictor_line(p, "1\tax", 4, &a));
    assert_message("\"x\" (U+0078)");
    ur_predictor_free(p);
    ur_model_free(m);
}

/* ---- cells ------------------------------------------------------------- */

static void cells__of_ones_own_train_in_a_task(void **unused)
{
    (void)unused;
    static const char *const forms[] = {"cell=mgu", "cell=peek", "norm=layer",
                                        "cell=gru norm=layer learned-state=yes"};
    for (int i = 0; i < 4; i++) {
        char settings[200];
        const char *path = tmp_path("cell.safetensors");
        struct seen s = {0};
        snprintf(settings, sizeof settings, "%s hidden=16 layers=2 dropout=0 force=yes "
                 "eval-every=40", forms[i]);
        ur_train_options o = small_run("lm", path, settings);
        ur_model *m;
        ur_session *session;
        int32_t id;
        ur_sample_options plain;
        ur_sample_options_init(&plain);
        o.steps = 80;
        assert_ok(ur_train(&o, see, &s));
        assert_true(s.validations == 2 && isfinite(s.best));
        assert_ok(ur_model_load(&m, path));
        assert_ok(ur_session_new(&session, m, NULL));
        assert_ok(ur_session_begin(session));
        assert_ok(ur_session_draw(session, &plain, &id));
        ur_session_free(session);
        ur_model_free(m);
    }
}

static int set_up_all(void **state)
{
    return set_up(state) | set_up_pairs(state);
}

static int tear_down_all(void **state)
{
    return tear_down(state) | tear_down_pairs(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archs__have_room_for_their_vocabularies),
        cmocka_unit_test(pair__steps_in_other_tokens_are_refused),
        cmocka_unit_test(pair__keeps_numbers_of_another_type),
        cmocka_unit_test(pair__plan_holds),
        cmocka_unit_test(pair__learns_and_is_measured),
        cmocka_unit_test(pair__stops_early),
        cmocka_unit_test(pair__resumes_to_the_same_bits),
        cmocka_unit_test(pair__resumes_with_numbers_of_another_type),
        cmocka_unit_test(pair__refuses_what_cannot_be),
        cmocka_unit_test(pair__beam_finds_what_trying_all_finds),
        cmocka_unit_test(pair__narrowest_beam_is_greedy),
        cmocka_unit_test(pair__beam_takes_the_lower_of_equals),
        cmocka_unit_test(pair__answers_lines),
        cmocka_unit_test(cells__of_ones_own_train_in_a_task),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
