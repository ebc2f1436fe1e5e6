/* SPDX-License-Identifier: MIT */
/* The ground floor: messages, memory, arena, random numbers. */
#include "testing.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/status.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- status ------------------------------------------------------------ */

static void status__names_and_version(void **state)
{
    (void)state;
    assert_string_equal(ur_status_name(UR_OK), "OK");
    assert_string_equal(ur_status_name(UR_ESHAPE), "ESHAPE");
    assert_string_equal(ur_status_name(UR_EINTERNAL), "EINTERNAL");
    assert_string_equal(ur_status_name((ur_status)-99), "?");
    assert_string_equal(ur_version(), "0.1.0");
}

#define HIDDEN "\xef\xbf\xbd"

static void status__message_is_one_line_and_may_quote_itself(void **state)
{
    (void)state;
    ur__clear_error();
    assert_string_equal(ur_errmsg(), "");
    errno = 7;
    assert_int_equal(ur__fail(UR_EDATA, "a\nb %d %s", 3, "\x1b[31m"), UR_EDATA);
    assert_int_equal(errno, 7);
    assert_string_equal(ur_errmsg(), "a" HIDDEN "b 3 " HIDDEN "[31m");
    ur__fail(UR_EDATA, "again: %s", ur_errmsg());
    assert_string_equal(ur_errmsg(), "again: a" HIDDEN "b 3 " HIDDEN "[31m");
}

/* What a terminal would obey or a log would split at, and what is no UTF-8. */
static void status__message_has_no_control_characters(void **state)
{
    (void)state;
    static const struct { const char *text, *shown; } cases[] = {
        {"a\xc2\x9b" "31m", "a" HIDDEN "31m"}, {"a\x9b" "31m", "a" HIDDEN "31m"},
        {"\xe2\x80\xae" "txt", HIDDEN "txt"}, {"a\xe2\x80\xa8", "a" HIDDEN},
        {"\xe2\x81\xa6", HIDDEN}, {"\xff\xc3", HIDDEN HIDDEN}, {"\x7f", HIDDEN},
        {"a\xe2\x80\x8b" "b", "a" HIDDEN "b"}, {"\xef\xbb\xbf" "b", HIDDEN "b"},
        {"\xc3\xa9 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xc2\xa0 \xe2\x82\xac "
         "\xf0\x9f\x98\x80"}, {"\xe2\x80\xa7 \xe2\x81\xb0", "\xe2\x80\xa7 \xe2\x81\xb0"},
        {"\xf0\x9f\x98", HIDDEN HIDDEN HIDDEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ur__fail(UR_EDATA, "%s", cases[i].text);
        assert_string_equal(ur_errmsg(), cases[i].shown);
    }
}

static void status__long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3000];
    for (int shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = (size_t)shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        text[sizeof text - 1] = '\0';
        ur__fail(UR_EDATA, "%s", text);
        size_t n = strlen(ur_errmsg());
        assert_in_range(n, 1019, 1023);
        assert_int_equal(ur__utf8_check((const unsigned char *)ur_errmsg(), n), n);
    }
}

static void *other_thread(void *arg)
{
    (void)arg;
    bool fresh = ur_errmsg()[0] == '\0';
    ur__fail(UR_EINVAL, "theirs");
    return fresh ? &errno : NULL;
}

static void status__message_belongs_to_its_thread(void **state)
{
    (void)state;
    pthread_t thread;
    void *fresh;
    ur__fail(UR_EINVAL, "ours");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &fresh), 0);
    assert_non_null(fresh);
    assert_string_equal(ur_errmsg(), "ours");
}

/* ---- memory ------------------------------------------------------------ */

