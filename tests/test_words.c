/* SPDX-License-Identifier: MIT */
/* Words: how texts are split and put together again, which words a vocabulary has, and
 * that models of words are saved, sampled, trained and resumed as those of characters are. */
#include "testing.h"

#include <math.h>

#include "base/text.h"
#include "data/corpus.h"
#include "model/adopt.h"
#include "test_task.h"

#define BLOCK 65536     /* of the reader */

static const char *write_bytes(const char *bytes, size_t n)
{
    const char *path = tmp_path("words.txt");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* ---- splitting --------------------------------------------------------- */

/* Words with a bar behind each. */
struct list {
    char text[4096];
    size_t n;
};

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct list *l = user;
    assert_true(l->n + n + 1 < sizeof l->text);
    memcpy(l->text + l->n, word, n);
    l->n += n;
    l->text[l->n++] = '|';
    l->text[l->n] = '\0';
    return UR_OK;
}

static const char *split(ur_token_kind kind, const char *text)
{
    static struct list l;
    l = (struct list){.n = 0};
    struct ur__splitter s = {
        .punctuation = kind == UR_TOKEN_WORDPUNCT, .on_word = on_word, .user = &l
    };
    for (size_t at = 0, n = strlen(text); at < n; ) {
        uint32_t code;
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        assert_true(length > 0);
        assert_ok(ur__split_put(&s, code, text + at, (size_t)length));
        at += (size_t)length;
    }
    assert_ok(ur__split_end(&s));
    return l.text;
}

static void split__ends_words_at_white_space(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"", ""}, {" \t\r ", ""}, {"one", "one|"}, {" the  cat,\tsat. ", "the|cat,|sat.|"},
        {"a\nb\r\n\n", "a|</s>|b|</s>|</s>|"}, {"<unk> x </s>", "<unk>|x|</s>|"},
        {"\xef\xbb\xbfOn\xc2\xa0it", "On|it|"},             /* a mark at the start, a hard space */
        {"\xe6\x97\xa5\xe3\x80\x80\xe6\x9c\xac", "\xe6\x97\xa5|\xe6\x9c\xac|"},
        {"a\x01" "b\xc2\x85" "c", "a|b|c|"},                /* controls */
        {"na\xc3\xafve don't", "na\xc3\xafve|don't|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(split(UR_TOKEN_WORD, cases[i][0]), cases[i][1]);
}

static void split__parts_punctuation(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"The cat, (it) sat.", "The|cat|,|(|it|)|sat|.|"},
        {"don't dogs' 'tis O'", "don't|dogs|'|'|tis|O|'|"},
        {"it\xe2\x80\x99s \xe2\x80\x9cso\xe2\x80\x9d",
         "it\xe2\x80\x99s|\xe2\x80\x9c|so|\xe2\x80\x9d|"},
        {"3.14 1,000. v1.x .5 a,b 7,\n", "3.14|1,000|.|v1|.|x|.|5|a|,|b|7|,|</s>|"},
        {"x--y a_b $5 50% e.g.", "x|-|-|y|a_b|$|5|50|%|e|.|g|.|"},
        {"\xc2\xbfqu\xc3\xa9? \xc3\xa0\xe2\x80\x93\xc2\xb5",
         "\xc2\xbf|qu\xc3\xa9|?|\xc3\xa0|\xe2\x80\x93|\xc2\xb5|"},
        {"<unk>", "<|unk|>|"}, {"'", "'|"}, {"a'", "a|'|"}, {"a''b", "a|'|'|b|"},
        {"\xe5\xa5\xbd\xe3\x80\x82\xe5\xa5\xbd", "\xe5\xa5\xbd|\xe3\x80\x82|\xe5\xa5\xbd|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(split(UR_TOKEN_WORDPUNCT, cases[i][0]), cases[i][1]);
}

static void split__long_words_are_unknown(void **unused)
{
    (void)unused;
    char text[1000], want[1000];
    for (size_t n = UR__WORD_MAX - 1; n <= UR__WORD_MAX + 300; n++) {
        memset(text, 'x', n);
        snprintf(text + n, sizeof text - n, " y");
        bool fits = n <= UR__WORD_MAX;
        snprintf(want, sizeof want, "%.*s|y|", fits ? (int)n : 5, fits ? text : "<unk>");
        assert_string_equal(split(UR_TOKEN_WORD, text), want);
        assert_string_equal(split(UR_TOKEN_WORDPUNCT, text), want);
    }
    /* Characters of several bytes at the limit. */
    memset(text, 'x', UR__WORD_MAX - 1);
    memcpy(text + UR__WORD_MAX - 1, "\xc3\xa9 y", 5);
    assert_string_equal(split(UR_TOKEN_WORD, text), "<unk>|y|");
}

