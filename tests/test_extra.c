/* SPDX-License-Identifier: MIT */
/* What somebody adds to the lists, used as the library's own: an encoder-decoder over two files
 * with two vocabularies and a number beside each line (extra/arch_pair.c, extra/task_pair.c), and
 * cells. It is best by a rising figure and decoded by a beam over the rows of a runner. */
#include "test_task.h"

#include <math.h>

#include "unroll/decode.h"

enum { LINES = 400, LONGEST = 4, LETTERS = 3 };

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
    assert_ok(ur_train(&o, see, &s));
    assert_string_equal(s.best_name, "accuracy");
    assert_int_equal(s.validations, 4);
    assert_true(s.best > 0.9 && s.best >= s.accuracy);
    assert_ok(ur_model_load(&m, path));
    assert_string_equal(ur_model_arch(m), "pair");
    assert_int_equal(ur_vocab_size(ur_model_vocab(m, "source")), LETTERS + 1);
    assert_non_null(ur_model_vocab(m, "target"));
    const ur_eval_options all = {.data = pair_path, .n_data = 2};
    assert_ok(ur_evaluate(m, &all, &found));
    assert_true(ur_metrics_get(&found, "accuracy") > 0.9);
    assert_true(ur_metrics_get(&found, "loss") > 0);
    ur_model_free(m);
}

/* More of it is better: with a rate of next to nothing nothing gets better. */
static void pair__keeps_numbers_of_another_type(void **unused)
{
    (void)unused;
    ur_model *m, *again;
    const char *path = tmp_path("kinds.safetensors"), *copy = tmp_path("copy.safetensors");
    const ur_train_options o = pair_run(path, "steps=2");
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&m, path));
    ur_params *p = ur_model_params(m);
    const ur_typed *code = ur_params_find_typed(p, "code");
    int8_t *numbers = ur_typed_data(p, code, UR_TYPE_I8);
    for (int i = 0; i < 300; i++)
        numbers[i] = (int8_t)(i * 7 % 256 - 128);
    assert_ok(ur_model_save(m, copy));
    assert_ok(ur_model_load(&again, copy));
    const ur_typed *same = ur_params_find_typed(ur_model_params(again), "code");
    assert_memory_equal(ur_typed_data(ur_model_params(again), same, UR_TYPE_I8), numbers, 300);
    ur_model_free(again);
    /* A run that begins with its weights has them too. */
    ur_train_options from = pair_run(path, "steps=1 force=yes");
    assert_ok(ur_train_set(&from, "init-from", copy));
    assert_ok(ur_train(&from, NULL, NULL));
    assert_ok(ur_model_load(&again, path));
    same = ur_params_find_typed(ur_model_params(again), "code");
    assert_memory_equal(ur_typed_data(ur_model_params(again), same, UR_TYPE_I8), numbers, 300);
    ur_model_free(again);
    ur_model_free(m);
}

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

