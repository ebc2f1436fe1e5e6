/* SPDX-License-Identifier: MIT */
/* Wrong calls of train.h and task.h, and of a run from its own reports. */
#include "models.h"

#include <limits.h>
#include <math.h>

#include "support/misuse.h"
#include "test_task.h"

enum { V = 9 };

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static int set_up_runs(void **unused)
{
    ur__file_set_ops(&(struct ur__file_ops){.sync = no_sync});
    return set_up(unused);
}

static ur_model *small_model(void)
{
    const ur_options c = net_of("lm", "layers=1 hidden=5");
    return model_of(&c, V, 1);
}

/* ---- optimizers -------------------------------------------------------- */

static void names__are_found_or_not(void **unused)
{
    (void)unused;
    ur_cell cell;
    ur_activation f;
    ur_optimizer_kind kind;
    ur_schedule_kind schedule;
    ur_on_nan policy;
    NOTHING(ur_cell_find(NULL, &cell));
    NOTHING(ur_cell_find("lstm", NULL));
    NOTHING(ur_activation_find(NULL, &f));
    NOTHING(ur_activation_find("tanh", NULL));
    NOTHING(ur_optimizer_find(NULL, &kind));
    NOTHING(ur_optimizer_find("adam", NULL));
    NOTHING(ur_schedule_find(NULL, &schedule));
    NOTHING(ur_schedule_find("cosine", NULL));
    NOTHING(ur_on_nan_find(NULL, &policy));
    NOTHING(ur_on_nan_find("stop", NULL));
    static const int numbers[] = {-1, 99, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        QUIET(ur_cell_name((ur_cell)numbers[i]));
        QUIET(ur_activation_name((ur_activation)numbers[i]));
        QUIET(ur_optimizer_name((ur_optimizer_kind)numbers[i]));
        QUIET(ur_schedule_name((ur_schedule_kind)numbers[i]));
    }
}

