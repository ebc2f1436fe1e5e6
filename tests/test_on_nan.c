/* SPDX-License-Identifier: MIT */
/* What becomes of a run whose numbers are no longer finite: stopped, without the step, from
 * an earlier step on; and that an interrupted run then ends as one that was not. */
#include "test_nan.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "io/json.h"
#include "io/safetensors.h"
#include "train/schedule.h"

static ur_train_options options_of(ur_on_nan policy)
{
    ur_train_options o = small_run("lm", tmp_path("m.safetensors"),
                                   "cell=gru learned-state=yes seq-length=8");
    /* 94 steps an epoch */
    o.on_nan = policy;
    return o;
}

static void spoil_steps(enum place place, int64_t first, int64_t last)
{
    spoil_nothing();
    spoil.place = place;
    spoil.first = first;
    spoil.last = last;
    spoil.most_rollbacks = 100;
    spoil.parameter = "decoder.bias";
    spoil.at = 3;
    spoil.value = (ur_real)NAN;
}

/* ---- stop -------------------------------------------------------------- */

static void stop__fails_and_leaves_the_files(void **unused)
{
    (void)unused;
    struct watcher w;
    size_t n[3], m;
    char *before[3];
    const char *ends[] = {".safetensors", ".last.safetensors", ".state"};
    ur_train_options o = options_of(UR_ON_NAN_STOP);
    spoil_steps(GRADIENT, 47, 47);
    assert_status(UR_ECANCELED, train_spoilt(&o, 46, &w));
    for (int i = 0; i < 3; i++)
        before[i] = read_all(with_end(o.model, ends[i]), &n[i]);
    o.resume = true;
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    assert_message("diverged at step 47: the gradient of decoder.bias[3] is nan; a lower learning "
                   "rate or clipping may help");
    assert_int_equal(w.n, 0);
    for (int i = 0; i < 3; i++) {
        char *after = read_all(with_end(o.model, ends[i]), &m);
        assert_int_equal(n[i], m);
        assert_memory_equal(before[i], after, m);
        ur__free(before[i]);
        ur__free(after);
    }
}

/* ---- skip -------------------------------------------------------------- */

static int64_t counter_of(struct ur__st_file *f, const char *key)
{
    struct ur__json *j;
    int64_t value;
    const char *text = ur__st_meta(f, "progress");
    assert_ok(ur__json_parse(&j, text, strlen(text)));
    assert_true(ur__json_get_int(j, key, &value));
    ur__json_free(j);
    return value;
}

/* States of the step before and after one that was left out: only the step has moved. */
static void assert_only_step_moved(const char *before, const char *after)
{
    struct ur__st_file *a, *b;
    assert_ok(ur__st_open(&a, before));
    assert_ok(ur__st_open(&b, after));
    assert_true(ur__st_count(a) > 20);
    for (size_t i = 0; i < ur__st_count(a); i++) {
        const struct ur__st_tensor *t = ur__st_at(a, i), *u = ur__st_find(b, t->name);
        assert_non_null(u);
        char *x = malloc(t->bytes), *y = malloc(t->bytes);
        assert_ok(ur__st_read_raw(a, t, x, t->bytes));
        assert_ok(ur__st_read_raw(b, u, y, t->bytes));
        if (memcmp(x, y, t->bytes) != 0)
            fail_msg("%s has changed", t->name);
        free(x);
        free(y);
    }
    assert_int_equal(counter_of(b, "step"), counter_of(a, "step") + 1);
    assert_int_equal(counter_of(b, "updates"), counter_of(a, "updates"));
    assert_int_equal(counter_of(b, "loss_items"), counter_of(a, "loss_items"));
    assert_int_equal(counter_of(b, "skipped"), counter_of(a, "skipped") + 1);
    ur__st_close(a);
    ur__st_close(b);
}

static void skip__leaves_everything_but_the_step(void **unused)
{
    (void)unused;
    struct watcher w;
    const enum place places[] = {GRADIENT, LOSS, CARRIED_READ};
    const int64_t at[] = {2, 30, 95};   /* 95 begins an epoch */
    for (int i = 0; i < 9; i++) {
        ur_train_options o = options_of(UR_ON_NAN_SKIP);
        o.checkpoint_every = 1;
        o.eval_every = 1000;
        spoil_steps(places[i % 3], at[i / 3], at[i / 3]);
        assert_status(UR_ECANCELED, train_spoilt(&o, at[i / 3] - 1, &w));
        o.resume = true;
        assert_status(UR_ECANCELED, train_spoilt(&o, at[i / 3], &w));
        assert_int_equal(spoil.spoilt, 1);
        assert_int_equal(w.skipped, 1);
        assert_int_equal(w.n, 0);
        assert_non_null(strstr(w.note, "; the step is skipped"));
        /* The new epoch has begun in between; its state is the learnt one. */
        if (at[i / 3] != 95)
            assert_only_step_moved(with_end(o.model, ".state.1"), with_end(o.model, ".state"));
    }
}