/* The first run of the process: the peak is its own. */
static void pair__plan_holds(void **unused)
{
    (void)unused;
    ur_train_options o = pair_run(tmp_path("plan.safetensors"), "eval-every=20");
    ur_plan plan;
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

struct hypothesis {
    int32_t token[LONGEST + 2];
    int n, row;                 /* row of the runner that has read it */
    double log_p;
    bool done;
};

struct beam {
    ur_runner *runner;
    int width, V, end;
    struct hypothesis at[256], next[256];
    int n;
};

static double log_share(const ur_real *logits, int V, int id)
{
    double most = -HUGE_VAL, sum = 0;
    for (int i = 0; i < V; i++)
        most = fmax(most, (double)logits[i]);
    for (int i = 0; i < V; i++)
        sum += exp((double)logits[i] - most);
    return (double)logits[id] - most - log(sum);
}

static void keep_best(struct beam *b, const struct hypothesis *h, int *n)
{
    int at = *n < b->width ? (*n)++ : *n;
    while (at > 0 && b->next[at - 1].log_p < h->log_p) {
        if (at < b->width)
            b->next[at] = b->next[at - 1];
        at--;
    }
    if (at < b->width)
        b->next[at] = *h;
}

/* One more token of each; rows that go on are selected. */
static bool extend(struct beam *b)
{
    int n = 0, from[256], alive = 0;
    int32_t ids[256];
    for (int i = 0; i < b->n; i++) {
        const struct hypothesis *h = &b->at[i];
        if (h->done) {
            keep_best(b, h, &n);
            continue;
        }
        for (int id = 0; id < b->V; id++) {
            struct hypothesis more = *h;
            more.token[more.n++] = id;
            more.log_p += log_share(ur_runner_output(b->runner, h->row), b->V, id);
            more.done = id == b->end || more.n == LONGEST + 1;
            keep_best(b, &more, &n);
        }
    }
    for (int i = 0; i < n; i++) {
        b->at[i] = b->next[i];
        if (b->at[i].done)
            continue;
        ids[alive] = b->at[i].token[b->at[i].n - 1];
        from[alive] = b->at[i].row;
        b->at[i].row = alive++;
    }
    b->n = n;
    if (!alive)
        return false;
    assert_ok(ur_runner_select(b->runner, alive, from));
    assert_ok(ur_runner_step(b->runner, ids));
    return true;
}

static void given(const ur_model *m, const char *word, const ur_real *number, int32_t *ids,
                  ur_batch *batch)
{
    static const int one[] = {1, 1};
    size_t n;
    assert_ok(ur_vocab_encode(ur_model_vocab(m, "source"), word, strlen(word), ids, &n));
    *batch = (ur_batch){0};
    assert_ok(ur_batch_ids(batch, "source", (int)n, 1, ids, NULL));
    assert_ok(ur_batch_reals(batch, "numbers", 2, one, number, NULL));
}

static struct hypothesis search(const ur_model *m, const ur_batch *batch, int width)
{
    static struct beam b;
    size_t one;
    b = (struct beam){.width = width, .V = ur_vocab_size(ur_model_vocab(m, "target"))};
    int32_t first;
    assert_ok(ur_vocab_encode(ur_model_vocab(m, "target"), "\n", 1, &first, &one));
    b.end = first;
    assert_ok(ur_runner_new(&b.runner, m, width, NULL));
    assert_ok(ur_runner_begin(b.runner, 0, batch));
    assert_ok(ur_runner_select(b.runner, 1, (const int[]){0}));
    assert_ok(ur_runner_step(b.runner, &first));
    b.n = 1;
    while (extend(&b)) {}
    ur_runner_free(b.runner);
    return b.at[0];
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

/* The best of all targets there can be: tokens before the last are letters. */
static double brute_force(const ur_model *m, const ur_batch *batch, int end, int V)
{
    double best = -HUGE_VAL;
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
            best = fmax(best, score(m, *batch, token, n, end));
        }
    }
    return best;
}

static void pair__beam_finds_what_trying_all_finds(void **unused)
{
    (void)unused;
    static const char *const words[] = {"abc\n", "cab\n", "b\n"};
    const char *path = tmp_path("beam.safetensors");
    ur_train_options o = pair_run(path, "steps=60 eval-every=30");
    ur_model *m;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&m, path));
    const ur_vocab *target = ur_model_vocab(m, "target");
    int32_t end, ids[LONGEST + 1];
    size_t one;
    assert_ok(ur_vocab_encode(target, "\n", 1, &end, &one));
    for (int i = 0; i < 3; i++) {
        const ur_real number = i % 2 ? -1 : 1;
        ur_batch batch;
        given(m, words[i], &number, ids, &batch);
        struct hypothesis wide = search(m, &batch, 200), narrow = search(m, &batch, 3);
        double best = brute_force(m, &batch, (int)end, ur_vocab_size(target));
        assert_true(fabs(wide.log_p - best) < 1e-4);
        assert_true(narrow.log_p <= wide.log_p + 1e-6);
        assert_true(fabs(score(m, batch, wide.token, wide.n, (int)end) - wide.log_p) < 1e-4);
    }
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
        cmocka_unit_test(pair__keeps_numbers_of_another_type),
        cmocka_unit_test(pair__plan_holds),
        cmocka_unit_test(pair__learns_and_is_measured),
        cmocka_unit_test(pair__stops_early),
        cmocka_unit_test(pair__resumes_to_the_same_bits),
        cmocka_unit_test(pair__refuses_what_cannot_be),
        cmocka_unit_test(pair__beam_finds_what_trying_all_finds),
        cmocka_unit_test(cells__of_ones_own_train_in_a_task),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
