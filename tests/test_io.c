/* SPDX-License-Identifier: MIT */
/* Files: reading, gzip, atomic writing, scratch files; and what is left of them when
 * an operation of the system or an allocation fails. */
#include "test_io.h"

#include <errno.h>
#include <sys/stat.h>

#include "support/gzip.h"

/* ---- operations that fail ---------------------------------------------- */

enum op { OPEN, READ, WRITE, SEEK, SYNC, CLOSE, RENAME, UNLINK, MODE, N_OPS };

static struct {
    enum op op;     /* the countdown-th call of op fails with error; EINTR: once */
    int countdown, error;
    long short_by;  /* reads and writes take at most this much; 0: all */
    long calls[N_OPS];
} plan;

static bool trip(enum op op)
{
    plan.calls[op]++;
    if (op != plan.op || plan.countdown <= 0 || --plan.countdown > 0)
        return false;
    errno = plan.error;
    return true;
}

static size_t cut(size_t n)
{
    return plan.short_by && n > (size_t)plan.short_by ? (size_t)plan.short_by : n;
}

static int fake_open(const char *path, int flags, int mode)
{
    return trip(OPEN) ? -1 : open(path, flags, mode);
}

static long fake_read(int fd, void *to, size_t n)
{
    return trip(READ) ? -1 : (long)read(fd, to, cut(n));
}

static long fake_write(int fd, const void *from, size_t n)
{
    return trip(WRITE) ? -1 : (long)write(fd, from, cut(n));
}

static int64_t fake_seek(int fd, int64_t offset, int whence)
{
    return trip(SEEK) ? -1 : (int64_t)lseek(fd, (off_t)offset, whence);
}

static int fake_sync(int fd)
{
    return trip(SYNC) ? -1 : fsync(fd);
}

static int fake_close(int fd)
{
    /* As on Linux: the descriptor is gone even when close fails. */
    int result = close(fd);
    return trip(CLOSE) ? -1 : result;
}

static int fake_rename(const char *from, const char *to)
{
    return trip(RENAME) ? -1 : rename(from, to);
}

static int fake_unlink(const char *path)
{
    return trip(UNLINK) ? -1 : unlink(path);
}

static const struct ur__file_ops fake_ops = {
    .open = fake_open, .read = fake_read, .write = fake_write, .seek = fake_seek,
    .sync = fake_sync, .close = fake_close, .rename = fake_rename, .unlink = fake_unlink,
};

static void fail_at(enum op op, int countdown, int error)
{
    memset(&plan, 0, sizeof plan);
    plan.op = op;
    plan.countdown = countdown;
    plan.error = error;
    ur__file_set_ops(&fake_ops);
}

static int restore(void **state)
{
    (void)state;
    ur__file_set_ops(NULL);
    ur__mem_fail_at(0, false);
    return 0;
}

/* ---- reader ------------------------------------------------------------ */

static void reader__reads_plain_files(void **state)
{
    (void)state;
    const char *path = tmp_path("plain");
    enum { N = 300000 };
    unsigned char *bytes = ur__alloc(N, 1);
    for (size_t i = 0; i < N; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    static const size_t sizes[] = {0, 1, 2, 65535, 65536, 65537, N};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        put_file(path, bytes, sizes[i]);
        assert_holds(path, bytes, sizes[i]);
    }
    struct ur__reader *r;
    assert_ok(ur__reader_open(&r, path));
    size_t at = 0, got = 1;
    unsigned char part[1000];
    for (size_t want = 1; got; want = want % 999 + 1) {
        assert_ok(ur__reader_read(r, part, want, &got));
        assert_memory_equal(part, bytes + at, got);
        at += got;
    }
    assert_int_equal(at, N);
    assert_ok(ur__reader_read(r, part, 5, &got));
    assert_int_equal(got, 0);
    ur__reader_close(r);
    ur__reader_close(NULL);
    ur__free(bytes);
}

