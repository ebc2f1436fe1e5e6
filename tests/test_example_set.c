/* SPDX-License-Identifier: MIT */
/* Sets of examples as a program of one's own reads them: from files to padded batches. */
#include "test_io.h"

#include "unroll/data.h"

static const char *file(const char *name, const char *text)
{
    const char *path = tmp_path(name);
    put_file(path, text, strlen(text));
    return path;
}

static ur_examples *open_set(const char *name, const char *text, const ur_examples_options *o)
{
    ur_examples *x;
    const char *path = file(name, text);
    assert_ok(ur_examples_open(&x, &path, 1, o));
    return x;
}

static ur_examples_options tagged(void)
{
    ur_examples_options o;
    ur_examples_options_init(&o);
    o.tagged = true;
    return o;
}

/* Two dimensions; as many steps as the line says. */
static const char series[] = "@data\n1,2,3:4,5,6:up\n7:8:down\n1,1:2,2:up\n";

/* ---- what is there ----------------------------------------------------- */

static void series__are_rows_of_numbers_with_a_label(void **state)
{
    (void)state;
    ur_examples *x = open_set("a.ts", series, NULL);
    ur_real all[6], last[2];
    static const ur_real want[] = {1, 4, 2, 5, 3, 6};
    assert_int_equal(ur_examples_count(x), 3);
    assert_int_equal(ur_examples_content(x), UR_CONTENT_FRAMES);
    assert_int_equal(ur_examples_width(x), 2);
    assert_int_equal(ur_examples_label_count(x), 2);
    assert_string_equal(ur_examples_label_name(x, 0), "down");
    assert_string_equal(ur_examples_label_name(x, 1), "up");
    assert_null(ur_examples_label_name(x, 2));
    assert_null(ur_examples_label_name(x, -1));
    static const int32_t length[] = {3, 1, 2}, label[] = {1, 0, 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ur_examples_length(x, i), length[i]);
        assert_int_equal(ur_examples_label(x, i), label[i]);
        assert_int_equal(ur_examples_group(x, i), -1);
        assert_int_equal(ur_examples_bytes(x, i), 0);
    }
    assert_ok(ur_examples_frames(x, 0, 0, 3, all));
    assert_memory_equal(all, want, sizeof want);
    assert_ok(ur_examples_frames(x, 0, 2, 1, last));
    assert_memory_equal(last, want + 4, sizeof last);
    assert_int_equal(ur_examples_longest(x, NULL, 0), 3);
    assert_int_equal(ur_examples_longest(x, (const int64_t[]){1, 2}, 2), 2);
    ur_examples_close(x);
}

static void batch__is_padded(void **state)
{
    (void)state;
    ur_examples *x = open_set("a.ts", series, NULL);
    static const int64_t which[] = {1, 0};
    static const ur_real want[] = {7, 8, 1, 4, 0, 0, 2, 5}, cut[] = {7, 8, 1, 4};
    ur_real frames[8];
    int lengths[2];
    int32_t label[2];
    assert_ok(ur_examples_pad_frames(x, which, 2, 2, frames, lengths));
    assert_memory_equal(frames, want, sizeof want);
    assert_true(lengths[0] == 1 && lengths[1] == 2);    /* the first two of three */
    assert_ok(ur_examples_pad_frames(x, which, 2, 1, frames, lengths));
    assert_memory_equal(frames, cut, sizeof cut);
    assert_ok(ur_examples_pad_labels(x, which, 2, 2, label));
    assert_true(label[0] == 0 && label[1] == 1);
    ur_examples_close(x);
}

