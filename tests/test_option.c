/* SPDX-License-Identifier: MIT */
/* Options by name: text both ways, ranges, JSON both ways, what was given. */
#include "testing.h"

#include "base/option.h"
#include "io/option_json.h"

struct values {
    bool flag, either;
    int whole, choice, layers, sizes[UR_OPTION_LIST], ratio[UR_OPTION_LIST];
    int64_t count;
    uint64_t seed;
    double real, seconds;
    const char *text;
};

static const char *const fruits[] = {"apple", "pear", "plum", NULL};
static const char *const ways[] = {"after", "before", NULL};

#define AT(field) .at = offsetof(struct values, field)
static const ur_option rows[] = {
    {.name = "flag", .kind = UR_OPTION_FLAG, AT(flag)},
    {.name = "whole-number", .kind = UR_OPTION_INT, .fallback = "3", .min = 1, .max = 10,
     AT(whole)},
    {.name = "count", .kind = UR_OPTION_COUNT, .max = UR__OPTION_MANY, AT(count),
     .flags = UR_OPTION_FREE},
    {.name = "seed", .kind = UR_OPTION_SEED, .fallback = "123", AT(seed)},
    {.name = "real", .kind = UR_OPTION_REAL, .fallback = "0.5", .max = 1,
     .flags = UR_OPTION_OPEN_MAX, AT(real)},
    {.name = "seconds", .kind = UR_OPTION_SECONDS, AT(seconds), .flags = UR_OPTION_SPARSE},
    {.name = "choice", .kind = UR_OPTION_CHOICE, .fallback = "pear", .min = 5, .words = fruits,
     AT(choice)},
    {.name = "either", .kind = UR_OPTION_EITHER, .words = ways, AT(either)},
    {.name = "sizes", .kind = UR_OPTION_LIST_OF_INT, .fallback = "128", .min = 1, .max = 65536,
     AT(sizes), .at_n = offsetof(struct values, layers)},
    {.name = "layers", .kind = UR_OPTION_INT, .fallback = "2", .min = 1, .max = 32, AT(layers),
     .flags = UR_OPTION_IMPLIED},
    {.name = "ratio", .kind = UR_OPTION_LIST_OF_INT, .max = 9, AT(ratio),
     .at_n = offsetof(struct values, layers), .flags = UR_OPTION_SPARSE},
};
static const ur_option_table table = {
    .name = "t", .what = "test", .rows = rows, .n = sizeof rows / sizeof *rows,
    .size = sizeof(struct values),
};

static const struct values *of(const ur_options *o)
{
    return ur__options_read(o);
}

static void option__defaults_are_the_rows(void **unused)
{
    (void)unused;
    ur_options o;
    ur__options_init(&o, &table);
    const struct values *v = of(&o);
    assert_false(v->flag || v->either);
    assert_int_equal(v->whole, 3);
    assert_int_equal(v->choice, 6);
    assert_int_equal(v->seed, 123);
    assert_true(v->real == 0.5);
    assert_int_equal(v->layers, 2);
    for (int i = 0; i < UR_OPTION_LIST; i++) {
        assert_int_equal(v->sizes[i], 128);
        assert_int_equal(v->ratio[i], 0);
    }
    for (int i = 0; i < table.n; i++)
        assert_false(ur__options_has(&o, i));
}

static void option__text_goes_both_ways(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"flag", "yes"}, {"flag", "no"}, {"whole-number", "10"}, {"count", "123456789012"},
        {"seed", "18446744073709551615"}, {"seed", "0"}, {"real", "0.10000000000000001"},
        {"choice", "plum"}, {"either", "before"}, {"sizes", "7"}, {"sizes", "7,8,9"},
        {"text-less", NULL}, {"seconds", "90"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ur_options o;
        char text[64];
        ur__options_init(&o, &table);
        if (!cases[i][1]) {
            assert_status(UR_EINVAL, ur_options_set(&o, cases[i][0], "x"));
            continue;
        }
        assert_ok(ur_options_set(&o, cases[i][0], cases[i][1]));
        assert_true(ur_options_given(&o, cases[i][0]));
        assert_ok(ur_options_get(&o, cases[i][0], text, sizeof text));
        assert_string_equal(text, cases[i][1]);
    }
}