static void reader__says_what_is_wrong(void **state)
{
    (void)state;
    struct ur__reader *r;
    const char *path = tmp_path("absent");
    assert_status(UR_EINPUT, ur__reader_open(&r, path));
    assert_null(r);
    assert_non_null(strstr(ur_errmsg(), path));
    assert_non_null(strstr(ur_errmsg(), ": no such file"));
    assert_status(UR_EINPUT, ur__reader_open(&r, tmp_dir()));
    assert_non_null(strstr(ur_errmsg(), "directory"));
    char *text;
    size_t size;
    put_file(path, "12345", 5);
    assert_status(UR_EDATA, ur__file_slurp(path, 4, &text, &size));
    assert_null(text);
    assert_ok(ur__file_slurp(path, 5, &text, &size));
    assert_string_equal(text, "12345");
    ur__free(text);
    assert_true(ur__file_exists(path));
    assert_false(ur__file_exists(tmp_path("absent")));
}

static void reader__reads_standard_input(void **state)
{
    (void)state;
    int ends[2], saved = dup(0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    dup2(ends[0], 0);
    close(ends[0]);
    char *text;
    size_t size;
    ur_status status = ur__file_slurp("-", 100, &text, &size);
    assert_int_equal(fcntl(0, F_GETFD) != -1, 1);   /* stays open */
    dup2(saved, 0);
    close(saved);
    assert_ok(status);
    assert_string_equal(text, "from a pipe");
    ur__free(text);
}

/* Two bytes tell what a file is; whoever writes them is not asked for a third. */
static void reader__takes_what_a_pipe_has(void **state)
{
    (void)state;
    const char *path = tmp_path("pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR);        /* a reader's open() need not wait, nor find an end */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "ab", 2), 2);
    struct ur__reader *r;
    char text[8];
    size_t got;
    alarm(20);
    assert_ok(ur__reader_open(&r, path));
    assert_ok(ur__reader_read(r, text, sizeof text, &got));
    alarm(0);
    assert_int_equal(got, 2);
    assert_memory_equal(text, "ab", 2);
    ur__reader_close(r);
    close(fd);
}

static void reader__retries_and_goes_on(void **state)
{
    (void)state;
    const char *path = tmp_path("slow");
    put_file(path, "abcdefghij", 10);
    for (int k = 1; k <= 5; k++) {
        fail_at(READ, k, EINTR);
        plan.short_by = 1;
        assert_holds(path, "abcdefghij", 10);
    }
    for (int k = 1; k <= 4; k++) {
        fail_at(READ, k, EIO);
        plan.short_by = 3;
        char *text;
        size_t size;
        assert_status(UR_EINPUT, ur__file_slurp(path, 100, &text, &size));
        assert_non_null(strstr(ur_errmsg(), path));
    }
}

/* ---- gzip -------------------------------------------------------------- */

enum { GZ_PART = 3000, GZ_ROOM = 20000 };

static void fill_text(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + (i * i / 7 + i) % 23);
}

static void gzip__members_are_joined(void **state)
{
    (void)state;
    const char *path = tmp_path("a.bin");
    static char text[3 * GZ_PART];
    static unsigned char packed[GZ_ROOM];
    fill_text(text, sizeof text);
    size_t n = gzip_member(text, GZ_PART, packed, GZ_ROOM);
    put_file(path, packed, n);
    assert_holds(path, text, GZ_PART);
    n += gzip_member("", 0, packed + n, GZ_ROOM - n);
    n += gzip_member(text + GZ_PART, GZ_PART, packed + n, GZ_ROOM - n);
    n += gzip_member(text + 2 * GZ_PART, GZ_PART, packed + n, GZ_ROOM - n);
    put_file(path, packed, n);
    assert_holds(path, text, sizeof text);
    memset(packed + n, 0, 512);         /* tape padding */
    put_file(path, packed, n + 512);
    assert_holds(path, text, sizeof text);
    packed[n + 511] = 'x';
    put_file(path, packed, n + 512);
    char *got;
    size_t size;
    assert_status(UR_EFORMAT, ur__file_slurp(path, 1 << 20, &got, &size));
    assert_non_null(strstr(ur_errmsg(), path));
    for (long by = 1; by < 40; by++) {
        put_file(path, packed, n);
        fail_at(READ, 0, 0);
        plan.short_by = by;
        assert_holds(path, text, sizeof text);
    }
}

static void gzip__every_truncation_is_rejected(void **state)
{
    (void)state;
    const char *path = tmp_path("cut.gz");
    static char text[GZ_PART];
    static unsigned char packed[GZ_ROOM];
    fill_text(text, sizeof text);
    size_t first = gzip_member(text, GZ_PART, packed, GZ_ROOM);
    size_t n = first + gzip_member(text, 50, packed + first, GZ_ROOM - first);
    for (size_t size = 0; size < n; size++) {
        put_file(path, packed, size);
        char *got;
        size_t length;
        ur_status status = ur__file_slurp(path, 1 << 20, &got, &length);
        ur__free(got);
        if (status != (size == first ? UR_OK : UR_EFORMAT))
            fail_msg("cut at %zu of %zu: %s", size, n, ur_status_name(status));
    }
}

static void gzip__damage_is_rejected(void **state)
{
    (void)state;
    const char *path = tmp_path("bad.gz");
    static char text[GZ_PART];
    static unsigned char packed[GZ_ROOM];
    fill_text(text, sizeof text);
    size_t n = gzip_member(text, GZ_PART, packed, GZ_ROOM);
    for (size_t i = 10; i < n; i += 3) {    /* the header's fields carry no check */
        packed[i] ^= 0x10;
        put_file(path, packed, n);
        char *got;
        size_t length;
        ur_status status = ur__file_slurp(path, 1 << 20, &got, &length);
        ur__free(got);
        assert_int_equal(status, UR_EFORMAT);
        packed[i] ^= 0x10;
    }
}

/* ---- raw --------------------------------------------------------------- */

static void raw__reads_at_offsets(void **state)
{
    (void)state;
    const char *path = tmp_path("raw");
    put_file(path, "0123456789", 10);
    struct ur__raw f;
    char part[11] = "";
    assert_ok(ur__raw_open(&f, path));
    assert_int_equal(f.size, 10);
    assert_ok(ur__raw_read(&f, 3, part, 4));
    assert_memory_equal(part, "3456", 4);
    assert_ok(ur__raw_read(&f, 0, part, 10));
    assert_ok(ur__raw_read(&f, 10, part, 0));
    assert_status(UR_EFORMAT, ur__raw_read(&f, 7, part, 4));
    assert_non_null(strstr(ur_errmsg(), "is truncated: bytes 7 to 11 of 10 are wanted"));
    assert_status(UR_EFORMAT, ur__raw_read(&f, UINT64_MAX, part, 1));
    assert_status(UR_EFORMAT, ur__raw_read(&f, 1, part, SIZE_MAX));
    assert_int_equal(truncate(path, 5), 0);
    assert_status(UR_EFORMAT, ur__raw_read(&f, 3, part, 4));
    assert_non_null(strstr(ur_errmsg(), "truncated"));
    ur__raw_close(&f);
    ur__raw_close(&f);
}

/* ---- writer ------------------------------------------------------------ */

enum { BIG = 200000 };

/* Small pieces, a large one, small ones again. */
static ur_status write_big(const char *path, const char *bytes)
{
    struct ur__writer *w;
    UR__TRY(ur__writer_open(&w, path));
    size_t at = 0;
    ur_status status = UR_OK;
    while (at < BIG && status == UR_OK) {
        size_t n = at == 1000 ? 150000 : 10;
        status = ur__writer_write(w, bytes + at, n);
        at += n;
    }
    /* Committed all the same: a failed writer must not replace anything. */
    return ur__writer_commit(w);
}

static void writer__replaces_whole_files(void **state)
{
    (void)state;
    const char *path = tmp_path("whole");
    static char bytes[BIG];
    fill_text(bytes, BIG);
    assert_ok(write_big(path, bytes));
    assert_holds(path, bytes, BIG);
    assert_int_equal(chmod(path, 0600), 0);
    struct ur__writer *w;
    assert_ok(ur__writer_open(&w, path));
    assert_ok(ur__writer_write(w, "new", 3));
    assert_holds(path, bytes, BIG);     /* until the commit */
    assert_ok(ur__writer_commit(w));
    assert_holds(path, "new", 3);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int files = count_files();
    assert_ok(ur__writer_open(&w, path));
    assert_ok(ur__writer_write(w, "dropped", 7));
    ur__writer_abort(w);
    ur__writer_abort(NULL);
    assert_ok(ur__writer_check(path));
    assert_int_equal(count_files(), files);
    assert_holds(path, "new", 3);
    for (long by = 1; by < 100000; by = by * 9 + 1) {
        fail_at(WRITE, (int)by, EINTR);
        plan.short_by = by;
        assert_ok(write_big(path, bytes));
        assert_holds(path, bytes, BIG);
    }
}

static void writer__two_at_once_do_not_mix(void **state)
{
    (void)state;
    const char *path = tmp_path("two");
    struct ur__writer *a, *b;
    assert_ok(ur__writer_open(&a, path));
    assert_ok(ur__writer_open(&b, path));
    assert_ok(ur__writer_write(a, "aaa", 3));
    assert_ok(ur__writer_write(b, "b", 1));
    assert_ok(ur__writer_commit(a));
    assert_holds(path, "aaa", 3);
    assert_ok(ur__writer_commit(b));
    assert_holds(path, "b", 1);
}

static void writer__refuses_what_it_would_destroy(void **state)
{
    (void)state;
    struct ur__writer *w;
    const char *link = tmp_path("link");
    char inside[600];
    snprintf(inside, sizeof inside, "%s/no/such", tmp_dir());
    assert_status(UR_EOUTPUT, ur__writer_check(inside));
    assert_non_null(strstr(ur_errmsg(), inside));
    assert_status(UR_EOUTPUT, ur__writer_check(tmp_dir()));
    assert_status(UR_EOUTPUT, ur__writer_open(&w, "/dev/null"));
    assert_null(w);
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_status(UR_EOUTPUT, ur__writer_check(link));
    assert_status(UR_EOUTPUT, ur__writer_check(""));
}

static void writer__every_failed_operation_keeps_the_old_file(void **state)
{
    (void)state;
    static const enum op ops[] = {OPEN, WRITE, SYNC, CLOSE, RENAME};
    static const int errors[] = {EIO, ENOSPC};
    const char *path = tmp_path("kept");
    static char bytes[BIG];
    fill_text(bytes, BIG);
    put_file(path, "old", 3);
    int files = count_files(), descriptors = count_descriptors();
    long blocks = ur__mem_blocks();
    int failures = 0;
    for (size_t i = 0; i < COUNT(ops) * COUNT(errors); i++) {
        enum op op = ops[i / COUNT(errors)];
        for (int k = 1;; k++) {
            fail_at(op, k, errors[i % COUNT(errors)]);
            plan.short_by = 30000;
            ur_status status = write_big(path, bytes);
            bool reached = plan.countdown == 0;
            ur__file_set_ops(NULL);
            assert_int_equal(count_files(), files);
            assert_int_equal(count_descriptors(), descriptors);
            assert_int_equal(ur__mem_blocks(), blocks);
            if (status == UR_OK) {
                /* Only the folder's sync and close may fail unheard. */
                assert_true(!reached || ((op == SYNC || op == CLOSE) && k == 2));
                assert_holds(path, bytes, BIG);
                put_file(path, "old", 3);
                if (!reached)
                    break;
                continue;
            }
            failures++;
            assert_int_equal(status, UR_EOUTPUT);
            assert_non_null(strstr(ur_errmsg(), op == OPEN && k == 2 ? tmp_dir() : path));
            assert_holds(path, "old", 3);
        }
    }
    print_message("%d failures injected\n", failures);
}

/* ---- spool ------------------------------------------------------------- */

static void spool__appends_and_reads_anywhere(void **state)
{
    (void)state;
    struct ur__spool *s;
    char part[100];
    assert_ok(ur__spool_new(&s));
    for (int i = 0; i < 1000; i++) {
        snprintf(part, sizeof part, "%09d", i);
        assert_ok(ur__spool_append(s, part, 9));
        if (i % 10 == 0) {
            char want[10];
            snprintf(want, sizeof want, "%09d", i / 2);
            assert_ok(ur__spool_read(s, (uint64_t)(i / 2) * 9, part, 9));
            assert_memory_equal(part, want, 9);
        }
    }
    assert_status(UR_EINVAL, ur__spool_read(s, 8999, part, 2));
    assert_string_equal(ur_errmsg(), "the scratch file has no bytes 8999 to 9001: it ends at 9000");
    fail_at(WRITE, 2, ENOSPC);
    plan.short_by = 4;
    assert_status(UR_EOUTPUT, ur__spool_append(s, "123456789", 9));
    fail_at(READ, 1, EIO);
    assert_status(UR_EINPUT, ur__spool_read(s, 0, part, 9));
    fail_at(SEEK, 1, EIO);
    assert_status(UR_EINPUT, ur__spool_read(s, 5, part, 4));
    ur__file_set_ops(NULL);
    assert_ok(ur__spool_append(s, "987654321", 9));
    assert_ok(ur__spool_read(s, 8991, part, 18));
    assert_memory_equal(part, "000000999987654321", 18);
    ur__spool_free(s);
    ur__spool_free(NULL);
    fail_at(OPEN, 1, EMFILE);
    assert_status(UR_EOUTPUT, ur__spool_new(&s));
    assert_null(s);
}

/* By the definition, a bit at a time. */
static uint32_t slow_crc32(uint32_t crc, const unsigned char *at, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < 8 * n; i++) {
        crc ^= i % 8 ? 0 : at[i / 8];
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* All lengths around the eight bytes of a round, at all places, in two parts. */
static void crc32__is_the_definition(void **state)
{
    (void)state;
    static unsigned char bytes[2048];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n < 140; n++) {
            uint32_t want = slow_crc32(0, bytes + at, n);
            assert_int_equal(ur__crc32(0, bytes + at, n), want);
            uint32_t first = ur__crc32(0, bytes + at, n / 3);
            assert_int_equal(ur__crc32(first, bytes + at + n / 3, n - n / 3), want);
        }
    }
    assert_int_equal(ur__crc32(0, bytes, sizeof bytes), slow_crc32(0, bytes, sizeof bytes));
}