static void steps__have_labels_where_they_are_asked_for(void **state)
{
    (void)state;
    ur_examples_options o = tagged();
    ur_examples *x = open_set("a.csv", "1,2,b\n3,4,a\n\n5,6,b\n", &o);
    static const int32_t want[] = {1, 1, 0, -1};
    int32_t tag[4];
    assert_int_equal(ur_examples_count(x), 2);
    assert_int_equal(ur_examples_label(x, 0), -1);
    assert_ok(ur_examples_tags(x, 0, 0, 2, tag));
    assert_true(tag[0] == 1 && tag[1] == 0);
    assert_ok(ur_examples_pad_labels(x, (const int64_t[]){0, 1}, 2, 2, tag));
    assert_memory_equal(tag, want, sizeof want);
    ur_examples_close(x);
}

/* Which labels a set may have is said by another one, with its numbers. */
static void labels__are_those_of_another_set(void **state)
{
    (void)state;
    ur_examples *x = open_set("a.tsv", "c\tx\na\ty\nb\tz\n", NULL), *y;
    const char *good = file("b.tsv", "c\tz\n"), *bad = file("c.tsv", "c\tz\nd\tz\n");
    ur_examples_options o;
    ur_examples_options_init(&o);
    o.labels = ur_examples_labels(x);
    assert_status(UR_EDATA, ur_examples_open(&y, &bad, 1, &o));
    assert_null(y);
    assert_non_null(strstr(ur_errmsg(), "c.tsv:2: "));
    assert_ok(ur_examples_open(&y, &good, 1, &o));
    ur_examples_close(x);           /* the labels are copied */
    assert_int_equal(ur_examples_label_count(y), 3);
    assert_int_equal(ur_examples_label(y, 0), 2);
    assert_string_equal(ur_examples_label_name(y, 2), "c");
    ur_examples_close(y);
    ur_examples_options_init(&o);
    o.unlabelled = true;
    y = open_set("d.tsv", "c\tz\n", &o);
    assert_null(ur_examples_labels(y));
    assert_int_equal(ur_examples_label_count(y), 0);
    assert_int_equal(ur_examples_label(y, 0), -1);
    ur_examples_close(y);
}

static void options__say_how_files_are_read(void **state)
{
    (void)state;
    ur_examples_options o;
    ur_examples_options_init(&o);
    o.format = "csv";
    o.header = UR_HEADER_YES;
    o.column = "kind";
    o.group = "who";
    o.width = 2;
    ur_examples *x = open_set("a", "kind,a,b,c,d,who\nk,1,2,3,4,me\nl,5,6,7,8,you\n", &o);
    assert_int_equal(ur_examples_width(x), 2);
    assert_int_equal(ur_examples_length(x, 1), 2);
    assert_true(ur_examples_group(x, 0) == 0 && ur_examples_group(x, 1) == 1);
    ur_examples_close(x);
    static const char images[] = "\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\2\0\xff",
                      labels[] = "\0\0\x08\x01\0\0\0\1\7";
    const char *path = tmp_path("pictures"), *label_file = tmp_path("named");
    ur_real column;
    put_file(path, images, sizeof images - 1);
    put_file(label_file, labels, sizeof labels - 1);
    ur_examples_options_init(&o);
    o.label_file = label_file;
    o.scan = UR_SCAN_COLUMN;
    assert_ok(ur_examples_open(&x, &path, 1, &o));
    assert_int_equal(ur_examples_length(x, 0), 2);
    assert_ok(ur_examples_frames(x, 0, 1, 1, &column));
    assert_true(column == 1);
    assert_string_equal(ur_examples_label_name(x, 0), "7");
    ur_examples_close(x);
}

/* ---- texts ------------------------------------------------------------- */

