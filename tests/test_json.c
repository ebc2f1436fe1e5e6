/* SPDX-License-Identifier: MIT */
/* JSON: what is written reads back, what is not JSON is refused, what failed while
 * building is told when writing. */
#include "test_io.h"

#include <float.h>
#include <math.h>

#include "base/text.h"
#include "io/json.h"

static void assert_dumps(struct ur__json *j, const char *want)
{
    struct ur__buf b = {0};
    assert_ok(ur__json_dump(j, &b));
    assert_string_equal(b.data, want);
    ur__buf_free(&b);
}

static struct ur__json *build_sample(void)
{
    struct ur__json *j = ur__json_new_object(), *list = ur__json_new_array();
    struct ur__json *inner = ur__json_new_object();
    ur__json_set_string(j, "text", "a\"\\\n\t\r\x01/\xc3\xa9");
    ur__json_set_int(j, "least", INT64_MIN);
    ur__json_set_real(j, "real", 0.1);
    ur__json_set_real(j, "whole", 3);
    ur__json_set_real(j, "none", HUGE_VAL - HUGE_VAL);
    ur__json_set_bool(j, "yes", true);
    ur__json_set_bool(inner, "no", false);
    ur__json_add_int(list, 1);
    ur__json_add_real(list, -HUGE_VAL);
    ur__json_add_string(list, "x");
    ur__json_add(list, inner);
    ur__json_set(j, "list", list);
    ur__json_set_int(j, "a", 1);
    ur__json_set_int(j, "a", 2);    /* replaces, in place */
    return j;
}

static const char sample_text[] =
    "{\"text\":\"a\\\"\\\\\\n\\t\\r\\u0001/\xc3\xa9\",\"least\":-9223372036854775808,\"real\":0.1,"
    "\"whole\":3.0,\"none\":null,\"yes\":true,\"list\":[1,null,\"x\",{\"no\":false}],\"a\":2}";

static void json__round_trips(void **state)
{
    (void)state;
    struct ur__json *j = build_sample();
    assert_dumps(j, sample_text);
    ur__json_free(j);
    assert_ok(ur__json_parse(&j, sample_text, strlen(sample_text)));
    assert_dumps(j, sample_text);
    const char *text;
    int64_t i;
    double d;
    bool b;
    assert_true(ur__json_get_string(j, "text", &text));
    assert_string_equal(text, "a\"\\\n\t\r\x01/\xc3\xa9");
    assert_true(ur__json_get_int(j, "least", &i) && i == INT64_MIN);
    assert_true(ur__json_get_real(j, "real", &d) && d == 0.1);
    assert_true(ur__json_get_real(j, "a", &d) && d == 2);
    assert_true(ur__json_get_bool(j, "yes", &b) && b);
    assert_false(ur__json_get_int(j, "whole", &i));
    assert_false(ur__json_get_int(j, "absent", &i));
    assert_false(ur__json_get_bool(j, "a", &b));
    assert_false(ur__json_get_string(j, "a", &text));
    const struct ur__json *list = ur__json_get(j, "list");
    assert_true(ur__json_is_array(list) && !ur__json_is_object(list));
    assert_int_equal(ur__json_size(list), 4);
    assert_true(ur__json_int(ur__json_at(list, 0), &i) && i == 1);
    assert_true(ur__json_string(ur__json_at(list, 2), &text));
    assert_true(ur__json_is_object(ur__json_at(list, 3)));
    assert_null(ur__json_at(list, 4));
    assert_false(ur__json_real(NULL, &d));
    ur__json_free(j);
    ur__json_free(NULL);
}

