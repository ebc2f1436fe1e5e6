/* SPDX-License-Identifier: MIT */
/* Whole runs: what training writes, how it fails, what evaluation measures. */
#include "test_task.h"

#include <math.h>

/* ---- training ---------------------------------------------------------- */

static void lm__loss_falls(void **unused)
{
    (void)unused;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    struct listener l;
    o.steps = 200;
    o.sample_every = 100;
    o.sample_length = 40;
    assert_ok(train_until(o, 0, &l));
    assert_true(l.first_loss > 2.5);
    assert_true(l.last_loss < 0.7 * l.first_loss);
    assert_int_equal(l.count[UR_REPORT_START], 1);
    assert_int_equal(l.count[UR_REPORT_STEP], 200);
    assert_int_equal(l.count[UR_REPORT_VALID], 8);
    assert_int_equal(l.count[UR_REPORT_CHECKPOINT], 10);
    assert_int_equal(l.count[UR_REPORT_SAMPLE], 2);
    assert_int_equal(l.count[UR_REPORT_END], 1);
    assert_int_equal(strlen(l.sample), 40);
    ur_model *m;
    assert_ok(ur_model_load(&m, o.model));
    assert_non_null(strstr(ur_model_summary(m), "\"val_loss\":"));
    ur_model_free(m);
}

static void train__same_bytes_for_any_team(void **unused)
{
    (void)unused;
    same_for_teams("lm", "", 200, 4, (const int[]){1, 2, 3, 7});
}

static const char *const label_runs[][2] = {
    {"classify", "pool=mean label-smoothing=0.1"}, {"classify", "cell=none pool=max"},
    {"classify", "letters=4 letter-embed=3 cell=gru"}, {"tag", "word-dropout=0.1 letter-embed=3"},
    {"tag", "crf=yes"}, {"tag", "average=3"}, {"tag", "feedback=yes label-embed=4"},
    {"tag", "bidirectional=no seq-length=3"},
    {"tag", "bidirectional=no seq-length=2 cell=gru letters=0 learned-state=yes"},
};
enum { N_LABEL_RUNS = sizeof label_runs / sizeof *label_runs };

static const char *const forecast_runs[] = {
    "target=a features=b base=seasonal", "recursive=yes distribution=gaussian normalise=series",
    "distribution=point normalise=window base=linear target=b,a average=2",
};

static void train__same_labels_for_any_team(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_LABEL_RUNS; k++)
        same_for_teams(label_runs[k][0], label_runs[k][1], 120, 3, (const int[]){1, 2, 3});
}

static void train__same_forecasts_for_any_team(void **unused)
{
    (void)unused;
    for (int k = 0; k < 3; k++)
        same_for_teams("forecast", forecast_runs[k], 60, 3, (const int[]){1, 2, 3});
}

/* What on_confusion saw. */
struct table {
    int seen;
    double all, right;
    ur_metrics figures;
};

static void keep_table(void *user, const ur_confusion *c)
{
    struct table *t = user;
    t->seen++;
    for (int i = 0; i < c->n; i++) {
        assert_true(i == 0 || strcmp(c->label[i - 1], c->label[i]) < 0);
        for (int k = 0; k < c->n; k++)
            t->all += c->count[i * c->n + k];
        t->right += c->count[i * c->n + i];
    }
    ur_metrics_init(&t->figures);
    ur_class_figures(c->count, c->n, &t->figures);
}

