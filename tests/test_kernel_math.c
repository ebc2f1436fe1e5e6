/* SPDX-License-Identifier: MIT */
/* exp, log, tanh, sigmoid, cos: accuracy over all floats, special values, equal bits. */
#include "test_kernel.h"

#define LIMIT_ULP 4.0

typedef void (*map)(size_t n, const ur_real *x, ur_real *y);

static double exact_sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static const struct function {
    const char *name;
    size_t entry;               /* offset in the table */
    double (*exact)(double x);
    double limit;               /* |x| up to here */
} functions[] = {
    {"exp", offsetof(struct ur__kernel, exp), exp, HUGE_VAL},
    {"log", offsetof(struct ur__kernel, log), log, HUGE_VAL},
    {"tanh", offsetof(struct ur__kernel, tanh), tanh, HUGE_VAL},
    {"sigmoid", offsetof(struct ur__kernel, sigmoid), exact_sigmoid, HUGE_VAL},
    {"cos", offsetof(struct ur__kernel, cos), cos, 8192},
};
#define N_FUNCTIONS ((int)(sizeof functions / sizeof *functions))

static map entry(const struct ur__kernel *k, const struct function *f)
{
    map m;
    memcpy(&m, (const char *)k + f->entry, sizeof m);
    return m;
}

struct sweep {
    const struct function *f;
    double worst;
    float at;
    size_t count;
    int fill;
    ur_real x[4096];
};

/* All tables on the collected arguments: the first against the truth, the others against
 * the first. */
static void sweep_flush(struct sweep *s)
{
    static ur_real y[4096], z[4096];
    const struct ur__kernel *const *tables = ur__kernels_available();
    const size_t n = (size_t)s->fill;
    entry(tables[0], s->f)(n, s->x, y);
    for (size_t i = 0; i < n; i++) {
        const double e = ulps(y[i], s->f->exact((double)s->x[i]));
        if (e > s->worst) {
            s->worst = e;
            s->at = (float)s->x[i];
        }
    }
    for (int t = 1; tables[t] != NULL; t++) {
        entry(tables[t], s->f)(n, s->x, z);
        check_bits(s->f->name, tables[t]->name, z, y, n);
    }
    s->count += n;
    s->fill = 0;
}

static void sweep_add(struct sweep *s, ur_real x)
{
    if (!isnan(x) && !(fabs((double)x) <= s->f->limit))
        return;
    s->x[s->fill++] = x;
    if (s->fill == 4096)
        sweep_flush(s);
}

static void sweep_round(struct sweep *s, float x, int radius)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    for (int d = -radius; d <= radius; d++) {
        sweep_add(s, bits_real(u + (uint32_t)d));
        sweep_add(s, bits_real((u + (uint32_t)d) ^ 0x80000000u));
    }
}

static void functions__are_within_4_ulp_of_all_floats(void **state)
{
    (void)state;
    static const float places[] = {0.0f,      0x1p-149f, 0x1p-126f, 0x1p-24f,     0x1p-12f,
                                   0.173287f, 0.34657f,  0.5f,      0.549306f,    0.625f,
                                   0.693147f, 0.707107f, 1.0f,      1.0397207f,   1.41421f,
                                   2.0f,      9.0109f,   10.0f,     17.328680f,   86.0f,
                                   87.33654f, 88.02969f, 88.72284f, 89.0f,        103.27893f,
                                   103.9721f, 104.0f,    1e10f,     0x1.fffffep127f};
    static struct sweep s;
    for (int f = 0; f < N_FUNCTIONS; f++) {
        memset(&s, 0, sizeof s);
        s.f = &functions[f];
        for (uint64_t u = 0; u < UINT64_C(1) << 32; u += 997)
            sweep_add(&s, bits_real((uint32_t)u));
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            sweep_round(&s, places[i], 3000);
        for (int n = 1; n <= 150; n++) {
            sweep_round(&s, (float)(n * 0.69314718055994531), 40);
            sweep_round(&s, (float)((n - 0.5) * 0.69314718055994531), 40);
        }
        /* The zeros of cos, and where its reduction changes over. */
        for (int n = 1; n <= 10430; n++)
            sweep_round(&s, (float)(n * 0.78539816339744831), 4);
        sweep_flush(&s);
        print_message("%-8s max %.3f ULP at %a, %zu arguments\n", s.f->name, s.worst,
                      (double)s.at, s.count);
        assert_true(s.worst <= LIMIT_ULP);
    }
}

