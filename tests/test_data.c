/* SPDX-License-Identifier: MIT */
/* Vocabularies, corpora and streams: what is read, what is refused and where, and that
 * scratch files, block borders and file borders change nothing. */
#include "testing.h"

#include "base/mem.h"
#include "data/stream.h"
#include "io/file.h"
#include "support/gzip.h"

#define BLOCK 65536     /* of the reader: characters are put across its borders */

static const char *write_bytes(const char *name, const void *bytes, size_t n)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static const char *write_text(const char *text)
{
    return write_bytes("a.txt", text, strlen(text));
}

static ur_status open_one(struct ur__corpus **c, const char *path, ur_token_kind kind,
                          ur_vocab **built)
{
    return ur__corpus_open(c, &path, 1, kind, NULL, built);
}

/* All tokens of a corpus put back into text. */
static char *text_of(struct ur__corpus *c, const ur_vocab *v, size_t *size)
{
    int64_t n = ur__corpus_tokens(c);
    int32_t *ids = malloc((size_t)n * sizeof *ids);
    char *text = malloc((size_t)n * 4 + 1);
    assert_true(ids && text);
    assert_ok(ur__corpus_read(c, 0, n, ids));
    *size = 0;
    for (int64_t i = 0; i < n; i++) {
        size_t length;
        const char *token = ur_vocab_text(v, ids[i], &length);
        assert_in_range(length, 1, 4);
        memcpy(text + *size, token, length);
        *size += length;
    }
    text[*size] = '\0';
    free(ids);
    return text;
}

/* Reads a file and compares its tokens' text with its bytes. */
static void check_reads_back(const char *path, ur_token_kind kind, const char *bytes, size_t n)
{
    struct ur__corpus *c;
    ur_vocab *v;
    size_t size;
    assert_ok(open_one(&c, path, kind, &v));
    char *text = text_of(c, v, &size);
    assert_int_equal(size, n);
    assert_memory_equal(text, bytes, n);
    assert_int_equal(ur__corpus_bytes(c), n);
    assert_int_equal(ur__corpus_crc(c), ur__crc32(0, bytes, n));
    free(text);
    ur__corpus_free(c);
    ur_vocab_free(v);
}

static void expect_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

/* ---- vocabularies ------------------------------------------------------ */

static void vocab__numbers_follow_codes(void **state)
{
    (void)state;
    const uint32_t codes[] = {'\n', 'a', 'b', 0xe9, 0x4e2d, 0x1f600};
    ur_vocab *v;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 6, codes));
    assert_int_equal(ur_vocab_size(v), 6);
    for (int i = 0; i < 6; i++) {
        int32_t id;
        size_t count, n;
        const char *text = ur_vocab_text(v, i, &n);
        assert_int_equal(ur__vocab_find(v, codes[i]), i);
        assert_ok(ur_vocab_encode(v, text, n, &id, &count));
        assert_int_equal(count, 1);
        assert_int_equal(id, i);
    }
    size_t none;
    assert_null(ur_vocab_text(v, -1, &none));
    assert_null(ur_vocab_text(v, 6, &none));
    assert_int_equal(none, 0);
    assert_int_equal(ur_vocab_unknown(v), -1);
    assert_int_equal(ur_vocab_line_end(v), 0);
    assert_int_equal(ur__vocab_find(v, 'c'), -1);
    assert_int_equal(ur__vocab_find(v, 0x4e2e), -1);
    assert_int_equal(ur__vocab_find(v, 0x10ffff), -1);
    ur_vocab_free(v);
    ur_vocab_free(NULL);
}