/* It learns the rule of the data, and measuring finds what training said of what it held out. */
static void train__labels_are_learnt_and_measured(void **unused)
{
    (void)unused;
    for (int k = 0; k < 2 * N_LABEL_RUNS; k++) {
        struct listener l;
        ur_train_options o = small_run(label_runs[k / 2][0], tmp_path("m.safetensors"),
                                       label_runs[k / 2][1]);
        bool tag = strcmp(o.task, "tag") == 0, learnt = k % 2;
        o.steps = learnt ? 300 : 15;
        o.val = learnt ? 0.1 : 0.25;
        o.lr = 0.02;
        assert_ok(train_until(o, 0, &l));
        ur_model *m;
        ur_metrics found;
        ur_metrics_init(&found);
        assert_ok(ur_model_load(&m, o.model));
        ur_eval_options e = eval_of(o.data, 1);
        struct table table = {0};
        e.held_out = true;
        e.on_confusion = keep_table;
        e.user = &table;
        assert_ok(ur_evaluate(m, &e, &found));
        assert_int_equal(table.seen, 1);
        assert_true(table.all == ur_metrics_get(&found, "n"));
        assert_true(table.right / table.all == ur_metrics_get(&found, "accuracy"));
        assert_true(tag || ur_metrics_get(&table.figures, "f1") == ur_metrics_get(&found, "f1"));
        assert_string_equal(found.at[0].name, tag ? "f1" : "accuracy");
        assert_true(!learnt || found.at[0].value > 0.9);
        char key[40];
        snprintf(key, sizeof key, "\"val_%s\":", found.at[0].name);
        const char *said = strstr(ur_model_summary(m), key);
        assert_non_null(said);
        assert_true(strtod(said + strlen(key), NULL) == found.at[0].value);
        e.data = tag ? &labelled_path : &tagged_path;
        assert_status(UR_EDATA, ur_evaluate(m, &e, &found));
        assert_int_equal(table.seen, 1);
        ur_model_free(m);
    }
}

/* Accuracy and loss of what should be kept, and how often another was as accurate. */
struct tie {
    double accuracy, loss;
    int ties;
};

static bool find_tie(void *user, const ur_report *r)
{
    struct tie *t = user;
    if (r->kind != UR_REPORT_VALID)
        return true;
    double accuracy = ur_metrics_get(r->metrics, "accuracy");
    bool tie = accuracy >= t->accuracy && accuracy <= t->accuracy;
    t->ties += tie;
    if (accuracy > t->accuracy || (tie && r->val_loss < t->loss))
        *t = (struct tie){accuracy, r->val_loss, t->ties};
    return true;
}

static void train__of_equal_figures_the_lowest_loss_is_best(void **unused)
{
    (void)unused;
    ur_train_options o = small_run("classify", tmp_path("tie.safetensors"), "");
    ur_eval_options e = eval_of(&labelled_path, 1);
    struct tie t = {-1, 0, 0};
    ur_metrics m;
    ur_model *model;
    o.best = "accuracy";
    o.val = 0.05;
    o.steps = 200;
    assert_ok(ur_train(&o, find_tie, &t));
    assert_true(t.ties > 0);
    assert_ok(ur_model_load(&model, o.model));
    ur_metrics_init(&m);
    e.held_out = true;
    assert_ok(ur_evaluate(model, &e, &m));
    assert_true(ur_metrics_get(&m, "accuracy") == t.accuracy);
    assert_true(fabs(ur_metrics_get(&m, "loss") - t.loss) < 1e-9);
    ur_model_free(model);
}

/* The parameters of the last model of a run, after so many updates. */
static ur_model *last_after(int64_t steps, const char *settings)
{
    ur_train_options o = small_run("lm", tmp_path("average.safetensors"), settings);
    ur_model *model;
    o.steps = steps;
    o.schedule = UR_SCHEDULE_CONSTANT;
    o.force = true;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&model, with_end(o.model, ".last.safetensors")));
    return model;
}

static void train__saves_the_average_of_weights(void **unused)
{
    (void)unused;
    static const char net[] = "hidden=5 layers=1", averaged[] = "hidden=5 layers=1 average=2";
    ur_model *after[3], *average = last_after(55, averaged), *early = last_after(15, averaged);
    ur_model *plain = last_after(15, net);
    for (int k = 0; k < 3; k++)
        after[k] = last_after(16 * (k + 1), net);
    ur_real *found = ur_params_values(ur_model_params(average));
    ur_real *first = ur_params_values(ur_model_params(early));
    for (size_t i = 0, n = ur_params_size(ur_model_params(average)); i < n; i++) {
        ur_real want = 0;
        for (int k = 0; k < 3; k++)
            want += (ur_real)(3.0 / (k + 3)) *
                    (ur_params_values(ur_model_params(after[k]))[i] - want);
        assert_true(found[i] == want);
        assert_true(first[i] == ur_params_values(ur_model_params(plain))[i]);
    }
    for (int k = 0; k < 3; k++)
        ur_model_free(after[k]);
    ur_model_free(average);
    ur_model_free(early);
    ur_model_free(plain);
}