static void json__reals_are_shortest(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"}, {1e15, "1000000000000000.0"}, {1e16, "1e+16"},
        {123456789012345680.0, "1.2345678901234568e+17"}, {1e22, "1e+22"}, {1e23, "1e+23"},
        {1e-4, "0.0001"}, {1.25e-5, "1.25e-05"}, {5e-324, "5e-324"}, {12345.678, "12345.678"},
        {DBL_MAX, "1.7976931348623157e+308"}, {DBL_MIN, "2.2250738585072014e-308"},
        {0x1p-44, "5.684341886080802e-14"}, {9007199254740993.0, "9007199254740992.0"},
        {2e-3, "0.002"}, {100, "100.0"}, {-1e100, "-1e+100"}, {0.00012, "0.00012"},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        struct ur__json *j = ur__json_new_array();
        ur__json_add_real(j, known[i].value);
        struct ur__buf b = {0};
        assert_ok(ur__json_dump(j, &b));
        b.data[b.size - 1] = '\0';
        assert_string_equal(b.data + 1, known[i].text);
        ur__buf_free(&b);
        ur__json_free(j);
    }
    /* Any bits: what is written reads back to them, and stays a real. */
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t r[4];
        double value, back;
        ur_random(1, 5, 0, i, r);
        memcpy(&value, r, sizeof value);
        if (!isfinite(value))
            continue;
        struct ur__json *j = ur__json_new_array(), *again;
        ur__json_add_real(j, value);
        struct ur__buf b = {0};
        int64_t integer;
        assert_ok(ur__json_dump(j, &b));
        assert_ok(ur__json_parse(&again, b.data, b.size));
        if (!ur__json_real(ur__json_at(again, 0), &back) ||
            memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%a is written as %s", value, b.data);
        assert_false(ur__json_int(ur__json_at(again, 0), &integer));
        ur__buf_free(&b);
        ur__json_free(j);
        ur__json_free(again);
    }
}

static void json__is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{a:1}", "'a'", "[1] x", "{}{}",
        "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"\\u0000\"", "nan", "NaN",
        "[Infinity]", "01", "+1", "1.", ".5", "1e999", "9223372036854775808", "\"a\nb\"", "tru",
        "[1 2]", "{\"a\" 1}", "/* no */ 1", "\"\\x41\"",
    };
    struct ur__json *j;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (ur__json_parse(&j, bad[i], strlen(bad[i])) != UR_EFORMAT || j)
            fail_msg("%s is taken", bad[i]);
    }
    assert_status(UR_EFORMAT, ur__json_parse(&j, "[1]\0", 4));
    assert_status(UR_EFORMAT, ur__json_parse(&j, "{\n \"a\": ?}", 10));
    assert_non_null(strstr(ur_errmsg(), "line 2"));
    static char deep[100000];
    memset(deep, '[', sizeof deep / 2);
    memset(deep + sizeof deep / 2, ']', sizeof deep / 2);
    assert_status(UR_EFORMAT, ur__json_parse(&j, deep, sizeof deep));
    assert_ok(ur__json_parse(&j, " 17 ", 4));
    int64_t i;
    assert_true(ur__json_int(j, &i) && i == 17);
    ur__json_free(j);
}

static void json__says_where_and_what(void **state)
{
    (void)state;
    static const struct { const char *text, *message; } bad[] = {
        {"", "json: line 1, column 1: a value expected, but the text ends"},
        {"[1,\n  2", "json: line 2, column 4: ',' or ']' expected, but the text ends"},
        {"{\"\xc3\xa4\": x}", "json: line 1, column 7: a value expected"},
        {"{\"a\" 1}", "json: line 1, column 6: ':' expected"},
        {"{\"a\": 1 \"b\": 2}", "json: line 1, column 9: ',' or '}' expected"},
        {"{\"a\": 1, b: 2}", "json: line 1, column 10: a key in quotes expected"},
        {"{\"a\": 1,}", "json: line 1, column 9: a key in quotes expected"},
        {"[\n{\"a\": 1, \"b\": 2, \"a\": 3}]",
         "json: line 2, column 1: a duplicate key in this object"},
        {"[1] 2", "json: line 1, column 5: the end expected"},
        {"\"a", "json: line 1, column 3: '\"' expected, but the text ends"},
        {"\"\t\"", "json: line 1, column 2: a control character in a string"},
        {"\"a\xff\"", "json: line 1, column 3: malformed UTF-8"},
        {"\"\xe2\x82", "json: line 1, column 2: malformed UTF-8"},
        {"\"\\a\"", "json: line 1, column 2: unknown escape"},
        {"\"\\", "json: line 1, column 2: unknown escape"},
        {"\"\\u12G4\"", "json: line 1, column 2: four hexadecimal digits expected"},
        {"\"\\u12", "json: line 1, column 2: four hexadecimal digits expected"},
        {"\"x\\u0000\"", "json: line 1, column 3: U+0000 in a string"},
        {"\"\\ud83d\"", "json: line 1, column 2: half of a surrogate pair"},
        {"\"\\ud83d\\u0041\"", "json: line 1, column 2: half of a surrogate pair"},
        {"\"\\ud83d\\ue000\"", "json: line 1, column 2: half of a surrogate pair"},
        {"\"\\ude00\\ud83d\"", "json: line 1, column 2: half of a surrogate pair"},
        {"[-]", "json: line 1, column 2: a value expected"},
        {"[1.]", "json: line 1, column 4: a digit expected"},
        {"[1e+]", "json: line 1, column 5: a digit expected"},
        {"[-9223372036854775809]", "json: line 1, column 2: the number is too large"},
        {"[1, -1e309]", "json: line 1, column 5: the number is too large"},
        {"[truE]", "json: line 1, column 2: a value expected"},
    };
    struct ur__json *j;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_status(UR_EFORMAT, ur__json_parse(&j, bad[i].text, strlen(bad[i].text)));
        assert_string_equal(ur_errmsg(), bad[i].message);
    }
}