static void mem__blocks_are_aligned_counted_and_freed(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks(), made = ur__mem_allocations();
    size_t used = ur_memory_used();
    void *p[200];
    for (size_t i = 0; i < COUNT(p); i++) {
        p[i] = ur__alloc(i, 3);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % UR__ALIGN, 0);
        memset(p[i], (int)i, i * 3);
    }
    assert_int_equal(ur__mem_blocks(), blocks + (long)COUNT(p));
    assert_int_equal(ur__mem_allocations(), made + (long)COUNT(p));
    assert_true(ur_memory_used() >= used + 3 * 199 * 200 / 2);
    assert_true(ur_memory_peak() >= ur_memory_used());
    for (size_t i = 0; i < COUNT(p); i++)
        ur__free(p[i]);
    ur__free(NULL);
    assert_int_equal(ur__mem_blocks(), blocks);
    assert_int_equal(ur_memory_used(), used);
}

static void *free_block(void *block)
{
    ur__free(block);
    return NULL;
}

static void mem__account_is_of_its_own_thread(void **state)
{
    (void)state;
    struct ur__account outer, inner;
    pthread_t thread;
    void *old = ur__alloc(100000, 1);
    ur__account_open(&outer);
    void *a = ur__alloc(5000, 1);
    assert_in_range(outer.held, 5000, 5000 + 128);
    ur__account_open(&inner);
    /* Another thread gives back more than this one holds. */
    assert_int_equal(pthread_create(&thread, NULL, free_block, old), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(inner.held, 0);
    assert_in_range(outer.held, 5000, 5000 + 128);
    a = ur__realloc(a, 7000, 1);        /* the inner one has not seen it: not below nothing */
    assert_in_range(inner.held, 7000, 7000 + 128);
    void *b = ur__alloc(2000, 1);
    assert_in_range(outer.held, 9000, 9000 + 256);
    ur__free(b);
    ur__free(a);
    assert_int_equal(inner.held, 0);
    ur__account_close(&inner);
    assert_int_equal(outer.held, 0);
    assert_in_range(outer.peak, 9000, 9000 + 256);
    a = ur__alloc(20000, 1);
    ur__account_close(&outer);
    b = ur__alloc(50000, 1);
    assert_in_range(outer.peak, 20000, 20000 + 128);
    assert_in_range(inner.peak, 9000, 9000 + 256);
    ur__free(a);
    ur__free(b);
}

static void mem__overflow_is_out_of_memory(void **state)
{
    (void)state;
    size_t r;
    assert_false(ur__mul(&r, SIZE_MAX, 2));
    assert_false(ur__mul(&r, (size_t)1 << 33, (size_t)1 << 33));
    assert_true(ur__mul(&r, SIZE_MAX, 1) && r == SIZE_MAX);
    assert_true(ur__mul(&r, 0, SIZE_MAX) && r == 0);
    assert_false(ur__add(&r, SIZE_MAX, 1));
    assert_true(ur__add(&r, SIZE_MAX - 1, 1) && r == SIZE_MAX);
    ur__clear_error();
    assert_null(ur__alloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(ur_errmsg(), "out of memory"));
    assert_null(ur__alloc(SIZE_MAX, 1));
    assert_null(ur__calloc(SIZE_MAX - 8, 1));
    assert_null(ur__strndup("", SIZE_MAX));
    struct ur__arena a = {0};
    assert_null(ur__arena_alloc(&a, SIZE_MAX / 4, 8));
    assert_null(ur__arena_alloc(&a, SIZE_MAX, 1));
    ur__arena_free(&a);
}

static void mem__nth_allocation_fails(void **state)
{
    (void)state;
    void *p[4];
    ur__mem_fail_at(2, false);
    for (int i = 0; i < 4; i++)
        p[i] = ur__alloc(1, 1);
    assert_true(p[0] && !p[1] && p[2] && p[3]);
    for (int i = 0; i < 4; i++)
        ur__free(p[i]);
    ur__mem_fail_at(2, true);
    for (int i = 0; i < 4; i++)
        p[i] = ur__alloc(1, 1);
    assert_true(p[0] && !p[1] && !p[2] && !p[3]);
    /* A failed resize keeps the block. */
    *(char *)p[0] = '\0';
    assert_null(ur__realloc(p[0], 100, 1));
    assert_string_equal(p[0], "");
    ur__mem_fail_at(0, false);
    ur__free(p[0]);
}

/* Hands out blocks at every distance from a multiple of 64 that malloc may. */
static void *shifty(void *user, void *p, size_t bytes)
{
    int *calls = user;
    unsigned char *base = p ? (unsigned char *)p - ((unsigned char *)p)[-1] : NULL;
    if (bytes == 0) {
        free(base);
        return NULL;
    }
    size_t shift = 16 + 16 * (size_t)(++*calls * 7 % 5), old = 0;
    if (base)
        memcpy(&old, base, sizeof old);
    unsigned char *fresh = malloc(bytes + shift);
    memcpy(fresh, &bytes, sizeof bytes);
    fresh[shift - 1] = (unsigned char)shift;
    if (base) {
        memcpy(fresh + shift, p, old < bytes ? old : bytes);
        free(base);
    }
    return fresh + shift;
}

static void mem__resize_keeps_bytes_whatever_the_hook_returns(void **state)
{
    (void)state;
    int calls = 0;
    ur_set_allocator(shifty, &calls);
    unsigned char *p = NULL;
    size_t size = 0;
    for (size_t step = 0; step < 300; step++) {
        size_t next = step * 37 % 211;
        p = ur__realloc(p, next, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % UR__ALIGN, 0);
        for (size_t i = 0; i < next && i < size; i++)
            assert_int_equal(p[i], (unsigned char)(i * 5 + 1));
        for (size_t i = 0; i < next; i++)
            p[i] = (unsigned char)(i * 5 + 1);
        size = next;
    }
    ur__free(p);
    ur_set_allocator(NULL, NULL);
    assert_true(calls >= 300);
}

static void mem__strings_are_copied(void **state)
{
    (void)state;
    char *a = ur__strdup("gate"), *b = ur__strndup("gates", 2), *c = ur__strndup(NULL, 0);
    assert_string_equal(a, "gate");
    assert_string_equal(b, "ga");
    assert_string_equal(c, "");
    ur__free(a);
    ur__free(b);
    ur__free(c);
    unsigned char *z = ur__calloc(50, 2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(z[i], 0);
    ur__free(z);
}

/* ---- arena ------------------------------------------------------------- */

static void arena_round(struct ur__arena *a)
{
    for (size_t i = 0; i < 400; i++) {
        size_t n = i * i % 4001;
        unsigned char *p = ur__arena_alloc(a, n, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % UR__ALIGN, 0);
        memset(p, (int)i, n * 3);
    }
}

static void arena__second_round_allocates_nothing(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks();
    struct ur__arena a = {0};
    ur__arena_reset(&a);
    arena_round(&a);
    size_t used = a.used;
    assert_true(ur__mem_blocks() > blocks + 1);
    ur__arena_reset(&a);
    assert_int_equal(ur__mem_blocks(), blocks + 1);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.reserved, used);
    long made = ur__mem_allocations();
    for (int round = 0; round < 3; round++) {
        arena_round(&a);
        assert_int_equal(a.used, used);
        ur__arena_reset(&a);
    }
    assert_int_equal(ur__mem_allocations(), made);
    ur__arena_free(&a);
    assert_int_equal(ur__mem_blocks(), blocks);
}

static void arena__pieces_do_not_overlap(void **state)
{
    (void)state;
    struct ur__arena a = {0};
    unsigned char *p[300];
    for (size_t i = 0; i < COUNT(p); i++) {
        p[i] = ur__arena_alloc(&a, i * 7, 1);
        memset(p[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < COUNT(p); i++) {
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal(p[i][k], (unsigned char)i);
    }
    assert_ptr_not_equal(p[0], p[1]);
    ur__arena_free(&a);
}

static void arena__carves_what_it_counted(void **state)
{
    (void)state;
    struct ur__carve count = {0}, place = {0};
    const size_t sizes[] = {1, 64, 0, 65, 1000};
    unsigned char *before = NULL;
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_null(ur__carve(&count, sizes[i], 3));
    place.base = ur__alloc(count.used, 1);
    assert_non_null(place.base);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *p = ur__carve(&place, sizes[i], 3);
        assert_int_equal(p == NULL, sizes[i] == 0);
        if (!p)
            continue;
        assert_int_equal((uintptr_t)p % 64, 0);
        assert_true(p >= before);
        memset(p, 1, sizes[i] * 3);
        before = p + sizes[i] * 3;
    }
    assert_int_equal(place.used, count.used);
    ur__free(place.base);
    /* What is beyond the address space stays so. */
    assert_null(ur__carve(&count, SIZE_MAX / 2, 1));
    assert_null(ur__carve(&count, SIZE_MAX / 2, 1));
    assert_int_equal(count.used, SIZE_MAX);
    assert_null(ur__carve(&count, SIZE_MAX / 2, 3));
    assert_null(ur__carve(&count, 1, 1));
    assert_int_equal(count.used, SIZE_MAX);
    assert_null(ur__alloc(count.used, 1));
}

static void arena__survives_want_of_memory(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks();
    struct ur__arena a = {0};
    ur__mem_fail_at(1, true);
    assert_null(ur__arena_alloc(&a, 10, 1));
    ur__mem_fail_at(0, false);
    arena_round(&a);
    ur__mem_fail_at(1, true);
    ur__arena_reset(&a);
    assert_null(ur__arena_alloc(&a, 10, 1));
    ur__mem_fail_at(0, false);
    arena_round(&a);
    ur__arena_free(&a);
    assert_int_equal(ur__mem_blocks(), blocks);
}

/* ---- random numbers ---------------------------------------------------- */

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void philox__known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        uint32_t got[4];
        ur__philox(known[i].counter, known[i].key, got);
        assert_memory_equal(got, known[i].want, sizeof got);
    }
    /* Through the public face: where each argument goes. */
    uint32_t got[4];
    ur_random(0x299f31d0a4093822, 0x03707344, 0x13198a2e85a308d3, 0x243f6a88, got);
    assert_memory_equal(got, known[2].want, sizeof got);
}

