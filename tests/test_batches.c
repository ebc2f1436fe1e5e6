/* SPDX-License-Identifier: MIT */
/* From sets of examples to batches: what is held out, batches of similar length, padding; word
 * vectors. */
#include "readers.h"

#include <limits.h>
#include <math.h>

#include "data/buckets.h"
#include "data/holdout.h"
#include "data/sequences.h"
#include "data/vectors.h"

/* ---- held out ---------------------------------------------------------- */

enum { MANY = 1000 };

static void holdout__takes_its_share_of_each_label(void **state)
{
    (void)state;
    int32_t label[MANY];
    unsigned char held[MANY], again[MANY], other[MANY];
    int64_t count, n;
    for (int i = 0; i < MANY; i++)
        label[i] = i < 7 ? i : i % 10 < 7 ? 100 : 200;    /* 7 labels of one example each */
    struct ur__draw d = {.seed = 3, .n = MANY, .label = label};
    assert_ok(ur__holdout(&d, 0.1, held, &count));
    int of[201] = {0}, all = 0;
    for (int i = 0; i < MANY; i++) {
        of[label[i]] += held[i];
        all += held[i];
    }
    assert_int_equal(all, count);
    assert_in_range(of[100], 69, 70);
    assert_in_range(of[200], 29, 30);
    for (int i = 0; i < 7; i++)
        assert_int_equal(of[i], 0);
    assert_ok(ur__holdout(&d, 0.1, again, &n));
    assert_memory_equal(held, again, sizeof held);
    d.seed = 4;
    assert_ok(ur__holdout(&d, 0.1, other, &n));
    assert_true(memcmp(held, other, sizeof held) != 0);
    /* Not the first ones: as many in the first half as in the second, about. */
    int first = 0;
    for (int i = 0; i < MANY / 2; i++)
        first += held[i];
    assert_in_range(first, 35, 65);
    d.label = NULL;
    assert_ok(ur__holdout(&d, 0.25, held, &n));
    assert_int_equal(n, 250);
    assert_ok(ur__holdout(&d, 0, held, &n));
    assert_int_equal(n, 0);
    assert_status(UR_EINVAL, ur__holdout(&d, 1, held, &n));
    assert_status(UR_EINVAL, ur__holdout(&d, (double)NAN, held, &n));
}

static void holdout__parts_no_group(void **state)
{
    (void)state;
    int32_t group[MANY];
    unsigned char held[MANY];
    int64_t count;
    for (int i = 0; i < MANY; i++)
        group[i] = i % 20;
    struct ur__draw d = {.seed = 1, .n = MANY, .group = group};
    assert_ok(ur__holdout(&d, 0.1, held, &count));
    assert_int_equal(count, 100);       /* two groups of fifty */
    for (int i = 20; i < MANY; i++)
        assert_int_equal(held[i], held[i % 20]);
    d.n = 4;
    for (int i = 0; i < 4; i++)
        group[i] = i / 2;
    assert_ok(ur__holdout(&d, 0.01, held, &count));
    assert_int_equal(count, 2);
    assert_ok(ur__holdout(&d, 0.99, held, &count));
    assert_int_equal(count, 2);
    d.n = 2;
    assert_status(UR_EDATA, ur__holdout(&d, 0.5, held, &count));
}

static void folds__are_even(void **state)
{
    (void)state;
    int32_t label[MANY], group[MANY], fold[MANY];
    for (int i = 0; i < MANY; i++) {
        label[i] = i % 9;
        group[i] = i % 4;
    }
    struct ur__draw d = {.seed = 1, .n = MANY, .label = label};
    assert_ok(ur__folds(&d, 10, fold));
    int of[10][9] = {{0}};
    for (int i = 0; i < MANY; i++)
        of[fold[i]][label[i]]++;
    for (int k = 0; k < 10; k++)
        for (int c = 0; c < 9; c++)
            assert_in_range(of[k][c], 11, 12);
    d.group = group;
    assert_ok(ur__folds(&d, 4, fold));
    int seen = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(fold[i], fold[i % 4]);
        seen |= 1 << fold[i];
    }
    assert_int_equal(seen, 15);
    assert_status(UR_EDATA, ur__folds(&d, 5, fold));
    assert_status(UR_EDATA, ur__folds(&d, 1, fold));
}

/* ---- buckets ----------------------------------------------------------- */

/* Pieces of a batch come in a row and in order, and each step of each example in one of them. How
 * many an epoch has does not depend on what was drawn. */
