/* SPDX-License-Identifier: MIT */
/* Lines for people: what is dropped first, what a shell reads back. */
#include "cli/ui.c"
#include "cli/fail.c"

#include "testing.h"

/* Of every width the line keeps the parts of the lowest ranks, all that fit, and in order. */
static void fit__drops_the_highest_ranks(void **state)
{
    (void)state;
    static const struct ui_part parts[] = {
        {.rank = 2, .text = "bb"}, {.rank = 0, .text = "aaaa"}, {.rank = 9, .text = ""},
        {.rank = 3, .text = "dddddd"}, {.rank = 1, .text = "ccc"},
    };
    static const struct { int columns; const char *line; } cases[] = {
        {100, "bb  aaaa  dddddd  ccc"}, {21, "bb  aaaa  dddddd  ccc"}, {20, "bb  aaaa  ccc"},
        {13, "bb  aaaa  ccc"}, {12, "aaaa  ccc"}, {9, "aaaa  ccc"}, {8, "aaaa"}, {4, "aaaa"},
        {1, "aaaa"}, {-5, "aaaa"},
    };
    struct ui ui = {0};
    char line[UI_LINE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ui_fit(&ui, parts, 5, cases[i].columns, line), cases[i].line);
    assert_string_equal(ui_fit(&ui, parts, 0, 80, line), "");
}

static void fit__colours_take_no_columns(void **state)
{
    (void)state;
    static const struct ui_part parts[] = {{.text = "a"}, {.good = true, .rank = 1, .text = "b"}};
    struct ui ui = {.color = true};
    char line[UI_LINE];
    assert_string_equal(ui_fit(&ui, parts, 2, 4, line), "a  \033[32mb\033[0m");
    ui.color = false;
    assert_string_equal(ui_fit(&ui, parts, 2, 4, line), "a  b");
}

static void quote__makes_words_of_a_shell(void **state)
{
    (void)state;
    static const struct { const char *word, *quoted; } cases[] = {
        {"plain-1.txt", "plain-1.txt"}, {"", "''"}, {"two words", "'two words'"},
        {"it's", "'it'\\''s'"}, {"$HOME`x`", "'$HOME`x`'"}, {"caf\xc3\xa9", "'caf\xc3\xa9'"},
        {"a\033[31m", "$'a\\033[31m'"}, {"a\xff'\\", "$'a\\377\\'\\\\'"},
        {"x\xe2\x80\xaey", "$'x\\342\\200\\256y'"}, {"a\nb", "$'a\\012b'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ur__buf b = {0};
        ui_quote(&b, cases[i].word);
        assert_string_equal(b.data, cases[i].quoted);
        assert_true(ur__is_plain(b.data));
        ur__buf_free(&b);
    }
}

static void json__names_keep_their_bytes(void **state)
{
    (void)state;
    static const struct { const char *name, *json; } cases[] = {
        {"a b", "{\"f\":\"a b\"}\n"},
        {"caf\xc3\xa9", "{\"f\":\"caf\xc3\xa9\"}\n"},
        {"a\xff", "{\"f\":\"a\xef\xbf\xbd\",\"f_hex\":\"61ff\"}\n"},
        {"\x1b\x7f\xe2\x80\xae", "{\"f\":\"\\u001b\\u007f\\u202e\"}\n"},
        {"\xf3\xa0\x80\x81", "{\"f\":\"\\udb40\\udc01\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ur__buf b = {0};
        struct ur__json *j = ur__json_new_object();
        ui_json_name(j, "f", cases[i].name);
        assert_ok(ui_json_dump(j, &b));
        assert_string_equal(b.data, cases[i].json);
        ur__json_free(j);
        ur__buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit__drops_the_highest_ranks),
        cmocka_unit_test(fit__colours_take_no_columns),
        cmocka_unit_test(quote__makes_words_of_a_shell),
        cmocka_unit_test(json__names_keep_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
