/* SPDX-License-Identifier: MIT */
/* Learning rates: of each kind of schedule, of a run, of a loop of one's own. */
#include "test_task.h"

#include <limits.h>
#include <math.h>

#include "train/schedule.h"

static const struct ur__plateau flat = {1, 0};

static ur_schedule schedule_of(ur_schedule_kind kind, double lr, int64_t steps, double seconds,
                               int64_t epoch_steps)
{
    ur_schedule s;
    ur_schedule_init(&s);
    s.kind = kind;
    s.lr = lr;
    s.steps = steps;
    s.seconds = seconds;
    s.epoch_steps = epoch_steps;
    return s;
}

static void schedule__cosine_ends_at_a_tenth(void **unused)
{
    (void)unused;
    ur_schedule s = schedule_of(UR_SCHEDULE_COSINE, 0.002, 1000, 0, 100);
    assert_true(ur__schedule_lr(&s, &flat, 0, 0) == 0.002);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 500, 0) - 0.0011) < 1e-9);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 1000, 0) - 0.0002) < 1e-9);
    for (int64_t i = 0; i < 1000; i++) {
        double want = 0.0002 + 0.0018 * 0.5 * (1 + cos(3.14159265358979 * (double)i / 1000));
        double got = ur__schedule_lr(&s, &flat, i, 0);
        assert_true(fabs(got - want) < 1e-9);
        assert_true(got >= ur__schedule_lr(&s, &flat, i + 1, 0));
    }
}

static void schedule__time_and_steps_end_it_together(void **unused)
{
    (void)unused;
    ur_schedule s = schedule_of(UR_SCHEDULE_COSINE, 1, 1000, 60, 100);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 10, 60) - 0.1) < 1e-6);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 10, 1e9) - 0.1) < 1e-6);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 1000, 1) - 0.1) < 1e-6);
    assert_true(fabs(ur__schedule_lr(&s, &flat, 10, 30) - 0.55) < 1e-6);
    s.steps = -1;
    assert_true(fabs(ur__schedule_lr(&s, &flat, 1000000, 30) - 0.55) < 1e-6);
}

static void schedule__steps_plateau_and_warmup(void **unused)
{
    (void)unused;
    ur_schedule s = schedule_of(UR_SCHEDULE_STEP, 1, -1, 0, 50);
    assert_true(ur__schedule_lr(&s, &flat, 499, 0) == 1);
    assert_true(ur__schedule_lr(&s, &flat, 500, 0) == 0.97);
    assert_true(ur__schedule_lr(&s, &flat, 550, 0) == 0.97 * 0.97);
    s.kind = UR_SCHEDULE_CONSTANT;
    s.warmup = 4;
    for (int i = 0; i < 8; i++)
        assert_true(ur__schedule_lr(&s, &flat, i, 0) == (i < 4 ? (i + 1) / 4.0 : 1.0));
    s.kind = UR_SCHEDULE_PLATEAU;
    struct ur__plateau p = flat;
    double lr;
    const bool better[] = {true, false, true, false, false, false, false};
    const double want[] = {1, 1, 1, 1, 0.5, 0.5, 0.25};
    for (int i = 0; i < 7; i++) {
        ur__plateau_see(&p, better[i]);
        assert_true(ur__schedule_lr(&s, &p, 100, 0) == want[i]);
        assert_ok(ur_schedule_see(&s, better[i]));
        assert_ok(ur_schedule_value(&s, 100, 0, &lr));
        assert_true(lr == want[i] && s.factor == want[i] && s.worse == p.worse);
    }
}

static void schedule__epochs_may_be_single_steps(void **unused)
{
    (void)unused;
    ur_schedule one = schedule_of(UR_SCHEDULE_STEP, 1, -1, 0, 1), fifty = one;
    struct ur__plateau p = {0};
    fifty.epoch_steps = 50;
    for (int64_t e = 0; e < 30; e++)
        assert_true(ur__schedule_lr(&one, &p, e, 0) == ur__schedule_lr(&fifty, &p, 50 * e + 49, 0));
    assert_true(ur__schedule_lr(&one, &p, 29, 0) < ur__schedule_lr(&one, &p, 9, 0));
}