static void vocab__rejects_impossible_codes(void **state)
{
    (void)state;
    static uint32_t many[UR__VOCAB_MAX + 1];
    ur_vocab *v;
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, 0, many));
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, UR__VOCAB_MAX + 1, many));
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, 2, (uint32_t[]){2, 2}));
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, 2, (uint32_t[]){3, 2}));
    expect_message("code 2 of token 1 follows 3: codes must ascend");
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, 1, (uint32_t[]){0xd800}));
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_CHAR, 1, (uint32_t[]){0x110000}));
    assert_status(UR_EFORMAT, ur__vocab_new(&v, UR_TOKEN_BYTE, 1, (uint32_t[]){256}));
    assert_status(UR_EINVAL, ur__vocab_new(&v, (ur_token_kind)7, 1, (uint32_t[]){1}));
    assert_null(v);
}

static void vocab__encode_names_character_and_place(void **state)
{
    (void)state;
    const uint32_t codes[] = {' ', 'a', 'b'};
    ur_vocab *v;
    int32_t ids[64];
    size_t n;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 3, codes));
    assert_ok(ur_vocab_encode(v, "ab a", 4, ids, &n));
    assert_int_equal(n, 4);
    assert_int_equal(ids[2], 0);
    assert_ok(ur_vocab_encode(v, "", 0, ids, &n));
    assert_int_equal(n, 0);
    assert_status(UR_EINVAL, ur_vocab_encode(v, "aaaa bbb aa \xc3\xa9", 14, ids, &n));
    expect_message("character \"\xc3\xa9\" (U+00E9) at byte 12 is not in the model's vocabulary");
    assert_status(UR_EINVAL, ur_vocab_encode(v, "a\n", 2, ids, &n));
    expect_message("character U+000A at byte 1");
    assert_status(UR_EINVAL, ur_vocab_encode(v, "ab\xff", 3, ids, &n));
    expect_message("malformed UTF-8 at byte 2 (0xFF)");
    assert_status(UR_EINVAL, ur_vocab_encode(v, "ab\xe4\xb8", 4, ids, &n));
    expect_message("within the UTF-8 character at byte 2");
    ur_vocab_free(v);
    assert_ok(ur__vocab_new(&v, UR_TOKEN_BYTE, 3, codes));
    assert_status(UR_EINVAL, ur_vocab_encode(v, "ab\xe9", 3, ids, &n));
    expect_message("byte 0xE9 at byte 2");
    ur_vocab_free(v);
}

static void token_kind__has_names(void **state)
{
    (void)state;
    ur_token_kind kind;
    assert_string_equal(ur_token_kind_name(UR_TOKEN_BYTE), "byte");
    assert_null(ur_token_kind_name((ur_token_kind)4));
    assert_true(ur_token_kind_find("byte", &kind) && kind == UR_TOKEN_BYTE);
    assert_true(ur_token_kind_find("char", &kind));
    assert_int_equal(kind, UR_TOKEN_CHAR);
    assert_false(ur_token_kind_find("chars", &kind));
}

/* ---- corpora ----------------------------------------------------------- */

static void corpus__bytes_take_anything(void **state)
{
    (void)state;
    unsigned char all[512];
    for (int i = 0; i < 512; i++)
        all[i] = (unsigned char)(255 - 3 * i % 256);
    const char *path = write_bytes("bytes", all, sizeof all);
    check_reads_back(path, UR_TOKEN_BYTE, (const char *)all, sizeof all);
    struct ur__corpus *c;
    ur_vocab *v;
    assert_status(UR_EDATA, open_one(&c, path, UR_TOKEN_CHAR, &v));
    assert_null(c);
    assert_null(v);
    expect_message("at byte 0 (0xFF); the token kind byte");
}

