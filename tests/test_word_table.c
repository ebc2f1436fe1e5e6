/* SPDX-License-Identifier: MIT */
/* The table of words as it grows, its blocks ending at pages that may not be touched. */
#include "testing.h"

#include "base/mem.h"
#include "data/word_table.h"
#include "support/guard.h"

enum { LONGEST = 40000 };

static int32_t add(struct ur__word_table *t, const char *word, size_t n)
{
    int32_t number;
    assert_ok(ur__word_add(t, word, n, &number));
    assert_true(t->size <= t->capacity);
    assert_true(t->n <= t->room && 2 * (size_t)t->n <= t->slots);
    return number;
}

static void assert_word(const struct ur__word_table *t, int32_t number, const char *word, size_t n)
{
    size_t m;
    const char *there = ur__word_at(t, number, &m);
    assert_int_equal(m, n);
    assert_memory_equal(there, word, n);
    assert_int_equal(there[-1], ' ');
    assert_int_equal(ur__word_find(t, word, n), number);
}

/* A second word of once to four times what the first has left room for. */
static void table__takes_words_of_any_length(void **unused)
{
    (void)unused;
    static const size_t firsts[] = {1, 2, 63, 1000, 4094, 4095, 4096, 9000};
    static char a[LONGEST], b[LONGEST];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    ur_set_allocator(guard_allocator, NULL);
    guard_watch();
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        for (size_t n = 1; n < LONGEST; n += n < 200 ? 33 : n / 5) {
            struct ur__word_table t = {0};
            guard_begin(GUARD_END, "words of %zu and %zu bytes", firsts[i], n);
            assert_int_equal(add(&t, a, firsts[i]), 0);
            assert_int_equal(add(&t, b, n), 1);
            assert_int_equal(add(&t, "c", 1), 2);
            assert_word(&t, 0, a, firsts[i]);
            assert_word(&t, 1, b, n);
            assert_word(&t, 2, "c", 1);
            ur__word_table_free(&t);
        }
    }
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(NULL, NULL);
}

static void table__numbers_follow_the_order_of_adding(void **unused)
{
    (void)unused;
    enum { N = 5000 };
    struct ur__word_table t = {0};
    char word[16];
    ur_set_allocator(guard_allocator, NULL);
    guard_watch();
    guard_begin(GUARD_END, "%d words", N);
    assert_int_equal(ur__word_find(&t, "w0", 2), -1);
    for (int32_t i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(word, sizeof word, "w%ld", (long)i);
        assert_int_equal(ur__word_find(&t, word, n), -1);
        assert_int_equal(add(&t, word, n), i);
    }
    for (int32_t i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(word, sizeof word, "w%ld", (long)i);
        assert_word(&t, i, word, n);
        assert_int_equal(add(&t, word, n), i);
    }
    assert_int_equal(t.n, N);
    ur__word_table_free(&t);
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__takes_words_of_any_length),
        cmocka_unit_test(table__numbers_follow_the_order_of_adding),
    };
    return cmocka_run_group_tests_name("word_table", tests, NULL, NULL);
}
