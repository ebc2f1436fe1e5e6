/* SPDX-License-Identifier: MIT */
/* Long sums in their stated order, and rows of logits. */
#include "test_kernel.h"

static const int counts[] = {0,  1,  2,  3,  5,  7,   8,    15,   16,   17,   31,   32,   33,
                             63, 64, 65, 99, 100, 4080, 4095, 4096, 4097, 8191, 8192, 9000, 70001};
#define N_COUNTS ((int)(sizeof counts / sizeof *counts))

/* The contract of kernel.h, word for word: 0 adds x, 1 squares, 2 products with y. */
static double stated_sum(int kind, size_t n, const ur_real *x, const ur_real *y)
{
    double total = 0;
    for (size_t begin = 0; begin < n; begin += 4096) {
        ur_real lane[16] = {0};
        for (size_t i = begin; i < n && i < begin + 4096; i++) {
            ur_real *l = &lane[(i - begin) % 16];
            *l = kind == 0 ? *l + x[i] : fmaf(x[i], kind == 1 ? x[i] : y[i], *l);
        }
        for (int apart = 8; apart > 0; apart /= 2) {
            for (int l = 0; l < apart; l++)
                lane[l] += lane[l + apart];
        }
        total += (double)lane[0];
    }
    return total;
}

static void check_double(const char *what, const struct ur__kernel *k, size_t n, double y, double e)
{
    if (memcmp(&y, &e, sizeof y) != 0)
        fail_msg("%s, %s, %zu elements: %a, not %a", what, k->name, n, y, e);
}

static void sums__are_added_in_the_stated_order(void **state)
{
    (void)state;
    for (int c = 0; c < N_COUNTS; c++) {
        const size_t n = (size_t)counts[c];
        const ur_real *x = filled(0, n, -1, 1), *y = filled(1, n, -1, 1);
        double exact = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            exact += (double)x[i] * (double)y[i];
            size += fabs((double)x[i] * (double)y[i]);
        }
        EACH_TABLE(k) {
            check_double("sum", k, n, k->sum(n, x), stated_sum(0, n, x, NULL));
            check_double("sum_squares", k, n, k->sum_squares(n, x), stated_sum(1, n, x, NULL));
            check_double("dot", k, n, k->dot(n, x, y), stated_sum(2, n, x, y));
            assert_true(fabs(k->dot(n, x, y) - exact) <= 1e-5 * size);
        }
        check_canaries();
    }
}

static void max__finds_the_largest_and_nan(void **state)
{
    (void)state;
    for (int c = 1; c < N_COUNTS; c++) {
        const size_t n = (size_t)counts[c];
        ur_real *x = filled(0, n, -2, -1);
        EACH_TABLE(k) {
            for (int i = 0; i < 20; i++) {
                const size_t at = (size_t)test_below((int)n);
                const ur_real old = x[at];
                x[at] = (ur_real)0.5;
                assert_true(k->max(n, x) == (ur_real)0.5);
                x[at] = (ur_real)NAN;
                assert_true(isnan(k->max(n, x)));
                x[at] = old;
            }
            x[n / 2] = (ur_real)-INFINITY;
            assert_true(n == 1 || k->max(n, x) >= -2);
            x[n / 2] = -2;
        }
    }
}

static void find_nonfinite__finds_the_first(void **state)
{
    (void)state;
    for (int c = 0; c < N_COUNTS; c++) {
        const size_t n = (size_t)counts[c];
        ur_real *x = filled(0, n, -2, 2);
        EACH_TABLE(k) {
            assert_int_equal(k->find_nonfinite(n, x), n);
            for (int i = 0; n > 0 && i < 20; i++) {
                const size_t at = (size_t)test_below((int)n);
                const size_t late = at + (size_t)test_below((int)(n - at));
                x[late] = (ur_real)-INFINITY;
                x[at] = (ur_real)(i % 2 ? NAN : INFINITY);
                assert_int_equal(k->find_nonfinite(n, x), at);
                x[at] = x[late] = (ur_real)3e38;
            }
        }
    }
}