/* Every length of character at every place near a block's border. */
static void corpus__joins_characters_over_block_borders(void **state)
{
    (void)state;
    static const char *const chars[] = {"\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};
    static char text[2 * BLOCK + 16];
    for (int kind = 0; kind < 3; kind++) {
        size_t length = strlen(chars[kind]);
        for (size_t back = 0; back <= length; back++) {
            memset(text, 'x', sizeof text);
            memcpy(text + BLOCK - back, chars[kind], length);
            memcpy(text + 2 * BLOCK - back, chars[kind], length);
            size_t n = 2 * BLOCK - back + length;   /* the text ends with it */
            check_reads_back(write_bytes("border", text, n), UR_TOKEN_CHAR, text, n);
        }
    }
}

static void corpus__names_place_of_malformed_utf8(void **state)
{
    (void)state;
    static char text[BLOCK + 64];
    static const struct { const char *bad; size_t at; } cases[] = {
        {"\x80", 0},                /* stray continuation */
        {"\xc0\xaf", 0},            /* overlong */
        {"\xed\xa0\x80", 0},        /* surrogate */
        {"\xf4\x90\x80\x80", 0},    /* above U+10FFFF */
        {"\xe4\xb8z", 0},           /* broken off */
        {"\xc3\xa9\xff", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t at = BLOCK - 4; at < BLOCK + 3; at++) {
            struct ur__corpus *c;
            ur_vocab *v;
            char want[64];
            memset(text, 'x', sizeof text);
            memcpy(text + at, cases[i].bad, strlen(cases[i].bad));
            const char *path = write_bytes("bad", text, sizeof text);
            assert_status(UR_EDATA, open_one(&c, path, UR_TOKEN_CHAR, &v));
            snprintf(want, sizeof want, "malformed UTF-8 at byte %zu ", at + cases[i].at);
            expect_message(want);
            expect_message(path);
        }
    }
}

static void corpus__files_do_not_join_characters(void **state)
{
    (void)state;
    struct ur__corpus *c;
    ur_vocab *v;
    const char *paths[2];
    paths[0] = write_text("ab\xc3");
    paths[1] = write_text("\xa9z");
    assert_status(UR_EDATA, ur__corpus_open(&c, paths, 2, UR_TOKEN_CHAR, NULL, &v));
    expect_message(paths[0]);
    expect_message("ends within the UTF-8 character at byte 2");
    paths[0] = write_text("ab");
    assert_status(UR_EDATA, ur__corpus_open(&c, paths, 2, UR_TOKEN_CHAR, NULL, &v));
    expect_message(paths[1]);
    expect_message("at byte 0");
}

static void corpus__reads_several_files_as_one(void **state)
{
    (void)state;
    const char *paths[3];
    struct ur__corpus *c;
    ur_vocab *v;
    size_t size;
    paths[0] = write_text("first\n");
    paths[1] = write_text("");
    paths[2] = write_text("zweit\xc3\xa9\n");
    assert_ok(ur__corpus_open(&c, paths, 3, UR_TOKEN_CHAR, NULL, &v));
    char *text = text_of(c, v, &size);
    assert_string_equal(text, "first\nzweit\xc3\xa9\n");
    assert_int_equal(ur__corpus_bytes(c), size);
    assert_int_equal(ur__corpus_crc(c), ur__crc32(0, text, size));
    free(text);
    ur__corpus_free(c);
    ur_vocab_free(v);
}

static void corpus__inflates_gzip(void **state)
{
    (void)state;
    static char text[3 * BLOCK];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    const char *path = tmp_path("text.gz");
    gzip_file(path, text, sizeof text);
    check_reads_back(path, UR_TOKEN_CHAR, text, sizeof text);
}

static void corpus__refuses_empty_and_missing(void **state)
{
    (void)state;
    struct ur__corpus *c;
    ur_vocab *v;
    assert_status(UR_EDATA, open_one(&c, write_text(""), UR_TOKEN_CHAR, &v));
    expect_message("empty");
    /* Nothing at all is kept before the failure. */
    assert_status(UR_EDATA, open_one(&c, write_text("\xe4"), UR_TOKEN_CHAR, &v));
    expect_message("ends within the UTF-8 character at byte 0");
    const char *two[] = {write_text(""), write_text("")};
    assert_status(UR_EDATA, ur__corpus_open(&c, two, 2, UR_TOKEN_CHAR, NULL, &v));
    assert_status(UR_EINPUT, open_one(&c, tmp_path("missing"), UR_TOKEN_CHAR, &v));
    assert_status(UR_EINVAL, ur__corpus_open(&c, two, 0, UR_TOKEN_CHAR, NULL, &v));
    assert_status(UR_EINVAL, ur__corpus_open(&c, two, 1, UR_TOKEN_CHAR, NULL, NULL));
    assert_status(UR_EINVAL, ur__corpus_open(&c, two, 1, (ur_token_kind)9, NULL, &v));
    assert_null(c);
}

static void corpus__uses_a_given_vocabulary(void **state)
{
    (void)state;
    struct ur__corpus *c;
    ur_vocab *v;
    size_t size;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 4, (uint32_t[]){'a', 'b', 'c', 0xe9}));
    const char *path = write_text("cab\xc3\xa9" "b");
    assert_ok(ur__corpus_open(&c, &path, 1, UR_TOKEN_CHAR, v, NULL));
    char *text = text_of(c, v, &size);
    assert_string_equal(text, "cab\xc3\xa9" "b");
    free(text);
    ur__corpus_free(c);
    path = write_text("ab\xc3\xa9" "d");
    assert_status(UR_EDATA, ur__corpus_open(&c, &path, 1, UR_TOKEN_CHAR, v, NULL));
    expect_message(path);
    expect_message("character \"d\" (U+0064) at byte 4 is not in the model's vocabulary");
    assert_status(UR_EINVAL, ur__corpus_open(&c, &path, 1, UR_TOKEN_BYTE, v, NULL));
    ur_vocab_free(v);
}

