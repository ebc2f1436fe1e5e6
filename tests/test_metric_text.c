/* SPDX-License-Identifier: MIT */
/* Figures of texts beside references, against numbers made by hand; tests/live_sacrebleu.sh has
 * sacreBLEU's. */
#include "testing.h"

#include <math.h>
#include <string.h>

#include "support/nomem.h"
#include "unroll/base.h"
#include "unroll/metric.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static double bleu_of(const char *text, int n, const char *const *references)
{
    double sums[UR_BLEU_SUMS] = {0};
    assert_ok(ur_bleu_count(sums, text, n, references));
    return ur_bleu(sums);
}

static double chrf_of(const char *text, int n, const char *const *references)
{
    double sums[UR_CHRF_SUMS] = {0};
    assert_ok(ur_chrf_count(sums, text, n, references));
    return ur_chrf(sums);
}

static void bleu__of_sentences_counted_by_hand(void **state)
{
    (void)state;
    const char *const ref[] = {"the cat is on the mat"};
    NEAR(bleu_of("the cat is on the mat", 1, ref), 100);
    NEAR(bleu_of("  the\tcat is  on the mat \n", 1, ref), 100);
    /* 5/6, 3/5, 2/4, 1/3. */
    NEAR(bleu_of("the cat is on a mat", 1, ref),
         100 * pow(5.0 / 6 * 3 / 5 * 1 / 2 * 1 / 3, 0.25));
    /* Clipped: of seven there are two; 2/7, then none of 6, 5, 4: halved, again, and again. */
    NEAR(bleu_of("the the the the the the the", 1, ref),
         100 * pow(2.0 / 7 / (2 * 6) / (4 * 5) / (8 * 4), 0.25));
    /* Brief: four words where six are wanted. */
    NEAR(bleu_of("the cat is on", 1, ref), 100 * exp(1 - 6.0 / 4));
    NEAR(bleu_of("dog", 1, ref), 0);
    NEAR(bleu_of("the", 1, ref), 0);
    NEAR(bleu_of("", 1, ref), 0);
    NEAR(bleu_of("the", 1, (const char *[]){""}), 0);
}

static void bleu__of_several_references(void **state)
{
    (void)state;
    const char *const refs[] = {"a b c d e f g h", "a b c x y", "a x y z"};
    double sums[UR_BLEU_SUMS] = {0};
    assert_ok(ur_bleu_count(sums, "a b x y z", 3, refs));
    assert_true(sums[0] == 5 && sums[1] == 5);      /* the nearest length */
    assert_true(sums[2] == 5 && sums[6] == 5);
    assert_true(sums[3] == 3 && sums[7] == 4);      /* ab, xy, yz: each of another text */
    assert_true(sums[4] == 1 && sums[8] == 3);
    assert_true(sums[5] == 0 && sums[9] == 2);
    assert_ok(ur_bleu_count(sums, "p q r", 2, (const char *[]){"a b c d", "a b"}));
    assert_true(sums[1] == 5 + 2);                  /* of two as near the shorter */
}

static void bleu__of_parts_adds_up(void **state)
{
    (void)state;
    double all[UR_BLEU_SUMS] = {0}, part[2][UR_BLEU_SUMS] = {{0}};
    const char *const text[] = {"a b c d e", "f g h i"}, *const ref[] = {"a b c d f", "f g h"};
    for (int i = 0; i < 2; i++) {
        assert_ok(ur_bleu_count(all, text[i], 1, &ref[i]));
        assert_ok(ur_bleu_count(part[i], text[i], 1, &ref[i]));
    }
    for (int i = 0; i < UR_BLEU_SUMS; i++)
        assert_true(all[i] == part[0][i] + part[1][i]);
}

