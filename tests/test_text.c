/* SPDX-License-Identifier: MIT */
/* Text: hashes, UTF-8, numbers from and to text, growing buffers. */
#include "testing.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "base/status.h"
#include "base/text.h"

#define HIDDEN "\xef\xbf\xbd"     /* stands for a byte that may not be shown */

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Appendix A of the paper, and of the vectors of its authors those of 0, 1 and 8 bytes. */
static void siphash__known_answers(void **state)
{
    (void)state;
    static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    unsigned char bytes[15];
    for (int i = 0; i < 15; i++)
        bytes[i] = (unsigned char)i;
    assert_true(ur__siphash(key, bytes, 15) == 0xa129ca6149be45e5u);
    assert_true(ur__siphash(key, bytes, 0) == 0x726fdb47dd0e0e31u);
    assert_true(ur__siphash(key, bytes, 1) == 0x74f839c593dc67fdu);
    assert_true(ur__siphash(key, bytes, 8) == 0x93f5f5799a932462u);
}

static void siphash__keys_differ(void **state)
{
    uint64_t a[2], b[2];
    ur__siphash_key(a, state);
    ur__siphash_key(b, state);
    assert_true(a[0] != b[0]);
}

static void utf8__round_trips_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        unsigned char s[4];
        uint32_t back = 0;
        int n = ur__utf8_encode(code, s);
        if (code >= 0xd800 && code < 0xe000) {
            assert_int_equal(n, 0);
            continue;
        }
        if (n < 1 || ur__utf8_decode(s, 4, &back) != n || back != code)
            fail_msg("code point %x", (unsigned)code);
        for (size_t cut = 0; cut < (size_t)n; cut++) {
            if (ur__utf8_decode(s, cut, &back) != 0)
                fail_msg("code point %x cut at %zu", (unsigned)code, cut);
        }
    }
    unsigned char s[4];
    assert_int_equal(ur__utf8_encode(0x110000, s), 0);
    assert_int_equal(ur__utf8_encode(0xffffffff, s), 0);
}

static void utf8__what_a_line_cannot_show_is_found(void **state)
{
    (void)state;
    static const char *const with[] = {"\n", "a\x1b[m", "\x7f", "a\xc2\x80", "\xc2\x9f", "\x1f",
                                       "\xe2\x80\xae", "\xff"};
    static const char *const without[] = {"", "a b", "\xc2\xa0", "\xc3\x80", "\xe2\x82\xac"};
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        assert_false(ur__is_plain(with[i]));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_true(ur__is_plain(without[i]));
}

static void utf8__what_cannot_be_seen_is_not_printable(void **state)
{
    (void)state;
    static const uint32_t hidden[] = {
        0, '\n', 0x1b, 0x1f, 0x7f, 0x80, 0x9f, 0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x202a,
        0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0xd800, 0xfeff, 0xfff9, 0xfffe, 0xffff, 0x1ffff,
        0xe0001, 0xe007f, 0x110000, 0xffffffff,
    };
    static const uint32_t seen[] = {
        ' ', '~', 0xa0, 0xac, 0xae, 0xe9, 0x301, 0x5d0, 0x627, 0x200a, 0x2010, 0x2027, 0x202f,
        0x2070, 0x20ac, 0x4e00, 0xfe0f, 0xfffd, 0x1f600, 0x10fffd,
    };
    for (size_t i = 0; i < COUNT(hidden); i++)
        if (ur__is_printable(hidden[i]))
            fail_msg("U+%04X is printable", (unsigned)hidden[i]);
    for (size_t i = 0; i < COUNT(seen); i++)
        if (!ur__is_printable(seen[i]))
            fail_msg("U+%04X is not printable", (unsigned)seen[i]);
}

