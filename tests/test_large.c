/* SPDX-License-Identifier: MIT */
/*
 * Texts of billions of tokens, without a disk: the table of file operations makes up a file
 * of 6 GB as it is read, and a scratch file that gives back what the text says should be in
 * it. Each byte is a function of its place, so that a place that lost its upper bits shows.
 *
 * What reads all of it takes minutes and runs where UNROLL_LARGE is set (long_large.sh).
 */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>

#include "data/numbers.h"
#include "data/stream.h"
#include "data/window.h"
#include "io/file.h"
#include "support/settings.h"


#define BLOCK 65536
#define SIZE (((int64_t)1 << 32) + ((int64_t)1 << 31) + 4321)

enum { TEXT_FD = 1000, SPOOL_FD = 1001 };

static int64_t text_at, spool_at, spool_size;
static int spool_width;

/* ---- the made-up file -------------------------------------------------- */

static const char made_up[] = "made-up.txt";

/* 0 … 63 in their order first, so that each byte is its own number; then, in each block, the
 * block's number in base 64. */
static unsigned char byte_at(int64_t at)
{
    int64_t block = at / BLOCK, place = at % BLOCK;
    if (place >= 64 && place < 72)
        return (unsigned char)(block >> (6 * (place - 64)) & 63);
    return (unsigned char)(place & 63);
}

static void fill_text(int64_t at, unsigned char *to, size_t n)
{
    static unsigned char pattern[2 * BLOCK];
    if (pattern[1] == 0)
        for (int i = 0; i < 2 * BLOCK; i++)
            pattern[i] = (unsigned char)(i & 63);
    while (n > 0) {
        int64_t place = at % BLOCK;
        size_t m = (size_t)(BLOCK - place) < n ? (size_t)(BLOCK - place) : n;
        memcpy(to, pattern + place, m);
        for (int64_t i = place > 64 ? place : 64; i < 72 && i < place + (int64_t)m; i++)
            to[i - place] = byte_at(at - place + i);
        at += (int64_t)m;
        to += m;
        n -= m;
    }
}

static int fake_open(const char *path, int flags, int mode)
{
    if (strcmp(path, made_up) == 0) {
        text_at = 0;
        return TEXT_FD;
    }
    if (strstr(path, "unroll-spool")) {
        spool_at = spool_size = 0;
        return SPOOL_FD;
    }
    return open(path, flags, mode);
}

/* Numbers of a width, little-endian: the token at place i is byte_at(i). */
static void fill_spool(int64_t at, unsigned char *to, size_t n)
{
    if (spool_width == 1) {
        fill_text(at, to, n);
        return;
    }
    for (size_t i = 0; i < n; i++, at++)
        to[i] = at % spool_width ? 0 : byte_at(at / spool_width);
}

static long fake_read(int fd, void *to, size_t n)
{
    int64_t *at = fd == TEXT_FD ? &text_at : &spool_at;
    int64_t left = (fd == TEXT_FD ? SIZE : spool_size) - *at;
    if (fd != TEXT_FD && fd != SPOOL_FD)
        return (long)read(fd, to, n);
    n = left < (int64_t)n ? (size_t)left : n;
    (fd == TEXT_FD ? fill_text : fill_spool)(*at, to, n);
    *at += (int64_t)n;
    return (long)n;
}

/* What is appended a token at a time is compared; a hole of gigabytes is not looked at. */
static bool holes;

static long fake_write(int fd, const void *from, size_t n)
{
    unsigned char want[4 * BLOCK];
    if (fd != SPOOL_FD)
        return (long)write(fd, from, n);
    if (!holes) {
        n = n < sizeof want ? n : sizeof want;
        fill_spool(spool_at, want, n);
        assert_memory_equal(from, want, n);
    }
    spool_at += (int64_t)n;
    spool_size = spool_at > spool_size ? spool_at : spool_size;
    return (long)n;
}