static void skip__survives_what_comes_now_and_then(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_SKIP);
    spoil_steps(GRADIENT, 20, 118);     /* 99 in a row */
    assert_ok(train_spoilt(&o, 0, &w));
    assert_int_equal(w.skipped, 99);
    assert_int_equal(w.n, 21);
    o = options_of(UR_ON_NAN_SKIP);
    spoil_steps(GRADIENT, 20, 119);
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    assert_message("diverged at step 119: the gradient of decoder.bias[3] is nan, as in the "
                   "99 steps before it");
}

static void skip__fails_where_it_does_not_help(void **unused)
{
    (void)unused;
    struct watcher w;
    const enum place places[] = {WEIGHT, WEIGHT_PACKED, CARRIED};
    for (int i = 0; i < 3; i++) {
        ur_train_options o = options_of(UR_ON_NAN_SKIP);
        spoil_steps(places[i], 30, 30);
        assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
        assert_message("diverged at step 30: ");
        assert_message("skipping the step would not help");
        assert_int_equal(w.n, 29);
    }
}

/* Stopped anywhere, also within a row of skipped steps and right after an epoch's first. */
static void skip__resumed_equals_uninterrupted(void **unused)
{
    (void)unused;
    struct watcher w;
    const int64_t ranges[][2] = {{1, 3}, {44, 46}, {95, 97}};
    for (int i = 0; i < 3; i++) {
        ur_train_options whole = options_of(UR_ON_NAN_SKIP);
        spoil_steps(LOSS, ranges[i][0], ranges[i][1]);
        assert_ok(train_spoilt(&whole, 0, &w));
        assert_int_equal(w.skipped, 3);
        for (int64_t at = ranges[i][0] - 1; at <= ranges[i][1] + 2; at += EACH > 1 ? 2 : 1) {
            ur_train_options o = options_of(UR_ON_NAN_SKIP);
            o.steps = 120;
            o.resume = true;
            if (at > 0)
                assert_status(UR_ECANCELED, train_spoilt(&o, at, &w));
            assert_ok(train_spoilt(&o, 0, &w));
            assert_int_equal(w.skipped, 3);
            assert_same_run(whole.model, o.model);
        }
    }
}

/* ---- rollback ---------------------------------------------------------- */

static void rollback__goes_back_with_half_the_rate(void **unused)
{
    (void)unused;
    struct watcher w;
    const enum place places[] = {GRADIENT, LOSS, CARRIED, CARRIED_READ, WEIGHT, WEIGHT_PACKED};
    for (int i = 0; i < 6; i++) {
        ur_train_options o = options_of(UR_ON_NAN_ROLLBACK);
        o.schedule = UR_SCHEDULE_CONSTANT;
        spoil_steps(places[i], 47, 47);
        spoil.most_rollbacks = 0;
        assert_ok(train_spoilt(&o, 0, &w));
        assert_int_equal(w.rollbacks, 1);
        assert_non_null(strstr(w.note, "diverged at step 47: "));
        assert_non_null(strstr(w.note, "; back to step 40 with half the learning rate (1 of 3"));
        assert_int_equal(w.n, 46 + 80);
        for (int s = 0; s < w.n; s++) {
            assert_int_equal(w.steps[s], s < 46 ? s + 1 : s - 5);
            assert_true(w.lr[s] == (s < 46 ? 0.01 : 0.005));
        }
    }
}

static void rollback__gives_up_after_three(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_ROLLBACK);
    o.schedule = UR_SCHEDULE_CONSTANT;
    spoil_steps(LOSS, 47, 47);
    assert_status(UR_ECANCELED, train_spoilt(&o, 40, &w));
    size_t n, m;
    char *before = read_all(with_end(o.model, ".state"), &n);
    o.resume = true;
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    assert_message("diverged at step 47: the loss is nan, after going back 3 times with half the "
                   "learning rate; a lower one or clipping may help");
    assert_int_equal(spoil.spoilt, 4);
    assert_int_equal(w.n, 4 * 6);
    assert_true(w.lr[w.n - 1] == 0.01 / 8);
    char *after = read_all(with_end(o.model, ".state"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(before, after, n);
    ur__free(before);
    ur__free(after);
    /* With another policy it goes on. */
    o.on_nan = UR_ON_NAN_SKIP;
    assert_ok(train_spoilt(&o, 0, &w));
    assert_int_equal(w.skipped, 1);
}

/* Before the first checkpoint it goes back to the beginning, of either kind. */
static void rollback__goes_back_to_the_start(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_ROLLBACK), from;
    spoil_steps(LOSS, 7, 7);
    spoil.most_rollbacks = 0;
    assert_ok(train_spoilt(&o, 0, &w));
    assert_non_null(strstr(w.note, "back to step 0 "));
    assert_int_equal(w.steps[6], 1);
    from = options_of(UR_ON_NAN_ROLLBACK);
    from.init_from = o.model;
    from.steps = 12;
    assert_ok(train_spoilt(&from, 0, &w));
    assert_int_equal(w.n, 18);
}

