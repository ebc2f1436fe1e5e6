/* SPDX-License-Identifier: MIT */
/* The table of words as it grows, its blocks ending at pages that may not be touched. */
#include "testing.h"

#include "base/mem.h"
#include "base/siphash.h"
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

/* ---- words made to collide --------------------------------------------- */

enum { COLLIDING = 2000, PLACES = 4096 };   /* the slots that so many words need */

static uint64_t fnv(const uint64_t key[2], const void *word, size_t n)
{
    const unsigned char *at = word;
    uint64_t h = 14695981039346656037u;
    (void)key;
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* Slots in use side by side: what a search may have to walk through. */
static size_t longest_run(const struct ur__word_table *t)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < 2 * t->slots; i++) {     /* twice round, for the run at the end */
        run = t->slot[i & (t->slots - 1)] ? run + 1 : 0;
        longest = run > longest && run <= t->slots ? run : longest;
    }
    return longest;
}

/* Adds words that a hash of low bits all sends to place 0. */
static void add_colliding(struct ur__word_table *t, char word[][16],
                          uint64_t (*hash)(const uint64_t *, const void *, size_t))
{
    static const uint64_t key[2] = {1, 2};
    int32_t n = 0;
    for (long i = 0; n < COLLIDING; i++) {
        size_t length = (size_t)snprintf(word[n], 16, "%ld", i);
        if (hash(key, word[n], length) % PLACES == 0) {
            assert_int_equal(add(t, word[n], length), n);
            n++;
        }
    }
    for (n = 0; n < COLLIDING; n++)
        assert_word(t, n, word[n], strlen(word[n]));
    assert_int_equal(ur__word_find(t, "absent", 6), -1);
    print_message("           %d words that collide: runs of at most %zu slots\n", n,
                  longest_run(t));
}

/* FNV, whose values everybody can compute, had them all in one run. */
static void table__words_that_collide_without_a_key_are_spread(void **unused)
{
    (void)unused;
    static char word[COLLIDING + 1][16];
    struct ur__word_table t = {0};
    add_colliding(&t, word, fnv);
    assert_int_equal(t.slots, PLACES);
    assert_true(longest_run(&t) < UR__WORD_PROBES);
    ur__word_table_free(&t);
}

/* Whoever knew the key would gain one more growth: then the table has another. */
static void table__words_that_collide_under_its_key_change_the_key(void **unused)
{
    (void)unused;
    static char word[COLLIDING + 1][16];
    struct ur__word_table t = {.key = {1, 2}, .keyed = true};
    add_colliding(&t, word, ur__siphash);
    assert_true(t.key[0] != 1 && t.key[1] != 2);
    assert_true(t.slots <= 2 * PLACES);
    assert_true(longest_run(&t) < UR__WORD_PROBES);
    ur__word_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__takes_words_of_any_length),
        cmocka_unit_test(table__numbers_follow_the_order_of_adding),
        cmocka_unit_test(table__words_that_collide_without_a_key_are_spread),
        cmocka_unit_test(table__words_that_collide_under_its_key_change_the_key),
    };
    return cmocka_run_group_tests_name("word_table", tests, NULL, NULL);
}