static int64_t fake_seek(int fd, int64_t offset, int whence)
{
    int64_t *at = fd == TEXT_FD ? &text_at : &spool_at;
    if (fd != TEXT_FD && fd != SPOOL_FD)
        return (int64_t)lseek(fd, (off_t)offset, whence);
    int64_t end = fd == TEXT_FD ? SIZE : spool_size;
    *at = offset + (whence == SEEK_CUR ? *at : whence == SEEK_END ? end : 0);
    return *at;
}

static int fake_close(int fd)
{
    return fd == TEXT_FD || fd == SPOOL_FD ? 0 : close(fd);
}

static int fake_unlink(const char *path)
{
    return strstr(path, "unroll-spool") ? 0 : unlink(path);
}

static const struct ur__file_ops ops = {
    .open = fake_open, .read = fake_read, .write = fake_write, .seek = fake_seek,
    .close = fake_close, .unlink = fake_unlink,
};

/* Places beside which something may end. */
static const int64_t edges[] = {
    0, 64, BLOCK, ((int64_t)1 << 31) - 1, (int64_t)1 << 31, ((int64_t)1 << 32) - 1,
    (int64_t)1 << 32, ((int64_t)1 << 32) + ((int64_t)1 << 31),
};
#define N_EDGES (sizeof edges / sizeof *edges)

/* ---- quick: offsets beyond 2^32 ---------------------------------------- */

static void numbers__are_found_beyond_4_billion(void **state)
{
    (void)state;
    static const unsigned char hole[1];
    static const int widths[] = {1, 2, 4};
    for (size_t w = 0; w < 3; w++) {
        struct ur__numbers a = {.n = SIZE, .width = widths[w]};
        spool_width = widths[w];
        holes = true;
        ur__file_set_ops(&ops);
        assert_ok(ur__spool_new(&a.spool));
        assert_ok(ur__spool_append(a.spool, hole, (size_t)SIZE * (size_t)a.width));
        for (size_t i = 0; i < N_EDGES; i++) {
            uint32_t number[200];
            int64_t at = edges[i] > 100 ? edges[i] - 100 : 0;
            assert_ok(ur__numbers_read(&a, at, 200, number));
            for (int k = 0; k < 200; k++)
                assert_int_equal(number[k], byte_at(at + k));
        }
        /* And it grows at its end, not at what is left of it in 32 bits. */
        holes = false;
        uint32_t more[200];
        for (int k = 0; k < 200; k++)
            more[k] = byte_at(SIZE + k);
        assert_ok(ur__numbers_put(&a, 200, more, 63));
        assert_int_equal(a.n, SIZE + 200);
        assert_int_equal(spool_size, (SIZE + 200) * a.width);
        ur__numbers_free(&a);
        ur__file_set_ops(NULL);
    }
}

static void shuffle__reaches_all_of_a_large_text(void **state)
{
    (void)state;
    int64_t n = SIZE / 64, beyond = 0;
    for (int64_t i = 0; i < 1000; i++) {
        int64_t j = ur__shuffled(7, 1, SIZE, SIZE - 1 - i), k = ur__shuffled(7, 1, n, i);
        assert_true(j >= 0 && j < SIZE && k >= 0 && k < n);
        beyond += j >= (int64_t)1 << 32;
    }
    assert_true(beyond > 250 && beyond < 420);      /* a third */
}

/* ---- long: all of it --------------------------------------------------- */

static void check_stream(struct ur__corpus *c, int T, int B)
{
    struct ur__stream s;
    static int32_t in[65536], out[65536];
    assert_ok(ur__stream_init(&s, c, 5, SIZE - 5, T, B));
    assert_int_equal(s.row, (SIZE - 6) / B);
    const int64_t steps[] = {0, 1, s.steps / 3, s.steps / 2, s.steps - 1};
    for (int i = 0; i < 5; i++) {
        int t;
        assert_ok(ur__stream_batch(&s, steps[i], (struct ur__stream_rows){0, B}, in, out, &t));
        for (int k = 0; k < t * B; k++) {
            int64_t at = 5 + k % B * s.row + steps[i] * T + k / B;
            assert_int_equal(in[k], byte_at(at));
            assert_int_equal(out[k], byte_at(at + 1));
        }
    }
}