static void eval__needs_names_of_files(void **unused)
{
    (void)unused;
    const char *const none[] = {NULL};
    ur_train_options o = small_run("classify", tmp_path("nameless.safetensors"), "");
    ur_eval_options e = eval_of(none, 1);
    ur_metrics m;
    ur_model *model;
    o.steps = 1;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&model, o.model));
    ur_metrics_init(&m);
    assert_status(UR_EINVAL, ur_evaluate(model, &e, &m));
    assert_message("the name of data file 0 is NULL");
    ur_model_free(model);
}

static void train__step_allocates_nothing(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.eval_every = o.checkpoint_every = 1000;
    o.steps = 30;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.allocations, 0);
}

static void train__without_validation_keeps_the_latest(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.val = 0;
    o.steps = 30;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.count[UR_REPORT_VALID], 0);
    assert_same_file(o.model, with_end(o.model, ".last.safetensors"));
    o.force = true;
    o.patience = 1;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    o.patience = 0;
    o.schedule = UR_SCHEDULE_PLATEAU;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
}

static void train__patience_and_time_end_it(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.lr = 0;
    o.patience = 2;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.last_step, 75);
    o = small_options(tmp_path("m.safetensors"));
    o.epochs = HUGE_VAL;
    o.steps = -1;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    l.last_step = 0;
    o.force = true;
    /* To read the text takes time too. */
    for (o.seconds = 0.05; l.last_step == 0; o.seconds *= 2)
        assert_ok(train_until(o, 0, &l));
    o.seconds /= 2;
    o.force = false;
    o.resume = true;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.count[UR_REPORT_STEP], 0);
}

static bool keep_best_loss(void *user, const ur_report *r)
{
    double *best = user;    /* of the validations, and at the end */
    if (r->kind == UR_REPORT_VALID && !isnan(r->best))
        best[0] = r->best;
    if (r->kind == UR_REPORT_WARNING && strstr(r->text, "of guessing"))
        best[1]++;
    return true;
}

/* There is a model all the same; a loss like another's is the best of it. */
static void train__worse_than_guessing_is_no_best(void **unused)
{
    (void)unused;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    for (int learns = 0; learns < 2; learns++) {
        double best[2] = {(double)NAN, 0};
        ur_model *m;
        o.lr = learns ? 0.01 : 300;
        o.schedule = UR_SCHEDULE_CONSTANT;
        o.force = true;
        assert_ok(ur_train(&o, keep_best_loss, best));
        assert_int_equal(isnan(best[0]) != 0, !learns);
        assert_int_equal((int)best[1], !learns);
        assert_ok(ur_model_load(&m, o.model));
        ur_model_free(m);
    }
}

static void train__zero_steps_write_the_initial_model(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("a.safetensors")), from = o;
    o.steps = 0;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.count[UR_REPORT_STEP], 0);
    assert_same_file(o.model, with_end(o.model, ".last.safetensors"));
    /* Another seed draws other values, and then takes these. */
    from = o;
    from.model = tmp_path("b.safetensors");
    from.init_from = o.model;
    from.seed = 5;
    assert_ok(train_until(from, 0, &l));
    ur_model *a, *b;
    assert_ok(ur_model_load(&a, o.model));
    assert_ok(ur_model_load(&b, from.model));
    ur_params *p = ur_model_params(a), *q = ur_model_params(b);
    assert_memory_equal(ur_params_values(p), ur_params_values(q),
                        ur_params_size(p) * sizeof(ur_real));
    ur_model_free(a);
    ur_model_free(b);
    from.force = true;
    set_run(&from, "hidden=25,16");
    assert_status(UR_EDATA, train_until(from, 0, &l));
    assert_message("the networks differ");
}

