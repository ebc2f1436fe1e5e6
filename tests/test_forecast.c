/* SPDX-License-Identifier: MIT */
/* Forecasts: what is learnt from which rows, what is measured, and what is said of a file. */
#include "test_task.h"

#include <math.h>

#include "task/forecast.h"
#include "task/linear.h"

static ur_model *trained(const char *settings)
{
    struct listener l;
    ur_model *m;
    ur_train_options o = small_run("forecast", tmp_path("m.safetensors"), settings);
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, o.model));
    return m;
}

static double figure_of(const ur_model *m, const char *path, const char *part, const char *name)
{
    ur_metrics found;
    ur_eval_options e = eval_of(&path, 1);
    ur_metrics_init(&found);
    e.held_out = strcmp(part, "val") == 0;
    e.tested = strcmp(part, "test") == 0;
    assert_ok(ur_evaluate(m, &e, &found));
    return ur_metrics_get(&found, name);
}

/* ---- parts ------------------------------------------------------------- */

static void split__by_counts_and_shares(void **unused)
{
    (void)unused;
    static const struct {
        const char *split;
        double val;
        int64_t n, begin[4];
    } good[] = {
        {NULL, 0.1, 100, {0, 90, 100, 100}},
        {NULL, 0, 7, {0, 7, 7, 7}},
        {"8640,2880,2880", 0.1, 17420, {0, 8640, 11520, 14400}},
        {"0.5,0.25", 0.1, 10, {0, 5, 7, 7}},
        {"0.5,20,0.1", 0.1, 100, {0, 50, 70, 80}},
        {"5,0,5", 0.1, 10, {0, 5, 5, 10}},
    };
    static const char *const bad[] = {"", "5", "5,", ",5", "5,5,5,5", "a,b", "5,-1", "1.5,2",
                                      "nan,1", "50,50,1", "1e99,1", "5;5", "1,2,3,"};
    int64_t begin[4];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(ur__forecast_split(good[i].split, good[i].val, good[i].n, 2, begin));
        assert_memory_equal(begin, good[i].begin, sizeof begin);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_status(UR_EINVAL, ur__forecast_split(bad[i], 0.1, 100, 2, begin));
}

/* What comes after the parts that are looked at changes no number that is learnt. */
static void training__knows_nothing_of_the_test(void **unused)
{
    (void)unused;
    const char *other = tmp_path("other.csv");
    FILE *from = fopen(series_path, "r"), *to = fopen(other, "w");
    char line[200];
    assert_true(from && to);
    for (int i = 0; fgets(line, sizeof line, from); i++)
        fprintf(to, i <= 200 ? "%s" : "%.8s1,1\n", line);
    fclose(from);
    fclose(to);
    ur_params *params[2];
    ur_model *m[2];
    for (int i = 0; i < 2; i++) {
        struct listener l;
        ur_train_options o = small_run("forecast", tmp_path("t.safetensors"),
                                       "split=160,40,40 target=a base=linear steps=30");
        o.data = i ? &other : &series_path;
        assert_ok(train_until(o, 0, &l));
        assert_ok(ur_model_load(&m[i], o.model));
        params[i] = ur_model_params(m[i]);
    }
    for (int k = 0; k < ur_params_count(params[0]); k++) {
        const ur_param *p = ur_params_at(params[0], k);
        if (strcmp(p->name, "out.weight") == 0 || strncmp(p->name, "series.", 7) == 0)
            assert_memory_equal(ur_param_data(params[0], p),
                                ur_param_data(params[1], ur_params_at(params[1], k)),
                                p->size * sizeof(ur_real));
    }
    assert_true(figure_of(m[0], series_path, "test", "n") > 0);
    ur_model_free(m[0]);
    ur_model_free(m[1]);
}

/* ---- figures ----------------------------------------------------------- */

struct table {
    double a[240];              /* NaN: missing */
};

static struct table read_table(void)
{
    struct ur__series s;
    struct table t;
    const struct ur__series_rule rule = {.targets = "a"};
    assert_ok(ur__series_open(&s, series_path, &rule));
    assert_int_equal(s.n, 240);
    memcpy(t.a, s.value, sizeof t.a);
    ur__series_close(&s);
    return t;
}