static void option__underscores_are_dashes(void **unused)
{
    (void)unused;
    ur_options o;
    ur__options_init(&o, &table);
    assert_ok(ur_options_set(&o, "whole_number", "7"));
    assert_true(ur_options_given(&o, "whole-number"));
    assert_int_equal(of(&o)->whole, 7);
    assert_status(UR_EINVAL, ur_options_set(&o, "whole", "7"));
    assert_status(UR_EINVAL, ur_options_set(&o, "whole-numbers", "7"));
}

static void option__a_list_has_its_length_and_units_of_time(void **unused)
{
    (void)unused;
    ur_options o;
    ur__options_init(&o, &table);
    assert_ok(ur_options_set(&o, "sizes", "5,6,7"));
    assert_int_equal(of(&o)->layers, 3);
    assert_int_equal(of(&o)->sizes[2], 7);
    assert_int_equal(of(&o)->sizes[3], 0);
    assert_ok(ur_options_set(&o, "sizes", "9"));
    assert_int_equal(of(&o)->layers, 3);
    assert_int_equal(of(&o)->sizes[31], 9);
    assert_ok(ur_options_set(&o, "seconds", "1.5m"));
    assert_true(of(&o)->seconds == 90);
    assert_ok(ur_options_set(&o, "seconds", "2h"));
    assert_true(of(&o)->seconds == 7200);
}

