/* SPDX-License-Identifier: MIT */
/* Structs that can grow: headers and libraries of different versions. */
#include "testing.h"

#include <stddef.h>

#include "base/sized.h"

/* A struct of three versions. */
struct old {
    size_t size;
    int a;
};
struct now {
    size_t size;
    int a, b;
};
struct later {
    size_t size;
    int a, b, c, d;
};

static const struct now defaults = {sizeof defaults, 1, 2};

static ur_status read_now(struct now *to, const void *from)
{
    return ur__sized_read(to, from, &defaults, sizeof defaults, "now_init");
}

static void sized__an_older_caller_gets_defaults_for_what_he_does_not_know(void **unused)
{
    (void)unused;
    struct now got;
    struct {
        struct old old;
        int beyond[4];
    } his = {.beyond = {7, 7, 7, 7}};
    ur__sized_init(&his.old, offsetof(struct now, b), &defaults, sizeof defaults);
    assert_int_equal(his.old.a, 1);
    his.old.a = 5;
    assert_ok(read_now(&got, &his.old));
    assert_true(got.size == sizeof got && got.a == 5 && got.b == 2);
    assert_int_equal(his.beyond[0], 7);
}

static void sized__a_newer_caller_is_served_unless_he_asks_for_what_is_new(void **unused)
{
    (void)unused;
    struct now got;
    struct later his;
    memset(&his, 0xff, sizeof his);
    ur__sized_init(&his, sizeof his, &defaults, sizeof defaults);
    assert_true(his.size == sizeof his && his.a == 1 && his.b == 2 && !his.c && !his.d);
    his.b = 9;
    assert_ok(read_now(&got, &his));
    assert_true(got.size == sizeof got && got.a == 1 && got.b == 9);
    his.d = 1;
    assert_status(UR_EINVAL, read_now(&got, &his));
    assert_non_null(strstr(ur_errmsg(), "newer version"));
}

static void sized__what_was_not_initialised_is_refused(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, sizeof(size_t) - 1, SIZE_MAX, (size_t)1 << 40};
    struct now got, his = defaults;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        his.size = sizes[i];
        assert_status(UR_EINVAL, read_now(&got, &his));
        assert_non_null(strstr(ur_errmsg(), "call now_init first"));
        ur__sized_init(&his, sizes[i], &defaults, sizeof defaults);
        assert_int_equal(his.size, sizes[i]);
    }
    ur__sized_init(NULL, sizeof his, &defaults, sizeof defaults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sized__an_older_caller_gets_defaults_for_what_he_does_not_know),
        cmocka_unit_test(sized__a_newer_caller_is_served_unless_he_asks_for_what_is_new),
        cmocka_unit_test(sized__what_was_not_initialised_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