static void texts__become_numbers(void **state)
{
    (void)state;
    ur_examples *x = open_set("a.tsv", "a\tb b c\nb\tc d\n", NULL);
    static const int64_t which[] = {1, 0};
    char text[5];
    int32_t ids[6];
    int lengths[2];
    ur_vocab *words, *letters;
    assert_int_equal(ur_examples_length(x, 0), 5);
    assert_int_equal(ur_examples_bytes(x, 0), 5);
    assert_ok(ur_examples_text(x, 0, text));
    assert_memory_equal(text, "b b c", 5);
    assert_status(UR_EINVAL, ur_examples_pad_ids(x, which, 2, 3, ids, lengths));
    assert_ok(ur_examples_vocab(&words, x, UR_TOKEN_WORD, 1, which + 1, 1));
    assert_int_equal(ur_vocab_size(words), 4);      /* <unk> </s> b c */
    assert_ok(ur_examples_number(x, words, UR_UNKNOWN_USUAL));
    assert_int_equal(ur_examples_length(x, 0), 3);
    assert_int_equal(ur_examples_longest(x, NULL, 0), 3);
    static const int32_t want[] = {3, 2, 0, 2, 0, 3};
    assert_ok(ur_examples_pad_ids(x, which, 2, 3, ids, lengths));
    assert_memory_equal(ids, want, sizeof want);
    assert_true(lengths[0] == 2 && lengths[1] == 3);
    /* What fails leaves it as it was; another vocabulary takes the place of the first. */
    assert_status(UR_EDATA, ur_examples_number(x, words, UR_UNKNOWN_ERROR));
    assert_non_null(strstr(ur_errmsg(), "a.tsv:2: "));
    assert_int_equal(ur_examples_length(x, 0), 3);
    assert_ok(ur_examples_vocab(&letters, x, UR_TOKEN_CHAR, 1, NULL, 0));
    assert_ok(ur_examples_number(x, letters, UR_UNKNOWN_USUAL));
    assert_int_equal(ur_examples_length(x, 0), 5);
    ur_vocab_free(words);
    ur_vocab_free(letters);
    ur_examples_close(x);
}

static void tokens__are_as_the_file_has_them(void **state)
{
    (void)state;
    ur_examples_options o = tagged();
    ur_examples *x = open_set("a.conll", "New B\nYork I\n\nin O\n", &o);
    ur_vocab *words;
    char text[9];
    int32_t ids[4];
    int lengths[2];
    assert_int_equal(ur_examples_content(x), UR_CONTENT_TOKENS);
    assert_int_equal(ur_examples_bytes(x, 0), sizeof text);
    assert_ok(ur_examples_text(x, 0, text));
    assert_memory_equal(text, "New\0York", sizeof text);
    assert_ok(ur_examples_vocab(&words, x, UR_TOKEN_WORD, 1, NULL, 0));
    assert_ok(ur_examples_number(x, words, UR_UNKNOWN_USUAL));
    assert_ok(ur_examples_pad_ids(x, (const int64_t[]){0, 1}, 2, 2, ids, lengths));
    size_t n;
    assert_memory_equal(ur_vocab_text(words, ids[1], &n), "in", 2);
    assert_memory_equal(ur_vocab_text(words, ids[2], &n), "York", 4);
    assert_true(lengths[0] == 2 && lengths[1] == 1 && ids[3] == 0);
    ur_vocab_free(words);
    ur_examples_close(x);
}

/* ---- parts and batches ------------------------------------------------- */

enum { MANY = 300 };