/* The simple forecasts beside the network's, counted here again from the file. */
static void baselines__as_counted_by_hand(void **unused)
{
    (void)unused;
    ur_model *m = trained("split=150,40,50 target=a steps=5");
    const struct table t = read_table();
    double last = 0, season = 0, scale = 0, n = 0, pairs = 0, filled[240];
    for (int i = 0; i < 240; i++)
        filled[i] = isnan(t.a[i]) ? filled[i - 1] : t.a[i];
    for (int i = 12; i < 150; i++)
        if (!isnan(t.a[i]) && !isnan(t.a[i - 12])) {
            scale += fabs(t.a[i] - t.a[i - 12]);
            pairs++;
        }
    scale /= pairs;
    for (int origin = 190; origin + 6 <= 240; origin++)
        for (int j = 0; j < 6; j++) {
            if (isnan(t.a[origin + j]))
                continue;
            last += fabs(t.a[origin + j] - filled[origin - 1]);
            season += fabs(t.a[origin + j] - filled[origin + j - 12]);
            n++;
        }
    assert_true(figure_of(m, series_path, "test", "n") == n);
    assert_true(fabs(figure_of(m, series_path, "test", "mae_last") - last / n) < 1e-5);
    assert_true(fabs(figure_of(m, series_path, "test", "mae_seasonal") - season / n) < 1e-5);
    assert_true(fabs(figure_of(m, series_path, "test", "mase_last") - last / n / scale) < 1e-5);
    ur_model_free(m);
}

/* What is measured is what predict says at each origin. */
static void figures__are_those_of_answers(void **unused)
{
    (void)unused;
    static const char *const runs[] = {"", "recursive=yes", "distribution=gaussian base=linear",
                                       "normalise=window base=seasonal transform=log"};
    const struct table t = read_table();
    for (int k = 0; k < 4; k++) {
        char settings[200];
        snprintf(settings, sizeof settings, "split=180,30,30 target=a steps=40 %s", runs[k]);
        ur_model *m = trained(settings);
        ur_predictor *p;
        ur_predict_options o;
        const ur_answer *answer;
        ur_forecast_sums sums = {.n = 0};
        ur_metrics own;
        ur_metrics_init(&own);
        ur_predict_options_init(&o);
        assert_ok(ur_predictor_new(&p, m, &o));
        for (int origin = 210; origin + 6 <= 240; origin++) {
            char back[20];
            snprintf(back, sizeof back, "%d", 240 - origin);
            assert_ok(ur_predictor_set(p, "back", back));
            assert_ok(ur_predictor_open(p, &series_path, 1));
            assert_ok(ur_predictor_next(p, &answer));
            assert_int_equal(answer->n_rows, 14 + 6);
            for (int j = 0; j < 6; j++) {
                const ur_forecast_row *r = &answer->row[14 + j];
                double value = t.a[origin + j];
                assert_true(isnan(value) ? isnan(r->value) : fabs(r->value - value) < 1e-9);
                ur_forecast_add(&sums, value, r->point, r->lower, r->upper);
            }
        }
        ur_forecast_figures(&sums, 1, &own);
        static const char *const names[] = {"mae", "rmse", "smape", "coverage", "width"};
        for (int i = 0; i < 5; i++) {
            double a = ur_metrics_get(&own, names[i]), b = figure_of(m, series_path, "test",
                                                                     names[i]);
            if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(a))))
                fail_msg("%s, %s: %g and %g", runs[k], names[i], a, b);
        }
        assert_true(answer->row[0].value > 0 && isnan(answer->row[0].point));
        assert_string_equal(answer->row[14].series, "a");
        ur_predictor_free(p);
        ur_model_free(m);
    }
}

/* Where the data follow a linear recurrence, the autoregression finds it. */
static void linear__finds_a_recurrence(void **unused)
{
    (void)unused;
    const char *path = tmp_path("wave.csv");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("x\n", f);
    for (int t = 0; t < 300; t++)
        fprintf(f, "%.9g\n", 5 + 3 * sin(0.3 * t) + cos(0.71 * t));
    fclose(f);
    struct listener l;
    ur_model *m;
    ur_train_options o = small_run("forecast", tmp_path("w.safetensors"),
                                   "steps=2 normalise=series split=200,50,50");
    o.data = &path;
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, o.model));
    assert_true(figure_of(m, path, "test", "mae_linear") < 0.01);
    assert_true(figure_of(m, path, "test", "mae_last") > 1);
    ur_model_free(m);
}

/* Trained well it is better than the season before, and its intervals hold what they promise of the
 * part that they are widened by. */
