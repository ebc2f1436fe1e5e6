/* SPDX-License-Identifier: MIT */
/* What is no plain file, where one is expected; texts that are not what they seem. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "data/corpus.h"
#include "data/numbers.h"
#include "io/file.h"
#include "support/gzip.h"
#include "unroll/exchange.h"
#include "unroll/model.h"

static int seeks_left;      /* before they fail, in a test of that */

static void refuses_model(const char *path, ur_status want, const char *why)
{
    ur_model *m;
    ur_weights *w;
    int seeks = seeks_left;
    assert_status(want, ur_model_load(&m, path));
    assert_null(m);
    if (!strstr(ur_errmsg(), why) || !strstr(ur_errmsg(), path))
        fail_msg("\"%s\" is not in \"%s\"", why, ur_errmsg());
    seeks_left = seeks;
    assert_status(want, ur_weights_open(&w, path));
}

static void paths__models_are_plain_files(void **state)
{
    (void)state;
    const char *pipe = tmp_path("pipe"), *loop = tmp_path("loop"), *away = tmp_path("away");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuses_model(pipe, UR_EINPUT, "it is a pipe, a terminal or the like");     /* at once */
    int writer = open(pipe, O_RDWR | O_NONBLOCK);
    assert_true(writer >= 0);
    refuses_model(pipe, UR_EINPUT, "it is a pipe");
    close(writer);
    assert_int_equal(symlink(loop, loop), 0);
    refuses_model(loop, UR_EINPUT, "cannot open");
    assert_int_equal(symlink("nowhere", away), 0);
    refuses_model(away, UR_EINPUT, "no such file");
    refuses_model(tmp_dir(), UR_EINPUT, "directory");
    refuses_model("/dev/null", UR_EFORMAT, "is empty");
    refuses_model("/dev/zero", UR_EFORMAT, "is empty");
}

static ur_status open_text(const char *path, ur_token_kind kind, int64_t *tokens)
{
    struct ur__corpus *c;
    ur_vocab *v;
    ur_status status = ur__corpus_open(&c, &path, 1, kind, NULL, &v);
    *tokens = status == UR_OK ? ur__corpus_tokens(c) : 0;
    ur__corpus_free(c);
    ur_vocab_free(v);
    return status;
}

/* A pipe is a good text: it is waited for. */
static void paths__texts_may_be_pipes(void **state)
{
    (void)state;
    int64_t tokens;
    const char *pipe = tmp_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(pipe, O_WRONLY);
        _exit(write(fd, "a text\n", 7) == 7 ? 0 : 1);
    }
    assert_ok(open_text(pipe, UR_TOKEN_CHAR, &tokens));
    assert_int_equal(tokens, 7);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_status(UR_EINPUT, open_text(tmp_dir(), UR_TOKEN_CHAR, &tokens));
    assert_status(UR_EDATA, open_text("/dev/null", UR_TOKEN_CHAR, &tokens));
}

/* 32 MiB in 32 KiB: on disk while it is text, not in memory. */
static void paths__a_gzip_bomb_stays_small_in_memory(void **state)
{
    (void)state;
    enum { SIZE = 32 << 20, SPOOL = 1 << 20 };
    static char zeros[SIZE];
    const char *path = tmp_path("bomb.gz");
    gzip_file(path, zeros, SIZE);
    int64_t tokens;
    ur__numbers_set_spool_at(SPOOL);
    size_t before = ur_memory_used();
    assert_ok(open_text(path, UR_TOKEN_BYTE, &tokens));
    assert_int_equal(tokens, SIZE);
    /* As a model it is no more than the bytes it is. */
    ur_model *m;
    assert_status(UR_EFORMAT, ur_model_load(&m, path));
    ur__numbers_set_spool_at(0);
    size_t most = ur_memory_peak() - before;
    print_message("%d MiB of text, %zu bytes of memory\n", SIZE >> 20, most);
    assert_true(most < 4 * SPOOL);
}