static void buckets__give_each_piece_once(void **state)
{
    (void)state;
    static int32_t length[403], seen[403];
    const int32_t pieces[] = {1, 7, 10, 1000};
    for (int i = 0; i < 403; i++)
        length[i] = 1 + (int32_t)(ur_random_uniform(9, 5, 0, (uint32_t)i) * 100);
    for (size_t p = 0; p < COUNT(pieces); p++) {
        struct ur__buckets b;
        assert_ok(ur__buckets_init(&b, 5, 403, length, 8, pieces[p]));
        for (int64_t epoch = 0; epoch < 4; epoch++) {
            const int64_t *which;
            int64_t before = 0, first = 0;
            int rows;
            memset(seen, 0, sizeof seen);
            for (int64_t step = 0; step < b.steps; step++) {
                assert_ok(ur__buckets_batch(&b, epoch, step, &which, &rows));
                assert_int_equal(b.from, b.from == 0 ? 0 : before + pieces[p]);
                assert_true(b.from == 0 || which[0] == first);
                before = b.from;
                first = which[0];
                int living = 0;
                for (int i = 0; i < rows; i++) {
                    int64_t left = length[which[i]] - b.from;
                    living += left > 0;
                    assert_true(left <= 0 || seen[which[i]] == b.from);
                    seen[which[i]] += (int32_t)(left < 0 ? 0 : left < pieces[p] ? left : pieces[p]);
                }
                assert_true(living > 0);
                bool begins = b.from == 0;
                if (step % 97 == 0)
                    ur__buckets_first(&b, epoch + 1, (step * 5) % b.steps);
                assert_int_equal(ur__buckets_first(&b, epoch, step), begins);
            }
            assert_memory_equal(seen, length, sizeof seen);
        }
        ur__buckets_free(&b);
    }
}

/* What is short is in batches of similar length with pieces, too. */
static void buckets__sort_within_pieces(void **state)
{
    (void)state;
    static int32_t length[5000];
    struct ur__buckets b;
    double spread = 0;
    for (int i = 0; i < 5000; i++)
        length[i] = 1 + (int32_t)(ur_random_uniform(9, 5, 0, (uint32_t)i) * 100);
    assert_ok(ur__buckets_init(&b, 5, 5000, length, 8, 256));
    assert_int_equal(b.steps, 625);
    for (int64_t step = 0; step < b.steps; step++) {
        const int64_t *which;
        int rows;
        assert_ok(ur__buckets_batch(&b, 1, step, &which, &rows));
        spread += length[which[rows - 1]] - length[which[0]];
    }
    assert_true(spread / 625 < 6);
    ur__buckets_free(&b);
}

static void buckets__give_each_example_once(void **state)
{
    (void)state;
    static int32_t length[5003];
    const int64_t sizes[] = {1, 7, 8, 9, 255, 256, 257, 5003};
    for (int i = 0; i < 5003; i++)
        length[i] = 1 + (int32_t)(ur_random_uniform(9, 5, 0, (uint32_t)i) * 100);
    double spread = 0, batches = 0;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct ur__buckets b;
        int64_t n = sizes[s];
        assert_ok(ur__buckets_init(&b, 5, n, length, 8, 0));
        assert_int_equal(b.steps, (n + 7) / 8);
        unsigned char *seen = calloc((size_t)n, 1);
        assert_non_null(seen);
        for (int64_t step = 0; step < b.steps; step++) {
            const int64_t *which;
            int rows, least = INT_MAX, most = 0;
            assert_ok(ur__buckets_batch(&b, 2, step, &which, &rows));
            assert_in_range(rows, 1, 8);
            for (int i = 0; i < rows; i++) {
                assert_int_equal(seen[which[i]]++, 0);
                least = length[which[i]] < least ? length[which[i]] : least;
                most = length[which[i]] > most ? length[which[i]] : most;
            }
            spread += most - least;
            batches++;
        }
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(seen[i], 1);
        free(seen);
        ur__buckets_free(&b);
    }
    printf("buckets: lengths within a batch of 8 of 1 to 100 differ by %.1f on average\n",
           spread / batches);
    assert_true(spread / batches < 6);
}