/* ---- joining ----------------------------------------------------------- */

static ur_vocab *vocab_of_text(ur_token_kind kind, const char *text)
{
    const char *path = write_bytes(text, strlen(text));
    struct ur__corpus *c;
    ur_vocab *v;
    assert_ok(ur__corpus_open(&c, &path, 1, kind, NULL, &v));
    ur__corpus_free(c);
    return v;
}

static void check_joined(ur_token_kind kind, const char *text, const char *want)
{
    ur_vocab *v = vocab_of_text(kind, text);
    int32_t ids[256];
    size_t count, size = 0;
    char got[1024];
    ur_join join = {false, false};
    assert_ok(ur_vocab_encode(v, text, strlen(text), ids, &count));
    for (size_t i = 0; i < count; i++) {
        size_t n;
        const char *piece = ur_vocab_join(v, &join, ids[i], &n);
        memcpy(got + size, piece, n);
        size += n;
    }
    got[size] = '\0';
    assert_string_equal(got, want);
    ur_vocab_free(v);
}

static void join__restores_written_text(void **unused)
{
    (void)unused;
    static const char *const same[] = {
        "The cat sat.\nIt sat!\n", "He said, \"Go home,\" and (so) I went; why?",
        "\"One\" and \"two\"\n\"three\"", "Costs $1,000.50, or 50% off: see [1].",
        "It's a well-known and/or: see @home",
        "\xe2\x80\x9cSo\xe2\x80\x9d it\xe2\x80\x99s \xe2\x80\x98he\xe2\x80\x99.",
        "\xc2\xbfQu\xc3\xa9? \xc2\xabOui\xc2\xbb", "a = b",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        check_joined(UR_TOKEN_WORDPUNCT, same[i], same[i]);
    check_joined(UR_TOKEN_WORDPUNCT, "a  ( b )\t. . .", "a (b)...");
    check_joined(UR_TOKEN_WORDPUNCT, "so \" open\nnext \" one \"", "so \"open\nnext \"one\"");
    check_joined(UR_TOKEN_WORD, "The cat,  (it) \"sat\" . \n x", "The cat, (it) \"sat\" .\nx");
    check_joined(UR_TOKEN_CHAR, "a  b", "a  b");
}

/* ---- vocabularies ------------------------------------------------------ */

static void expect_words(const ur_vocab *v, const char *want)
{
    static struct list l;
    l = (struct list){.n = 0};
    for (int i = 0; i < ur_vocab_size(v); i++) {
        size_t n;
        const char *text = ur_vocab_text(v, i, &n);
        on_word(&l, text, n);
    }
    assert_string_equal(l.text, want);
}

static void vocab__holds_frequent_words_of_the_training_part(void **unused)
{
    (void)unused;
    /* 20 tokens: 14 to learn from; no word of the last 6 counts. */
    const char *text = "b a c a b a d b c e\na b \nz z z a z z";
    const char *path = write_bytes(text, strlen(text));
    static const struct { double held_out; int least; const char *want; } cases[] = {
        {0.3, 1, "<unk>|</s>|a|b|c|d|e|"},
        {0.3, 2, "<unk>|</s>|a|b|c|"},
        {0.3, 3, "<unk>|</s>|a|b|"},
        {0, 2, "<unk>|</s>|a|z|b|c|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ur__text_rule rule = {.kind = UR_TOKEN_WORD,
                                           .words = {.held_out = cases[i].held_out,
                                                     .min_count = cases[i].least}};
        struct ur__corpus *c;
        ur_vocab *v;
        int64_t unknown;
        int32_t ids[20];
        assert_ok(ur__corpus_open_rule(&c, &path, 1, &rule, &v));
        assert_int_equal(ur__corpus_tokens(c), 20);
        expect_words(v, cases[i].want);
        assert_int_equal(ur_vocab_unknown(v), 0);
        assert_int_equal(ur_vocab_line_end(v), 1);
        assert_ok(ur__corpus_read(c, 0, 20, ids));
        assert_int_equal(ids[10], 1);
        assert_int_equal(ids[0], ur__vocab_find_word(v, "b", 1));
        assert_int_equal(ids[19], ur__vocab_find_word(v, "z", 1));
        assert_ok(ur__corpus_unknown(c, 14, 6, &unknown));
        assert_int_equal(unknown, cases[i].held_out > 0 ? 5 : 0);
        assert_status(UR_EINVAL, ur__corpus_unknown(c, 14, 7, &unknown));
        ur__corpus_free(c);
        ur_vocab_free(v);
    }
    struct ur__corpus *c;
    ur_vocab *v;
    const struct ur__text_rule never = {.kind = UR_TOKEN_WORD,
                                        .words = {.held_out = 0.3, .min_count = 6}};
    assert_status(UR_EDATA, ur__corpus_open_rule(&c, &path, 1, &never, &v));
    assert_message("no word occurs 6 times");
    assert_null(c);
    assert_null(v);
}

static void vocab__is_encoded_like_a_file(void **unused)
{
    (void)unused;
    static char text[3 * BLOCK];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "ab'1,.\n "[(int)(8 * ur_random_uniform(3, 7, 0, (uint32_t)i))];
    static int32_t a[3 * BLOCK], b[3 * BLOCK];
    for (int kind = UR_TOKEN_WORD; kind <= UR_TOKEN_WORDPUNCT; kind++) {
        /* Each border of the reader's blocks falls elsewhere in a word. */
        for (size_t n = sizeof text - 9; n <= sizeof text; n++) {
            const char *from = text + sizeof text - n, *path = write_bytes(from, n);
            struct ur__corpus *c, *again;
            ur_vocab *v;
            size_t count;
            assert_ok(ur__corpus_open(&c, &path, 1, (ur_token_kind)kind, NULL, &v));
            assert_ok(ur_vocab_encode(v, from, n, a, &count));
            assert_int_equal(count, ur__corpus_tokens(c));
            assert_ok(ur__corpus_read(c, 0, (int64_t)count, b));
            assert_memory_equal(a, b, count * sizeof *a);
            ur__numbers_set_spool_at(1000);
            assert_ok(ur__corpus_open(&again, &path, 1, (ur_token_kind)kind, v, NULL));
            ur__numbers_set_spool_at(0);
            assert_ok(ur__corpus_read(again, 0, (int64_t)count, b));
            assert_memory_equal(a, b, count * sizeof *a);
            ur__corpus_free(c);
            ur__corpus_free(again);
            ur_vocab_free(v);
        }
    }
}

static void vocab__maps_what_it_has_not_to_unknown(void **unused)
{
    (void)unused;
    ur_vocab *v = vocab_of_text(UR_TOKEN_WORD, "the cat");
    int32_t ids[64];
    size_t n;
    assert_ok(ur_vocab_encode(v, "the dog </s> <unk>\n", 19, ids, &n));
    const int32_t want[] = {3, 0, 1, 0, 1};
    assert_int_equal(n, 5);
    assert_memory_equal(ids, want, sizeof want);
    assert_status(UR_EINVAL, ur_vocab_encode(v, "the \xff", 5, ids, &n));
    assert_message("malformed UTF-8 at byte 4");
    assert_int_equal(n, 0);
    ur_vocab_free(v);
}

static void corpus__refuses_what_is_no_text(void **unused)
{
    (void)unused;
    struct ur__corpus *c;
    ur_vocab *v;
    const char *path = write_bytes("a b\xff", 4);
    assert_status(UR_EDATA, ur__corpus_open(&c, &path, 1, UR_TOKEN_WORD, NULL, &v));
    assert_message("malformed UTF-8 at byte 3");
    path = write_bytes(" \t ", 3);
    assert_status(UR_EDATA, ur__corpus_open(&c, &path, 1, UR_TOKEN_WORD, NULL, &v));
    assert_message("without words");
    const char *two[] = {write_bytes("a b", 3), write_bytes("c\n", 2)};
    assert_ok(ur__corpus_open(&c, two, 2, UR_TOKEN_WORD, NULL, &v));
    assert_int_equal(ur__corpus_tokens(c), 4);      /* b and c are two words */
    ur__corpus_free(c);
    ur_vocab_free(v);
}

/* n words of so many bytes, each twice, the k-th once more if k is even. */
static char *many_words(int n, int length, size_t *size)
{
    char *text = malloc((size_t)n * 3 * (size_t)(length + 1) + 1);
    assert_non_null(text);
    *size = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3 - i % 2; k++) {
            snprintf(text + *size, (size_t)length + 2, "%0*d ", length, i);
            *size += (size_t)length + 1;
        }
    }
    return text;
}

