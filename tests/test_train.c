/* SPDX-License-Identifier: MIT */
/* Optimizers against PyTorch's equations in double, clipping, schedules. */
#include "testing.h"

#include <float.h>
#include <math.h>

#include "base/mem.h"
#include "support/settings.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "unroll/train.h"

#define N 9000      /* three blocks of the norm, the last one short */

static ur_params *new_params(ur_real *values)
{
    ur_params *params;
    const int a[] = {100, 50}, b[] = {4000};
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "first.weight", 2, a, (ur_start){UR_INIT_UNIFORM, 1}, NULL));
    assert_ok(ur_params_add(params, "second.bias", 1, b, (ur_start){UR_INIT_UNIFORM, 1}, NULL));
    assert_ok(ur_params_build(params, 7));
    assert_int_equal(ur_params_size(params), N);
    if (values)
        memcpy(values, ur_params_values(params), N * sizeof *values);
    return params;
}

static double gradient(int step, int i)
{
    return (double)(float)(2 * ur_random_uniform(9, 5, (uint64_t)step, (uint32_t)i) - 1);
}

static void set_gradients(ur_params *params, int step)
{
    ur_real *g = ur_params_grads(params);
    for (int i = 0; i < N; i++)
        g[i] = (ur_real)gradient(step, i);
}

/* ---- the equations ----------------------------------------------------- */

struct reference {
    double p[N], m[N], v[N];
};

/* torch.optim's step of the same name, from its documentation. */
static void reference_step(struct reference *r, const ur_optimizer_options *o, int t, double lr)
{
    double wd = o->weight_decay;
    for (int i = 0; i < N; i++) {
        double g = gradient(t, i), *p = &r->p[i], *m = &r->m[i], *v = &r->v[i];
        if (o->kind == UR_OPTIMIZER_ADAMW)
            *p -= lr * wd * *p;
        else
            g += wd * *p;
        switch (o->kind) {
        case UR_OPTIMIZER_ADAMW:
        case UR_OPTIMIZER_ADAM:
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *p -= lr / (1 - pow(0.9, t)) * *m / (sqrt(*v) / sqrt(1 - pow(0.999, t)) + 1e-8);
            break;
        case UR_OPTIMIZER_RMSPROP:
            *v = 0.95 * *v + 0.05 * g * g;
            *p -= lr * g / (sqrt(*v) + 1e-8);
            break;
        case UR_OPTIMIZER_ADAGRAD:
            *v += g * g;
            *p -= lr * g / (sqrt(*v) + 1e-8);
            break;
        case UR_OPTIMIZER_SGD:
            *m = 0.9 * *m + g;
            *p -= lr * *m;
            break;
        }
    }
}

static void optimizer__follows_its_equations(void **unused)
{
    (void)unused;
    static struct reference r;
    static ur_real start[N];
    for (int kind = 0; kind < 5; kind++) {
        ur_optimizer_options o = optimizer_of((ur_optimizer_kind)kind);
        o.clip_norm = 0;
        o.weight_decay = 0.01;
        ur_params *params = new_params(start);
        ur_optimizer *optimizer;
        assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
        memset(&r, 0, sizeof r);
        for (int i = 0; i < N; i++)
            r.p[i] = (double)start[i];
        for (int t = 1; t <= 50; t++) {
            double lr = 0.01 / t;
            set_gradients(params, t);
            assert_ok(ur_optimizer_step(optimizer, lr, NULL));
            reference_step(&r, &o, t, lr);
        }
        double worst = 0;
        for (int i = 0; i < N; i++)
            worst = fmax(worst, fabs((double)ur_params_values(params)[i] - r.p[i]));
        if (worst > 5e-6)
            fail_msg("%s: off by %g", ur_optimizer_name(o.kind), worst);
        ur_optimizer_free(optimizer);
        ur_params_free(params);
    }
}

static void optimizer__same_bits_for_any_team(void **unused)
{
    (void)unused;
    static ur_real first[N];
    for (int kind = 0; kind < 5; kind++) {
        for (int n = 1; n <= 7; n += 2) {
            ur_optimizer_options o = optimizer_of((ur_optimizer_kind)kind);
            ur_team *team;
            ur_optimizer *optimizer;
            ur_params *params = new_params(NULL);
            assert_ok(ur_team_new(&team, n));
            assert_ok(ur_optimizer_new(&optimizer, params, &o, team));
            for (int t = 1; t <= 5; t++) {
                set_gradients(params, t);
                assert_ok(ur_optimizer_step(optimizer, 0.01, NULL));
            }
            if (n == 1)
                memcpy(first, ur_params_values(params), sizeof first);
            assert_memory_equal(first, ur_params_values(params), sizeof first);
            ur_optimizer_free(optimizer);
            ur_params_free(params);
            ur_team_free(team);
        }
    }
}

