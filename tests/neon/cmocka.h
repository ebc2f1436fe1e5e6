/* SPDX-License-Identifier: MIT */
/*
 * What the tests use of cmocka's interface, for a machine that has no cmocka: found
 * before the real one where neon.sh builds them. The first failure ends the program.
 */
#ifndef UR_TESTS_NEON_CMOCKA_H
#define UR_TESTS_NEON_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state), (*teardown)(void **state);
};

#define cmocka_unit_test(test) {#test, test, NULL, NULL}
#define cmocka_unit_test_setup_teardown(test, setup, teardown) {#test, test, setup, teardown}
#define cmocka_run_group_tests(tests, setup, teardown) \
    shim_run(tests, sizeof(tests) / sizeof *(tests))
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
    cmocka_run_group_tests(tests, setup, teardown)

static inline int shim_run(const struct CMUnitTest *tests, size_t n)
{
    for (const struct CMUnitTest *t = tests; t < tests + n; t++) {
        void *state = NULL;
        puts(t->name);
        fflush(stdout);
        if (t->setup && t->setup(&state) != 0)
            exit(1);
        t->test(&state);
        if (t->teardown && t->teardown(&state) != 0)
            exit(1);
    }
    return 0;
}

/* In the test's own function. */
#define skip()                                                                \
    do {                                                                      \
        puts("skipped");                                                      \
        return;                                                               \
    } while (0)
#define print_message(...) printf(__VA_ARGS__)
#define fail_msg(...)                                                         \
    (printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), puts(""), exit(1))

#define assert_true(x) ((x) ? (void)0 : fail_msg("%s", "not true: " #x))
#define assert_false(x) assert_true(!(x))
#define assert_null(x) assert_true((x) == NULL)
#define assert_non_null(x) assert_true((x) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_ptr_not_equal(a, b) assert_false((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) assert_true((uintmax_t)(a) == (uintmax_t)(b))
#define assert_in_range(x, least, most) \
    assert_true((uintmax_t)(x) >= (uintmax_t)(least) && (uintmax_t)(x) <= (uintmax_t)(most))
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)
#define assert_memory_not_equal(a, b, n) assert_false(memcmp(a, b, n) == 0)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)

#endif
