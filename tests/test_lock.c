/* SPDX-License-Identifier: MIT */
/* One training at a time on a name, and what killed ones leave is swept away: the lock, the
 * sweep, and both in a run. */
#include "test_io.h"
#include "test_task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/ops_hook.h"

/* ---- the lock ---------------------------------------------------------- */

static void lock__is_one_at_a_time(void **unused)
{
    (void)unused;
    const char *path = tmp_path("a.lock");
    struct ur__lock *a, *b;
    long holder;
    mode_t mask = umask(027);
    assert_ok(ur__lock_take(&a, path, &holder));
    umask(mask);
    struct stat info;       /* as any file is made: who may write there may lock */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_non_null(a);
    assert_status(UR_EEXIST, ur__lock_take(&b, path, &holder));
    assert_null(b);
    assert_int_equal(holder, getpid());
    ur__lock_free(a);
    assert_false(ur__file_exists(path));
    assert_ok(ur__lock_take(&b, path, &holder));
    assert_non_null(b);
    ur__lock_free(b);
    ur__lock_free(NULL);
}

static void lock__ends_with_its_process(void **unused)
{
    (void)unused;
    const char *path = tmp_path("b.lock");
    struct ur__lock *lock;
    long holder;
    int ready[2], status;
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (ur__lock_take(&lock, path, &holder) != UR_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_status(UR_EEXIST, ur__lock_take(&lock, path, &holder));
    assert_int_equal(holder, child);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(ur__file_exists(path));     /* the file stays, the lock does not */
    assert_ok(ur__lock_take(&lock, path, &holder));
    assert_non_null(lock);
    ur__lock_free(lock);
    assert_false(ur__file_exists(path));
    close(ready[0]);
    close(ready[1]);
}

static void lock__leaves_files_of_others_alone(void **unused)
{
    (void)unused;
    const char *path = tmp_path("c.lock"), *link = tmp_path("d.lock");
    struct ur__lock *lock;
    long holder;
    put_file(path, "[[package]]\n", 12);
    assert_ok(ur__lock_take(&lock, path, &holder));
    assert_null(lock);
    assert_holds(path, "[[package]]\n", 12);
    assert_int_equal(symlink(path, link), 0);
    assert_ok(ur__lock_take(&lock, link, &holder));
    assert_null(lock);
    assert_holds(path, "[[package]]\n", 12);
}

static int lock_error;
static long lock_failures;

static enum ops_answer fail_lock(const struct ops_call *call)
{
    if (call->kind != OPS_LOCK || lock_failures-- <= 0)
        return OPS_DO;
    errno = lock_error;
    return OPS_FAIL;
}

static const struct ops_hooks failing_locks = {.before = fail_lock};

/* Some network file systems have none. */
static void lock__does_without(void **unused)
{
    (void)unused;
    static const int errors[] = {ENOLCK, ENOTSUP, EINVAL, EBADF, EIO};
    const char *path = tmp_path("e.lock");
    struct ur__lock *lock;
    long holder;
    int descriptors = count_descriptors();
    for (size_t i = 0; i < COUNT(errors); i++) {
        lock_error = errors[i];
        lock_failures = 1000000;
        ops_hook(&failing_locks);
        assert_ok(ur__lock_take(&lock, path, &holder));
        ops_hook(NULL);
        assert_null(lock);
        assert_false(ur__file_exists(path));
        assert_int_equal(count_descriptors(), descriptors);
    }
    /* A name that has become another file's is locked anew. */
    lock_error = ESTALE;
    lock_failures = 3;
    ops_hook(&failing_locks);
    assert_ok(ur__lock_take(&lock, path, &holder));
    ops_hook(NULL);
    assert_non_null(lock);
    ur__lock_free(lock);
    assert_int_equal(count_descriptors(), descriptors);
}

/* ---- the sweep --------------------------------------------------------- */

static const struct ur__spared sparing_none, sparing_living = {.gone_only = true};

static void sweep__removes_what_is_exactly_ours(void **unused)
{
    (void)unused;
    static const char *const ours[] = {".tmp-1-0", ".tmp-999999999-4294967295", ".tmp-0-10"};
    static const char *const others[] = {
        "", ".tmp-", ".tmp-1", ".tmp-1-", ".tmp-1-0x", ".tmp-01-0", ".tmp-1-00", ".tmp--1-0",
        ".tmp-1-0.bak", ".tmp", ".tmp-a-b", "x.tmp-1-0", ".tmp-99999999999-0", ".tmp-1-2-3",
    };
    const char *path = tmp_path("s.safetensors");
    char name[600], folder[600];
    snprintf(folder, sizeof folder, "%s.tmp-7-7", path);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < COUNT(others); i++) {
        snprintf(name, sizeof name, "%s%s", path, others[i]);
        put_file(name, "x", 1);
    }
    for (size_t i = 0; i < COUNT(ours); i++) {
        snprintf(name, sizeof name, "%s%s", path, ours[i]);
        put_file(name, "x", 1);
    }
    assert_int_equal(ur__writer_sweep(&path, 1, &sparing_none), COUNT(ours));
    assert_int_equal(ur__writer_sweep(&path, 1, &sparing_none), 0);
    for (size_t i = 0; i < COUNT(others); i++) {
        snprintf(name, sizeof name, "%s%s", path, others[i]);
        assert_true(ur__file_exists(name));
    }
    assert_int_equal(rmdir(folder), 0);
}

