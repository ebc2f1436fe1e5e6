/* SPDX-License-Identifier: MIT */
/* The program's command line, with tables that no command has. */
#include "cli/opt.c"
#include "cli/fail.c"
#include "cli/help.c"

#include "testing.h"

enum { ROWS = 300 };

struct values {
    bool flag[ROWS];
    struct opt_seed seed;
};

static int never(const struct command *self, int argc, char **argv)
{
    (void)self, (void)argc, (void)argv;
    return EXIT_FAILED;
}

/* A command of ROWS flags f0, f1 ... */
static struct command many_flags(struct opt options[ROWS], char names[ROWS][8])
{
    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], 8, "f%d", i);
        options[i] = (struct opt){.name = names[i], .kind = OPT_FLAG, .help = "a flag",
                                  .at = offsetof(struct values, flag) + (size_t)i};
    }
    return (struct command){.name = "test", .words = "", .options = options, .n_options = ROWS,
                            .run = never};
}

static void opt__a_table_may_be_of_any_length(void **state)
{
    (void)state;
    static struct opt options[ROWS];
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

static void opt__seeds_are_all_numbers_of_64_bits(void **state)
{
    (void)state;
    static const struct opt options[] = {
        {.name = "seed", .arg = "N|random", .fallback = "123", .kind = OPT_SEED, .help = "seed",
         .at = offsetof(struct values, seed)},
    };
    static struct { char text[24]; uint64_t value; } good[] = {
        {"0", 0}, {"9007199254740993", 9007199254740993u}, {"9223372036854775808", 1ull << 63},
        {"18446744073709551615", UINT64_MAX},
    };
    static char bad[][24] = {"", "-1", "+1", "18446744073709551616", "99999999999999999999",
                                "1.0", "0x1", " 1", "randomly"};
    const struct command c = {.name = "test", .words = "", .options = options, .n_options = 1};
    struct values values;
    struct opt_words words;
    char name[] = "--seed", random[] = "random";
    int code;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *argv[] = {name, good[i].text};
        assert_true(opt_parse(&c, 2, argv, &values, &words, &code));
        assert_true(values.seed.value == good[i].value && !values.seed.random);
        opt_words_free(&words);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *argv[] = {name, bad[i]};
        assert_false(opt_parse(&c, 2, argv, &values, &words, &code));
        assert_int_equal(code, EXIT_USAGE);
        opt_words_free(&words);
    }
    char *argv[] = {name, random};
    assert_true(opt_parse(&c, 2, argv, &values, &words, &code));
    assert_true(values.seed.random && values.seed.value < 1ull << 53);
    opt_words_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opt__a_table_may_be_of_any_length),
        cmocka_unit_test(opt__seeds_are_all_numbers_of_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
