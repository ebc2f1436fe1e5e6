/* SPDX-License-Identifier: MIT */
/* The program's command line, with tables that no command has. */
#include "cli/opt.c"
#include "cli/fail.c"
#include "cli/help.c"
#include "cli/rows.c"

#include "testing.h"

enum { ROWS = 300 };

struct values {
    bool flag[ROWS];
    uint64_t seed;
};

static int never(const struct command *self, int argc, char **argv)
{
    (void)self, (void)argc, (void)argv;
    return EXIT_FAILED;
}

/* A command of ROWS flags f0, f1 ... */
static struct command many_flags(ur_option options[ROWS], char names[ROWS][8])
{
    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], 8, "f%d", i);
        options[i] = (ur_option){.name = names[i], .kind = UR_OPTION_FLAG, .help = "a flag",
                                 .at = offsetof(struct values, flag) + (size_t)i};
    }
    return (struct command){.name = "test", .words = "", .options = options, .n_options = ROWS,
                            .run = never};
}

static void opt__a_table_may_be_of_any_length(void **state)
{
    (void)state;
    static ur_option options[ROWS];
    static char names[ROWS][8];
    const struct command c = many_flags(options, names);
    for (int row = 0; row < ROWS; row++) {
        struct values values;
        struct opt_words words;
        char arg[16];
        char *argv[] = {arg};
        int code;
        snprintf(arg, sizeof arg, "--f%d", row);
        assert_true(opt_parse(&c, 1, argv, &values, &words, &code));
        for (int i = 0; i < ROWS; i++) {
            assert_int_equal(values.flag[i], i == row);
            assert_int_equal(opt_given(&words, names[i]), i == row);
        }
        opt_words_free(&words);
    }
}

/* ---- rows that are not the command's own --------------------------------- */

static const ur_option own[] = {
    {.name = "early", .kind = UR_OPTION_FLAG, .at = offsetof(struct values, flag[0])},
    {.name = "late", .kind = UR_OPTION_FLAG, .at = offsetof(struct values, flag[1])},
};
static const ur_option others[] = {
    {.name = "width", .arg = "N", .kind = UR_OPTION_INT},
    {.name = "depth", .arg = "N", .kind = UR_OPTION_INT},
};
static char last_set[32];

static const ur_option *more(int i)
{
    return i < 2 ? &others[i] : NULL;
}

static ur_status set(void *values, const char *name, const char *text)
{
    (void)values;
    snprintf(last_set, sizeof last_set, "%s=%s", name, text);
    return strcmp(text, "bad") == 0 ? ur__fail(UR_EINVAL, "%s bad: refused", name) : UR_OK;
}

static void opt__further_rows_stand_between_and_go_to_their_owner(void **state)
{
    (void)state;
    static const char *const order[] = {"early", "width", "depth", "late"};
    const struct command c = {.name = "test", .words = "", .options = own, .n_options = 2,
                              .first = 1, .more = more, .set = set};
    struct values values;
    struct opt_words words;
    char width[] = "--width=7", late[] = "--late", depth[] = "--depth", bad[] = "bad";
    int code;
    for (int i = 0; i < 4; i++)
        assert_string_equal(opt_row(&c, i)->name, order[i]);
    assert_null(opt_row(&c, 4));
    assert_null(opt_row(&c, -1));

    assert_true(opt_parse(&c, 2, (char *[]){width, late}, &values, &words, &code));
    assert_string_equal(last_set, "width=7");
    assert_true(!values.flag[0] && values.flag[1]);
    assert_true(opt_given(&words, "width") && opt_given(&words, "late"));
    assert_false(opt_given(&words, "depth") || opt_given(&words, "early"));
    opt_words_free(&words);

    assert_false(opt_parse(&c, 2, (char *[]){depth, bad}, &values, &words, &code));
    assert_int_equal(code, EXIT_USAGE);
    opt_words_free(&words);
}

/* ---- names and values ---------------------------------------------------- */

static void opt__the_nearest_name_is_found(void **state)
{
    (void)state;
    static const struct { const char *word, *name; } cases[] = {
        {"hiden", "hidden"}, {"dropuot", "dropout"}, {"drop", "dropout"}, {"zebra", NULL},
        {"lr", "lr"}, {"le", "lr"}, {"ab", NULL},
    };
    static const char *const names[] = {"hidden", "dropout", "lr"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct help_nearest near;
        help_nearest_begin(&near, cases[i].word);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            help_nearest_try(&near, names[k]);
        if (cases[i].name == NULL)
            assert_null(near.name);
        else
            assert_string_equal(near.name, cases[i].name);
    }
}

static void opt__a_seed_may_be_left_to_chance_where_its_row_says_so(void **state)
{
    (void)state;
    ur_option row = {.name = "seed", .arg = "N|random", .fallback = "123",
                     .kind = UR_OPTION_SEED, .help = "seed", .at = offsetof(struct values, seed)};
    const struct command c = {.name = "test", .words = "", .options = &row, .n_options = 1};
    struct values values;
    struct opt_words words;
    char name[] = "--seed", random[] = "random", all[] = "18446744073709551615";
    int code;
    assert_true(opt_parse(&c, 2, (char *[]){name, all}, &values, &words, &code));
    assert_true(values.seed == UINT64_MAX && !words.random);
    opt_words_free(&words);

    assert_true(opt_parse(&c, 2, (char *[]){name, random}, &values, &words, &code));
    assert_true(words.random && values.seed < 1ull << 53);
    opt_words_free(&words);

    static char bad[][10] = {"", "+1", "1.0", "0x1", " 1", "randomly", "random"};
    enum { BAD = sizeof bad / sizeof *bad };
    for (int i = 0; i < BAD; i++) {
        if (i == BAD - 1)
            row.arg = "N";
        assert_false(opt_parse(&c, 2, (char *[]){name, bad[i]}, &values, &words, &code));
        assert_int_equal(code, EXIT_USAGE);
        opt_words_free(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opt__a_table_may_be_of_any_length),
        cmocka_unit_test(opt__further_rows_stand_between_and_go_to_their_owner),
        cmocka_unit_test(opt__the_nearest_name_is_found),
        cmocka_unit_test(opt__a_seed_may_be_left_to_chance_where_its_row_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