static void schedule__rejects_what_is_impossible(void **unused)
{
    (void)unused;
    ur_schedule s = schedule_of(UR_SCHEDULE_COSINE, 1, -1, 0, 50);
    double lr;
    assert_status(UR_EINVAL, ur__schedule_check(&s));
    s.steps = 10;
    assert_ok(ur__schedule_check(&s));
    s.lr = (double)NAN;
    assert_status(UR_EINVAL, ur__schedule_check(&s));
    s.lr = 1;
    s.warmup = -1;
    assert_status(UR_EINVAL, ur__schedule_check(&s));
    assert_status(UR_EINVAL, ur_schedule_value(&s, 0, 0, &lr));
    s.warmup = 0;
    assert_ok(ur_schedule_value(&s, 0, 0, &lr));
    assert_status(UR_EINVAL, ur_schedule_value(&s, -1, 0, &lr));
    assert_status(UR_EINVAL, ur_schedule_value(&s, 0, (double)NAN, &lr));
    assert_status(UR_EINVAL, ur_schedule_value(&(ur_schedule){0}, 0, 0, &lr));
    assert_status(UR_EINVAL, ur_schedule_see(&(ur_schedule){0}, true));
    const ur_schedule ok = s;
    struct { ur_schedule s; const char *why; } wrong[] = {
        {ok, "seconds"}, {ok, "seconds"}, {ok, "seconds"}, {ok, "epoch of -4 steps"},
        {ok, "-2 steps"}, {ok, "factor is nan"}, {ok, "factor is -3"}, {ok, "factor is inf"},
        {ok, "worse -1"},
    };
    wrong[0].s.seconds = (double)NAN;
    wrong[1].s.seconds = -3;
    wrong[2].s.seconds = (double)INFINITY;
    wrong[3].s.epoch_steps = -4;
    wrong[4].s.steps = -2;
    wrong[5].s.factor = (double)NAN;
    wrong[6].s.factor = -3;
    wrong[7].s.factor = (double)INFINITY;
    wrong[8].s.worse = -1;
    for (int i = 0; i < 9; i++) {
        assert_status(UR_EINVAL, ur_schedule_value(&wrong[i].s, 0, 0, &lr));
        assert_message(wrong[i].why);
        if (i >= 5)
            assert_status(UR_EINVAL, ur_schedule_see(&wrong[i].s, false));
    }
}

static void schedule__counts_no_further_than_it_must(void **unused)
{
    (void)unused;
    ur_schedule s = schedule_of(UR_SCHEDULE_PLATEAU, 1, -1, 0, 50);
    s.worse = INT_MAX;
    assert_ok(ur_schedule_see(&s, false));
    assert_true(s.worse == 0 && s.factor == 0.5);
}

/* Compares each step's rate with that of a loop of one's own. */
struct rates {
    ur_schedule schedule;
    double best;
    int64_t compared;
};

static bool compare_rate(void *user, const ur_report *r)
{
    struct rates *c = user;
    double lr;
    if (r->kind == UR_REPORT_STEP) {
        assert_ok(ur_schedule_value(&c->schedule, r->step - 1, 0, &lr));
        assert_true(lr == r->lr);
        c->compared++;
    } else if (r->kind == UR_REPORT_VALID) {
        assert_ok(ur_schedule_see(&c->schedule, r->val_loss < c->best));
        c->best = fmin(c->best, r->val_loss);
    }
    return true;
}

static void schedule__run_and_own_loop_have_the_same_rates(void **unused)
{
    (void)unused;
    for (int kind = 0; ur_schedule_name((ur_schedule_kind)kind); kind++) {
        ur_train_options o = small_options(tmp_path("m.safetensors"));
        struct rates c = {.best = (double)INFINITY};
        ur_plan plan;
        ur_plan_init(&plan);
        o.schedule = (ur_schedule_kind)kind;
        o.warmup = 7;
        o.eval_every = 3;
        o.batch = 32;
        if (o.schedule == UR_SCHEDULE_PLATEAU)
            o.lr = 0.3;                     /* gets worse now and then */
        assert_ok(ur_train_plan(&o, 0, NULL, NULL, &plan));
        o.steps = o.schedule == UR_SCHEDULE_STEP ? 11 * plan.epoch_steps : 60;
        c.schedule = schedule_of(o.schedule, o.lr, o.steps, 0, plan.epoch_steps);
        c.schedule.warmup = o.warmup;
        assert_ok(ur_train(&o, compare_rate, &c));
        assert_true(c.compared == o.steps);
        assert_true(o.schedule != UR_SCHEDULE_PLATEAU || c.schedule.factor < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule__cosine_ends_at_a_tenth),
        cmocka_unit_test(schedule__time_and_steps_end_it_together),
        cmocka_unit_test(schedule__steps_plateau_and_warmup),
        cmocka_unit_test(schedule__epochs_may_be_single_steps),
        cmocka_unit_test(schedule__rejects_what_is_impossible),
        cmocka_unit_test(schedule__counts_no_further_than_it_must),
        cmocka_unit_test(schedule__run_and_own_loop_have_the_same_rates),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
