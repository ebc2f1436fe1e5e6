/* SPDX-License-Identifier: MIT */
/* A process may run with standard input closed: then 0 is a file's descriptor like any other,
 * is used, and is closed again. */
#include "testing.h"

#include <fcntl.h>

#include "base/mem.h"
#include "io/file.h"

static int input, next;     /* standard input's copy; the lowest that is free while 0 is not */

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static int close_input(void **unused)
{
    (void)unused;
    input = fcntl(0, F_DUPFD, 100);
    next = lowest_free();
    close(0);
    return input < 0;
}

static int restore_input(void **unused)
{
    (void)unused;
    int got = dup2(input, 0);
    close(input);
    return got != 0;
}

static void assert_has_zero(void)
{
    assert_int_equal(lowest_free(), next);
}

static void assert_has_none(void)
{
    assert_int_equal(lowest_free(), 0);
}

static const char *write_word(void)
{
    const char *path = tmp_path("zero");
    struct ur__writer *w;
    assert_ok(ur__writer_open(&w, path));
    assert_has_zero();
    assert_ok(ur__writer_write(w, "word", 4));
    assert_ok(ur__writer_commit(w));
    assert_has_none();
    return path;
}

static void files__are_written(void **unused)
{
    (void)unused;
    const char *path = write_word();
    struct ur__writer *w;
    assert_ok(ur__writer_check(path));
    assert_has_none();
    assert_ok(ur__writer_open(&w, path));
    ur__writer_abort(w);
    assert_has_none();
}

static void files__are_read(void **unused)
{
    (void)unused;
    const char *path = write_word();
    struct ur__reader *r;
    struct ur__raw raw;
    char text[8], *all;
    size_t n;
    assert_ok(ur__reader_open(&r, path));
    assert_has_zero();
    assert_ok(ur__reader_read(r, text, sizeof text, &n));
    assert_int_equal(n, 4);
    ur__reader_close(r);
    assert_has_none();
    assert_ok(ur__file_slurp(path, 100, &all, &n));
    assert_string_equal(all, "word");
    ur__free(all);
    assert_has_none();
    assert_ok(ur__raw_open(&raw, path));
    assert_has_zero();
    assert_ok(ur__raw_read(&raw, 1, text, 3));
    assert_memory_equal(text, "ord", 3);
    ur__raw_close(&raw);
    assert_has_none();
}

static void spool__is_kept_there(void **unused)
{
    (void)unused;
    struct ur__spool *s;
    char text[4];
    assert_ok(ur__spool_new(&s));
    assert_has_zero();
    assert_ok(ur__spool_append(s, "word", 4));
    assert_ok(ur__spool_read(s, 0, text, 4));
    assert_memory_equal(text, "word", 4);
    ur__spool_free(s);
    assert_has_none();
}

static void lock__is_held_there(void **unused)
{
    (void)unused;
    struct ur__lock *lock;
    long holder;
    assert_ok(ur__lock_take(&lock, tmp_path("lock"), &holder));
    assert_non_null(lock);
    assert_has_zero();
    ur__lock_free(lock);
    assert_has_none();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files__are_written, close_input, restore_input),
        cmocka_unit_test_setup_teardown(files__are_read, close_input, restore_input),
        cmocka_unit_test_setup_teardown(spool__is_kept_there, close_input, restore_input),
        cmocka_unit_test_setup_teardown(lock__is_held_there, close_input, restore_input),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