static void network__beats_the_season(void **unused)
{
    (void)unused;
    ur_model *m = trained("split=170,35,35 target=a features=b base=seasonal steps=400 hidden=16");
    double own = figure_of(m, series_path, "test", "mase");
    assert_true(own < 0.9 * figure_of(m, series_path, "test", "mase_seasonal") && own < 1);
    double covered = figure_of(m, series_path, "val", "coverage");
    assert_true(covered >= 0.78 && covered < 0.86);
    ur_model_free(m);
}

/* A large level takes no digits from what happens above it, and other files have other columns. */
static void series__far_from_zero_are_told_as_well(void **unused)
{
    (void)unused;
    double errors[2];
    for (int i = 0; i < 2; i++) {
        const double level = i ? 1e9 : 0;
        const char *path = tmp_path("high.csv"), *other = tmp_path("more.csv");
        FILE *f = fopen(path, "w"), *more = fopen(other, "w");
        assert_non_null(f);
        assert_non_null(more);
        fputs("a\n", f);
        fputs("a,b\n", more);
        for (int t = 0; t < 240; t++) {
            fprintf(f, "%.2f\n", level + 10 * ((t % 12) < 6));
            fprintf(more, "%.2f,%d\n", level + 10 * ((t % 12) < 6), t % 2);
        }
        fclose(f);
        fclose(more);
        ur_train_options o = small_run("forecast", tmp_path("high.safetensors"), "steps=40");
        struct listener l;
        ur_model *m;
        ur_metrics found, again;
        ur_eval_options e;
        o.data = &path;
        o.force = true;
        assert_ok(train_until(o, 0, &l));
        assert_ok(ur_model_load(&m, o.model));
        ur_eval_options_init(&e);
        ur_metrics_init(&found);
        ur_metrics_init(&again);
        e.data = &path;
        e.n_data = 1;
        assert_ok(ur_evaluate(m, &e, &found));
        errors[i] = ur_metrics_get(&found, "mae");
        e.data = &other;
        assert_ok(ur_evaluate(m, &e, &again));
        assert_true(ur_metrics_get(&again, "mae") == errors[i]);
        ur_model_free(m);
    }
    assert_true(errors[0] < 5);
    assert_true(fabs(errors[1] - errors[0]) < 0.1);
}

/* ---- answers ----------------------------------------------------------- */

static void answers__of_arrays_and_files_agree(void **unused)
{
    (void)unused;
    ur_model *m = trained("target=a,b steps=20 calendar=no");
    ur_predictor *p;
    ur_predict_options o;
    const ur_answer *a;
    double points[12];
    ur_real frames[240 * 2];
    struct ur__series s;
    const struct ur__series_rule rule = {.targets = "a,b"};
    ur_predict_options_init(&o);
    assert_ok(ur_predictor_new(&p, m, &o));
    assert_status(UR_EINVAL, ur_predictor_next(p, &a));
    assert_ok(ur_predictor_open(p, &series_path, 1));
    assert_ok(ur_predictor_next(p, &a));
    assert_int_equal(a->n_rows, 2 * 20);
    assert_true(strncmp(a->text, "time,series,point,lower,upper\n1970-01,a,", 40) == 0);
    for (int i = 0; i < 12; i++)
        points[i] = a->row[i / 6 * 20 + 14 + i % 6].point;
    assert_ok(ur_predictor_next(p, &a));
    assert_null(a);
    assert_ok(ur__series_open(&s, series_path, &rule));
    for (int i = 0; i < 480; i++)
        frames[i] = (ur_real)s.value[i];
    ur__series_close(&s);
    assert_ok(ur_predictor_frames(p, 240, 2, frames, &a));
    for (int i = 0; i < 12; i++)    /* an array has the file's numbers as floats */
        assert_true(fabs(a->row[i / 6 * 20 + 14 + i % 6].point - points[i]) < 1e-4);
    assert_string_equal(a->row[14].time, "241");
    assert_status(UR_EDATA, ur_predictor_frames(p, 13, 2, frames, &a));
    assert_message("13 rows with values are too few: forecasts are made from 14");
    assert_status(UR_ESHAPE, ur_predictor_frames(p, 240, 1, frames, &a));
    frames[300] = (ur_real)INFINITY;
    assert_status(UR_EDATA, ur_predictor_frames(p, 240, 2, frames, &a));
    assert_status(UR_EINVAL, ur_predictor_frames(p, 0, 2, frames, &a));
    assert_status(UR_EINVAL, ur_predictor_line(p, "a", 1, &a));
    ur_predictor_free(p);
    ur_model_free(m);
}