/* n different characters, each twice, the second time in reverse. */
static char *many_characters(int n, size_t *size)
{
    char *text = malloc((size_t)n * 8);
    assert_non_null(text);
    *size = 0;
    for (int i = 0; i < 2 * n; i++) {
        uint32_t code = (uint32_t)(i < n ? i : 2 * n - 1 - i) + 0x20;
        if (code >= 0xd800)
            code += 0x800;
        unsigned char c[4];
        int length = 1;
        if (code < 0x80) {
            c[0] = (unsigned char)code;
        } else if (code < 0x800) {
            length = 2;
            c[0] = (unsigned char)(0xc0 | code >> 6);
        } else if (code < 0x10000) {
            length = 3;
            c[0] = (unsigned char)(0xe0 | code >> 12);
            c[1] = (unsigned char)(0x80 | (code >> 6 & 63));
        } else {
            length = 4;
            c[0] = (unsigned char)(0xf0 | code >> 18);
            c[1] = (unsigned char)(0x80 | (code >> 12 & 63));
            c[2] = (unsigned char)(0x80 | (code >> 6 & 63));
        }
        if (length > 1)
            c[length - 1] = (unsigned char)(0x80 | (code & 63));
        memcpy(text + *size, c, (size_t)length);
        *size += (size_t)length;
    }
    return text;
}

static void corpus__widens_at_the_257th_character(void **state)
{
    (void)state;
    static const int counts[] = {255, 256, 257, 20000, 65536};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int spooled = 0; spooled < 2; spooled++) {
            size_t size;
            char *text = many_characters(counts[i], &size);
            ur__numbers_set_spool_at(spooled ? 100 : 0);
            check_reads_back(write_bytes("many", text, size), UR_TOKEN_CHAR, text, size);
            ur__numbers_set_spool_at(0);
            free(text);
        }
    }
    struct ur__corpus *c;
    ur_vocab *v;
    size_t size;
    char *text = many_characters(65537, &size);
    assert_status(UR_EDATA, open_one(&c, write_bytes("more", text, size), UR_TOKEN_CHAR, &v));
    expect_message("one too many for a vocabulary of 65536");
    free(text);
}