static void option__the_impossible_is_named_and_changes_nothing(void **unused)
{
    (void)unused;
    static const struct { const char *name, *text, *must; } cases[] = {
        {"flag", "maybe", "yes or no"}, {"whole-number", "0", "a whole number from 1 to 10"},
        {"whole-number", "11", "a whole number from 1 to 10"},
        {"whole-number", "3x", "a whole number from 1 to 10"},
        {"whole-number", "", "a whole number from 1 to 10"}, {"count", "-1", "of at least 0"},
        {"seed", "18446744073709551616", "from 0 to 18446744073709551615"},
        {"seed", "-1", "from 0"},
        {"real", "1", "a number of at least 0 and below 1"}, {"real", "nan", "a number"},
        {"choice", "fig", "one of apple|pear|plum"}, {"either", "now", "one of after|before"},
        {"sizes", "5,", "up to 32 of them"}, {"sizes", "0", "a whole number from 1 to 65536"},
        {"seconds", "0", "a time"}, {"seconds", "9999999h", "a time"}, {"seconds", "s", "a time"},
        {"sizes", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "up to 32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ur_options o, before;
        ur__options_init(&o, &table);
        before = o;
        assert_status(UR_EINVAL, ur_options_set(&o, cases[i].name, cases[i].text));
        if (!strstr(ur_errmsg(), cases[i].must) || !strstr(ur_errmsg(), cases[i].name))
            fail_msg("%s %s: %s", cases[i].name, cases[i].text, ur_errmsg());
        assert_memory_equal(&o, &before, sizeof o);
    }
}

static void option__small_room_and_unset_options_are_refused(void **unused)
{
    (void)unused;
    ur_options o, blank = {0};
    char text[4];
    ur__options_init(&o, &table);
    assert_status(UR_EINVAL, ur_options_get(&o, "choice", text, sizeof text));
    assert_ok(ur_options_get(&o, "whole-number", text, 2));
    assert_status(UR_EINVAL, ur_options_set(&blank, "flag", "yes"));
    assert_status(UR_EINVAL, ur__options_check(&blank, "test"));
    assert_status(UR_EINVAL, ur__options_check(&o, "other"));
    assert_ok(ur__options_check(&o, "test"));
    assert_null(ur_options_at(&o, table.n));
    assert_null(ur_options_at(&o, -1));
    assert_ptr_equal(ur_options_at(&o, 0), rows);
}

static void json_of(const ur_options *o, unsigned without, struct ur__buf *to)
{
    struct ur__json *j = ur__json_new_object();
    ur__options_to_json(&table, ur__options_read(o), without, j);
    to->size = 0;
    assert_ok(ur__json_dump(j, to));
    ur__json_free(j);
}

static void option__json_goes_both_ways(void **unused)
{
    (void)unused;
    ur_options o, back;
    struct ur__buf text = {0}, again = {0};
    ur__options_init(&o, &table);
    json_of(&o, UR_OPTION_FREE, &text);
    assert_string_equal(text.data, "{\"flag\":false,\"whole_number\":3,\"seed\":123,\"real\":0.5,"
                        "\"choice\":\"pear\",\"either\":\"after\",\"sizes\":[128,128]}");
    assert_ok(ur_options_set(&o, "sizes", "5"));
    assert_ok(ur_options_set(&o, "layers", "1"));
    assert_ok(ur_options_set(&o, "seed", "18446744073709551615"));
    assert_ok(ur_options_set(&o, "seconds", "1.5"));
    assert_ok(ur_options_set(&o, "ratio", "4"));
    assert_ok(ur_options_set(&o, "flag", "yes"));
    assert_ok(ur_options_set(&o, "either", "before"));
    assert_ok(ur_options_set(&o, "real", "0.1"));
    json_of(&o, UR_OPTION_FREE, &text);
    struct ur__json *j;
    assert_ok(ur__json_parse(&j, text.data, text.size));
    ur__options_init(&back, &table);
    assert_ok(ur__options_from_json(&table, j, NULL, ur__options_values(&back)));
    ur__json_free(j);
    json_of(&back, UR_OPTION_FREE, &again);
    assert_string_equal(text.data, again.data);
    assert_int_equal(of(&back)->layers, 1);
    assert_int_equal(of(&back)->ratio[0], 4);
    assert_true(of(&back)->real == 0.1);
    ur__buf_free(&text);
    ur__buf_free(&again);
}

static void option__json_refuses_what_is_unknown_missing_or_impossible(void **unused)
{
    (void)unused;
    static const char whole[] = "\"flag\":false,\"whole_number\":3,\"seed\":123,\"real\":0.5,"
                                "\"either\":\"after\",\"sizes\":[128,128]";
    static const struct { const char *text, *says; } cases[] = {
        {"{%s,\"choice\":\"fig\"}", "\"choice\" has an impossible value"},
        {"{%s,\"choice\":7}", "\"choice\" has an impossible value"},
        {"{%s}", "\"choice\" is missing"},
        {"{%s,\"choice\":\"plum\",\"colour\":1}", "\"colour\" is unknown"},
        {"{%s,\"choice\":\"plum\",\"seconds\":-1}", "\"seconds\" has"},
        {"{%s,\"choice\":\"plum\",\"ratio\":[]}", "\"ratio\" has"},
        {"{%s,\"choice\":\"plum\",\"ratio\":[1,10]}", "\"ratio\" has"},
        {"{%s,\"choice\":\"plum\",\"ratio\":10}", "\"ratio\" has"},
        {"{%s,\"choice\":\"plum\",\"ratio\":\"3\"}", "\"ratio\" has"},
        {"[%s]", "not a JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v;
        struct ur__json *j;
        char text[400];
        snprintf(text, sizeof text, cases[i].text, cases[i].text[0] == '[' ? "1" : whole);
        assert_ok(ur__json_parse(&j, text, strlen(text)));
        assert_status(UR_EFORMAT, ur__options_from_json(&table, j, NULL, &v));
        if (!strstr(ur_errmsg(), cases[i].says))
            fail_msg("%s: %s", text, ur_errmsg());
        ur__json_free(j);
    }
}

static void options__show_no_number_that_they_may_not_be(void **state)
{
    (void)state;
    static const double shown[] = {0.25, 0.999999999, 1e-12, 0.1 + 0.2};
    static const char *const text[] = {"0.25", "0.999999999", "1e-12", "0.3"};
    const ur_option share = {.name = "share", .kind = UR_OPTION_REAL, .max = 1,
                             .flags = UR_OPTION_OPEN_MIN | UR_OPTION_OPEN_MAX};
    for (int i = 0; i < 4; i++) {
        struct ur__buf to = {0};
        assert_ok(ur__buf_puts(&to, "share "));
        assert_ok(ur__option_show(&share, &shown[i], &to));
        assert_string_equal(to.data + 6, text[i]);
        ur__buf_free(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option__defaults_are_the_rows),
        cmocka_unit_test(option__text_goes_both_ways),
        cmocka_unit_test(option__underscores_are_dashes),
        cmocka_unit_test(option__a_list_has_its_length_and_units_of_time),
        cmocka_unit_test(option__the_impossible_is_named_and_changes_nothing),
        cmocka_unit_test(option__small_room_and_unset_options_are_refused),
        cmocka_unit_test(option__json_goes_both_ways),
        cmocka_unit_test(option__json_refuses_what_is_unknown_missing_or_impossible),
        cmocka_unit_test(options__show_no_number_that_they_may_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