static void wrong__options_and_files(void **unused)
{
    (void)unused;
    static const struct {
        const char *settings;
        ur_status status;
        const char *message;
    } wrong[] = {
        {"horizon=220", UR_EDATA, "rows to learn from are too few"},
        {"horizon=30 split=200,12", UR_EDATA, "no value within a whole horizon of 30"},
        {"target=z", UR_EDATA, "there is no column \"z\""},
        {"split=9", UR_EINVAL, "split 9: must be"},
        {"back=240", UR_EDATA, "of its 240 rows 240 are left out"},
        {"context=60000", UR_EDATA, "a context of 60000 and a horizon of 6 need 60006"},
    };
    struct listener l;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ur_train_options o = small_run("forecast", tmp_path("w.safetensors"), wrong[i].settings);
        assert_status(wrong[i].status, train_until(o, 0, &l));
        assert_message(wrong[i].message);
    }
    ur_train_options o = small_run("forecast", tmp_path("w.safetensors"), "");
    const char *two[] = {series_path, series_path};
    o.data = two;
    o.n_data = 2;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    o.n_data = 1;
    o.val_file = other_path;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    ur_model *m = trained("steps=1 features=a target=b");
    const char *plain = tmp_path("plain.csv");
    FILE *f = fopen(plain, "w");
    assert_non_null(f);
    fputs("a,b\n", f);
    for (int i = 0; i < 50; i++)
        fputs("1,2\n", f);
    fclose(f);
    ur_eval_options e = eval_of(&plain, 1);
    ur_metrics found;
    ur_metrics_init(&found);
    assert_status(UR_EDATA, ur_evaluate(m, &e, &found));
    assert_message("have no times such as the network has learnt with");
    e = eval_of(&series_path, 1);
    e.tested = true;
    assert_status(UR_EDATA, ur_evaluate(m, &e, &found));
    assert_message("nothing held out for a test");
    ur_model_free(m);
}

static void network__that_feeds_back_needs_a_state(void **unused)
{
    (void)unused;
    ur_options c = net_of("forecast", "recursive=yes horizon=2 context=2 hidden=3");
    ur_vocab *none[1] = {NULL};
    const ur_real x[4] = {1, 2, 3, 4};
    ur_model *m;
    ur_tape *tape;
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_model_new(&m, &c, 0, none, 1));
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_batch_reals(&batch, "input", 3, (int[]){2, 1, 1}, x, NULL));
    assert_ok(ur_batch_reals(&batch, "base", 3, (int[]){2, 1, 1}, x, NULL));
    assert_null(ur_model_outputs(tape, m, &batch, NULL));
    assert_status(UR_EINVAL, ur_tape_status(tape));
    assert_message("needs a state");
    batch.field[0].dim[0] = 1;
    ur_tape_reset(tape);
    assert_null(ur_model_outputs(tape, m, &batch, NULL));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    ur_tape_free(tape);
    ur_model_free(m);
}

static void normal__quantiles(void **unused)
{
    (void)unused;
    static const double known[][2] = {
        {0.5, 0}, {0.9, 1.2815515655446004}, {0.1, -1.2815515655446004},
        {0.975, 1.959963984540054}, {0.999, 3.090232306167813}, {1e-6, -4.753424308822899},
        {1e-15, -7.941345326170997},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(fabs(ur__normal_quantile(known[i][0]) - known[i][1]) < 2e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split__by_counts_and_shares),
        cmocka_unit_test(training__knows_nothing_of_the_test),
        cmocka_unit_test(baselines__as_counted_by_hand),
        cmocka_unit_test(figures__are_those_of_answers),
        cmocka_unit_test(linear__finds_a_recurrence),
        cmocka_unit_test(network__beats_the_season),
        cmocka_unit_test(series__far_from_zero_are_told_as_well),
        cmocka_unit_test(answers__of_arrays_and_files_agree),
        cmocka_unit_test(wrong__options_and_files),
        cmocka_unit_test(network__that_feeds_back_needs_a_state),
        cmocka_unit_test(normal__quantiles),
    };
    return cmocka_run_group_tests_name("forecast", tests, set_up, tear_down);
}