static void random__uniform_has_53_bits_in_range(void **state)
{
    (void)state;
    double sum = 0, squares = 0;
    bool fine = false;
    enum { N = 100000 };
    for (uint32_t i = 0; i < N; i++) {
        double u = ur_random_uniform(123, UR__STREAM_USER, 9, i);
        assert_true(u >= 0 && u < 1);
        assert_true(ldexp(u, 53) == floor(ldexp(u, 53)));
        fine = fine || ldexp(u, 52) != floor(ldexp(u, 52));
        sum += u;
        squares += u * u;
    }
    assert_true(fine);
    assert_true(fabs(sum / N - 0.5) < 0.005);
    assert_true(fabs(squares / N - 1.0 / 3) < 0.005);
    uint32_t r[4];
    ur_random(123, UR__STREAM_USER, 9, 0, r);
    double want = ((double)(r[0] >> 5) * 67108864.0 + (double)(r[1] >> 6)) / 9007199254740992.0;
    assert_true(ur_random_uniform(123, UR__STREAM_USER, 9, 0) == want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__names_and_version),
        cmocka_unit_test(status__message_is_one_line_and_may_quote_itself),
        cmocka_unit_test(status__message_has_no_control_characters),
        cmocka_unit_test(status__long_message_is_cut_between_characters),
        cmocka_unit_test(status__message_belongs_to_its_thread),
        cmocka_unit_test(mem__blocks_are_aligned_counted_and_freed),
        cmocka_unit_test(mem__account_is_of_its_own_thread),
        cmocka_unit_test(mem__overflow_is_out_of_memory),
        cmocka_unit_test(mem__nth_allocation_fails),
        cmocka_unit_test(mem__resize_keeps_bytes_whatever_the_hook_returns),
        cmocka_unit_test(mem__strings_are_copied),
        cmocka_unit_test(arena__second_round_allocates_nothing),
        cmocka_unit_test(arena__pieces_do_not_overlap),
        cmocka_unit_test(arena__carves_what_it_counted),
        cmocka_unit_test(arena__survives_want_of_memory),
        cmocka_unit_test(philox__known_answers),
        cmocka_unit_test(random__uniform_has_53_bits_in_range),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