static void json__reads_what_it_may(void **state)
{
    (void)state;
    static const struct { const char *text, *dump; } good[] = {
        {" \t\r\n[ ] ", "[]"},
        {"{ }", "{}"},
        {"[-0, 0, -0.0, 10, 1E2, 1e-2, 12.5e+1]", "[0,0,-0.0,10,100.0,0.01,125.0]"},
        {"[9223372036854775807,-9223372036854775808]",
         "[9223372036854775807,-9223372036854775808]"},
        {"1e-999", "0.0"},
        {"{\"b\":1,\"a\":{\"b\":2,\"a\":[true,false,null]},\"\":3}",
         "{\"b\":1,\"a\":{\"b\":2,\"a\":[true,false,null]},\"\":3}"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\""},
        {"\"\\u0041\\u00e4\\u20AC\\ud83d\\uDE00\\ud800\\udc00\\udbff\\udfff\"",
         "\"A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
        {"\"\x7f\xef\xbf\xbf\"", "\"\x7f\xef\xbf\xbf\""},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct ur__json *j;
        assert_ok(ur__json_parse(&j, good[i].text, strlen(good[i].text)));
        assert_dumps(j, good[i].dump);
        ur__json_free(j);
    }
}

/* n times `part` between two brackets, with commas. */
static char *list_of(const char *part, size_t n)
{
    struct ur__buf b = {0};
    assert_ok(ur__buf_puts(&b, "["));
    for (size_t i = 0; i < n; i++) {
        assert_ok(ur__buf_puts(&b, i ? "," : ""));
        assert_ok(ur__buf_puts(&b, part));
    }
    assert_ok(ur__buf_puts(&b, "]"));
    return b.data;
}

static void json__what_would_grow_is_refused(void **state)
{
    (void)state;
    static const struct { const char *part; size_t most; const char *why; } limits[] = {
        {"1", (1 << 18) - 2, "values; at most 262144"}, {"[]", 65535, "lists and objects; at most"},
        {"{}", 65535, "lists and objects; at most 65536"},
    };
    struct ur__json *j;
    for (size_t i = 0; i < COUNT(limits); i++) {
        char *text = list_of(limits[i].part, limits[i].most);
        assert_ok(ur__json_parse(&j, text, strlen(text)));
        assert_int_equal(ur__json_size(j), limits[i].most);
        ur__json_free(j);
        ur__free(text);
        text = list_of(limits[i].part, limits[i].most + 2);
        assert_status(UR_EFORMAT, ur__json_parse(&j, text, strlen(text)));
        assert_non_null(strstr(ur_errmsg(), limits[i].why));
        ur__free(text);
    }
    char deep[2 * 33 + 1];
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    assert_status(UR_EFORMAT, ur__json_parse(&j, deep, 66));
    assert_non_null(strstr(ur_errmsg(), "at offset 32 nested deeper than 32"));
    assert_ok(ur__json_parse(&j, deep + 1, 64));
    ur__json_free(j);
    /* Brackets and commas in strings are text. */
    assert_ok(ur__json_parse(&j, "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{,\"", 42));
    ur__json_free(j);
}

static void json__what_was_parsed_is_not_changed(void **state)
{
    (void)state;
    struct ur__json *j, *list;
    struct ur__buf b = {0};
    assert_ok(ur__json_parse(&j, "{\"a\":\"text\"}", 12));
    ur__json_set_int(j, "b", 1);
    assert_int_equal(ur__json_size(j), 1);
    assert_status(UR_EINVAL, ur__json_dump(j, &b));
    ur__json_free(j);
    assert_ok(ur__json_parse(&list, "[1]", 3));
    ur__json_add_string(list, "x");
    assert_status(UR_EINVAL, ur__json_dump(list, &b));
    ur__json_free(list);
    ur__buf_free(&b);
}

static ur_status stop_at_b(void *user, const char *key, const struct ur__json *value)
{
    (void)value;
    ++*(int *)user;
    return key[0] == 'b' ? UR_ECANCELED : UR_OK;
}

static void json__each_stops_at_the_first_failure(void **state)
{
    (void)state;
    struct ur__json *j;
    int calls = 0;
    assert_ok(ur__json_parse(&j, "{\"c\":1,\"b\":2,\"a\":3}", 19));
    assert_int_equal(ur__json_each(j, stop_at_b, &calls), UR_ECANCELED);
    assert_int_equal(calls, 2);
    ur__json_free(j);
    assert_int_equal(ur__json_each(NULL, stop_at_b, &calls), UR_EFORMAT);
}

static void json__arrays_have_no_keys(void **state)
{
    (void)state;
    struct ur__buf b = {0};
    struct ur__json *j = ur__json_new_array();
    ur__json_set(j, "a", ur__json_new_object());
    assert_int_equal(ur__json_size(j), 0);
    assert_status(UR_EINVAL, ur__json_dump(j, &b));
    ur__json_free(j);
    ur__buf_free(&b);
}

static void json__failed_sets_are_remembered(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks();
    struct ur__buf b = {0};
    assert_ok(ur__buf_puts(&b, "before"));
    struct ur__json *j = ur__json_new_object(), *inner = ur__json_new_array();
    ur__json_add_string(inner, "\xff");
    ur__json_set(j, "inner", inner);
    assert_status(UR_EINVAL, ur__json_dump(j, &b));
    assert_string_equal(b.data, "before");
    ur__json_free(j);
    j = ur__json_new_array();
    ur__json_set_int(j, "key", 1);      /* to an array */
    assert_status(UR_EINVAL, ur__json_dump(j, &b));
    ur__json_free(j);
    j = ur__json_new_object();
    ur__json_set(j, "key", NULL);       /* what could not be made */
    assert_status(UR_ENOMEM, ur__json_dump(j, &b));
    ur__json_free(j);
    ur__json_set(NULL, "key", ur__json_new_array());
    ur__json_add(NULL, ur__json_new_array());
    ur__json_set_string(NULL, "key", "x");
    assert_status(UR_ENOMEM, ur__json_dump(NULL, &b));
    ur__buf_free(&b);
    assert_int_equal(ur__mem_blocks(), blocks);
}

static ur_status sample_again(void)
{
    struct ur__json *j = build_sample(), *parsed = NULL;
    struct ur__buf b = {0};
    ur_status status = ur__json_dump(j, &b);
    if (status == UR_OK)
        status = ur__json_parse(&parsed, b.data, b.size);
    ur__json_free(parsed);
    ur__json_free(j);
    ur__buf_free(&b);
    return status;
}

static void json__survives_every_failed_allocation(void **state)
{
    (void)state;
    fail_every_allocation(sample_again, "json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__round_trips),
        cmocka_unit_test(json__reals_are_shortest),
        cmocka_unit_test(json__is_strict),
        cmocka_unit_test(json__says_where_and_what),
        cmocka_unit_test(json__reads_what_it_may),
        cmocka_unit_test(json__what_would_grow_is_refused),
        cmocka_unit_test(json__what_was_parsed_is_not_changed),
        cmocka_unit_test(json__each_stops_at_the_first_failure),
        cmocka_unit_test(json__arrays_have_no_keys),
        cmocka_unit_test(json__failed_sets_are_remembered),
        cmocka_unit_test(json__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