static void crc32__known_answer(void **state)
{
    (void)state;
    assert_int_equal(ur__crc32(0, "123456789", 9), 0xcbf43926);     /* the CRC catalogue's check */
    assert_int_equal(ur__crc32(ur__crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(ur__crc32(0, NULL, 0), 0);
}

/* ---- out of memory ----------------------------------------------------- */

static const char *oom_path;

static ur_status slurp_for_oom(void)
{
    char *text;
    size_t size;
    ur_status status = ur__file_slurp(oom_path, 1 << 26, &text, &size);
    ur__free(text);
    return status;
}

static ur_status spool_for_oom(void)
{
    struct ur__spool *s;
    struct ur__writer *w;
    UR__TRY(ur__spool_new(&s));
    ur_status status = ur__writer_open(&w, oom_path);
    if (status == UR_OK)
        status = ur__writer_commit(w);
    ur__spool_free(s);
    return status;
}

static void io__survives_every_failed_allocation(void **state)
{
    (void)state;
    static char text[GZ_PART * 100];
    static unsigned char packed[2 * sizeof text];
    oom_path = tmp_path("oom");
    put_file(oom_path, "old", 3);
    fail_every_allocation(spool_for_oom, "spool and writer");
    fill_text(text, sizeof text);
    put_file(oom_path, packed, gzip_member(text, sizeof text, packed, sizeof packed));
    fail_every_allocation(slurp_for_oom, "gzip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader__reads_plain_files),
        cmocka_unit_test(reader__says_what_is_wrong),
        cmocka_unit_test(reader__reads_standard_input),
        cmocka_unit_test(reader__takes_what_a_pipe_has),
        cmocka_unit_test_teardown(reader__retries_and_goes_on, restore),
        cmocka_unit_test_teardown(gzip__members_are_joined, restore),
        cmocka_unit_test(gzip__every_truncation_is_rejected),
        cmocka_unit_test(gzip__damage_is_rejected),
        cmocka_unit_test(raw__reads_at_offsets),
        cmocka_unit_test_teardown(writer__replaces_whole_files, restore),
        cmocka_unit_test(writer__two_at_once_do_not_mix),
        cmocka_unit_test(writer__refuses_what_it_would_destroy),
        cmocka_unit_test_teardown(writer__every_failed_operation_keeps_the_old_file, restore),
        cmocka_unit_test_teardown(spool__appends_and_reads_anywhere, restore),
        cmocka_unit_test(crc32__known_answer),
        cmocka_unit_test(crc32__is_the_definition),
        cmocka_unit_test_teardown(io__survives_every_failed_allocation, restore),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