/* Bytes that are no UTF-8, each where it stands. */
static void paths__malformed_text_is_placed(void **state)
{
    (void)state;
    static const struct { const char *text, *why; } cases[] = {
        {"ab\xff", "byte 2 (0xFF)"}, {"\x80", "byte 0 (0x80)"}, {"a\xc0\x80", "byte 1 (0xC0)"},
        {"\xed\xa0\x80", "byte 0 (0xED)"}, {"\xf4\x90\x80\x80", "byte 0 (0xF4)"},
        {"\xe2\x82", "ends within the UTF-8 character at byte 0"}, {"abc\xf0\x9f", "at byte 3"},
        {"\xe2\x28\xa1", "byte 0 (0xE2)"}, {"\xf8\x88\x80\x80\x80", "byte 0 (0xF8)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = tmp_path("text");
        int64_t tokens;
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fputs(cases[i].text, f);
        fclose(f);
        for (int kind = UR_TOKEN_CHAR; kind <= UR_TOKEN_WORDPUNCT; kind++) {
            assert_status(UR_EDATA, open_text(path, (ur_token_kind)kind, &tokens));
            if (!strstr(ur_errmsg(), cases[i].why))
                fail_msg("\"%s\" is not in \"%s\"", cases[i].why, ur_errmsg());
        }
        assert_ok(open_text(path, UR_TOKEN_BYTE, &tokens));
        assert_int_equal(tokens, strlen(cases[i].text));
    }
}

/* A reader that failed goes on failing, and says of what. */
static void paths__a_failed_read_stays_failed(void **state)
{
    (void)state;
    static const unsigned char damaged[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff};
    const char *path = tmp_path("damaged.gz");
    struct ur__reader *r;
    size_t got;
    char to[16];
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(damaged, 1, sizeof damaged, f);
    fclose(f);
    if (!UR__HAVE_ZLIB) {
        assert_status(UR_EDATA, ur__reader_open(&r, path));
        assert_non_null(strstr(ur_errmsg(), "without zlib; convert it: gzip -dc FILE"));
        assert_null(r);
        return;
    }
    assert_ok(ur__reader_open(&r, path));
    assert_ok(ur__reader_read(r, to, 0, &got));
    assert_int_equal(got, 0);
    assert_status(UR_EFORMAT, ur__reader_read(r, to, sizeof to, &got));
    assert_non_null(strstr(ur_errmsg(), "damaged gzip"));
    assert_status(UR_EFORMAT, ur__reader_read(r, to, sizeof to, &got));
    assert_non_null(strstr(ur_errmsg(), "reading failed before"));
    ur__reader_close(r);
}

static int64_t failing_seek(int fd, int64_t offset, int whence)
{
    if (seeks_left-- > 0)
        return (int64_t)lseek(fd, (off_t)offset, whence);
    errno = EIO;
    return -1;
}

static void paths__a_failed_seek_is_told(void **state)
{
    (void)state;
    static const struct ur__file_ops ops = {.seek = failing_seek};
    const char *path = tmp_path("model");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs("\2", f);
    fwrite("\0\0\0\0\0\0\0{}", 1, 9, f);
    fclose(f);
    ur__file_set_ops(&ops);
    for (int k = 0; k < 2; k++) {
        seeks_left = k;
        refuses_model(path, UR_EINPUT, "cannot seek in");
    }
    ur__file_set_ops(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths__a_gzip_bomb_stays_small_in_memory),     /* the peak is its own */
        cmocka_unit_test(paths__models_are_plain_files),
        cmocka_unit_test(paths__texts_may_be_pipes),
        cmocka_unit_test(paths__malformed_text_is_placed),
        cmocka_unit_test(paths__a_failed_read_stays_failed),
        cmocka_unit_test(paths__a_failed_seek_is_told),
    };
    return cmocka_run_group_tests_name("hostile paths", tests, NULL, NULL);
}