static void vocab__keeps_the_most_frequent_that_fit(void **unused)
{
    (void)unused;
    static const struct { int n, length; } cases[] = {{70000, 8}, {20000, 250}};
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *text = many_words(cases[i].n, cases[i].length, &size);
        const char *path = write_bytes(text, size);
        struct ur__corpus *c;
        ur_vocab *v;
        int64_t unknown;
        assert_ok(ur__corpus_open(&c, &path, 1, UR_TOKEN_WORD, NULL, &v));
        int kept = ur_vocab_size(v) - 2;
        assert_int_equal(kept, i == 0 ? UR__VOCAB_MAX - 2
                                      : (int)(UR__VOCAB_TEXT_MAX / (size_t)cases[i].length));
        assert_int_equal(ur__corpus_cut(c), cases[i].n - kept);
        assert_ok(ur__corpus_unknown(c, 0, ur__corpus_tokens(c), &unknown));
        int64_t thrice = cases[i].n / 2, known = kept < thrice ? 3 * (int64_t)kept
                                                               : thrice + 2 * (int64_t)kept;
        assert_int_equal(unknown, ur__corpus_tokens(c) - known);
        ur__corpus_free(c);
        ur_vocab_free(v);
        free(text);
    }
}

static void vocab__refuses_impossible_words(void **unused)
{
    (void)unused;
    char longest[UR__WORD_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const bad[] = {"", "a b", "a\n", "\x01", "\xc2\x80", "\xff", longest, "the",
                               "</s>", "\xe3\x80\x80"};
    ur_vocab *v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *words[] = {"<unk>", "</s>", "the", bad[i]};
        assert_status(UR_EFORMAT, ur__vocab_new_words(&v, UR_TOKEN_WORD, 4, words));
        assert_null(v);
    }
    const char *swapped[] = {"</s>", "<unk>", "the"}, *few[] = {"<unk>"};
    assert_status(UR_EFORMAT, ur__vocab_new_words(&v, UR_TOKEN_WORD, 3, swapped));
    assert_status(UR_EFORMAT, ur__vocab_new_words(&v, UR_TOKEN_WORD, 1, few));
    const char *good[] = {"<unk>", "</s>", "the", longest + 1};
    assert_status(UR_EINVAL, ur__vocab_new_words(&v, UR_TOKEN_CHAR, 4, good));
    assert_status(UR_EINVAL, ur__vocab_new(&v, UR_TOKEN_WORD, 1, (uint32_t[]){1}));
    assert_ok(ur__vocab_new_words(&v, UR_TOKEN_WORDPUNCT, 4, good));
    assert_null(ur__vocab_codes(v));
    ur_vocab_free(v);
}