static void corpus__spool_and_memory_are_equal(void **state)
{
    (void)state;
    size_t size;
    char *many = many_characters(300, &size);
    static char text[5 * BLOCK];
    memset(text, 'q', sizeof text);     /* the 257th character comes when some are spooled */
    memcpy(text + 3 * BLOCK + 7, many, size);
    const char *path = write_bytes("spool", text, sizeof text);
    struct ur__corpus *a, *b;
    ur_vocab *u, *v;
    assert_ok(open_one(&a, path, UR_TOKEN_CHAR, &u));
    ur__numbers_set_spool_at(BLOCK + 1);
    assert_ok(open_one(&b, path, UR_TOKEN_CHAR, &v));
    ur__numbers_set_spool_at(0);
    int64_t n = ur__corpus_tokens(a);
    assert_int_equal(n, ur__corpus_tokens(b));
    assert_int_equal(ur_vocab_size(u), ur_vocab_size(v));
    static int32_t x[20000], y[20000];
    for (int64_t at = 0; at < n; at += 17777) {
        int64_t take = n - at < 20000 ? n - at : 20000;
        assert_ok(ur__corpus_read(a, at, take, x));
        assert_ok(ur__corpus_read(b, at, take, y));
        assert_memory_equal(x, y, (size_t)take * sizeof *x);
    }
    assert_ok(ur__corpus_read(a, n, 0, x));
    char want[100];
    snprintf(want, sizeof want, "corpus: tokens %lld to %lld of %lld", (long long)n,
             (long long)n + 1, (long long)n);
    assert_status(UR_EINVAL, ur__corpus_read(a, n, 1, x));
    expect_message(want);
    assert_status(UR_EINVAL, ur__corpus_read(a, -1, 1, x));
    ur__corpus_free(a);
    ur__corpus_free(b);
    ur_vocab_free(u);
    ur_vocab_free(v);
    free(many);
}

/* ---- words without end --------------------------------------------------- */

/* The words that come first are known, however many others follow. */
static void corpus__holds_a_bounded_number_of_words(void **state)
{
    (void)state;
    static char text[40000 * 8];
    struct ur__corpus *c;
    ur_vocab *v;
    size_t n = 0;
    for (int i = 0; i < 40000; i++)
        n += (size_t)snprintf(text + n, 16, i % 2 ? "w%d " : "all ", i);
    const char *path = write_bytes("words", text, n);
    assert_ok(open_one(&c, path, UR_TOKEN_WORD, &v));
    assert_int_equal(ur_vocab_size(v), 2 + 1 + 20000);
    ur__corpus_free(c);
    ur_vocab_free(v);
    ur__corpus_set_most_words(1000);
    ur_status status = open_one(&c, path, UR_TOKEN_WORD, &v);
    ur__corpus_set_most_words(0);
    assert_ok(status);
    assert_int_equal(ur_vocab_size(v), 1000);
    assert_int_equal(ur__corpus_tokens(c), 40000);
    int64_t unknown;
    assert_ok(ur__corpus_unknown(c, 0, 40000, &unknown));
    assert_int_equal(unknown, 20000 - 997);
    int32_t all = ur__vocab_find_word(v, "all", 3), ids[40000];
    assert_ok(ur__corpus_read(c, 0, 40000, ids));
    for (int i = 0; i < 40000; i += 2)
        assert_int_equal(ids[i], all);
    assert_int_equal(ids[1], ur__vocab_find_word(v, "w1", 2));
    assert_int_equal(ids[39999], UR__UNKNOWN);
    ur__corpus_free(c);
    ur_vocab_free(v);
}

/* ---- files that change ------------------------------------------------- */

static const char *changing;
static long changes_to;

/* Once something has been read the file gets another size. */
static long read_and_change(int fd, void *to, size_t n)
{
    long got = (long)read(fd, to, n);
    if (changing) {
        assert_int_equal(truncate(changing, changes_to), 0);
        changing = NULL;
    }
    return got;
}