static void train__diverging_leaves_files_alone(void **unused)
{
    (void)unused;
    struct listener l;
    size_t n, m;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.steps = 20;
    assert_ok(train_until(o, 0, &l));
    char *model = read_all(o.model, &n), *state = read_all(with_end(o.model, ".state"), &m);
    o.force = true;
    o.optimizer = plain_of(0, 0, 0);
    o.lr = 1e36;
    o.on_nan = UR_ON_NAN_STOP;
    assert_status(UR_ENUMERIC, train_until(o, 0, &l));
    assert_message("diverged at step ");
    size_t n2, m2;
    char *model2 = read_all(o.model, &n2), *state2 = read_all(with_end(o.model, ".state"), &m2);
    assert_int_equal(n, n2);
    assert_int_equal(m, m2);
    assert_memory_equal(model, model2, n);
    assert_memory_equal(state, state2, m);
    ur__free(model);
    ur__free(state);
    ur__free(model2);
    ur__free(state2);
}

static void train__rejects_what_cannot_be(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    const char *shortest = tmp_path("short.txt"), *missing = tmp_path("missing.txt");
    FILE *f = fopen(shortest, "w");
    fputs("abc", f);
    fclose(f);
    o.data = &shortest;
    assert_status(UR_EDATA, train_until(o, 0, &l));
    o.batch = 1;
    assert_status(UR_EDATA, train_until(o, 0, &l));
    assert_message("held out");
    o.val = 0;
    assert_ok(train_until(o, 0, &l));
    o = small_options(tmp_path("m.safetensors"));
    o.data = &missing;
    assert_status(UR_EINPUT, train_until(o, 0, &l));
    o = small_options(tmp_path("no/folder/m.safetensors"));
    assert_status(UR_EOUTPUT, train_until(o, 0, &l));
    o = small_options(tmp_path("m.safetensors"));
    o.task = "juggle";
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    assert_string_equal(ur_task_names()[0], "lm");
    assert_string_equal(ur_task_names()[1], "fill");
    assert_string_equal(ur_task_names()[2], "classify");
    assert_string_equal(ur_task_names()[3], "tag");
    assert_string_equal(ur_task_names()[4], "translate");
    assert_string_equal(ur_task_names()[5], "forecast");
    assert_string_equal(ur_task_names()[6], "pair");    /* extra/task_pair.c */
    assert_null(ur_task_names()[7]);
    o = small_options(tmp_path("m.safetensors"));
    o.steps = 2;
    assert_ok(train_until(o, 0, &l));
    assert_status(UR_EEXIST, train_until(o, 0, &l));
    assert_message("--force");
    unlink(o.model);    /* the state alone is enough */
    assert_status(UR_EEXIST, train_until(o, 0, &l));
    o.force = true;
    assert_ok(train_until(o, 0, &l));
}

/* ---- without memory ---------------------------------------------------- */

static void train__runs_out_of_memory_cleanly(void **unused)
{
    (void)unused;
    struct listener l;
    const char *model = tmp_path("m.safetensors");
    ur_train_options o = small_options(model);
    o.steps = 4;
    o.eval_every = o.checkpoint_every = 2;
    assert_ok(train_until(o, 0, &l));
    o.force = true;
    long blocks = ur__mem_blocks(), before = ur__mem_allocations();
    assert_ok(train_until(o, 0, &l));
    long total = ur__mem_allocations() - before;
    assert_true(total > 100);
    for (long n = 1; n <= total; n += n < 150 ? 1 : 1 + total / 100) {
        ur__mem_fail_at(n, false);
        ur_status status = train_until(o, 0, &l);
        ur__mem_fail_at(0, false);
        /* An arena that cannot join its blocks goes on with what it has. */
        if (status != UR_ENOMEM && status != UR_OK)
            fail_msg("allocation %ld of %ld failed, and training is %s: %s", n, total,
                     ur_status_name(status), ur_errmsg());
        if (ur__mem_blocks() != blocks)
            fail_msg("allocation %ld of %ld failed, and %ld blocks are left", n, total,
                     ur__mem_blocks() - blocks);
        ur_model *m;
        assert_ok(ur_model_load(&m, model));
        ur_model_free(m);
    }
    o.force = false;
    o.resume = true;
    assert_ok(train_until(o, 0, &l));
}