static void corpus__survives_any_failed_allocation(void **unused)
{
    (void)unused;
    size_t size;
    char *text = many_words(1500, 8, &size);
    const char *path = write_bytes(text, size);
    free(text);
    ur_status status = UR_ENOMEM;
    long blocks = ur__mem_blocks(), n = 0;
    while (status != UR_OK) {
        struct ur__corpus *c;
        ur_vocab *v;
        ur__mem_fail_at(++n, false);
        status = ur__corpus_open(&c, &path, 1, UR_TOKEN_WORD, NULL, &v);
        ur__mem_fail_at(0, false);
        assert_true(status == UR_OK || status == UR_ENOMEM);
        ur__corpus_free(c);
        ur_vocab_free(v);
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_true(n > 15);
    print_message("%ld allocations failed in turn\n", n - 1);
}

/* ---- models ------------------------------------------------------------ */

static ur_model *model_of_words(int n, const char *const *words)
{
    const ur_options c = net_of("lm", "layers=1 hidden=4 embed=2");
    ur_vocab *v;
    ur_model *m;
    assert_ok(ur__vocab_new_words(&v, UR_TOKEN_WORDPUNCT, n, words));
    assert_ok(ur_model_new(&m, &c, 1, &v, 5));
    return m;
}

static void file__keeps_words(void **unused)
{
    (void)unused;
    const char *const words[] = {"<unk>", "</s>", "\"", "\\", "a\\\"b", "\xc3\xa9t\xc3\xa9",
                                 "\xf0\x9f\x98\x80", "/", "&"};
    const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
    ur_model *m = model_of_words(9, words), *back;
    assert_ok(ur_model_save(m, a));
    assert_ok(ur_model_load(&back, a));
    for (int i = 0; i < 9; i++) {
        size_t n;
        const char *text = ur_vocab_text(ur_model_vocab(back, NULL), i, &n);
        assert_int_equal(n, strlen(words[i]));
        assert_memory_equal(text, words[i], n);
    }
    assert_ok(ur_model_save(back, b));
    assert_same_file(a, b);
    struct ur__adopted counts;
    assert_ok(ur__model_adopt(back, m, &counts));
    assert_true(counts.kept == 9 && counts.fresh == 0 && counts.dropped == 0);
    ur_model_free(back);
    const char *other[9];
    memcpy(other, words, sizeof other);
    other[8] = "+";
    back = model_of_words(9, other);
    assert_ok(ur__model_adopt(back, m, &counts));
    assert_true(counts.kept == 8 && counts.fresh == 1 && counts.dropped == 1);
    ur_model_free(back);
    ur_model_free(m);
}

/* The largest vocabulary whose every byte must be escaped twice. */
static void file__takes_the_largest_vocabulary(void **unused)
{
    (void)unused;
    enum { N = UR__VOCAB_MAX, LENGTH = 32 };
    char (*text)[LENGTH + 1] = malloc(N * sizeof *text);
    const char **words = malloc(N * sizeof *words);
    assert_true(text && words);
    words[0] = "<unk>";
    words[1] = "</s>";
    for (int i = 2; i < N; i++) {
        for (int k = 0; k < LENGTH; k++)
            text[i][k] = i >> k % 16 & 1 ? '"' : '\\';
        text[i][LENGTH] = '\0';
        words[i] = text[i];
    }
    const char *path = tmp_path("large.safetensors");
    ur_model *m = model_of_words(N, words), *back;
    assert_ok(ur_model_save(m, path));
    assert_ok(ur_model_load(&back, path));
    assert_int_equal(ur_vocab_size(ur_model_vocab(back, NULL)), N);
    ur_model_free(back);
    ur_model_free(m);
    free(words);
    free(text);
}

/* Each byte of the header changed in several ways: loaded or refused, never worse. */
static void file__survives_any_changed_header_byte(void **unused)
{
    (void)unused;
    static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
    const char *const words[] = {"<unk>", "</s>", "the", "caf\xc3\xa9", "\""};
    const char *path = tmp_path("whole.safetensors"), *bad = tmp_path("bad.safetensors");
    ur_model *m = model_of_words(5, words), *back;
    size_t n;
    int loaded = 0, refused = 0;
    assert_ok(ur_model_save(m, path));
    char *bytes = read_all(path, &n);
    size_t header = 8 + (size_t)(unsigned char)bytes[0] + 256 * (size_t)(unsigned char)bytes[1];
    assert_true(header < n);
    long blocks = ur__mem_blocks();
    for (size_t at = 0; at < header; at++) {
        for (size_t i = 0; i < sizeof flips; i++) {
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[i]);
            FILE *f = fopen(bad, "wb");
            assert_non_null(f);
            assert_int_equal(fwrite(bytes, 1, n, f), n);
            fclose(f);
            ur_status status = ur_model_load(&back, bad);
            if (status != UR_OK && status != UR_EFORMAT && status != UR_EVERSION)
                fail_msg("byte %zu: %s: %s", at, ur_status_name(status), ur_errmsg());
            loaded += status == UR_OK;
            refused += status != UR_OK;
            ur_model_free(back);
            assert_int_equal(ur__mem_blocks(), blocks);
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[i]);
        }
    }
    print_message("%d changed headers refused, %d loaded\n", refused, loaded);
    assert_true(refused > 5 * loaded);  /* the rest: other words, other numbers */
    ur_model_free(m);
    ur__free(bytes);
}