static void chrf__of_words_counted_by_hand(void **state)
{
    (void)state;
    const char *const ref[] = {"abcd"};
    NEAR(chrf_of("ab cd", 1, ref), 100);
    /* Orders 1 to 4 are on both sides: 3/4, 2/3, 1/2, 0/1. */
    double mean = (3.0 / 4 + 2.0 / 3 + 1.0 / 2 + 0) / 4;
    NEAR(chrf_of("abcx", 1, ref), 100 * mean);
    /* Precision (1 + 1)/2, recall (2/4 + 1/3)/2. */
    double p = 1, r = (2.0 / 4 + 1.0 / 3) / 2;
    NEAR(chrf_of("ab", 1, ref), 100 * 5 * p * r / (4 * p + r));
    NEAR(chrf_of("x", 1, ref), 0);
    NEAR(chrf_of("", 1, ref), 0);
    /* The better reference counts, alone. */
    NEAR(chrf_of("ab", 2, (const char *[]){"xyz", "ab"}), 100);
    /* A character is a code point, whatever its bytes. */
    NEAR(chrf_of("日本語だ", 1, (const char *[]){"日本語は"}), 100 * mean);
}

static void texts__that_are_none_are_refused(void **state)
{
    (void)state;
    double sums[UR_CHRF_SUMS] = {0};
    const double none[UR_CHRF_SUMS] = {0};
    const char *const good[] = {"a", NULL}, *const bad[] = {"a", "b\xC3"};
    assert_int_equal(ur_bleu_count(sums, "a", 2, bad), UR_EDATA);
    assert_string_equal(ur_errmsg(), "malformed UTF-8 at byte 1 (0xC3)");
    assert_int_equal(ur_chrf_count(sums, "\xFF", 1, good), UR_EDATA);
    assert_int_equal(ur_chrf_count(sums, "a", 2, good), UR_EINVAL);
    assert_string_equal(ur_errmsg(), "reference 1 is NULL");
    assert_int_equal(ur_bleu_count(sums, "a", 0, good), UR_EINVAL);
    assert_memory_equal(sums, none, sizeof sums);
}

static size_t distance_of(const char *a, const char *b)
{
    int32_t x[64], y[64];
    size_t n = strlen(a), m = strlen(b), d;
    for (size_t i = 0; i < n; i++)
        x[i] = a[i];
    for (size_t i = 0; i < m; i++)
        y[i] = b[i];
    assert_ok(ur_edit_distance(n, x, m, y, &d));
    return d;
}

static void edit__distance_of_words(void **state)
{
    (void)state;
    assert_int_equal(distance_of("kitten", "sitting"), 3);
    assert_int_equal(distance_of("", "abc"), 3);
    assert_int_equal(distance_of("abc", ""), 3);
    assert_int_equal(distance_of("", ""), 0);
    assert_int_equal(distance_of("intention", "execution"), 5);
    assert_int_equal(distance_of("abcdef", "bcdefa"), 2);
}

static ur_status count_all(void *it, const void *arg, uint32_t *digest)
{
    const char *const refs[] = {"a b c d e", "b c d"};
    const int32_t ids[] = {1, 2, 3};
    double bleu[UR_BLEU_SUMS] = {0}, chrf[UR_CHRF_SUMS] = {0};
    size_t d = 0;
    (void)it;
    (void)arg;
    ur_status status = ur_bleu_count(bleu, "a b c", 2, refs);
    if (status == UR_OK)
        status = ur_chrf_count(chrf, "a b c", 2, refs);
    if (status == UR_OK)
        status = ur_edit_distance(3, ids, 2, ids, &d);
    nomem_digest(digest, bleu, sizeof bleu);
    nomem_digest(digest, chrf, sizeof chrf);
    nomem_digest(digest, &d, sizeof d);
    return status;
}

static void figures__without_memory(void **state)
{
    (void)state;
    nomem_try(&(struct nomem){.name = "figures of texts", .act = count_all});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bleu__of_sentences_counted_by_hand),
        cmocka_unit_test(bleu__of_several_references),
        cmocka_unit_test(bleu__of_parts_adds_up),
        cmocka_unit_test(chrf__of_words_counted_by_hand),
        cmocka_unit_test(texts__that_are_none_are_refused),
        cmocka_unit_test(edit__distance_of_words),
        cmocka_unit_test(figures__without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
