/* SPDX-License-Identifier: MIT */
/* Series from CSV: what is read, what is refused and where; times, their steps and cycles. */
#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "data/series.h"

static const char *written(const char *text)
{
    const char *path = tmp_path("s.csv");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static ur_status open_text(struct ur__series *s, const char *text, const char *targets,
                           const char *features)
{
    const struct ur__series_rule rule = {.targets = targets, .features = features};
    return ur__series_open(s, written(text), &rule);
}

/* ---- what is read ------------------------------------------------------ */

static void series__columns_and_missing_values(void **unused)
{
    (void)unused;
    struct ur__series s;
    char time[UR__TIME_TEXT];
    assert_ok(open_text(&s, "\"a\",date,b,c\r\n1,2020-01-30,NA,5\n ,2020-01-31,2.5,null\n"
                            "nan,2020-02-01,?,1e-3\n\n", "c,a", "all"));
    assert_true(s.n == 3 && s.targets == 2 && s.features == 1 && s.missing == 5 && s.timed);
    assert_string_equal(ur__series_name(&s, 0), "c");
    assert_string_equal(ur__series_name(&s, 1), "a");
    assert_string_equal(ur__series_name(&s, 2), "b");
    assert_true(s.value[0] == 5 && s.value[1] == 1 && isnan(s.value[2]) && isnan(s.value[3]));
    assert_true(s.value[5] == 2.5 && s.value[6] == 1e-3);
    assert_string_equal(ur__series_time(&s, 2, time), "2020-02-01");
    assert_string_equal(ur__series_time(&s, 30, time), "2020-02-29");
    ur__series_close(&s);
    /* The last column is what is forecast; without times rows have numbers. */
    assert_ok(open_text(&s, "x;y\n1;2\n3;4\n", NULL, NULL));
    assert_true(s.n == 2 && s.targets == 1 && s.features == 0 && s.value[1] == 4 && !s.timed);
    assert_string_equal(ur__series_time(&s, 2, time), "3");
    ur__series_close(&s);
    assert_ok(open_text(&s, ",0\n1821,269\n1822,321\n", "0", NULL));     /* called 0 */
    assert_true(s.n == 2 && s.value[0] == 269 && !s.timed);
    ur__series_close(&s);
}

struct refusal {
    const char *text, *targets, *features, *message;
};

static const struct refusal refusals[] = {
    {"", NULL, NULL, "there is no row"},
    {"a,b\n", NULL, NULL, "there is no row below the line of names"},
    {"a,b\n1,2\n3\n", NULL, NULL, ":3: 1 fields where the first row has 2"},
    {"a,b\n1,2\n3,x\n", NULL, NULL, ":3: field 2, \"x\", is not a number"},
    {"a,b\n1,2\n3,inf\n", NULL, NULL, ":3: field 2, \"inf\", is not a number"},
    {"a,b\n1,2\n", "c", NULL, "there is no column \"c\""},
    {"a,b\n1,2\n", "3", NULL, "there is no column 3: the first row has 2 fields"},
    {"a,b\n1,2\n", "", NULL, "there is no column \"\""},
    {"a,b\n1,2\n", "a,a", NULL, "column a is named twice"},
    {"a,b\n1,2\n", "a", "b,a", "column a is named twice"},
    {"b,date\n1,2020-01-01\n", NULL, NULL, ":2: the last column holds times"},
    {"date,b\n2020-01-01,NA\n2020-01-02,\n", NULL, NULL, "column \"b\" has no value"},
    {"date,b\n2020-01-01,1\n2020-01-02,1\n2020-01-04,1\n", NULL, NULL,
     ":4: time 2020-01-04 follows 2020-01-02, where steps are 1 day: a row that is missing"},
    {"date,b\n2020-01-02,1\n2020-01-01,1\n", NULL, NULL,
     ":3: time 2020-01-01 does not come after 2020-01-02"},
    {"date,b\n2020-01,1\n2020-02,1\n2020-02,1\n", NULL, NULL,
     ":4: time 2020-02 does not come after 2020-02"},
    {"date,b\n2020-01,1\n2020-02,1\n2020-03-01,1\n", NULL, NULL, ":4: time 2020-03-01"},
    {"date,b\n2020-13-01,1\n", NULL, NULL, ":2: \"2020-13-01\" is no time"},
    {"date,b\n2020-01-01 24:00,1\n", NULL, NULL, ":2: \"2020-01-01 24:00\" is no time"},
    {"year,b\n1999,1\n2000,1\n2002,1\n", NULL, NULL,
     ":4: time 2002 follows 2000, where steps are 1"},
    {"a,b\n1,\"2\n", NULL, NULL, "a quote is opened and never closed"},
};

static void series__refuses_and_says_where(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct ur__series s;
        assert_status(UR_EDATA, open_text(&s, r->text, r->targets, r->features));
        if (!strstr(ur_errmsg(), r->message))
            fail_msg("%zu: \"%s\" has no \"%s\"", i, ur_errmsg(), r->message);
        ur__series_close(&s);
    }
    struct ur__series s;
    const struct ur__series_rule rule = {.time = "none"};
    assert_status(UR_EINPUT, ur__series_open(&s, "no/such/file", &rule));
    ur__series_close(&s);
}