/* ---- evaluation -------------------------------------------------------- */

static ur_model *trained(const char *path, int steps)
{
    struct listener l;
    ur_model *m;
    ur_train_options o = small_options(path);
    o.steps = steps;
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, path));
    return m;
}

/* The figures by a plain loop over single steps, with libm in double. */
static void measure(const ur_model *m, const char *text, size_t n, size_t window, double *loss,
                    double *accuracy)
{
    ur_session *s;
    int32_t *ids = malloc(n * sizeof *ids);
    size_t tokens;
    int V = ur_vocab_size(ur_model_vocab(m, NULL)), hits = 0;
    double sum = 0;
    assert_ok(ur_vocab_encode(ur_model_vocab(m, NULL), text, n, ids, &tokens));
    assert_ok(ur_session_new(&s, m, NULL));
    for (size_t i = 0; i + 1 < tokens; i++) {
        if (i % window == 0)
            assert_ok(ur_session_reset(s));
        assert_ok(ur_session_feed(s, ids[i]));
        const ur_real *x = ur_session_logits(s);
        double total = 0;
        int best = 0;
        for (int v = 0; v < V; v++) {
            total += exp((double)x[v]);
            best = x[v] > x[best] ? v : best;
        }
        sum += log(total) - (double)x[ids[i + 1]];
        hits += best == ids[i + 1];
    }
    *loss = sum / (double)(tokens - 1);
    *accuracy = (double)hits / (double)(tokens - 1);
    ur_session_free(s);
    free(ids);
}

static void eval__protocols_match_a_plain_loop(void **unused)
{
    (void)unused;
    ur_model *m = trained(tmp_path("m.safetensors"), 60);
    size_t n;
    char *text = read_all(other_path, &n);
    const size_t windows[] = {SIZE_MAX, 256};
    for (int protocol = 0; protocol < 2; protocol++) {
        double loss, accuracy, first = 0;
        ur_metrics got;
        ur_metrics_init(&got);
        measure(m, text, n, windows[protocol], &loss, &accuracy);
        for (int size = 1; size <= 3; size++) {
            ur_eval_options o = eval_of(&other_path, 1);
            o.protocol = (ur_protocol)protocol;
            assert_ok(ur_team_new(&o.team, size));
            assert_ok(ur_evaluate(m, &o, &got));
            ur_team_free(o.team);
            double value = ur_metrics_get(&got, "loss");
            assert_true(ur_metrics_get(&got, "n") == (double)(n - 1));
            assert_true(fabs(value - loss) < 1e-6);
            assert_true(fabs(ur_metrics_get(&got, "bpc") - loss / log(2)) < 2e-6);
            assert_true(fabs(ur_metrics_get(&got, "accuracy") - accuracy) < 1e-12);
            if (size == 1)
                first = value;
            assert_true(first == value);
        }
    }
    ur__free(text);
    ur_model_free(m);
}

static void eval__short_texts_in_windows(void **unused)
{
    (void)unused;
    ur_model *m = trained(tmp_path("m.safetensors"), 10);
    size_t n;
    char *text = read_all(other_path, &n);
    const size_t lengths[] = {2, 3, 256, 257, 258, 513, 600};
    for (int i = 0; i < 7; i++) {
        const char *path = tmp_path("part.txt");
        FILE *f = fopen(path, "w");
        fwrite(text, 1, lengths[i], f);
        fclose(f);
        double loss, accuracy;
        ur_metrics got;
        ur_metrics_init(&got);
        ur_eval_options o = eval_of(&path, 1);
        o.protocol = UR_PROTOCOL_WINDOW;
        measure(m, text, lengths[i], 256, &loss, &accuracy);
        assert_ok(ur_evaluate(m, &o, &got));
        assert_true(ur_metrics_get(&got, "n") == (double)(lengths[i] - 1));
        assert_true(fabs(ur_metrics_get(&got, "loss") - loss) < 1e-6);
    }
    ur__free(text);
    ur_model_free(m);
}