static void buckets__depend_on_epoch_and_step_alone(void **state)
{
    (void)state;
    int32_t length[600];
    struct ur__buckets a, b;
    const int64_t *x, *y;
    int m, n, other_epoch = 0, other_order = 0;
    for (int i = 0; i < 600; i++)
        length[i] = i % 50;
    assert_ok(ur__buckets_init(&a, 5, 600, length, 4, 0));
    assert_ok(ur__buckets_init(&b, 5, 600, length, 4, 0));
    for (int64_t step = a.steps - 1; step >= 0; step--) {
        assert_ok(ur__buckets_batch(&a, 0, step, &x, &m));
        int64_t first = x[0];
        assert_ok(ur__buckets_batch(&b, 1, (step * 7) % b.steps, &y, &n));
        assert_ok(ur__buckets_batch(&b, 0, step, &y, &n));
        assert_int_equal(m, n);
        assert_memory_equal(x, y, (size_t)m * sizeof *x);
        assert_ok(ur__buckets_batch(&b, 1, step, &y, &n));
        other_epoch += y[0] != first;
        /* Batches are not in the order of their lengths. */
        if (step + 1 < a.steps && (step + 1) % UR__POOL) {
            assert_ok(ur__buckets_batch(&b, 0, step + 1, &y, &n));
            other_order += length[y[0]] < length[first];
        }
    }
    assert_true(other_epoch > 100 && other_order > 40);
    assert_status(UR_EINVAL, ur__buckets_batch(&a, 0, a.steps, &x, &m));
    ur__buckets_free(&a);
    ur__buckets_free(&b);
    assert_status(UR_EINVAL, ur__buckets_init(&b, 5, 0, length, 4, 0));
    assert_status(UR_EINVAL, ur__buckets_init(&b, 5, 600, length, 0, 0));
}

/* ---- sequences --------------------------------------------------------- */

static struct ur__examples *read_text(const char *name, const char *text,
                                      const struct ur__read_rule *rule)
{
    struct ur__examples *x;
    ur_vocab *labels;
    const char *path = tmp_path(name);
    put_file(path, text, strlen(text));
    assert_ok(ur__examples_open(&x, &path, 1, rule, &labels));
    ur_vocab_free(labels);
    return x;
}

/* The words (or characters) of examples `which`, NULL: of all. */
static ur_status vocab_of(ur_vocab **v, struct ur__examples *x, ur_token_kind kind,
                          const int64_t *which, int64_t n)
{
    int64_t cut;
    const struct ur__vocab_rule rule = {.kind = kind, .min_count = 1, .which = which, .n = n};
    return ur__examples_vocab(v, x, &rule, &cut);
}

