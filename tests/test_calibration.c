/* SPDX-License-Identifier: MIT */
/* How wide intervals must be: beside a count made anew from all that was noted. */
#include "testing.h"

#include <math.h>

#include "base/arena.h"
#include "base/mem.h"
#include "task/calibration.h"

static void factor__holds_the_share_and_one_more(void **unused)
{
    (void)unused;
    double count[UR__BINS] = {0};
    assert_true(ur__factor_of(count, 0.8) == 0);
    for (int i = 0; i < 9; i++)         /* nine values, of which the eighth must lie within: */
        count[10 * i] = 1;              /* ⌈0.8 · 10⌉ */
    assert_true(ur__factor_of(count, 0.8) == 71 / 128.0);
    assert_true(ur__factor_of(count, 0.85) == 81 / 128.0);
    assert_true(ur__factor_of(count, 0.99) == UR__BINS / 128.0);    /* ten of nine: all there is */
}

static void bins__of_intervals(void **unused)
{
    (void)unused;
    const struct ur__interval i = {.point = 1, .below = 0.5, .above = 2};
    const struct ur__interval none = {.point = 1, .below = 0, .above = 0};
    assert_int_equal(ur__factor_bin(&i, 1), 0);
    assert_int_equal(ur__factor_bin(&i, 2), 64);
    assert_int_equal(ur__factor_bin(&i, 0.5), 128);
    assert_int_equal(ur__factor_bin(&i, 1e9), UR__BINS - 1);
    assert_int_equal(ur__factor_bin(&i, -1e300), UR__BINS - 1);
    assert_int_equal(ur__factor_bin(&none, 1), 0);
    assert_int_equal(ur__factor_bin(&none, 2), UR__BINS - 1);
}

enum { ROWS = 30, H = 5, N = 120 };

/* Step j of the forecast from row t; some values are missing. */
static double truth_at(int t, int j)
{
    return (t + j) % 11 == 3 ? (double)NAN : ur_random_uniform(5, 1, (uint64_t)t, (uint32_t)j) * 3;
}

static void factor__is_of_what_was_known(void **unused)
{
    (void)unused;
    const struct ur__interval unit = {.point = 0, .below = 1, .above = 1};
    const struct ur__forecast_net net = {.targets = 2, .horizon = H};
    struct ur__carve size = {0}, place = {0};
    assert_null(ur__calibrations_place(&net, ROWS, &size));
    place.base = ur__alloc(size.used, 1);
    assert_non_null(place.base);
    struct ur__calibration *both = ur__calibrations_place(&net, ROWS, &place), c = both[1];
    ur__calibration_begin(&both[0]);
    ur__calibration_begin(&c);
    assert_true(ur__calibration_factor(&c, 50, 0.8, 7) == 7);
    int told = 0;
    for (int t = 40; t < 40 + N; t++) {
        double count[UR__BINS] = {0}, n = 0;
        for (int from = t - ROWS < 40 ? 40 : t - ROWS; from < t; from++)
            for (int j = 0; j < H && from + j < t; j++)
                if (!isnan(truth_at(from, j))) {
                    count[ur__factor_bin(&unit, truth_at(from, j))]++;
                    n++;
                }
        double want = n < 20 ? 7 : ur__factor_of(count, 0.8);
        assert_true(ur__calibration_factor(&c, t, 0.8, 7) == want);
        told += n >= 20;
        for (int j = 0; j < H; j++)
            ur__calibration_note(&c, t, j, &unit, truth_at(t, j));
    }
    assert_true(told > N - 10);
    ur__calibration_begin(&c);          /* another series */
    assert_true(ur__calibration_factor(&c, 40 + N, 0.8, 7) == 7);
    ur__free(place.base);
}

/* Points have no interval, and without rows nothing is noted. */
static void calibration__of_nothing(void **unused)
{
    (void)unused;
    const struct ur__interval point = {.point = 0, .below = (double)NAN, .above = (double)NAN};
    double count[UR__BINS];
    struct ur__calibration c = {.rows = 0, .horizon = H, .count = count};
    ur__calibration_begin(&c);
    ur__calibration_note(&c, 3, 0, &point, 1);
    assert_true(ur__calibration_factor(&c, 4, 0.8, 2.5) == 2.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factor__holds_the_share_and_one_more),
        cmocka_unit_test(bins__of_intervals),
        cmocka_unit_test(factor__is_of_what_was_known),
        cmocka_unit_test(calibration__of_nothing),
    };
    return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