static void sum_rows__is_one_chain_a_column(void **state)
{
    (void)state;
    static ur_real first[300];
    for (int l = 0; l < N_LENGTHS; l++) {
        for (int M = 0; M < 40; M += 13) {
            const int N = lengths[l], ld = N + 5;
            const ur_real *x = filled(0, M > 0 ? (size_t)((M - 1) * ld + N) : 0, -1, 1);
            const ur_real *start = filled(1, (size_t)N, -1, 1);
            for (int j = 0; j < N; j++) {
                first[j] = start[j];
                for (int m = 0; m < M; m++)
                    first[j] += x[m * ld + j];
            }
            EACH_TABLE(k) {
                ur_real *out = copied(2, start, (size_t)N);
                k->sum_rows(M, N, x, ld, out);
                check_bits("sum_rows", k->name, out, first, (size_t)N);
                check_canaries();
            }
        }
    }
}

static void logits__follow_their_equations(void **state)
{
    (void)state;
    static ur_real y0[3][70001];
    static double exact[3][70001];
    for (int c = 1; c < N_COUNTS; c++) {
        const size_t n = (size_t)counts[c];
        const ur_real *x = filled(0, n, -10, 10);
        const int target = test_below((int)n);
        double top = (double)x[0], total = 0;
        for (size_t i = 0; i < n; i++)
            top = fmax(top, (double)x[i]);
        for (size_t i = 0; i < n; i++)
            total += exp((double)x[i] - top);
        for (size_t i = 0; i < n; i++) {
            exact[1][i] = (double)x[i] - top - log(total);
            exact[0][i] = exp(exact[1][i]);
            exact[2][i] = 0.25 * (exact[0][i] - ((int)i == target));
        }
        ur_real first_loss = 0;
        EACH_TABLE(k) {
            ur_real *y[3] = {guarded(1, n), guarded(2, n), guarded(3, n)}, *z = guarded(4, n);
            k->softmax((int)n, x, y[0]);
            k->log_softmax((int)n, x, y[1]);
            const ur_real loss = k->cross_entropy((int)n, x, target, (ur_real)0.25, y[2]);
            const ur_real loss_alone = k->cross_entropy((int)n, x, target, 1, NULL);
            const double exact_loss = -exact[1][target];
            check_close("cross_entropy", &loss, &exact_loss, 1, 2e-6);
            if (k == ur__kernels_available()[0])
                first_loss = loss;
            check_bits("cross_entropy", k->name, &loss, &first_loss, 1);
            check_bits("cross_entropy alone", k->name, &loss_alone, &first_loss, 1);
            for (int f = 0; f < 3; f++) {
                check_close("logits", y[f], exact[f], n, 2e-6);
                if (k == ur__kernels_available()[0])
                    memcpy(y0[f], y[f], n * sizeof(ur_real));
                check_bits("logits", k->name, y[f], y0[f], n);
                memcpy(z, x, n * sizeof *z);
                if (f == 0)
                    k->softmax((int)n, z, z);
                else if (f == 1)
                    k->log_softmax((int)n, z, z);
                else
                    k->cross_entropy((int)n, z, target, (ur_real)0.25, z);
                check_bits("logits in place", k->name, z, y0[f], n);
            }
            check_canaries();
        }
    }
}

static void logits__bear_extremes(void **state)
{
    (void)state;
    EACH_TABLE(k) {
        const ur_real big[3] = {1000, -1000, (ur_real)-INFINITY}, bad[2] = {0, (ur_real)NAN};
        ur_real y[3];
        k->softmax(3, big, y);
        assert_true(y[0] == 1 && y[1] == 0 && y[2] == 0);
        assert_true(k->cross_entropy(3, big, 0, 1, NULL) == 0);
        assert_true(k->cross_entropy(3, big, 1, 1, NULL) == 2000);
        k->log_softmax(3, big, y);
        assert_true(y[0] == 0 && y[1] == -2000 && isinf(y[2]));
        assert_true(isnan(k->cross_entropy(2, bad, 0, 1, y)) && isnan(y[0]) && isnan(y[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums__are_added_in_the_stated_order),
        cmocka_unit_test(max__finds_the_largest_and_nan),
        cmocka_unit_test(find_nonfinite__finds_the_first),
        cmocka_unit_test(sum_rows__is_one_chain_a_column),
        cmocka_unit_test(logits__follow_their_equations),
        cmocka_unit_test(logits__bear_extremes),
    };
    return cmocka_run_group_tests_name("kernel sum", tests, NULL, NULL);
}