/* Series of 1 to 40 steps; of their labels each third is the same. */
static ur_examples *many_series(void)
{
    static char text[1 << 16];
    size_t at = (size_t)snprintf(text, sizeof text, "@data\n");
    for (int i = 0; i < MANY; i++) {
        for (int t = 0; t < 1 + i * 7 % 40; t++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", t ? "," : "", i);
        at += (size_t)snprintf(text + at, sizeof text - at, ":%c\n", 'a' + i % 3);
    }
    return open_set("many.ts", text, NULL);
}

static void hold_out__parts_all_examples(void **state)
{
    (void)state;
    ur_examples *x = many_series();
    int64_t which[MANY], again[MANY], n, m;
    int seen[MANY] = {0}, of[3] = {0};
    assert_ok(ur_examples_hold_out(x, 0.2, 5, which, &n));
    assert_int_equal(n, MANY - MANY / 5);
    for (int i = 0; i < MANY; i++) {
        assert_in_range(which[i], 0, MANY - 1);
        assert_int_equal(seen[which[i]]++, 0);
        assert_true(i == 0 || i == n || which[i] > which[i - 1]);
        of[ur_examples_label(x, which[i])] += i >= n;
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(of[k], MANY / 3 / 5);
    assert_ok(ur_examples_hold_out(x, 0.2, 5, again, &m));
    assert_memory_equal(which, again, sizeof which);
    assert_ok(ur_examples_hold_out(x, 0.2, 6, again, &m));
    assert_true(memcmp(which, again, sizeof which) != 0);
    assert_ok(ur_examples_hold_out(x, 0, 5, which, &n));
    assert_int_equal(n, MANY);
    ur_examples_close(x);
}

static void hold_out__parts_no_group(void **state)
{
    (void)state;
    ur_examples_options o;
    ur_examples_options_init(&o);
    o.column = "3";
    o.group = "2";
    ur_examples *x = open_set("a.csv", "1,me,a\n2,you,b\n3,me,a\n4,you,a\n", &o);
    int64_t which[4], n;
    assert_ok(ur_examples_hold_out(x, 0.5, 1, which, &n));
    assert_int_equal(n, 2);
    assert_int_equal(ur_examples_group(x, which[0]), ur_examples_group(x, which[1]));
    assert_true(ur_examples_group(x, which[1]) != ur_examples_group(x, which[2]));
    ur_examples_close(x);
}

static void batches__have_each_example_once_an_epoch(void **state)
{
    (void)state;
    enum { B = 8 };
    ur_examples *x = many_series();
    int64_t part[MANY], n;
    const int64_t *which;
    int rows, spread = 0, moved = 0;
    ur_batches *b;
    assert_ok(ur_examples_hold_out(x, 0.1, 1, part, &n));
    assert_ok(ur_batches_new(&b, x, part, n, B, 1));
    assert_int_equal(ur_batches_steps(b), (n + B - 1) / B);
    int64_t first[B] = {0};
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[MANY] = {0};
        for (int64_t step = 0; step < ur_batches_steps(b); step++) {
            int32_t least = 40, most = 0;
            assert_ok(ur_batches_at(b, epoch, step, &which, &rows));
            assert_in_range(rows, 1, B);
            for (int k = 0; k < rows; k++) {
                int32_t length = ur_examples_length(x, which[k]);
                assert_int_equal(seen[which[k]]++, 0);
                least = length < least ? length : least;
                most = length > most ? length : most;
                moved += step == 0 && epoch && first[k] != which[k];
                if (step == 0 && !epoch)
                    first[k] = which[k];
            }
            spread += most - least;
        }
        for (int64_t i = 0; i < MANY; i++)
            assert_int_equal(seen[part[i]], i < n);
    }
    assert_true(moved > 0);
    /* 32 batches are sorted at a time: neighbours are about as long. */
    assert_true(spread < 3 * 2 * ur_batches_steps(b));
    ur_batches_free(b);
    assert_ok(ur_batches_new(&b, x, NULL, 0, 2 * MANY, 1));
    assert_ok(ur_batches_at(b, 0, 0, &which, &rows));
    assert_int_equal(rows, MANY);
    ur_batches_free(b);
    ur_examples_close(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series__are_rows_of_numbers_with_a_label),
        cmocka_unit_test(batch__is_padded),
        cmocka_unit_test(steps__have_labels_where_they_are_asked_for),
        cmocka_unit_test(labels__are_those_of_another_set),
        cmocka_unit_test(options__say_how_files_are_read),
        cmocka_unit_test(texts__become_numbers),
        cmocka_unit_test(tokens__are_as_the_file_has_them),
        cmocka_unit_test(hold_out__parts_all_examples),
        cmocka_unit_test(hold_out__parts_no_group),
        cmocka_unit_test(batches__have_each_example_once_an_epoch),
    };
    return cmocka_run_group_tests_name("example_set", tests, NULL, NULL);
}