static void optimizer__step_allocates_nothing(void **unused)
{
    (void)unused;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    ur_params *params = new_params(NULL);
    ur_optimizer *optimizer;
    assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
    set_gradients(params, 1);
    long before = ur__mem_allocations();
    assert_ok(ur_optimizer_step(optimizer, 0.01, NULL));
    assert_int_equal(ur__mem_allocations(), before);
    ur_optimizer_free(optimizer);
    ur_params_free(params);
}

static void optimizer__rejects_what_is_impossible(void **unused)
{
    (void)unused;
    ur_params *params = new_params(NULL);
    ur_optimizer *optimizer;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    o.beta1 = 1;
    assert_status(UR_EINVAL, ur_optimizer_new(&optimizer, params, &o, NULL));
    o = optimizer_of(UR_OPTIMIZER_ADAMW);
    o.clip_norm = (double)NAN;
    assert_status(UR_EINVAL, ur_optimizer_new(&optimizer, params, &o, NULL));
    o = optimizer_of(UR_OPTIMIZER_ADAMW);
    o.momentum = 0;     /* none, where less than 0 means the usual one */
    assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
    assert_true(ur__optimizer_options(optimizer)->momentum == 0);
    assert_true(ur__optimizer_options(optimizer)->weight_decay == 0.01);
    assert_status(UR_EINVAL, ur_optimizer_step(optimizer, (double)NAN, NULL));
    ur_optimizer_free(optimizer);
    for (int kind = UR_OPTIMIZER_ADAM; kind <= UR_OPTIMIZER_SGD; kind++) {
        o = optimizer_of((ur_optimizer_kind)kind);
        assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
        assert_true(ur__optimizer_options(optimizer)->weight_decay == 0);
        ur_optimizer_free(optimizer);
    }
    ur_params_free(params);
}

/* ---- clipping ---------------------------------------------------------- */

/* Plain descent with rate 1: the change is the clipped gradient. */
static ur_optimizer *new_plain(ur_params *params, double norm, double value)
{
    ur_optimizer_options o = plain_of(0, norm, value);
    ur_optimizer *optimizer;
    assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
    return optimizer;
}

static void clip__norm_then_value(void **unused)
{
    (void)unused;
    static ur_real start[N];
    const double limits[][2] = {{0, 0}, {1, 0}, {1, 0.01}, {1e9, 0}, {0, 0.3}};
    double want_norm = 0;
    for (int i = 0; i < N; i++)
        want_norm += gradient(1, i) * gradient(1, i);
    want_norm = sqrt(want_norm);
    for (int l = 0; l < 5; l++) {
        ur_params *params = new_params(start);
        ur_optimizer *optimizer = new_plain(params, limits[l][0], limits[l][1]);
        double norm, value = limits[l][1];
        double scale = limits[l][0] > 0 && limits[l][0] < want_norm ? limits[l][0] / want_norm : 1;
        set_gradients(params, 1);
        assert_ok(ur_optimizer_step(optimizer, 1, &norm));
        assert_true(fabs(norm - want_norm) < 1e-5 * want_norm);
        for (int i = 0; i < N; i++) {
            double g = gradient(1, i) * scale;
            if (value > 0)
                g = fmin(fmax(g, -value), value);
            double got = (double)start[i] - (double)ur_params_values(params)[i];
            if (fabs(got - g) > 1e-6)
                fail_msg("limits %d, element %d: %g, not %g", l, i, got, g);
        }
        ur_optimizer_free(optimizer);
        ur_params_free(params);
    }
}

static void clip__finds_what_is_not_finite_first(void **unused)
{
    (void)unused;
    static ur_real start[N];
    const struct { int at; double value; const char *text; } cases[] = {
        {0, (double)NAN, "first.weight[0] is nan"},
        {4999, (double)INFINITY, "first.weight[4999] is inf"},
        {5000, -(double)INFINITY, "second.bias[0] is -inf"},
        {N - 1, (double)NAN, "second.bias[3999] is nan"},
    };
    for (int c = 0; c < 4; c++) {
        ur_params *params = new_params(start);
        ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
        ur_optimizer *optimizer;
        assert_ok(ur_optimizer_new(&optimizer, params, &o, NULL));
        set_gradients(params, 1);
        ur_params_grads(params)[cases[c].at] = (ur_real)cases[c].value;
        assert_status(UR_ENUMERIC, ur_optimizer_step(optimizer, 0.1, NULL));
        if (!strstr(ur_errmsg(), cases[c].text))
            fail_msg("\"%s\" does not name %s", ur_errmsg(), cases[c].text);
        assert_memory_equal(start, ur_params_values(params), sizeof start);
        assert_int_equal(ur__optimizer_clock(optimizer).steps, 0);
        for (int i = 0; i < N; i++) {
            assert_true(ur__optimizer_moment(optimizer, true)[i] == 0);
            assert_true(ur__optimizer_moment(optimizer, false)[i] == 0);
        }
        ur_optimizer_free(optimizer);
        ur_params_free(params);
    }
}

