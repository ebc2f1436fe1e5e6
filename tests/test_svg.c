/* SPDX-License-Identifier: MIT */
/* What pictures are made of: ticks of any range, numbers, anybody's text. */
#include "cli/ui.c"
#include "cli/fail.c"
#include "cli/axis.c"
#include "cli/svg.c"

#include "testing.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void check_axis(double low, double high, bool log)
{
    struct axis a;
    axis_init(&a, low, high, log);
    assert_true(a.n >= 1 && a.n <= AXIS_MOST);
    assert_true(a.low <= low && a.high >= high && a.low < a.high);
    for (int i = 0; i < a.n; i++) {
        double at = axis_place(&a, a.tick[i]);
        assert_true(i == 0 || a.tick[i] > a.tick[i - 1]);
        assert_true(at >= -1e-9 && at <= 1 + 1e-9);
    }
    assert_true(axis_place(&a, low) >= 0 && axis_place(&a, high) <= 1);
    /* Of a range that is no single number, most of the axis is used. */
    if (!log && high - low > 1e-6 * fabs(high) && high - low >= LEAST_SPAN)
        assert_true(axis_place(&a, high) - axis_place(&a, low) > 0.6);
}

static void axis__holds_any_range(void **state)
{
    (void)state;
    static const double ends[] = {
        -1e100, -1e15 - 1, -1e15, -7.5, -1, -1e-50, -5e-324, 0, 5e-324, 1e-100, 1e-99, 1e-45,
        0.001, 0.25, 1, 4.2, 6.1, 1e15, 1e15 + 1, 9007199254740993.0, 3e38, 1e100,
    };
    int n = 0;
    for (size_t i = 0; i < COUNT(ends); i++)
        for (size_t k = i; k < COUNT(ends); k++)
            for (int log = 0; log < 2; log++)
                if (axis_has(ends[i], log) && axis_has(ends[k], log)) {
                    check_axis(ends[i], ends[k], log);
                    n++;
                }
    assert_false(axis_has((double)NAN, false) || axis_has((double)INFINITY, false) ||
                 axis_has(-1e101, false) || axis_has(0, true) || axis_has(-1, true));
    print_message("%d ranges\n", n);
}

static void axis__has_round_ticks(void **state)
{
    (void)state;
    static const struct { double low, high; bool log; int n; double tick[8]; } cases[] = {
        {0, 1, false, 6, {0, 0.2, 0.4, 0.6, 0.8, 1}},
        {270, 2185, false, 4, {500, 1000, 1500, 2000}},
        {1, 300, true, 3, {1, 10, 100}}, {4.2, 6.1, true, 3, {2, 5, 10}},
        {1, 1, false, 1, {1}}, {30, 210, true, 3, {50, 100, 200}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct axis a;
        axis_init(&a, cases[i].low, cases[i].high, cases[i].log);
        assert_int_equal(a.n, cases[i].n);
        for (int k = 0; k < a.n; k++)
            assert_true(fabs(a.tick[k] - cases[i].tick[k]) < 1e-9);
    }
}

static void svg__numbers_are_short(void **state)
{
    (void)state;
    static const struct { double x; const char *text; } cases[] = {
        {0, "0"}, {-0.04, "0"}, {1, "1"}, {1.25, "1.3"}, {-1.25, "-1.2"}, {719.96, "720"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct svg s = {0};
        svg_number(&s, cases[i].x);
        assert_string_equal(s.out.data, cases[i].text);
        ur__buf_free(&s.out);
    }
}

static void svg__values_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct { double x; const char *text; } cases[] = {
        {0, ">0<"}, {0.25, ">0.25<"}, {100000, ">100000<"}, {1e-5, ">10<tspan dy=\"-4\""},
        {-2.5e-7, ">-2.5·10<tspan"}, {1e15, ">10<tspan"}, {1e15, ">15</tspan>"},
        {0.1 + 0.2, ">0.3<"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct svg s = {0};
        svg_value(&s, &(struct svg_text){.x = 1}, cases[i].x);
        assert_non_null(strstr(s.out.data, cases[i].text));
        ur__buf_free(&s.out);
    }
}

static void svg__text_is_escaped_and_cut(void **state)
{
    (void)state;
    static const struct { const char *text; int columns; const char *shown; } cases[] = {
        {"a<b>&\"'", 0, "a&lt;b&gt;&amp;&quot;'"}, {"a\033\xff\xe2\x80\xae", 0, "a���"},
        {"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"日本語", 5, "日本…"},
        {"日本語", 4, "日…"}, {"", 3, ""}, {"ab", 1, "…"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct svg s = {0};
        svg_put(&s, "%s", "");
        svg_escape(&s, cases[i].text, cases[i].columns);
        assert_string_equal(s.out.data, cases[i].shown);
        ur__buf_free(&s.out);
    }
    assert_int_equal(svg_columns("日本 x"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis__holds_any_range),
        cmocka_unit_test(axis__has_round_ticks),
        cmocka_unit_test(svg__numbers_are_short),
        cmocka_unit_test(svg__values_are_read_as_people_write_them),
        cmocka_unit_test(svg__text_is_escaped_and_cut),
    };
    return cmocka_run_group_tests_name("svg", tests, NULL, NULL);
}