/* Every prefix of a file is read or refused. */
static void series__prefixes(void **unused)
{
    (void)unused;
    static const char text[] = "date,\"a\"\"b\",c\n2020-02-28T23:30,1,\"2\"\n"
                               "2020-02-29T00:00,NA,3\n";
    int read = 0;
    for (size_t n = 0; n < sizeof text; n++) {
        char part[sizeof text] = "";
        struct ur__series s;
        memcpy(part, text, n);
        read += open_text(&s, part, NULL, "all") == UR_OK;
        ur__series_close(&s);
    }
    assert_true(read >= 5);
}

/* ---- times ------------------------------------------------------------- */

static struct ur__time time_of(const char *text)
{
    struct ur__time t;
    if (!ur__time_read(text, strlen(text), &t))
        fail_msg("\"%s\" is no time", text);
    return t;
}

struct stride {
    const char *first, *second, *step;
    int64_t k;
    const char *after;
    int period;
};

static const struct stride strides[] = {
    {"1949-01", "1949-02", "1 month", 144, "1961-01", 12},
    {"2019-10-31", "2019-11-30", "1 month", 4, "2020-02-29", 12},
    {"2020-01-30", "2020-02-29", "30 days", 2, "2020-03-30", 1},
    {"2020-03-15", "2020-06-15", "3 months", 4, "2021-03-15", 4},
    {"2019-02-28", "2020-02-28", "12 months", 1, "2020-02-28", 1},
    {"19580329", "19580405", "1 week", 2, "19580412", 52},
    {"2000/02/28", "2000/02/29", "1 day", 2, "2000/03/01", 7},
    {"1900.02.28", "1900.03.01", "1 day", 1, "1900.03.01", 7},
    {"2016-07-01 00:00:00", "2016-07-01 01:00:00", "1 hour", 24, "2016-07-02 00:00:00", 24},
    {"2016-12-31T23:45", "2017-01-01T00:00", "15 minutes", 3, "2017-01-01T00:30", 96},
    {"1821", "1822", "1", 10, "1831", 1},
    {"0.5", "0.75", "0.25", 3, "1.25", 1},
};

static void times__step_on(void **unused)
{
    (void)unused;
    char text[UR__TIME_TEXT];
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        const struct stride *c = &strides[i];
        struct ur__time a = time_of(c->first), b = time_of(c->second), after;
        struct ur__time_step step;
        assert_true(ur__time_between(&a, &b, &step));
        assert_false(ur__time_between(&b, &a, &step) || ur__time_between(&a, &a, &step));
        assert_true(ur__time_between(&a, &b, &step));
        assert_string_equal(ur__time_step_write(&step, text), c->step);
        after = ur__time_after(&a, &step, 1);
        assert_true(ur__time_same(&after, &b, &step));
        after = ur__time_after(&a, &step, c->k);
        assert_string_equal(ur__time_write(&after, text), c->after);
        assert_int_equal(ur__time_period(&step), c->period);
        assert_string_equal(ur__time_write(&a, text), c->first);
    }
}

/* Every day of four centuries is the day after the one before. */
static void times__days_of_centuries(void **unused)
{
    (void)unused;
    struct ur__time first = time_of("1800-01-01");
    const struct ur__time_step day = {.seconds = 86400};
    char text[UR__TIME_TEXT];
    int leaps = 0;
    for (int64_t k = 0; k < 146097; k++) {
        struct ur__time t = ur__time_after(&first, &day, k), again;
        ur__time_write(&t, text);
        again = time_of(text);
        assert_true(again.day == t.day);
        leaps += strstr(text, "-02-29") != NULL;
    }
    assert_int_equal(leaps, 97);
    assert_string_equal(text, "2199-12-31");
}

static void times__cycles(void **unused)
{
    (void)unused;
    double phase[UR__TIME_CYCLES];
    struct ur__time t = time_of("2020-07-01 18:00");     /* a Wednesday, the 183rd day of 366 */
    ur__time_phases(&t, &(struct ur__time_step){.seconds = 3600}, phase);
    assert_true(phase[UR__TIME_DAY] == 0.75 && phase[UR__TIME_WEEK] == 2.75 / 7);
    assert_true(fabs(phase[UR__TIME_YEAR] - 182.75 / 366) < 1e-12);
    ur__time_phases(&t, &(struct ur__time_step){.months = 1}, phase);
    assert_true(phase[UR__TIME_DAY] < 0 && phase[UR__TIME_WEEK] < 0 && phase[UR__TIME_YEAR] > 0);
    t = time_of("1999");
    ur__time_phases(&t, &(struct ur__time_step){.number = 1}, phase);
    assert_true(phase[UR__TIME_YEAR] < 0);
}

static void times__refused(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {"", " ", "2020-", "2020-00", "2020-02-30", "2019-02-29",
                                        "2020-1-1", "2020-01/01", "2020-01-01 1:00", "0000-01",
                                        "2020-01-01 10:00:60", "2020-01-01x", "nan", "inf", "1e99"};
    struct ur__time t;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (ur__time_read(wrong[i], strlen(wrong[i]), &t))
            fail_msg("\"%s\" is a time", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series__columns_and_missing_values),
        cmocka_unit_test(series__refuses_and_says_where),
        cmocka_unit_test(series__prefixes),
        cmocka_unit_test(times__step_on),
        cmocka_unit_test(times__days_of_centuries),
        cmocka_unit_test(times__cycles),
        cmocka_unit_test(times__refused),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