/* Without a lock, only what no living process can be writing. */
static void sweep__spares_the_living(void **unused)
{
    (void)unused;
    const char *path = tmp_path("t.safetensors");
    char living[600], own[600], gone[600];
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    snprintf(living, sizeof living, "%s.tmp-%ld-0", path, (long)child);
    snprintf(own, sizeof own, "%s.tmp-%ld-99999", path, (long)getpid());
    put_file(living, "x", 1);
    put_file(own, "x", 1);
    assert_int_equal(ur__writer_sweep(&path, 1, &sparing_living), 1);
    assert_true(ur__file_exists(living));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    snprintf(gone, sizeof gone, "%s", living);
    assert_int_equal(ur__writer_sweep(&path, 1, &sparing_living), 1);
    assert_false(ur__file_exists(gone));
}

/* By whatever name it is known. */
static void sweep__spares_files(void **unused)
{
    (void)unused;
    const char *path = tmp_path("u.safetensors");
    char kept[600], link[600];
    struct ur__file_id id;
    snprintf(kept, sizeof kept, "%s.tmp-1-0", path);
    put_file(kept, "x", 1);
    snprintf(link, sizeof link, "%s.tmp-1-1", path);
    put_file(link, "x", 1);
    snprintf(link, sizeof link, "%s", tmp_path("link"));
    assert_int_equal(symlink(kept, link), 0);
    assert_true(ur__file_identify(&id, link));
    const struct ur__spared spared = {.files = &id, .n = 1};
    assert_int_equal(ur__writer_sweep(&path, 1, &spared), 1);
    assert_true(ur__file_exists(kept));
}

/* ---- in a run ---------------------------------------------------------- */

static int ready;

/* Says that it trains, then takes its time. */
/* Stays in its first step until it is killed. */
static bool train_for_ever(void *unused, const ur_report *r)
{
    (void)unused;
    if (r->kind != UR_REPORT_STEP)
        return true;
    if (write(ready, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void run__is_one_at_a_time(void **unused)
{
    (void)unused;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    struct listener l;
    int ends[2], status;
    char byte;
    assert_int_equal(pipe(ends), 0);
    ready = ends[1];
    pid_t child = fork();
    if (child == 0)
        _exit(ur_train(&o, train_for_ever, NULL) == UR_OK ? 0 : 1);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    o.force = true;
    assert_status(UR_EEXIST, train_until(o, 0, &l));
    char want[40];
    snprintf(want, sizeof want, "process %ld, is writing", (long)child);
    assert_message(want);
    assert_message(o.model);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    o.steps = 2;
    assert_ok(train_until(o, 0, &l));
    assert_false(ur__file_exists(with_end(o.model, ".state.lock")));
    close(ends[0]);
    close(ends[1]);
}

static void run__sweeps_what_killed_ones_left(void **unused)
{
    (void)unused;
    static const char *const stale[] = {
        ".safetensors.tmp-1-0", ".last.safetensors.tmp-1-0", ".state.tmp-12-1", ".state.new",
        ".state.new.tmp-1-3",
    };
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.steps = 2;
    for (size_t i = 0; i < COUNT(stale); i++)
        put_file(with_end(o.model, stale[i]), "x", 1);
    put_file(with_end(o.model, ".state.lock"), "unroll 1\n", 9);
    put_file(with_end(o.model, "x.state.tmp-1-0"), "x", 1);
    assert_ok(train_until(o, 0, &l));
    if (!strstr(l.note, "removed 5 unfinished files"))
        fail_msg("%s", l.note);
    for (size_t i = 0; i < COUNT(stale); i++)
        assert_false(ur__file_exists(with_end(o.model, stale[i])));
    assert_true(ur__file_exists(with_end(o.model, "x.state.tmp-1-0")));
}

static void run__trains_without_locks(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.steps = 2;
    lock_error = ENOLCK;
    lock_failures = 1000000;
    ops_hook(&failing_locks);
    ur_status status = train_until(o, 0, &l);
    ops_hook(NULL);
    assert_ok(status);
    assert_non_null(strstr(l.note, "cannot be locked"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock__is_one_at_a_time),
        cmocka_unit_test(lock__ends_with_its_process),
        cmocka_unit_test(lock__leaves_files_of_others_alone),
        cmocka_unit_test(lock__does_without),
        cmocka_unit_test(sweep__removes_what_is_exactly_ours),
        cmocka_unit_test(sweep__spares_the_living),
        cmocka_unit_test(sweep__spares_files),
        cmocka_unit_test(run__is_one_at_a_time),
        cmocka_unit_test(run__sweeps_what_killed_ones_left),
        cmocka_unit_test(run__trains_without_locks),
    };
    return cmocka_run_group_tests_name("lock", tests, set_up, tear_down);
}