static void optimizer__refuses_the_impossible(void **unused)
{
    (void)unused;
    ur_model *m = small_model();
    ur_params *params = ur_model_params(m), *unbuilt;
    ur_runner *runner;
    ur_real logits[V];
    const int32_t id = 0;
    ur_optimizer *optimizer;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    const ur_optimizer_options usual = optimizer_of(UR_OPTIMIZER_ADAMW);
    assert_ok(ur_params_new(&unbuilt));
    assert_ok(ur_runner_new(&runner, m, 1, NULL));
    ur_optimizer_free(NULL);
    REFUSED(UR_EINVAL, ur_optimizer_new(NULL, params, &o, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_new(&optimizer, NULL, &o, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_new(&optimizer, params, NULL, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_new(&optimizer, unbuilt, &o, NULL));
#define WITH(change)                                                                   \
    do {                                                                               \
        o = usual;                                                                     \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_optimizer_new(&optimizer, params, &o, NULL));            \
        assert_null(optimizer);                                                        \
    } while (0)
    static const double bad[] = {-1, 1, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WITH(o.beta1 = bad[i]);
        WITH(o.beta2 = bad[i]);
        WITH(o.eps = bad[i]);
        WITH(o.momentum = bad[i] == -1 ? 2 : bad[i]);
        WITH(o.weight_decay = bad[i] == 1 || bad[i] == -1 ? (double)NAN : bad[i]);
        WITH(o.clip_norm = bad[i] == 1 ? -1 : bad[i]);
        WITH(o.clip_value = bad[i] == 1 ? -1 : bad[i]);
    }
    WITH(o.kind = (ur_optimizer_kind)99);
    WITH(o.kind = (ur_optimizer_kind)-1);
    WITH(o.size = 0);
    WITH(o.size = SIZE_MAX);
    SAYS(ur_optimizer_options_init_size(NULL, sizeof o));
#undef WITH
    REFUSED(UR_EINVAL, ur_optimizer_step(NULL, 0.1, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_save(NULL, "state"));
    REFUSED(UR_EINVAL, ur_optimizer_load(NULL, "state"));
    assert_ok(ur_optimizer_new(&optimizer, params, &usual, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_save(optimizer, NULL));
    REFUSED(UR_EINVAL, ur_optimizer_load(optimizer, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED(UR_EINVAL, ur_optimizer_step(optimizer, bad[i] == 1 ? -2 : bad[i], NULL));
    assert_ok(ur_optimizer_step(optimizer, 0, NULL));
    REFUSED(UR_EINVAL, ur_runner_run(runner, 1, &id, logits));    /* until it is prepared anew */
    assert_ok(ur_model_prepare(m));
    assert_ok(ur_runner_run(runner, 1, &id, logits));
    ur_optimizer_free(optimizer);
    ur_runner_free(runner);
    ur_params_free(unbuilt);
    ur_model_free(m);
}

/* ---- whole jobs -------------------------------------------------------- */

static void train__refuses_impossible_options(void **unused)
{
    (void)unused;
    const char *to = tmp_path("t.safetensors"), *no_data[] = {NULL};
    ur_train_options o;
    ur_plan plan;
    ur_plan_init(&plan);
    REFUSED(UR_EINVAL, ur_train(NULL, NULL, NULL));
    o = small_options(to);
    REFUSED(UR_EINVAL, ur_train_plan(NULL, 0, NULL, NULL, &plan));
    REFUSED(UR_EINVAL, ur_train_plan(&o, 0, NULL, NULL, NULL));
    o.task = "juggle";
    REFUSED(UR_EINVAL, ur_train_plan(&o, 0, NULL, NULL, &plan));
#define WITH(change)                                                                   \
    do {                                                                               \
        o = small_options(to);                                                         \
        o.steps = 1;                                                                   \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));                                  \
        assert_false(ur__file_exists(to));                                             \
    } while (0)
    static const int bad[] = {0, -1, INT_MIN, INT_MAX};
    static const double real[] = {-1, (double)NAN, -HUGE_VAL};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WITH(o.batch = bad[i] ? bad[i] : -7);
        WITH(o.n_data = bad[i] == INT_MAX ? -7 : bad[i]);
        WITH(o.patience = bad[i] < 0 ? bad[i] : -7);
        WITH(o.sample_length = bad[i] < 0 ? bad[i] : -7);
    }
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        WITH(o.val = real[i]);
        WITH(o.seconds = real[i]);
        WITH(o.optimizer.clip_norm = real[i]);
    }
    WITH(o.model = NULL);
    WITH(o.model = "");
    WITH(o.data = NULL);
    WITH(o.data = no_data);
    WITH(o.epochs = (double)NAN);
    WITH(o.lr = (double)NAN);
    WITH(o.task = NULL);
    WITH(o.task = "juggle");
    WITH(o.task = "fill");
    WITH(o.size = 0);
    WITH(memset(&o.net, 0, sizeof o.net));
    WITH(memset(&o.job, 0, sizeof o.job));
    WITH(o.net = o.job);
    WITH(o.job = o.net);
    WITH(set_run(&o, "tie=yes embed=3"));
    WITH(o.best = "beauty");
    WITH(o.shards = 0);
    WITH(o.shard = 1);
    WITH(o.shard = -1);
    WITH(o.shards = 2);
    WITH(o.val = 1);
    WITH(o.lr = HUGE_VAL);
    WITH(o.seconds = HUGE_VAL);
    WITH(o.steps = -2);
    WITH(o.steps = -1; o.epochs = HUGE_VAL);
    WITH(o.warmup = -1);
    WITH(o.checkpoint_every = -1);
    WITH(o.eval_every = -1);
    WITH(o.sample_every = INT64_MIN);
    WITH(o.report_every = -1);
    WITH(o.schedule = (ur_schedule_kind)99);
    WITH(o.schedule = UR_SCHEDULE_PLATEAU; o.val = 0);
    WITH(o.patience = 1; o.val = 0);
    WITH(o.optimizer.kind = (ur_optimizer_kind)99);
#undef WITH
    o = small_run("fill", to, "");
    o.report_gradients = true;
    REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    memset(&o, 0, sizeof o);
    REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    REFUSED(UR_EINVAL, ur_train_set(&o, "seed", "1"));
    REFUSED(UR_EINVAL, ur_train_options_init(NULL, "lm"));
    REFUSED(UR_EINVAL, ur_train_options_init(&o, NULL));
    REFUSED(UR_EINVAL, ur_train_options_init(&o, "juggle"));
    REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    REFUSED(UR_EINVAL, ur_train_options_init_size(&o, sizeof o.size - 1, "lm"));
}

static void train__sets_nothing_impossible(void **unused)
{
    (void)unused;
    static const char *const set[][2] = {
        {"seq-length", "0"}, {"seq-length", "-1"}, {"seq-length", "1048577"}, {"batch", "0"},
        {"batch", "1048577"}, {"min-count", "0"}, {"min-count", "-7"}, {"patience", "-7"},
        {"epochs", "0"}, {"epochs", "-1"}, {"epochs", "nan"}, {"steps", "-1"}, {"steps", "1.5"},
        {"time", "0"}, {"time", "-1s"}, {"time", "1d"}, {"time", "nan"}, {"lr", "0"}, {"lr", "-1"},
        {"lr", "inf"}, {"lr", "nan"}, {"clip-norm", "-1"}, {"clip-value", "-1"},
        {"weight-decay", "-1"}, {"warmup", "-1"}, {"val", "1"}, {"val", "-0.1"}, {"val", "1e9"},
        {"seed", "-1"}, {"seed", "18446744073709551616"}, {"optimizer", "newton"},
        {"schedule", "moon"}, {"on-nan", "pray"}, {"tokens", "letter"}, {"dropout", "1"},
        {"hidden", "0"}, {"cell", "brain"}, {"resume", "maybe"}, {"colour", "red"}, {"", "1"},
        {"eval-every", "-1"}, {"checkpoint-every", "-1"}, {"sample-every", "-1"},
    };
    ur_train_options o = small_options("m.safetensors"), was = o;
    REFUSED(UR_EINVAL, ur_train_set(NULL, "seed", "1"));
    REFUSED(UR_EINVAL, ur_train_set(&o, NULL, "1"));
    REFUSED(UR_EINVAL, ur_train_set(&o, "seed", NULL));
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        REFUSED(UR_EINVAL, ur_train_set(&o, set[i][0], set[i][1]));
    assert_memory_equal(&o, &was, sizeof o);
    NOTHING(ur_train_option(NULL, 0));
    SAYS(ur_train_option("juggle", 0));
    QUIET(ur_train_option("lm", -1));
    QUIET(ur_train_option("lm", INT_MAX));
    NOTHING(ur_task_brief(NULL));
    NOTHING(ur_task_verb(NULL));
    assert_null(ur_task_brief("juggle"));
    assert_null(ur_task_verb("juggle"));
    /* What a task has no use for. */
    o = small_run("fill", "m.safetensors", "");
    REFUSED(UR_EINVAL, ur_train_set(&o, "report-gradients", "yes"));
    REFUSED(UR_EINVAL, ur_train_set(&o, "sample-every", "3"));
}

/* A run started from the report of another: its own files are its own. */
static int depth;
static const char *outer_path, *inner_path;

static bool train_inside(void *user, const ur_report *r)
{
    (void)user;
    if (r->kind != UR_REPORT_STEP || r->step != 2)
        return true;
    char *without_end = strdup(outer_path);
    without_end[strlen(without_end) - strlen(".safetensors")] = '\0';
    ur_train_options o = small_options(outer_path);
    o.steps = 3;
    o.force = true;
    REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    o.model = without_end;
    REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    free(without_end);
    o.model = inner_path;
    if (depth++ == 0)
        assert_ok(ur_train(&o, train_inside, NULL));    /* whose report comes here again */
    else
        REFUSED(UR_EINVAL, ur_train(&o, NULL, NULL));
    return true;
}

static void train__is_not_disturbed_by_a_run_in_its_report(void **unused)
{
    (void)unused;
    const char *plain = tmp_path("plain.safetensors");
    outer_path = tmp_path("outer.safetensors");
    inner_path = tmp_path("inner.safetensors");
    ur_train_options o = small_options(plain);
    o.steps = 4;
    assert_ok(ur_train(&o, NULL, NULL));
    o.model = outer_path;
    assert_ok(ur_train(&o, train_inside, NULL));
    assert_same_run(plain, outer_path);
    assert_int_equal(depth, 2);
}

static bool stop(void *user, double done)
{
    (void)user;
    (void)done;
    return false;
}

static void predictor__refuses_impossible_options(void **unused)
{
    (void)unused;
    const ur_options net = net_of("fill", "layers=1 hidden=5");
    static const int bad[] = {0, -1, UR_PREDICT_MOST + 1, INT_MAX, INT_MIN};
    ur_model *m = model_of(&net, V, 1);
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    ur_predictor_free(NULL);
    SAYS(ur_predict_options_init_size(NULL, sizeof o));
    ur_predict_options_init(&o);
    REFUSED(UR_EINVAL, ur_predictor_new(NULL, m, &o));
    REFUSED(UR_EINVAL, ur_predictor_new(&p, NULL, &o));
    REFUSED(UR_EINVAL, ur_predictor_new(&p, m, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.best = bad[i];
        REFUSED(UR_EINVAL, ur_predictor_new(&p, m, &o));
    }
    ur_predict_options_init(&o);
    o.unknown = (ur_unknown)7;
    REFUSED(UR_EINVAL, ur_predictor_new(&p, m, &o));
    o.size = 0;
    REFUSED(UR_EINVAL, ur_predictor_new(&p, m, &o));
    ur_predict_options_init(&o);
    assert_ok(ur_predictor_new(&p, m, &o));
    REFUSED(UR_EINVAL, ur_predictor_line(NULL, "_", 1, &a));
    REFUSED(UR_EINVAL, ur_predictor_line(p, NULL, 1, &a));
    REFUSED(UR_EINVAL, ur_predictor_line(p, "_", 1, NULL));
    REFUSED(UR_EDATA, ur_predictor_line(p, "z_", 2, &a));
    assert_int_equal(a->n, 0);
    assert_int_equal(a->n_places, 0);
    NOTHING(ur_predictor_note(NULL));
    QUIET(ur_predictor_note(p));
    assert_ok(ur_predictor_line(p, NULL, 0, &a));
    assert_int_equal(a->n, 0);
    ur_predictor_free(p);
    ur_model_free(m);
}

static void evaluate__refuses_impossible_options(void **unused)
{
    (void)unused;
    const char *trained = tmp_path("e.safetensors"), *no_data[] = {NULL};
    ur_train_options t = small_options(trained);
    ur_eval_options o = eval_of(&text_path, 1);
    ur_metrics m;
    ur_metrics_init(&m);
    ur_model *model, *lm = small_model();
    t.steps = 1;
    assert_ok(ur_train(&t, NULL, NULL));
    assert_ok(ur_model_load(&model, trained));
    REFUSED(UR_EINVAL, ur_evaluate(NULL, &o, &m));
    REFUSED(UR_EINVAL, ur_evaluate(model, NULL, &m));
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, NULL));
    assert_int_equal(m.n, 0);
    o.n_data = 0;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    o.n_data = -1;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    o.n_data = 1;
    o.data = NULL;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    o.data = no_data;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    o.data = &text_path;
    o.protocol = (ur_protocol)99;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    o.protocol = UR_PROTOCOL_STREAM;
    const ur_setting settings[] = {{"format", "csv"}, {NULL, "x"}, {"format", NULL}};
    o.n_set = 1;
    REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    for (int i = 0; i < 3; i++) {
        o.set = &settings[i];
        REFUSED(UR_EINVAL, ur_evaluate(model, &o, &m));
    }
    o.n_set = 0;
    o.on_progress = stop;
    REFUSED(UR_ECANCELED, ur_evaluate(model, &o, &m));
    REFUSED(UR_EDATA, ur_evaluate(lm, &o, &m));     /* of another vocabulary */
    o.held_out = true;
    REFUSED(UR_EDATA, ur_evaluate(lm, &o, &m));
    ur_model_free(model);
    ur_model_free(lm);
    assert_string_equal(ur_task_names()[0], "lm");
}

static void misuse__is_large_enough(void **unused)
{
    (void)unused;
    misuse_total(120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__are_found_or_not),
        cmocka_unit_test(optimizer__refuses_the_impossible),
        cmocka_unit_test(train__refuses_impossible_options),
        cmocka_unit_test(train__sets_nothing_impossible),
        cmocka_unit_test(train__is_not_disturbed_by_a_run_in_its_report),
        cmocka_unit_test(predictor__refuses_impossible_options),
        cmocka_unit_test(evaluate__refuses_impossible_options),
        cmocka_unit_test(misuse__is_large_enough),
    };
    return cmocka_run_group_tests_name("misuse_runs", tests, set_up_runs, tear_down);
}