static void utf8__texts_are_shown_as_what_they_are_for(void **state)
{
    (void)state;
    static const char text[] = "a\n\tb\x1b\xe2\x80\xae\xff\xc3\0\xc3\xa9";
    static const struct { enum ur__show as; const char *shown; } cases[] = {
        {UR__SHOW_LINE, "a" HIDDEN HIDDEN "b" HIDDEN HIDDEN HIDDEN HIDDEN HIDDEN "\xc3\xa9"},
        {UR__SHOW_TEXT, "a\n\tb" HIDDEN HIDDEN HIDDEN HIDDEN HIDDEN "\xc3\xa9"},
        {UR__SHOW_UTF8, "a\n\tb\x1b\xe2\x80\xae" HIDDEN HIDDEN HIDDEN "\xc3\xa9"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ur__buf b = {0};
        assert_ok(ur__buf_show(&b, text, sizeof text - 1, cases[i].as));
        assert_string_equal(b.data, cases[i].shown);
        ur__buf_free(&b);
    }
    char room[8];
    assert_int_equal(ur__show_line(room, sizeof room, "abcd\x1b" "efg"), 7);
    assert_string_equal(room, "abcd" HIDDEN);
    assert_int_equal(ur__show_line(room, sizeof room, "abcde\x1b"), 5);
    assert_int_equal(ur__show_line(room, 1, "abc"), 0);
    assert_string_equal(room, "");
}

static void utf8__rejects_what_is_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff", "\xfe", "\xc3(", "\xe2\x28\xa1", "\xe2\x82(", "\xf0\x9f\x98(", "\xe0\x80",
        "\xed\xa0", "\xf4\x90",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint32_t code;
        if (ur__utf8_decode((const unsigned char *)bad[i], strlen(bad[i]), &code) != -1)
            fail_msg("sequence %zu is taken", i);
        assert_false(ur__is_utf8(bad[i]));
    }
    const unsigned char text[] = "h\xc3\xa9\xe2\x82\xac\xff!";
    assert_int_equal(ur__utf8_check(text, 8), 6);
    assert_int_equal(ur__utf8_check(text, 6), 6);
    assert_int_equal(ur__utf8_check(text, 5), 3);
    assert_true(ur__is_utf8(""));
}

static void parse__integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0}, {"-0", 0}, {"+7", 7}, {"007", 7}, {"123", 123}, {"-45", -45},
        {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
    };
    static const char *const bad[] = {
        "", "-", "+", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "a", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999999", "1,000",
    };
    int64_t value;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!ur__parse_int(good[i].text, &value) || value != good[i].value)
            fail_msg("\"%s\"", good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (ur__parse_int(bad[i], &value))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void check_reals(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0}, {"-0", -0.0}, {"1", 1}, {"+1.5", 1.5}, {".5", 0.5}, {"5.", 5}, {"-2e-3", -2e-3},
        {"1E+2", 100}, {"0.1", 0.1}, {"1.7976931348623157e308", DBL_MAX},
        {"2.2250738585072011e-308", 2.2250738585072011e-308}, {"5e-324", 5e-324}, {"1e-400", 0},
        {"9007199254740993", 9007199254740992.0}, {"1000000000000000000000000", 1e24},
        {"3.14159265358979323846264338327950288", 3.14159265358979323846},
    };
    static const char *const bad[] = {
        "", ".", "-", "+.", "e5", "1e", "1e+", "1.2.3", " 1", "1 ", "1\n", "nan", "inf", "-inf",
        "infinity", "NAN", "0x1p3", "0x10", "1e999", "-1e999", "1,5", "1f", "1d0", "--1",
    };
    double value;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!ur__parse_real(good[i].text, &value) || value != good[i].value ||
            signbit(value) != signbit(good[i].value))
            fail_msg("\"%s\" is read as %.17g", good[i].text, value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (ur__parse_real(bad[i], &value))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void parse__reals(void **state)
{
    (void)state;
    check_reals();
}

static void text__numbers_ignore_the_locale(void **state)
{
    (void)state;
    static const char *const comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool found = false;
    for (size_t i = 0; i < COUNT(comma) && !found; i++)
        found = setlocale(LC_ALL, comma[i]) != NULL;
    if (!found) {
        print_message("no locale with a decimal comma is installed\n");
        skip();
    }
    struct ur__buf b = {0};
    ur_status status = ur__buf_printf(&b, "%.2f", 1.5);
    check_reals();
    double kept = strtod("2,5", NULL);
    setlocale(LC_ALL, "C");
    assert_ok(status);
    assert_string_equal(b.data, "1.50");
    assert_true(kept == 2.5);
    ur__buf_free(&b);
}

static void buf__grows_and_stays_terminated(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks();
    struct ur__buf b = {0};
    assert_ok(ur__buf_put(&b, "", 0));
    assert_string_equal(b.data, "");
    for (int i = 0; i < 1000; i++) {
        assert_ok(ur__buf_puts(&b, "ab"));
        assert_ok(ur__buf_printf(&b, "%d,%s", i % 10, i % 7 ? "" : "a text longer than others"));
        assert_int_equal(strlen(b.data), b.size);
    }
    assert_memory_equal(b.data, "ab0,a text longer than othersab1,ab2,", 37);
    ur__buf_free(&b);
    assert_null(b.data);
    assert_int_equal(ur__mem_blocks(), blocks);
}

static void buf__limit_and_failure_leave_it_as_it_was(void **state)
{
    (void)state;
    struct ur__buf b = {.max = 10};
    assert_ok(ur__buf_puts(&b, "0123456"));
    assert_status(UR_EDATA, ur__buf_puts(&b, "7890"));
    assert_status(UR_EDATA, ur__buf_printf(&b, "%d", 7890));
    assert_string_equal(b.data, "0123456");
    assert_ok(ur__buf_puts(&b, "789"));
    ur__buf_free(&b);
    b = (struct ur__buf){0};
    assert_ok(ur__buf_puts(&b, "kept"));
    char large[500];
    memset(large, 'x', sizeof large);
    ur__mem_fail_at(1, true);
    ur_status status = ur__buf_put(&b, large, sizeof large);
    ur_status formatted = ur__buf_printf(&b, "%.500s", large);
    ur__mem_fail_at(0, false);
    assert_int_equal(status, UR_ENOMEM);
    assert_int_equal(formatted, UR_ENOMEM);
    assert_string_equal(b.data, "kept");
    ur__buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash__known_answers),
        cmocka_unit_test(siphash__keys_differ),
        cmocka_unit_test(utf8__round_trips_every_code_point),
        cmocka_unit_test(utf8__what_a_line_cannot_show_is_found),
        cmocka_unit_test(utf8__what_cannot_be_seen_is_not_printable),
        cmocka_unit_test(utf8__texts_are_shown_as_what_they_are_for),
        cmocka_unit_test(utf8__rejects_what_is_malformed),
        cmocka_unit_test(parse__integers),
        cmocka_unit_test(parse__reals),
        cmocka_unit_test(text__numbers_ignore_the_locale),
        cmocka_unit_test(buf__grows_and_stays_terminated),
        cmocka_unit_test(buf__limit_and_failure_leave_it_as_it_was),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