static void corpus__refuses_a_file_that_changes(void **state)
{
    (void)state;
    static char text[5 * BLOCK];
    static const struct { long to; ur_status status; const char *what; } cases[] = {
        {2 * BLOCK + 7, UR_EINPUT, "it had 327680 bytes and has given 131079"},
        {0, UR_EINPUT, "it had 327680 bytes and has given 65536"},
        {7 * BLOCK, UR_EINPUT, "it had 327680 bytes and has given 458752"},
        {5 * BLOCK, UR_OK, NULL},
    };
    const struct ur__file_ops ops = {.read = read_and_change};
    memset(text, 'q', sizeof text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ur__corpus *c;
        ur_vocab *v;
        const char *path = write_bytes("changing", text, sizeof text);
        changing = path;
        changes_to = cases[i].to;
        ur__file_set_ops(&ops);
        ur_status status = open_one(&c, path, UR_TOKEN_BYTE, &v);
        ur__file_set_ops(NULL);
        assert_int_equal(status, cases[i].status);
        if (cases[i].what) {
            expect_message("changes while it is read");
            expect_message(path);
            expect_message(cases[i].what);
        }
        ur__corpus_free(c);
        ur_vocab_free(v);
    }
}

/* ---- streams ----------------------------------------------------------- */

static void check_covers(struct ur__corpus *c, int64_t begin, int64_t tokens, int T, int B)
{
    struct ur__stream s;
    static int32_t in[4096], out[4096];
    static int seen[4096];
    memset(seen, 0, sizeof seen);
    assert_ok(ur__stream_init(&s, c, begin, tokens, T, B));
    assert_int_equal(s.row, (tokens - 1) / B);
    int64_t steps = 0, done = 0;
    for (int64_t step = 0; step < s.steps; step++, steps++) {
        int t;
        assert_ok(ur__stream_batch(&s, step, (struct ur__stream_rows){0, B}, in, out, &t));
        assert_in_range(t, 1, T);
        if (step + 1 < s.steps)
            assert_int_equal(t, T);
        for (int i = 0; i < t; i++) {
            for (int b = 0; b < B; b++) {
                int64_t at = begin + b * s.row + done + i;
                /* Token k of this corpus is k. */
                assert_int_equal(in[i * B + b], at);
                assert_int_equal(out[i * B + b], at + 1);
                seen[at + 1]++;
            }
        }
        done += t;
    }
    assert_int_equal(done, s.row);
    for (int64_t k = 0; k < 4096; k++) {
        bool inside = k > begin && k <= begin + B * s.row;
        assert_int_equal(seen[k], inside);
    }
    /* Any rows of it, by themselves. */
    for (int b0 = 0; b0 <= B; b0++) {
        static int32_t part[4096], next[4096];
        int b1 = b0 + (B - b0 + 1) / 2, n, m;
        assert_ok(ur__stream_batch(&s, 0, (struct ur__stream_rows){0, B}, in, out, &n));
        assert_ok(ur__stream_batch(&s, 0, (struct ur__stream_rows){b0, b1}, part, next, &m));
        assert_int_equal(n, m);
        for (int i = 0; i < n; i++)
            for (int b = b0; b < b1; b++) {
                assert_int_equal(part[i * (b1 - b0) + b - b0], in[i * B + b]);
                assert_int_equal(next[i * (b1 - b0) + b - b0], out[i * B + b]);
            }
    }
    int t = 9;
    const struct ur__stream_rows all = {0, B};
    assert_status(UR_EINVAL, ur__stream_batch(&s, s.steps, all, in, out, &t));
    assert_int_equal(t, 0);
    assert_status(UR_EINVAL, ur__stream_batch(&s, -1, all, in, out, &t));
}

static struct ur__corpus *counting_corpus(ur_vocab **v)
{
    struct ur__corpus *c;
    size_t size;
    char *text = many_characters(4000, &size);
    assert_ok(open_one(&c, write_bytes("count", text, size), UR_TOKEN_CHAR, v));
    free(text);
    return c;
}