static void ids__of_texts_are_padded(void **state)
{
    (void)state;
    struct ur__examples *x = read_text("a.tsv", "x\tthe cat sat\ny\tthe dog\nx\tthe the cat\n",
                                       &(struct ur__read_rule){0});
    ur_vocab *v;
    struct ur__sequences s;
    assert_ok(vocab_of(&v, x, UR_TOKEN_WORD, NULL, 0));
    assert_int_equal(ur_vocab_size(v), 6);
    ur_vocab_free(v);
    const int64_t part[] = {1, 2};      /* "sat" is unknown there */
    assert_ok(vocab_of(&v, x, UR_TOKEN_WORD, part, 2));
    assert_int_equal(ur_vocab_size(v), 5);
    assert_ok(ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    assert_int_equal(s.unknown, 1);
    assert_int_equal(s.longest, 3);
    int32_t ids[6], want[] = {2, 2, 3, 4, 0, 0}, later[] = {3, 4, 0, 0, 0, 0};
    int lengths[2];
    const int64_t which[] = {0, 1};
    assert_ok(ur__pad_ids(&s, &(struct ur__rows){which, 2, 3, 0}, ids, lengths));
    assert_memory_equal(ids, want, sizeof ids);
    assert_int_equal(lengths[0], 3);
    assert_int_equal(lengths[1], 2);
    assert_ok(ur__pad_ids(&s, &(struct ur__rows){which, 2, 3, 1}, ids, lengths));
    assert_memory_equal(ids, later, sizeof ids);
    assert_int_equal(lengths[1], 1);
    assert_ok(ur__pad_ids(&s, &(struct ur__rows){which, 2, 3, 2}, ids, lengths));
    assert_int_equal(lengths[1], 0);
    assert_ok(ur__pad_ids(&s, &(struct ur__rows){which, 2, 3, 3}, ids, lengths));
    assert_int_equal(lengths[0], 0);
    assert_int_equal(lengths[1], 0);
    ur__sequences_free(&s);
    ur_vocab_free(v);
    assert_ok(vocab_of(&v, x, UR_TOKEN_CHAR, part, 1));
    assert_status(UR_EDATA, ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    assert_non_null(strstr(ur_errmsg(), "a.tsv:1: character \"c\" (U+0063) at byte 4 is not in"));
    ur_vocab_free(v);
    ur__examples_free(x);
}

static void tokens__are_words_as_they_are(void **state)
{
    (void)state;
    struct ur__examples *x = read_text("a.conll", "10 000\tNUM\nx\tX\n\nx\tX\n",
                                       &(struct ur__read_rule){.tagged = true});
    ur_vocab *v;
    struct ur__sequences s;
    int lengths[2];
    int32_t ids[4], tags[4];
    const int64_t which[] = {1, 0};
    assert_ok(vocab_of(&v, x, UR_TOKEN_WORD, NULL, 0));
    assert_int_equal(ur__vocab_find_word(v, "10_000", 6), 3);
    ur_vocab_free(v);
    const int64_t part[] = {1};
    assert_ok(vocab_of(&v, x, UR_TOKEN_WORD, part, 1));
    assert_ok(ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    assert_ok(ur__pad_ids(&s, &(struct ur__rows){which, 2, 2, 0}, ids, lengths));
    assert_memory_equal(ids, ((int32_t[]){2, 0, 0, 2}), sizeof ids);
    assert_ok(ur__pad_tags(x, &(struct ur__rows){which, 2, 2, 0}, tags));
    assert_memory_equal(tags, ((int32_t[]){1, 0, -1, 1}), sizeof tags);
    ur__sequences_free(&s);
    ur_vocab_free(v);
    assert_ok(vocab_of(&v, x, UR_TOKEN_CHAR, NULL, 0));
    assert_int_equal(ur_vocab_size(v), 4);      /* 0 1 _ x */
    assert_status(UR_EINVAL, ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    ur_vocab_free(v);
    ur__examples_free(x);
}

static void tokens__that_are_long_are_unknown(void **state)
{
    (void)state;
    char text[400];
    snprintf(text, sizeof text, "%0300d\tX\nx\tX\n", 7);
    struct ur__examples *x = read_text("a.conll", text, &(struct ur__read_rule){.tagged = true});
    ur_vocab *v;
    struct ur__sequences s;
    assert_ok(vocab_of(&v, x, UR_TOKEN_WORD, NULL, 0));
    assert_int_equal(ur_vocab_size(v), 3);
    assert_ok(ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    assert_int_equal(s.unknown, 1);
    ur__sequences_free(&s);
    ur_vocab_free(v);
    ur__examples_free(x);
}

static void frames__are_padded_with_zeros(void **state)
{
    (void)state;
    struct ur__examples *x = read_text("a.ts", "@data\n1,2,3:4,5,6:a\n7:8:b\n",
                                       &(struct ur__read_rule){0});
    ur_vocab *v;
    struct ur__sequences s;
    int lengths[2];
    ur_real to[12];
    const ur_real want[] = {7, 8, 1, 4, 0, 0, 2, 5, 0, 0, 3, 6}, tail[] = {0, 0, 2, 5, 0, 0, 3, 6};
    const int64_t which[] = {1, 0};
    assert_ok(ur__pad_frames(x, &(struct ur__rows){which, 2, 3, 0}, to, lengths));
    assert_memory_equal(to, want, sizeof want);
    assert_ok(ur__pad_frames(x, &(struct ur__rows){which, 2, 2, 1}, to, lengths));
    assert_memory_equal(to, tail, sizeof tail);
    assert_int_equal(lengths[0], 0);
    assert_int_equal(lengths[1], 2);
    assert_status(UR_EDATA, vocab_of(&v, x, UR_TOKEN_CHAR, NULL, 0));
    const uint32_t code = 'a';
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 1, &code));
    assert_status(UR_EDATA, ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    ur_vocab_free(v);
    ur__examples_free(x);
}

/* Long rows and wide frames are read in pieces. */
static void padding__is_the_same_in_pieces(void **state)
{
    (void)state;
    struct ur__buf text = {0};
    const int widths[] = {1, 3, 1500};
    for (size_t k = 0; k < COUNT(widths); k++) {
        int n = widths[k] == 1500 ? 3 : 2500, width = widths[k], length;
        text.size = 0;
        for (int t = 0; t < n * width; t++)
            assert_ok(ur__buf_printf(&text, "%d%s", t % 1000, (t + 1) % width ? " " : " x\n"));
        struct ur__examples *x = read_text("a", text.data, &(struct ur__read_rule){
            .tagged = true, .format = "frames"});
        ur_real *to = malloc((size_t)n * (size_t)width * sizeof *to);
        int32_t *tags = malloc((size_t)n * sizeof *tags);
        const int64_t which = 0;
        assert_true(to && tags);
        assert_ok(ur__pad_frames(x, &(struct ur__rows){&which, 1, n, 0}, to, &length));
        assert_ok(ur__pad_tags(x, &(struct ur__rows){&which, 1, n, 0}, tags));
        assert_int_equal(length, n);
        for (int t = 0; t < n * width; t++)
            assert_true(to[t] == (ur_real)(t % 1000));
        for (int t = 0; t < n; t++)
            assert_int_equal(tags[t], 0);
        free(to);
        free(tags);
        ur__examples_free(x);
    }
    ur__buf_free(&text);
}

/* ---- word vectors ------------------------------------------------------ */

static ur_vocab *three_words(void)
{
    static const char *const words[] = {"<unk>", "</s>", "the", "cat", "dog"};
    ur_vocab *v;
    assert_ok(ur__vocab_new_words(&v, UR_TOKEN_WORD, 5, words));
    return v;
}

/* "found: row of the, row of cat"; or the message. */
static const char *fill(const char *text)
{
    static char shown[512];
    const char *path = tmp_path("v.txt");
    struct ur__vectors vectors;
    ur_vocab *v = three_words();
    ur_real rows[40] = {0};
    unsigned char found[5];
    int64_t count = 0;
    put_file(path, text, strlen(text));
    ur_status status = ur__vectors_open(&vectors, path);
    if (status == UR_OK && vectors.width <= 8)
        status = ur__vectors_fill(&vectors, v, rows, found, &count);
    int n = vectors.width;
    ur__vectors_close(&vectors);
    ur_vocab_free(v);
    if (status != UR_OK) {
        snprintf(shown, sizeof shown, "%s", strstr(ur_errmsg(), "v.txt"));
        return shown;
    }
    assert_int_equal(count, found[0] + found[1] + found[2] + found[3] + found[4]);
    snprintf(shown, sizeof shown, "%d of %d: %g %g", (int)count, n, (double)rows[2 * n],
             (double)rows[3 * n + n - 1]);
    return shown;
}

static void vectors__fill_the_rows_that_are_there(void **state)
{
    (void)state;
    assert_string_equal(fill("the 1 2 3\ncat 4 5 6\nbird 7 8 9\n"), "2 of 3: 1 6");
    assert_string_equal(fill("3 3\nthe 1 2 3 \ncat\t4\t5\t6\nbird 7 8 9\n"), "2 of 3: 1 6");
    assert_string_equal(fill("the 1 2\nthe 3 4\n. . 1 2\n<unk> 1 1\n"), "2 of 2: 1 0");
    assert_string_equal(fill("1999 5\nthe 7\n"), "v.txt:2: less than a word and 5 numbers");
    assert_string_equal(fill("the 1 2\ncat 3\n"), "v.txt:2: less than a word and 2 numbers");
    assert_string_equal(fill("the 1 2\ncat x 3\n"), "v.txt:2: number 1 of 2, \"x\", is not "
                        "a number");
    assert_string_equal(fill("the 1 nan\n"), "v.txt:1: number 2 of 2, \"nan\", is not a number");
    assert_string_equal(fill("the\n"), "v.txt:1: 0 numbers after a word, not 1 to 65536");
    assert_string_equal(fill("3 2\nthe 1 2\n"), "v.txt: has 1 vectors, not the 3 of its first "
                        "line");
    assert_string_equal(fill("12 0.5\nthe 1\n"), "1 of 1: 1 0");
    assert_string_equal(fill("0 2\n"), "v.txt:1: vectors of 2 numbers are impossible");
    assert_string_equal(fill(""), "v.txt: holds no vector");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holdout__takes_its_share_of_each_label),
        cmocka_unit_test(holdout__parts_no_group),
        cmocka_unit_test(folds__are_even),
        cmocka_unit_test(buckets__give_each_piece_once),
        cmocka_unit_test(buckets__sort_within_pieces),
        cmocka_unit_test(buckets__give_each_example_once),
        cmocka_unit_test(buckets__depend_on_epoch_and_step_alone),
        cmocka_unit_test(ids__of_texts_are_padded),
        cmocka_unit_test(tokens__are_words_as_they_are),
        cmocka_unit_test(tokens__that_are_long_are_unknown),
        cmocka_unit_test(frames__are_padded_with_zeros),
        cmocka_unit_test(padding__is_the_same_in_pieces),
        cmocka_unit_test(vectors__fill_the_rows_that_are_there),
    };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