/* Parameters and moments, spoilt before the step or by it, in each block, for each team. */
static void step__sees_what_it_leaves(void **unused)
{
    (void)unused;
    enum part { VALUE, FIRST, SECOND, OVERFLOW };
    const struct { ur_optimizer_kind kind; enum part part; int at; double value; const char *text; }
    cases[] = {
        {UR_OPTIMIZER_ADAMW, VALUE, 0, (double)NAN,
         "after the update parameter first.weight[0] is nan"},
        {UR_OPTIMIZER_ADAMW, VALUE, 4096, (double)INFINITY,
         "after the update parameter first.weight[4096] is inf"},
        {UR_OPTIMIZER_ADAM, FIRST, 5001, -(double)INFINITY,
         "after the update parameter second.bias[1] is nan"},
        {UR_OPTIMIZER_ADAGRAD, SECOND, N - 1, (double)INFINITY,
         "after the update the second moment of second.bias[3999] is inf"},
        {UR_OPTIMIZER_ADAGRAD, SECOND, 4999, (double)FLT_MAX,
         "after the update the second moment of first.weight[4999] is inf"},
        {UR_OPTIMIZER_SGD, OVERFLOW, 8191, -(double)FLT_MAX,
         "after the update parameter second.bias[3191] is -inf"},
        {UR_OPTIMIZER_SGD, FIRST, 7, (double)NAN,
         "after the update parameter first.weight[7] is nan"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (int n = 1; n <= 3; n++) {
            ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
            ur_team *team;
            ur_optimizer *optimizer;
            ur_params *params = new_params(NULL);
            int at = cases[c].at;
            o.kind = cases[c].kind;
            o.clip_norm = 0;
            o.weight_decay = 0;
            assert_ok(ur_team_new(&team, n));
            assert_ok(ur_optimizer_new(&optimizer, params, &o, team));
            set_gradients(params, 1);
            assert_ok(ur_optimizer_step(optimizer, 0.1, NULL));
            bool value = cases[c].part == VALUE || cases[c].part == OVERFLOW;
            ur_real *x = value ? ur_params_values(params)
                : ur__optimizer_moment(optimizer, cases[c].part == FIRST);
            x[at] = (ur_real)cases[c].value;
            /* The sum of squares and the sum of two large numbers are beyond what there is. */
            ur_params_grads(params)[at] = (ur_real)(cases[c].part == SECOND ? 5e18
                                                    : cases[c].part == OVERFLOW ? 1e37 : 1);
            assert_status(UR_ENUMERIC, ur_optimizer_step(optimizer, 10, NULL));
            if (strcmp(ur_errmsg(), cases[c].text) != 0)
                fail_msg("\"%s\", not \"%s\"", ur_errmsg(), cases[c].text);
            ur_optimizer_free(optimizer);
            ur_params_free(params);
            ur_team_free(team);
        }
    }
}

static void clip__survives_squares_beyond_range(void **unused)
{
    (void)unused;
    ur_params *params = new_params(NULL);
    ur_optimizer *optimizer = new_plain(params, 1, 0);
    double norm;
    set_gradients(params, 1);
    ur_params_grads(params)[17] = (ur_real)1e25;
    assert_ok(ur_optimizer_step(optimizer, 1, &norm));
    assert_true(fabs(norm / 1e25 - 1) < 1e-6);
    ur_optimizer_free(optimizer);
    ur_params_free(params);
}

/* ---- names --------------------------------------------------------------- */

static void names__go_both_ways(void **unused)
{
    (void)unused;
    ur_optimizer_kind optimizer;
    ur_schedule_kind schedule;
    for (int i = 0; i < 5; i++) {
        assert_true(ur_optimizer_find(ur_optimizer_name((ur_optimizer_kind)i), &optimizer));
        assert_int_equal(optimizer, i);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(ur_schedule_find(ur_schedule_name((ur_schedule_kind)i), &schedule));
        assert_int_equal(schedule, i);
    }
    assert_null(ur_optimizer_name((ur_optimizer_kind)5));
    assert_null(ur_schedule_name((ur_schedule_kind)4));
    assert_false(ur_optimizer_find("adamax", &optimizer));
    assert_false(ur_schedule_find("", &schedule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizer__follows_its_equations),
        cmocka_unit_test(optimizer__same_bits_for_any_team),
        cmocka_unit_test(optimizer__step_allocates_nothing),
        cmocka_unit_test(optimizer__rejects_what_is_impossible),
        cmocka_unit_test(clip__norm_then_value),
        cmocka_unit_test(clip__finds_what_is_not_finite_first),
        cmocka_unit_test(step__sees_what_it_leaves),
        cmocka_unit_test(clip__survives_squares_beyond_range),
        cmocka_unit_test(names__go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