static void session__never_draws_the_unknown_word(void **unused)
{
    (void)unused;
    const char *const words[] = {"<unk>", "</s>", "a", "b"};
    ur_model *m = model_of_words(4, words);
    ur_params *p = ur_model_params(m);
    ur_session *s;
    int seen[4] = {0};
    ur_param_data(p, ur_params_find(p, "decoder.bias"))[0] = 1000;
    assert_ok(ur_model_prepare(m));
    assert_ok(ur_session_new(&s, m, NULL));
    for (int how = 0; how < 4; how++) {
        ur_sample_options o;
        ur_sample_options_init(&o);
        o.temperature = how == 0 ? 0 : 1;
        o.top_k = how == 1 ? 2 : 0;
        o.top_p = how == 2 ? 0.9 : 1;
        for (int i = 0; i < 100; i++) {
            int32_t id;
            assert_ok(ur_session_draw(s, &o, &id));
            assert_in_range(id, 1, 3);
            seen[id]++;
            assert_ok(ur_session_feed(s, id));
        }
    }
    assert_true(seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
    ur_session_free(s);
    ur_model_free(m);
}

/* ---- runs -------------------------------------------------------------- */

static ur_train_options word_options(const char *model, bool tie)
{
    ur_train_options o = small_run("lm", model, tie ? "tokens=wordpunct tie=yes"
                                                    : "tokens=wordpunct");
    o.batch = 4;
    o.steps = 60;
    o.eval_every = 20;
    return o;
}

static void train__words_resume_to_the_same_bits(void **unused)
{
    (void)unused;
    for (int tie = 0; tie < 2; tie++) {
        struct listener l;
        ur_train_options whole = word_options(tmp_path("whole.safetensors"), tie), o;
        assert_ok(train_until(whole, 0, &l));
        assert_true(l.last_loss < l.first_loss);
        o = whole;
        o.model = tmp_path("part.safetensors");
        assert_status(UR_ECANCELED, train_until(o, 33, &l));
        o.resume = true;
        set_run(&o, "min-count=3");
        assert_status(UR_EINVAL, train_until(o, 0, &l));
        assert_message("min_count was 2 and is 3 now");
        set_run(&o, "min-count=2");
        assert_ok(ur_team_new(&o.team, 3));
        assert_ok(train_until(o, 0, &l));
        ur_team_free(o.team);
        assert_same_run(whole.model, o.model);
    }
}

static void eval__counts_unknown_words(void **unused)
{
    (void)unused;
    struct listener l;
    ur_model *m;
    ur_train_options train = word_options(tmp_path("m.safetensors"), true);
    assert_ok(train_until(train, 0, &l));
    assert_ok(ur_model_load(&m, train.model));
    const char *text = "the net swims one ocean, reads.\n", *path = write_bytes(text, strlen(text));
    ur_eval_options o = eval_of(&path, 1);
    ur_metrics stream, window;
    ur_metrics_init(&stream);
    ur_metrics_init(&window);
    assert_ok(ur_evaluate(m, &o, &stream));
    o.protocol = UR_PROTOCOL_WINDOW;
    assert_ok(ur_evaluate(m, &o, &window));
    double loss = ur_metrics_get(&stream, "loss");
    double perplexity = ur_metrics_get(&stream, "perplexity");
    assert_true(ur_metrics_get(&stream, "n") == 8);
    assert_true(ur_metrics_get(&stream, "unk") == 0.25 && ur_metrics_get(&window, "unk") == 0.25);
    assert_true(isnan(ur_metrics_get(&stream, "bpc")));
    assert_true(fabs(loss - ur_metrics_get(&window, "loss")) < 1e-6);
    assert_true(fabs(perplexity - exp(loss)) < 1e-9 * perplexity);
    ur_model_free(m);
    assert_status(UR_EINVAL, ur_train_set(&train, "min-count", "0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split__ends_words_at_white_space),
        cmocka_unit_test(split__parts_punctuation),
        cmocka_unit_test(split__long_words_are_unknown),
        cmocka_unit_test(join__restores_written_text),
        cmocka_unit_test(vocab__holds_frequent_words_of_the_training_part),
        cmocka_unit_test(vocab__is_encoded_like_a_file),
        cmocka_unit_test(vocab__maps_what_it_has_not_to_unknown),
        cmocka_unit_test(corpus__refuses_what_is_no_text),
        cmocka_unit_test(vocab__keeps_the_most_frequent_that_fit),
        cmocka_unit_test(vocab__refuses_impossible_words),
        cmocka_unit_test(corpus__survives_any_failed_allocation),
        cmocka_unit_test(file__keeps_words),
        cmocka_unit_test(file__takes_the_largest_vocabulary),
        cmocka_unit_test(file__survives_any_changed_header_byte),
        cmocka_unit_test(session__never_draws_the_unknown_word),
        cmocka_unit_test(train__words_resume_to_the_same_bits),
        cmocka_unit_test(eval__counts_unknown_words),
    };
    return cmocka_run_group_tests_name("words", tests, set_up, tear_down);
}