static void stream__covers_each_prediction_once(void **state)
{
    (void)state;
    ur_vocab *v;
    struct ur__corpus *c = counting_corpus(&v);
    for (int B = 1; B <= 7; B++) {
        for (int T = 1; T <= 65; T = 2 * T + 1)
            check_covers(c, 0, 301, T, B);
    }
    check_covers(c, 17, 2, 64, 1);
    check_covers(c, 17, 8, 64, 7);
    check_covers(c, 100, 3000, 4000, 1);    /* a row longer than a piece */
    check_covers(c, 3, 3997, 1024, 3);
    ur__corpus_free(c);
    ur_vocab_free(v);
}

static void stream__says_what_would_fit(void **state)
{
    (void)state;
    ur_vocab *v;
    struct ur__corpus *c = counting_corpus(&v);
    struct ur__stream s;
    assert_status(UR_EDATA, ur__stream_init(&s, c, 0, 7, 4, 7));
    expect_message("7 tokens");
    expect_message("at most 6");
    assert_status(UR_EDATA, ur__stream_init(&s, c, 0, 1, 4, 1));
    expect_message("the text is too short: 1 token, and a prediction needs 2");
    assert_status(UR_EDATA, ur__stream_init(&s, c, 0, 0, 4, 1));
    assert_status(UR_EINVAL, ur__stream_init(&s, c, 0, 100, 0, 1));
    assert_status(UR_EINVAL, ur__stream_init(&s, c, 0, 100, 4, 0));
    assert_status(UR_EINVAL, ur__stream_init(&s, c, 7990, 11, 4, 1));
    assert_status(UR_EINVAL, ur__stream_init(&s, c, -1, 10, 4, 1));
    ur__corpus_free(c);
    ur_vocab_free(v);
}

/* ---- failing memory ---------------------------------------------------- */

static void corpus__survives_any_failed_allocation(void **state)
{
    (void)state;
    size_t size;
    char *text = many_characters(400, &size);
    const char *path = write_bytes("oom", text, size);
    free(text);
    for (int spooled = 0; spooled < 2; spooled++) {
        ur__numbers_set_spool_at(spooled ? 64 : 0);
        ur_status status = UR_ENOMEM;
        long blocks = ur__mem_blocks(), n = 0;
        while (status != UR_OK) {
            struct ur__corpus *c;
            ur_vocab *v;
            ur__mem_fail_at(++n, false);
            status = open_one(&c, path, UR_TOKEN_CHAR, &v);
            ur__mem_fail_at(0, false);
            if (status != UR_OK) {
                assert_int_equal(status, UR_ENOMEM);
                assert_null(c);
                assert_null(v);
            }
            ur__corpus_free(c);
            ur_vocab_free(v);
            assert_int_equal(ur__mem_blocks(), blocks);
        }
        assert_true(n > 5);
    }
    ur__numbers_set_spool_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocab__numbers_follow_codes),
        cmocka_unit_test(vocab__rejects_impossible_codes),
        cmocka_unit_test(vocab__encode_names_character_and_place),
        cmocka_unit_test(token_kind__has_names),
        cmocka_unit_test(corpus__bytes_take_anything),
        cmocka_unit_test(corpus__joins_characters_over_block_borders),
        cmocka_unit_test(corpus__names_place_of_malformed_utf8),
        cmocka_unit_test(corpus__files_do_not_join_characters),
        cmocka_unit_test(corpus__reads_several_files_as_one),
        cmocka_unit_test(corpus__inflates_gzip),
        cmocka_unit_test(corpus__refuses_empty_and_missing),
        cmocka_unit_test(corpus__uses_a_given_vocabulary),
        cmocka_unit_test(corpus__widens_at_the_257th_character),
        cmocka_unit_test(corpus__spool_and_memory_are_equal),
        cmocka_unit_test(corpus__holds_a_bounded_number_of_words),
        cmocka_unit_test(corpus__refuses_a_file_that_changes),
        cmocka_unit_test(stream__covers_each_prediction_once),
        cmocka_unit_test(stream__says_what_would_fit),
        cmocka_unit_test(corpus__survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
