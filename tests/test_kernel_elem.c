/* SPDX-License-Identifier: MIT */
/* Element-wise entries, rows by index, optimizers, and the choice of a table. */
#include "test_kernel.h"

#define TOLERANCE 1e-6

static ur_real keep[8][300];

/* The first table's results are kept, the others' must be the same bits. */
static void same_in_all(const struct ur__kernel *k, int which, const char *what, const ur_real *y,
                        size_t n)
{
    if (k == ur__kernels_available()[0])
        memcpy(keep[which], y, n * sizeof *y);
    check_bits(what, k->name, y, keep[which], n);
}

static void arithmetic__is_rounded_once(void **state)
{
    (void)state;
    ur_real a0[300], b0[300], y0[300], e[300];
    const ur_real scale = (ur_real)1.37, shift = (ur_real)-0.7;
    for (int l = 0; l < N_LENGTHS; l++) {
        const size_t n = (size_t)lengths[l];
        fill(a0, n, -3, 3);
        fill(b0, n, 0.1, 3);
        fill(y0, n, -3, 3);
        EACH_TABLE(k) {
            ur_real *a = copied(0, a0, n), *b = copied(1, b0, n), *y = guarded(2, n);
#define CHECK2(entry, expr)                                                   \
    k->entry(n, a, b, y);                                                     \
    for (size_t i = 0; i < n; i++)                                            \
        e[i] = (ur_real)(expr);                                               \
    check_bits(#entry, k->name, y, e, n);                                     \
    y = copied(2, a, n);                                                      \
    k->entry(n, y, b, y);                                                     \
    check_bits(#entry " in place", k->name, y, e, n)
            CHECK2(add, a[i] + b[i]);
            CHECK2(sub, a[i] - b[i]);
            CHECK2(mul, a[i] * b[i]);
            CHECK2(div, a[i] / b[i]);
#define CHECK1(call, expr)                                                    \
    y = copied(2, y0, n);                                                     \
    call;                                                                     \
    for (size_t i = 0; i < n; i++)                                            \
        e[i] = (ur_real)(expr);                                               \
    check_bits(#call, k->name, y, e, n)
            CHECK1(k->muladd(n, a, b, y), fmaf(a[i], b[i], y0[i]));
            CHECK1(k->affine(n, scale, a, shift, y), fmaf(scale, a[i], shift));
            CHECK1(k->axpy(n, scale, a, y), fmaf(scale, a[i], y0[i]));
            CHECK1(k->relu(n, a, y), a[i] > 0 ? a[i] : 0);
            CHECK1(k->sqrt(n, b, y), sqrtf(b[i]));
            check_canaries();
        }
    }
}

static void dropout__is_a_function_of_seed_and_index(void **state)
{
    (void)state;
    static const double ps[] = {0, 0.25, 0.3, 0.5, 0.999, 1};
    ur_real x0[300], e[300];
    for (int c = 0; c < 6; c++) {
        for (int l = 0; l < N_LENGTHS; l++) {
            const size_t n = (size_t)lengths[l];
            const uint64_t first = (uint64_t)test_below(50);
            fill(x0, n, -3, 3);
            for (size_t i = 0; i < n; i++) {
                uint32_t word[4];
                ur_random(7, 3, 11, (uint32_t)((first + i) / 4), word);
                const bool on = word[(first + i) % 4] * 0x1p-32 >= ps[c];
                e[i] = on ? x0[i] / (ur_real)(1 - ps[c]) : 0;
            }
            EACH_TABLE(k) {
                ur_real *x = copied(0, x0, n), *y = guarded(1, n);
                const struct ur__draws draws = {.seed = 7, .stream = 3, .step = 11,
                                                .first = first};
                k->dropout(n, ps[c], &draws, x, y);
                check_bits("dropout", k->name, y, e, n);
                k->dropout(n, ps[c], &draws, x, x);
                check_bits("dropout in place", k->name, x, e, n);
                check_canaries();
            }
        }
    }
}

static void dropout__keeps_the_stated_fraction(void **state)
{
    (void)state;
    static ur_real x[100000], y[100000];
    const struct ur__draws draws = {.seed = 1, .stream = 1000, .step = 5};
    for (int i = 0; i < 100000; i++)
        x[i] = 1;
    ur__kernel()->dropout(100000, 0.3, &draws, x, y);
    int kept = 0;
    for (int i = 0; i < 100000; i++)
        kept += y[i] > 0;
    assert_true(abs(kept - 70000) < 700);
}

static void rows__are_gathered_and_scattered(void **state)
{
    (void)state;
    enum { V = 9, M = 13 };
    ur_real w[V * 300], dy[M * 300], e[V * 300 + M * 300];
    int32_t id[M];
    for (int l = 0; l < N_LENGTHS; l++) {
        const int N = lengths[l], ldw = N + 3, ldy = N + 1;
        const size_t w_size = (size_t)((V - 1) * ldw + N), y_size = (size_t)((M - 1) * ldy + N);
        fill(w, w_size, -1, 1);
        fill(dy, y_size, -1, 1);
        for (int m = 0; m < M; m++)
            id[m] = test_below(V);
        const struct ur__table_rows rows = {.M = M, .N = N, .id = id, .ld_table = ldw, .ld = ldy};
        EACH_TABLE(k) {
            ur_real *from = copied(0, w, w_size), *start = filled(1, (size_t)N, -1, 1);
            ur_real *y = copied(2, dy, y_size);
            for (int with = 0; with < 2; with++) {
                memcpy(e, dy, y_size * sizeof *e);
                for (int i = 0; i < M * N; i++) {
                    const ur_real v = w[id[i / N] * ldw + i % N];
                    e[i / N * ldy + i % N] = with ? start[i % N] + v : v;
                }
                k->gather(&rows, from, with ? start : NULL, y);
                check_bits("gather", k->name, y, e, y_size);
            }
            memcpy(e, w, w_size * sizeof *e);
            for (int i = 0; i < M * N; i++)
                e[id[i / N] * ldw + i % N] += dy[i / N * ldy + i % N];
            k->scatter_add(&rows, copied(2, dy, y_size), from);
            check_bits("scatter_add", k->name, from, e, w_size);
            check_canaries();
        }
    }
}

/* ---- optimizers ---- */

struct exact {
    double p, m, v;
};

static double exact_gradient(const struct ur__opt *o, double g, double p, bool decay)
{
    g *= (double)o->scale;
    if (o->clip > 0)
        g = fmax(-(double)o->clip, fmin((double)o->clip, g));
    return decay ? g + (double)o->weight_decay * p : g;
}

static void exact_adam(const struct ur__opt *o, struct exact *x, double g, bool decoupled)
{
    g = exact_gradient(o, g, x->p, !decoupled);
    if (decoupled)
        x->p *= 1 - (double)o->lr * (double)o->weight_decay;
    x->m = (double)o->beta1 * x->m + (1 - (double)o->beta1) * g;
    x->v = (double)o->beta2 * x->v + (1 - (double)o->beta2) * g * g;
    const double root = sqrt(x->v) / sqrt((double)o->correct2) + (double)o->eps;
    x->p -= (double)o->lr / (double)o->correct1 * x->m / root;
}

enum rule { ADAM, ADAMW, RMSPROP, ADAGRAD, SGD, RULES };

static void exact_step(enum rule rule, const struct ur__opt *o, struct exact *x, double g)
{
    if (rule == ADAM || rule == ADAMW) {
        exact_adam(o, x, g, rule == ADAMW);
        return;
    }
    g = exact_gradient(o, g, x->p, true);
    if (rule == SGD) {
        x->m = (double)o->momentum * x->m + g;
        x->p -= (double)o->lr * (o->momentum != 0 ? x->m : g);
        return;
    }
    const double beta = (double)o->beta2;
    x->v = rule == ADAGRAD ? x->v + g * g : beta * x->v + (1 - beta) * g * g;
    x->p -= (double)o->lr * g / (sqrt(x->v) + (double)o->eps);
}

static void run_step(const struct ur__kernel *k, enum rule rule, const struct ur__opt *o, size_t n,
                     ur_real *p, const ur_real *g, ur_real *m, ur_real *v)
{
    switch (rule) {
    case ADAM:
        k->adam(n, o, p, g, m, v);
        break;
    case ADAMW:
        k->adamw(n, o, p, g, m, v);
        break;
    case RMSPROP:
        k->rmsprop(n, o, p, g, v);
        break;
    case ADAGRAD:
        k->adagrad(n, o, p, g, v);
        break;
    case SGD:
    case RULES:
    default:
        k->sgd(n, o, p, g, m);
        break;
    }
}

static void check_rule(enum rule rule, const struct ur__opt *base, size_t n)
{
    ur_real p0[300], m0[300], v0[300], g[300];
    struct exact x[300];
    double exact[3][300];
    fill(p0, n, -1, 1);
    fill(m0, n, -0.1, 0.1);
    fill(v0, n, 0.01, 0.1);
    const uint64_t seed = test_state;
    EACH_TABLE(k) {
        struct ur__opt o = *base;
        ur_real *p = copied(0, p0, n), *m = copied(1, m0, n), *v = copied(2, v0, n);
        test_state = seed;
        for (size_t i = 0; i < n; i++)
            x[i] = (struct exact){(double)p0[i], (double)m0[i], (double)v0[i]};
        for (int t = 1; t <= 5; t++) {
            o.correct1 = (ur_real)(1 - pow((double)o.beta1, t));
            o.correct2 = (ur_real)(1 - pow((double)o.beta2, t));
            fill(g, n, -1, 1);
            run_step(k, rule, &o, n, p, copied(3, g, n), m, v);
            for (size_t i = 0; i < n; i++)
                exact_step(rule, &o, &x[i], (double)g[i]);
        }
        for (size_t i = 0; i < n; i++) {
            exact[0][i] = x[i].p;
            exact[1][i] = x[i].m;
            exact[2][i] = x[i].v;
        }
        check_close("optimizer, p", p, exact[0], n, TOLERANCE);
        if (rule != SGD || o.momentum != 0)
            check_close("optimizer, m", m, exact[1], n, TOLERANCE);
        check_close("optimizer, v", v, exact[2], n, TOLERANCE);
        same_in_all(k, 0, "optimizer, p", p, n);
        same_in_all(k, 1, "optimizer, m", m, n);
        same_in_all(k, 2, "optimizer, v", v, n);
        check_canaries();
    }
}

static void optimizers__follow_their_equations(void **state)
{
    (void)state;
    const struct ur__opt plain = {.lr = (ur_real)0.01, .scale = 1, .beta1 = (ur_real)0.9,
                                  .beta2 = (ur_real)0.99, .eps = (ur_real)1e-8};
    for (int rule = 0; rule < RULES; rule++) {
        for (int l = 0; l < N_LENGTHS; l++) {
            struct ur__opt o = plain;
            check_rule(rule, &o, (size_t)lengths[l]);
            o.weight_decay = (ur_real)0.05;
            o.momentum = (ur_real)0.9;
            o.scale = (ur_real)0.7;
            o.clip = (ur_real)0.3;
            check_rule(rule, &o, (size_t)lengths[l]);
        }
    }
}

static void moments__below_2_to_minus_100_become_0(void **state)
{
    (void)state;
    const struct ur__opt o = {.lr = (ur_real)0.01, .scale = 1, .beta1 = (ur_real)0.5, .momentum = 1,
                              .beta2 = (ur_real)0.5, .eps = 1, .correct1 = 1, .correct2 = 1};
    EACH_TABLE(k) {
        for (int rule = 0; rule < RULES; rule++) {
            ur_real p = 1, g = 0, m = (ur_real)0x1p-101, v = (ur_real)0x1p-101;
            run_step(k, rule, &o, 1, &p, &g, &m, &v);
            assert_true(p == 1);
            assert_true(m == 0 || rule == RMSPROP || rule == ADAGRAD);
            assert_true(v == 0 || rule == SGD);
        }
    }
}

/* NaN must reach the parameters, where the trainer sees it. */
static void clipping__lets_nan_through(void **state)
{
    (void)state;
    const struct ur__opt o = {.lr = 1, .scale = 1, .clip = 1};
    EACH_TABLE(k) {
        ur_real p = 1, g = (ur_real)NAN;
        k->sgd(1, &o, &p, &g, NULL);
        assert_true(isnan(p));
    }
}

/* ---- the choice ---- */

static void selection__obeys_force_and_environment(void **state)
{
    (void)state;
    const struct ur__kernel *const *all = ur__kernels_available();
    int n = 0;
    for (; all[n] != NULL; n++) {
        assert_true(16 % all[n]->lanes == 0 && all[n]->nr == 4 * all[n]->lanes);
        assert_int_equal(setenv("UNROLL_ISA", all[n]->name, 1), 0);
        ur__kernel_force(NULL);
        assert_ptr_equal(ur__kernel(), all[n]);
        assert_string_equal(ur_kernels(), all[n]->name);
    }
    assert_string_equal(all[n - 1]->name, "scalar");
    setenv("UNROLL_ISA", "abacus", 1);
    ur__kernel_force(NULL);
    assert_null(ur_kernels());
    assert_non_null(strstr(ur_errmsg(), "UNROLL_ISA"));
    assert_ptr_equal(ur__kernel(), all[0]);
    ur__kernel_force(all[n - 1]);
    assert_string_equal(ur_kernels(), "scalar");
    unsetenv("UNROLL_ISA");
    ur__kernel_force(NULL);
    assert_ptr_equal(ur__kernel(), all[0]);
    print_message("table in use: %s\n", ur_kernels());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic__is_rounded_once),
        cmocka_unit_test(dropout__is_a_function_of_seed_and_index),
        cmocka_unit_test(dropout__keeps_the_stated_fraction),
        cmocka_unit_test(rows__are_gathered_and_scattered),
        cmocka_unit_test(optimizers__follow_their_equations),
        cmocka_unit_test(moments__below_2_to_minus_100_become_0),
        cmocka_unit_test(clipping__lets_nan_through),
        cmocka_unit_test(selection__obeys_force_and_environment),
    };
    return cmocka_run_group_tests_name("kernel elem", tests, NULL, NULL);
}