static void functions__have_the_right_special_values(void **state)
{
    (void)state;
    EACH_TABLE(k) {
        ur_real x[8] = {0, (ur_real)-0.0, (ur_real)INFINITY, (ur_real)-INFINITY, (ur_real)NAN,
                        -1, 89, -104}, y[8];
        k->exp(8, x, y);
        assert_true(y[0] == 1 && y[1] == 1 && isinf(y[2]) && y[2] > 0 && y[3] == 0 && isnan(y[4]));
        assert_true(isinf(y[6]) && y[7] == 0);
        k->log(8, x, y);
        assert_true(isinf(y[0]) && y[0] < 0 && isinf(y[1]) && y[1] < 0 && isinf(y[2]) && y[2] > 0);
        assert_true(isnan(y[3]) && isnan(y[4]) && isnan(y[5]));
        k->tanh(8, x, y);
        assert_true(y[0] == 0 && y[1] == 0 && signbit(y[1]) && !signbit(y[0]));
        assert_true(y[2] == 1 && y[3] == -1 && isnan(y[4]));
        k->sigmoid(8, x, y);
        assert_true(y[0] == (ur_real)0.5 && y[2] == 1 && y[3] == 0 && isnan(y[4]));
        k->cos(8, x, y);
        assert_true(y[0] == 1 && isnan(y[2]) && isnan(y[4]));
        k->relu(8, x, y);
        assert_true(y[0] == 0 && y[2] > 0 && y[3] == 0 && isnan(y[4]) && y[5] == 0 && y[6] == 89);
        assert_true(!signbit(y[0]) && signbit(y[1]));   /* not less than 0: as it is */
    }
}

/* exp of what is below the smallest normal: gradual, not cut off. */
static void exp__underflows_gradually(void **state)
{
    (void)state;
    EACH_TABLE(k) {
        int denormal = 0;
        for (int i = 0; i < 1000; i++) {
            ur_real x = (ur_real)(-87.0 - i * 0.0175), y;
            k->exp(1, &x, &y);
            assert_true(ulps(y, exp((double)x)) <= 1.0);
            denormal += y > 0 && y < (ur_real)0x1p-126;
        }
        assert_true(denormal > 900);
    }
}

static void functions__keep_their_ranges_and_symmetry(void **state)
{
    (void)state;
    static ur_real x[4096], minus[4096], y[4096], z[4096];
    EACH_TABLE(k) {
        for (uint32_t block = 0; block < 256; block++) {
            for (uint32_t i = 0; i < 4096; i++) {
                x[i] = bits_real((block << 23) + i * 2048 + (block & 2047));
                minus[i] = -x[i];
            }
            k->tanh(4096, x, y);
            k->tanh(4096, minus, z);
            for (int i = 0; i < 4096 && block < 255; i++) {
                assert_true(y[i] <= 1 && y[i] >= 0);
                z[i] = -z[i];
            }
            if (block < 255)
                check_bits("tanh(-x)", k->name, z, y, 4096);
            k->sigmoid(4096, x, y);
            k->sigmoid(4096, minus, z);
            for (int i = 0; i < 4096 && block < 255; i++)
                assert_true(y[i] >= (ur_real)0.5 && y[i] <= 1 && z[i] >= 0 && z[i] <= (ur_real)0.5);
        }
    }
}

static void functions__do_not_depend_on_place_or_length(void **state)
{
    (void)state;
    ur_real expected[300], source[300];
    for (int f = 0; f < N_FUNCTIONS; f++) {
        for (int l = 0; l < N_LENGTHS; l++) {
            const size_t n = (size_t)lengths[l];
            fill(source, n, f == 1 ? 0.001 : -20, 20);
            for (size_t i = 0; i < n; i++)
                entry(ur__kernels_available()[0], &functions[f])(1, source + i, expected + i);
            EACH_TABLE(k) {
                ur_real *x = copied(0, source, n), *y = guarded(1, n);
                entry(k, &functions[f])(n, x, y);
                check_bits(functions[f].name, k->name, y, expected, n);
                entry(k, &functions[f])(n, x, x);
                check_bits(functions[f].name, k->name, x, expected, n);
                check_canaries();
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions__are_within_4_ulp_of_all_floats),
        cmocka_unit_test(functions__have_the_right_special_values),
        cmocka_unit_test(exp__underflows_gradually),
        cmocka_unit_test(functions__keep_their_ranges_and_symmetry),
        cmocka_unit_test(functions__do_not_depend_on_place_or_length),
    };
    return cmocka_run_group_tests_name("kernel math", tests, NULL, NULL);
}