static bool stop_half_way(void *user, double done)
{
    *(double *)user = done;
    return done < 0.5;
}

static void eval__held_out_part_of_the_same_data(void **unused)
{
    (void)unused;
    ur_model *m = trained(tmp_path("m.safetensors"), 60);
    size_t n;
    char *text = read_all(text_path, &n);
    size_t held_out = n / 10;
    double loss, accuracy, done = 0;
    ur_metrics got;
    ur_metrics_init(&got);
    ur_eval_options o = eval_of(&text_path, 1);
    o.held_out = true;
    measure(m, text + n - held_out, held_out, SIZE_MAX, &loss, &accuracy);
    assert_ok(ur_evaluate(m, &o, &got));
    assert_true(ur_metrics_get(&got, "n") == (double)(held_out - 1));
    assert_true(fabs(ur_metrics_get(&got, "loss") - loss) < 1e-6);
    o.data = &other_path;
    assert_status(UR_EDATA, ur_evaluate(m, &o, &got));
    assert_message("not the data that the model was trained on");
    o.held_out = false;
    o.on_progress = stop_half_way;
    o.user = &done;
    assert_status(UR_ECANCELED, ur_evaluate(m, &o, &got));
    assert_true(done >= 0.5 && done < 0.6);
    assert_int_equal(got.n, 0);
    ur__free(text);
    ur_model_free(m);
}

static void eval__unseen_and_too_short_texts(void **unused)
{
    (void)unused;
    ur_model *m = trained(tmp_path("m.safetensors"), 5);
    const char *path = tmp_path("bad.txt"), *texts[] = {"the net XYZ", "t"};
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path, "w");
        fputs(texts[i], f);
        fclose(f);
        ur_metrics got;
        ur_metrics_init(&got);
        ur_eval_options o = eval_of(&path, 1);
        assert_status(UR_EDATA, ur_evaluate(m, &o, &got));
    }
    ur_model_free(m);
}

static void eval__a_validation_file_of_its_own(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.val_file = other_path;
    o.steps = 20;
    assert_ok(train_until(o, 0, &l));
    assert_true(l.count[UR_REPORT_VALID] > 0);
    ur_model *m;
    ur_metrics got;
    ur_metrics_init(&got);
    ur_eval_options e = eval_of(&text_path, 1);
    e.held_out = true;
    assert_ok(ur_model_load(&m, o.model));
    assert_status(UR_EDATA, ur_evaluate(m, &e, &got));
    assert_message("file of its own");
    ur_model_free(m);
    o.resume = true;
    o.val_file = text_path;
    assert_status(UR_EDATA, train_until(o, 0, &l));
    assert_message("other val data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lm__loss_falls),
        cmocka_unit_test(train__same_bytes_for_any_team),
        cmocka_unit_test(train__same_labels_for_any_team),
        cmocka_unit_test(train__same_forecasts_for_any_team),
        cmocka_unit_test(train__labels_are_learnt_and_measured),
        cmocka_unit_test(train__of_equal_figures_the_lowest_loss_is_best),
        cmocka_unit_test(train__saves_the_average_of_weights),
        cmocka_unit_test(eval__needs_names_of_files),
        cmocka_unit_test(train__step_allocates_nothing),
        cmocka_unit_test(train__without_validation_keeps_the_latest),
        cmocka_unit_test(train__patience_and_time_end_it),
        cmocka_unit_test(train__worse_than_guessing_is_no_best),
        cmocka_unit_test(train__zero_steps_write_the_initial_model),
        cmocka_unit_test(train__diverging_leaves_files_alone),
        cmocka_unit_test(train__rejects_what_cannot_be),
        cmocka_unit_test(train__runs_out_of_memory_cleanly),
        cmocka_unit_test(eval__protocols_match_a_plain_loop),
        cmocka_unit_test(eval__short_texts_in_windows),
        cmocka_unit_test(eval__held_out_part_of_the_same_data),
        cmocka_unit_test(eval__unseen_and_too_short_texts),
        cmocka_unit_test(eval__a_validation_file_of_its_own),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