static void check_windows(struct ur__corpus *c)
{
    struct ur__windows w;
    static int32_t ids[4 * 64];
    int lengths[4], t;
    assert_ok(ur__windows_init(&w, c, 0, SIZE, 64));
    const int64_t which[4] = {w.n - 1, (int64_t)1 << 25, (int64_t)1 << 26, 3};
    assert_ok(ur__windows_read(&w, 4, which, ids, lengths, &t));
    assert_int_equal(lengths[0], SIZE % 64);
    for (int b = 0; b < 4; b++)
        for (int i = 0; i < lengths[b]; i++)
            assert_int_equal(ids[i * 4 + b], byte_at(which[b] * 64 + i));
}

static void corpus__of_six_billion_tokens(void **state)
{
    (void)state;
    struct ur__corpus *c;
    ur_vocab *v;
    const char *path = made_up;
    size_t before = ur_memory_used();
    if (!getenv("UNROLL_LARGE"))
        skip();
    spool_width = 1;
    holes = false;
    ur__file_set_ops(&ops);
    assert_ok(ur__corpus_open(&c, &path, 1, UR_TOKEN_BYTE, NULL, &v));
    assert_int_equal(ur__corpus_tokens(c), SIZE);
    assert_int_equal(ur__corpus_bytes(c), SIZE);
    assert_int_equal(ur__corpus_spooled(c), SIZE);
    assert_int_equal(ur_vocab_size(v), 64);
    assert_true(ur_memory_used() - before < 1 << 20);
    assert_true(ur_memory_peak() - before < 70 << 20);
    for (size_t i = 0; i < N_EDGES; i++) {
        int32_t id[200];
        int64_t at = edges[i] > 100 ? edges[i] - 100 : 0;
        assert_ok(ur__corpus_read(c, at, 200, id));
        for (int k = 0; k < 200; k++)
            assert_int_equal(id[k], byte_at(at + k));
    }
    check_stream(c, 64, 1);
    check_stream(c, 64, 3);
    check_stream(c, 50, 64);
    check_windows(c);
    ur__corpus_free(c);
    ur_vocab_free(v);
    ur__file_set_ops(NULL);
}

/* A step on it, and how well a piece at its very end is predicted. */
static void train__a_step_of_six_billion_tokens(void **state)
{
    (void)state;
    const char *path = made_up;
    if (!getenv("UNROLL_LARGE"))
        skip();
    ur_train_options o = run_of("lm", "tokens=byte layers=1 hidden=16");
    o.data = &path;
    o.n_data = 1;
    o.model = tmp_path("large.safetensors");
    o.batch = 64;
    o.val = 1e-6;
    o.steps = 1;
    spool_width = 1;
    holes = false;
    ur__file_set_ops(&ops);
    ur_status status = ur_train(&o, NULL, NULL);
    ur_model *m = NULL;
    ur_metrics metrics;
    ur_metrics_init(&metrics);
    ur_eval_options e = eval_of(&path, 1);
    e.held_out = true;
    if (status == UR_OK)
        status = ur_model_load(&m, o.model);
    if (status == UR_OK)
        status = ur_evaluate(m, &e, &metrics);
    ur__file_set_ops(NULL);
    assert_ok(status);
    double loss = ur_metrics_get(&metrics, "loss");
    assert_int_equal((int64_t)ur_metrics_get(&metrics, "n"), (int64_t)(SIZE * 1e-6) - 1);
    assert_true(loss > 3 && loss < 5);
    ur_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers__are_found_beyond_4_billion),
        cmocka_unit_test(shuffle__reaches_all_of_a_large_text),
        cmocka_unit_test(corpus__of_six_billion_tokens),
        cmocka_unit_test(train__a_step_of_six_billion_tokens),
    };
    return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
