/* SPDX-License-Identifier: MIT */
/* What text files have besides text: byte order marks, line ends of other systems; and files
 * of other kinds, which are told and refused with the right advice. */
#include "test_io.h"

#include "data/corpus.h"
#include "io/plain_text.h"

#define LITERAL(s) s, sizeof(s) - 1

static const ur_token_kind kinds[] = {UR_TOKEN_BYTE, UR_TOKEN_CHAR, UR_TOKEN_WORD,
                                      UR_TOKEN_WORDPUNCT};

/* ---- files of other kinds ---------------------------------------------- */

#define DADA "\x34\x04\x30\x04\x34\x04\x30\x04 \0"

static const struct foreign {
    const char *head;
    size_t n;
    const char *what, *advice;
} foreign[] = {
    {LITERAL("\xff\xfeh\0i\0"), "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | unroll ... -"},
    {LITERAL("\xfe\xff\0h\0i"), "UTF-16", "iconv -f UTF-16 -t UTF-8 "},
    {LITERAL("\xff\xfe\0\0h\0\0\0"), "UTF-32", "iconv -f UTF-32 -t UTF-8 "},
    {LITERAL("\0\0\xfe\xff\0\0\0h"), "UTF-32", "iconv -f UTF-32 -t UTF-8 "},
    {LITERAL("h\0e\0l\0l\0o\0 \0"), "UTF-16", "iconv -f UTF-16LE -t UTF-8 "},
    {LITERAL("\0h\0e\0l\0l\0o\0 "), "UTF-16", "iconv -f UTF-16BE -t UTF-8 "},
    /* Cyrillic has zeros at blanks alone. */
    {LITERAL(DADA DADA DADA DADA DADA DADA DADA DADA),
     "UTF-16", "iconv -f UTF-16LE -t UTF-8 "},
    {LITERAL("h\0\0\0i\0\0\0"), "UTF-32", "iconv -f UTF-32LE -t UTF-8 "},
    {LITERAL("\0\0\0h\0\0\0i\0\0\4\x4f"), "UTF-32", "iconv -f UTF-32BE -t UTF-8 "},
    {LITERAL("BZh91AY&SY\x94"), "bzip2", "bzip2 -dc FILE | unroll ... -"},
    {LITERAL("BZh9\x17\x72\x45\x38\x50\x90"), "bzip2", "bzip2 -dc FILE"},
    {LITERAL("\xfd" "7zXZ\0\0"), "xz", "xz -dc FILE | unroll ... -"},
    {LITERAL("\x28\xb5\x2f\xfd\x24"), "zstd", "zstd -dc FILE"},
    {LITERAL("\x04\x22\x4d\x18"), "lz4", "lz4 -dc FILE"},
    {LITERAL("\x1f\x9d\x90"), "compress", "gzip -dc FILE"},
    {LITERAL("7z\xbc\xaf\x27\x1c\0"), "7z", "7z x -so FILE"},
    {LITERAL("Rar!\x1a\x07\0"), "RAR", "unrar p -inul FILE"},
    {LITERAL("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.txt"), "zip",
     "unzip -p FILE"},
    {LITERAL("PK\x05\x06"), "zip", "unzip -p FILE"},
    {LITERAL("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0"
             "[Content_Types].xml"), "Word", "pandoc -f docx "},
    {LITERAL("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "Word", "catdoc FILE"},
    {LITERAL("%PDF-1.7\n%\xe2\xe3"), "PDF", "pdftotext FILE - | unroll ... -"},
};

static void foreign__files_are_refused_with_their_own_advice(void **state)
{
    (void)state;
    size_t count = sizeof foreign / sizeof *foreign;
    for (size_t i = 0; i < count; i++) {
        const struct foreign *f = &foreign[i];
        const char *path = tmp_path("foreign");
        put_file(path, f->head, f->n);
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct ur__corpus *c;
            ur_vocab *v;
            ur_status status = ur__corpus_open(&c, &path, 1, kinds[k], NULL, &v);
            if (kinds[k] == UR_TOKEN_BYTE) {    /* what was asked for, but it is said */
                assert_int_equal(status, UR_OK);
                assert_int_equal(ur__corpus_tokens(c), f->n);
                assert_non_null(strstr(ur__corpus_note(c), f->what));
                ur__corpus_free(c);
                ur_vocab_free(v);
                continue;
            }
            if (status != UR_EDATA || !strstr(ur_errmsg(), f->what)
                || !strstr(ur_errmsg(), f->advice) || !strstr(ur_errmsg(), path)
                || strstr(ur_errmsg(), "token kind byte"))
                fail_msg("head %zu: %s, %s", i, ur_status_name(status), ur_errmsg());
        }
    }
    print_message("%zu beginnings, %zu kinds of token\n", count, sizeof kinds / sizeof *kinds);
}

static void foreign__tar_is_told_by_its_magic(void **state)
{
    (void)state;
    char head[512] = "folder/file.txt";
    memcpy(head + 257, "ustar\0" "00", 8);
    assert_string_equal(ur__text_foreign(head, sizeof head), "tar");
    memcpy(head + 257, "ustar  \0", 8);
    assert_string_equal(ur__text_foreign(head, sizeof head), "tar");
    assert_null(ur__text_foreign(head, 260));
}

/* Of a signature each shorter part is a text like any other, if it is one at all. */
static void foreign__texts_are_left_alone(void **state)
{
    (void)state;
    static const struct { const char *text; size_t n; } texts[] = {
        {LITERAL("")}, {LITERAL("B")}, {LITERAL("BZh9 is how it begins")}, {LITERAL("PK in Paris")},
        {LITERAL("%PDF- is a magic")}, {LITERAL("7zip")}, {LITERAL("Rar! said the crow")},
        {LITERAL("one\0two\0three\0four\0")}, {LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0")},
        {LITERAL("a\0b\0")}, {LITERAL("\xef\xbb\xbf" "BZh91AY&SY")},
        {LITERAL("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82")},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (ur__text_foreign(texts[i].text, texts[i].n))
            fail_msg("text %zu is taken for %s", i, ur__text_foreign(texts[i].text, texts[i].n));
        assert_ok(ur__text_check("it", texts[i].text, texts[i].n));
    }
}

/* ---- line ends --------------------------------------------------------- */

static const char mixed[] = "\r\na\r\n\r\rb\n\r\n\nc\rd\r";

static void line_ends__become_lf_however_a_text_is_cut(void **state)
{
    (void)state;
    static const char want[] = "\na\n\n\nb\n\n\nc\nd\n";
    size_t n = sizeof mixed - 1;
    for (size_t first = 0; first <= n; first++) {
        for (size_t second = first; second <= n; second++) {
            const size_t cut[] = {0, first, second, n};
            struct ur__line_ends ends = {.to_lf = true};
            char got[sizeof mixed];
            size_t size = 0;
            for (int i = 0; i < 3; i++) {
                size_t piece = cut[i + 1] - cut[i];
                memcpy(got + size, mixed + cut[i], piece);
                ur__line_ends_put(&ends, got + size, &piece);
                size += piece;
            }
            assert_int_equal(size, sizeof want - 1);
            assert_memory_equal(got, want, size);
            assert_int_equal(ends.crlf, 3);
            assert_int_equal(ends.cr, 7);
        }
    }
}

static void line_ends__are_counted_and_kept(void **state)
{
    (void)state;
    struct ur__line_ends ends = {0};
    char got[sizeof mixed];
    size_t n = sizeof mixed - 1;
    memcpy(got, mixed, n);
    ur__line_ends_put(&ends, got, &n);
    assert_int_equal(n, sizeof mixed - 1);
    assert_memory_equal(got, mixed, n);
    assert_int_equal(ends.crlf, 3);
    assert_int_equal(ends.cr, 7);
}

static void clean__takes_the_mark_and_checks(void **state)
{
    (void)state;
    char text[] = "\xef\xbb\xbf" "a\r\n\xef\xbb\xbf";     /* one at the start, one that stays */
    size_t n = sizeof text - 1;
    assert_ok(ur__text_clean("it", false, text, &n));
    assert_int_equal(n, 6);
    assert_memory_equal(text, "a\r\n\xef\xbb\xbf", n);
    assert_ok(ur__text_clean("it", true, text, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(text, "a\n\xef\xbb\xbf", n);
    char wide[] = "\xff\xfe" "a\0";
    n = sizeof wide - 1;
    assert_status(UR_EDATA, ur__text_clean("it", true, wide, &n));
    n = 0;
    assert_ok(ur__text_clean("it", true, wide, &n));
    assert_int_equal(n, 0);
}

/* ---- in a corpus ------------------------------------------------------- */

/* The tokens' text of files read by a rule. */
static void expect_corpus(const char *const *paths, int n_paths, struct ur__text_rule rule,
                          const char *want, const char *note)
{
    struct ur__corpus *c;
    ur_vocab *v;
    int32_t ids[64];
    char got[256] = "";
    size_t size = 0;
    rule.words.min_count = 1;
    assert_ok(ur__corpus_open_rule(&c, paths, n_paths, &rule, &v));
    int64_t tokens = ur__corpus_tokens(c);
    assert_in_range(tokens, 1, 64);
    assert_ok(ur__corpus_read(c, 0, tokens, ids));
    for (int64_t i = 0; i < tokens; i++) {
        size_t n;
        const char *text = ur_vocab_text(v, ids[i], &n);
        size += (size_t)snprintf(got + size, sizeof got - size, "%.*s%s", (int)n, text,
                                 rule.kind >= UR_TOKEN_WORD ? "|" : "");
    }
    assert_string_equal(got, want);
    if (note == NULL)
        assert_null(ur__corpus_note(c));
    else if (ur__corpus_note(c) == NULL || strstr(ur__corpus_note(c), note) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", note, ur__corpus_note(c));
    ur__corpus_free(c);
    ur_vocab_free(v);
}

static const char *text_file(const char *text, size_t n)
{
    const char *path = tmp_path("a.txt");
    put_file(path, text, n);
    return path;
}

static void corpus__skips_the_mark_of_each_file(void **state)
{
    (void)state;
    const char text[] = "\xef\xbb\xbf" "a b\n";
    const char *paths[2] = {text_file(LITERAL(text)), text_file(LITERAL(text))};
    const struct ur__text_rule chars = {.kind = UR_TOKEN_CHAR};
    expect_corpus(paths, 2, chars, "a b\na b\n", NULL);
    expect_corpus(paths, 2, (struct ur__text_rule){.kind = UR_TOKEN_WORD},
                  "a|b|</s>|a|b|</s>|", NULL);
    expect_corpus(paths, 1, (struct ur__text_rule){.kind = UR_TOKEN_BYTE}, text, NULL);
    struct ur__corpus *c;
    ur_vocab *v;
    /* Identity is that of the files. */
    assert_ok(ur__corpus_open(&c, paths, 1, UR_TOKEN_CHAR, NULL, &v));
    assert_int_equal(ur__corpus_bytes(c), sizeof text - 1);
    assert_int_equal(ur__corpus_crc(c), ur__crc32(0, text, sizeof text - 1));
    ur__corpus_free(c);
    ur_vocab_free(v);
    paths[0] = text_file(LITERAL("\xef\xbb\xbf"));
    assert_status(UR_EDATA, ur__corpus_open(&c, paths, 1, UR_TOKEN_CHAR, NULL, &v));
    assert_non_null(strstr(ur_errmsg(), "the file is empty"));
}

static void corpus__keeps_line_ends_and_says_so(void **state)
{
    (void)state;
    const char *paths[3] = {text_file(LITERAL("a\n")), text_file(LITERAL("b\r\nc\r\n")),
                            text_file(LITERAL("d\re"))};
    const struct ur__text_rule chars = {.kind = UR_TOKEN_CHAR}, words = {.kind = UR_TOKEN_WORD};
    const struct ur__text_rule bytes = {.kind = UR_TOKEN_BYTE};
    char note[512];
    expect_corpus(paths, 1, chars, "a\n", NULL);
    snprintf(note, sizeof note, "%s: 2 line ends are CRLF and kept", paths[1]);
    expect_corpus(paths, 2, chars, "a\nb\r\nc\r\n", note);
    snprintf(note, sizeof note, "%s and 1 other file: 3 line ends are CRLF or CR and", paths[1]);
    expect_corpus(paths, 3, chars, "a\nb\r\nc\r\nd\re", note);
    /* Between words CRLF is a line's end like LF, and CR a blank. */
    expect_corpus(paths, 2, words, "a|</s>|b|</s>|c|</s>|", NULL);
    expect_corpus(paths + 2, 1, words, "d|e|", "1 line end is CR and kept");
    expect_corpus(paths, 3, bytes, "a\nb\r\nc\r\nd\re", NULL);
}

static void corpus__reads_line_ends_as_lf(void **state)
{
    (void)state;
    const char *paths[3] = {text_file(LITERAL("a\r")), text_file(LITERAL("\nb\r\n")),
                            text_file(LITERAL("c\rd"))};
    expect_corpus(paths, 3, (struct ur__text_rule){.kind = UR_TOKEN_CHAR, .unix_newlines = true},
                  "a\n\nb\nc\nd", NULL);     /* files do not join */
    expect_corpus(paths, 3, (struct ur__text_rule){.kind = UR_TOKEN_WORD, .unix_newlines = true},
                  "a|</s>|</s>|b|</s>|c|</s>|d|", NULL);
}

/* Over the borders of blocks too; places in messages are those of the file. */
static void corpus__names_places_in_the_file(void **state)
{
    (void)state;
    enum { PAIRS = 40000 };
    static char text[3 + 2 * PAIRS + 1];
    memcpy(text, "\xef\xbb\xbf", 3);
    for (int i = 0; i < PAIRS; i++)
        memcpy(text + 3 + 2 * i, "\r\n", 2);
    text[3 + 2 * PAIRS] = '\xff';
    const char *path = text_file(text, sizeof text);
    const struct ur__text_rule rule = {.kind = UR_TOKEN_CHAR, .unix_newlines = true};
    struct ur__corpus *c;
    ur_vocab *v;
    assert_status(UR_EDATA, ur__corpus_open_rule(&c, &path, 1, &rule, &v));
    assert_non_null(strstr(ur_errmsg(), "malformed UTF-8 at byte 80003 (0xFF)"));
    path = text_file(text, sizeof text - 1);
    assert_ok(ur__corpus_open_rule(&c, &path, 1, &rule, &v));
    assert_int_equal(ur__corpus_tokens(c), PAIRS);
    assert_int_equal(ur_vocab_size(v), 1);
    assert_int_equal(ur__corpus_bytes(c), sizeof text - 1);
    ur__corpus_free(c);
    /* A vocabulary without CR says how it could read the text. */
    assert_status(UR_EDATA, ur__corpus_open(&c, &path, 1, UR_TOKEN_CHAR, v, NULL));
    assert_non_null(strstr(ur_errmsg(), "U+000D at byte 3 is not in the model's vocabulary; "
                           "--newlines unix"));
    ur_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign__files_are_refused_with_their_own_advice),
        cmocka_unit_test(foreign__tar_is_told_by_its_magic),
        cmocka_unit_test(foreign__texts_are_left_alone),
        cmocka_unit_test(line_ends__become_lf_however_a_text_is_cut),
        cmocka_unit_test(line_ends__are_counted_and_kept),
        cmocka_unit_test(clean__takes_the_mark_and_checks),
        cmocka_unit_test(corpus__skips_the_mark_of_each_file),
        cmocka_unit_test(corpus__keeps_line_ends_and_says_so),
        cmocka_unit_test(corpus__reads_line_ends_as_lf),
        cmocka_unit_test(corpus__names_places_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