/* A run that goes back twice, stopped after any number of steps, and once more soon after. */
static void rollback__resumed_equals_uninterrupted(void **unused)
{
    (void)unused;
    struct watcher w;
    const int64_t at[] = {7, 47, 95};
    for (int i = 0; i < 3; i++) {
        ur_train_options whole = options_of(UR_ON_NAN_ROLLBACK);
        whole.steps = 100;
        spoil_steps(LOSS, at[i], at[i]);
        spoil.most_rollbacks = 1;
        assert_ok(train_spoilt(&whole, 0, &w));
        assert_int_equal(w.rollbacks, 2);
        int n = w.n;
        for (int stop = i + 1; stop < n; stop += 3 * EACH) {
            ur_train_options o = whole;
            o.model = tmp_path("stopped.safetensors");
            w = (struct watcher){.cancel_after = stop};
            assert_status(UR_ECANCELED, run_spoilt(&o, &w));
            o.resume = true;
            w = (struct watcher){.cancel_after = 2};
            ur_status status = run_spoilt(&o, &w);
            assert_true(status == UR_ECANCELED || status == UR_OK);
            assert_ok(train_spoilt(&o, 0, &w));
            if (status == UR_ECANCELED)
                assert_int_equal(w.rollbacks, 2);
            assert_same_run(whole.model, o.model);
        }
    }
}

/* Killed at any moment, before, between and after its two ways back. */
static void rollback__survives_kills(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options whole = options_of(UR_ON_NAN_ROLLBACK), o = whole;
    spoil_steps(LOSS, 47, 47);
    spoil.most_rollbacks = 1;
    assert_ok(train_spoilt(&whole, 0, &w));
    assert_int_equal(w.rollbacks, 2);
    o.model = tmp_path("killed.safetensors");
    o.resume = true;
    int kills = 0, status = 1;
    for (int i = 0; i < 40 / EACH && (status != 0 || kills == 0); i++) {
        o.force = status == 0;      /* it had ended before: once more */
        o.resume = !o.force;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(train_spoilt(&o, 0, &w) == UR_OK ? 0 : 1);
        struct timespec pause = {0, (long)(2e5 + 1e7 * ur_random_uniform(7, 5, 0, (uint32_t)i))};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        kills += WIFSIGNALED(status) != 0;
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
    o.force = false;
    o.resume = true;
    assert_ok(train_spoilt(&o, 0, &w));
    assert_same_run(whole.model, o.model);
    assert_true(kills > 0);
    print_message("%d kills survived\n", kills);
}

static void rollback__same_bytes_for_any_team(void **unused)
{
    (void)unused;
    struct watcher w;
    const char *first = NULL;
    for (int n = 1; n <= 3; n++) {
        ur_train_options o = options_of(UR_ON_NAN_ROLLBACK);
        spoil_steps(LOSS, 47, 47);
        spoil.most_rollbacks = 1;
        o.steps = 60;
        assert_ok(ur_team_new(&o.team, n));
        assert_ok(train_spoilt(&o, 0, &w));
        ur_team_free(o.team);
        if (first)
            assert_same_run(first, o.model);
        else
            first = o.model;
    }
}

/* A learning rate that is too high by itself, without a spoilt number. */
static void rollback__mends_a_rate_that_is_too_high(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_STOP);
    spoil_nothing();
    o.schedule = UR_SCHEDULE_CONSTANT;
    o.optimizer = plain_of(1e10, 0, 0);
    o.lr = 0.9e-10;     /* parameters shrink to a tenth each step */
    o.steps = 40;
    assert_ok(train_spoilt(&o, 0, &w));
    o = options_of(UR_ON_NAN_STOP);
    o.schedule = UR_SCHEDULE_CONSTANT;
    o.optimizer = plain_of(1e10, 0, 0);
    o.lr = 4e-9;        /* they grow 39-fold, with half the rate 19-fold, ... */
    o.steps = 40;
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    o.model = tmp_path("back.safetensors");
    o.on_nan = UR_ON_NAN_ROLLBACK;
    o.lr = 4e-10;       /* 3-fold, with half the rate not at all */
    o.steps = 120;
    o.checkpoint_every = 1000;
    o.eval_every = 1000;
    assert_ok(train_spoilt(&o, 0, &w));
    assert_true(w.rollbacks >= 1 && w.rollbacks <= 3);
}

/* ---- validation -------------------------------------------------------- */

static void validation__follows_the_policy(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_STOP);
    spoil_steps(VALIDATION, 50, 50);
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    assert_message("diverged at step 50: the validation loss is nan; ");

    o = options_of(UR_ON_NAN_ROLLBACK);
    spoil.most_rollbacks = 0;
    assert_ok(train_spoilt(&o, 0, &w));
    assert_int_equal(w.rollbacks, 1);
    assert_int_equal(w.steps[50], 41);
    assert_non_null(strstr(w.note, "the validation loss is nan; back to step 40 "));

    o = options_of(UR_ON_NAN_SKIP);
    assert_ok(train_spoilt(&o, 0, &w));
    assert_int_equal(w.validations, 5);
    assert_int_equal(w.skipped, 0);
    assert_true(isfinite(w.best));
    assert_non_null(strstr(w.note, "the validation loss is nan; no better model"));

    o = options_of(UR_ON_NAN_SKIP);     /* there is no model yet */
    spoil_steps(VALIDATION, 25, 25);
    assert_status(UR_ENUMERIC, train_spoilt(&o, 0, &w));
    assert_false(ur__file_exists(o.model));
}

/* The best model was found on a way that was given up: it stays, and is still the best. */
static void validation__keeps_the_best_model(void **unused)
{
    (void)unused;
    struct watcher w;
    ur_train_options o = options_of(UR_ON_NAN_ROLLBACK);
    o.steps = 60;
    o.lr = 1e-5;            /* half of it learns less */
    spoil_steps(LOSS, 57, 57);
    spoil.most_rollbacks = 0;
    assert_ok(train_spoilt(&o, 0, &w));
    ur_model *m;
    char best[40];
    assert_ok(ur_model_load(&m, o.model));
    snprintf(best, sizeof best, "\"val_loss\":%.6f", w.best);
    best[strlen(best) - 1] = '\0';
    if (!strstr(ur_model_summary(m), best))
        fail_msg("%s is not the best: %s", ur_model_summary(m), best);
    ur_model_free(m);
    /* Stopped after step 41, the second time: its state has no counter from further on. */
    struct ur__st_file *f;
    o.model = tmp_path("b.safetensors");
    w = (struct watcher){.cancel_after = 57};
    assert_status(UR_ECANCELED, run_spoilt(&o, &w));
    assert_ok(ur__st_open(&f, with_end(o.model, ".state")));
    assert_int_equal(counter_of(f, "step"), 41);
    assert_int_equal(counter_of(f, "best_step"), 40);
    assert_int_equal(counter_of(f, "rollbacks"), 1);
    ur__st_close(f);
}

static void names__go_both_ways(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        ur_on_nan policy;
        assert_true(ur_on_nan_find(ur_on_nan_name((ur_on_nan)i), &policy));
        assert_int_equal(policy, i);
    }
    assert_null(ur_on_nan_name((ur_on_nan)3));
    struct watcher w;
    ur_train_options o = options_of((ur_on_nan)3);
    assert_status(UR_EINVAL, train_spoilt(&o, 0, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop__fails_and_leaves_the_files),
        cmocka_unit_test(skip__leaves_everything_but_the_step),
        cmocka_unit_test(skip__survives_what_comes_now_and_then),
        cmocka_unit_test(skip__fails_where_it_does_not_help),
        cmocka_unit_test(skip__resumed_equals_uninterrupted),
        cmocka_unit_test(rollback__goes_back_with_half_the_rate),
        cmocka_unit_test(rollback__gives_up_after_three),
        cmocka_unit_test(rollback__goes_back_to_the_start),
        cmocka_unit_test(rollback__resumed_equals_uninterrupted),
        cmocka_unit_test(rollback__survives_kills),
        cmocka_unit_test(rollback__same_bytes_for_any_team),
        cmocka_unit_test(rollback__mends_a_rate_that_is_too_high),
        cmocka_unit_test(validation__follows_the_policy),
        cmocka_unit_test(validation__keeps_the_best_model),
        cmocka_unit_test(names__go_both_ways),
    };
    return cmocka_run_group_tests(tests, set_up_quick, tear_down);
}
