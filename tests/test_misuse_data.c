/* SPDX-License-Identifier: MIT */
/* Wrong calls of the examples of data.h. */
#include "test_io.h"

#include "support/misuse.h"
#include "unroll/data.h"

static ur_examples *texts, *frames;
static ur_batches *batches;
static ur_vocab *letters;
static const char *text_path, *frames_path, *const *paths = &text_path;

static int set_up(void **unused)
{
    (void)unused;
    static const char lines[] = "a\tx\nb\ty\n", rows[] = "1,a\n2,b\n";
    ur_examples_options o;
    text_path = strdup(tmp_path("a.tsv"));
    frames_path = strdup(tmp_path("a.csv"));
    put_file(text_path, lines, sizeof lines - 1);
    put_file(frames_path, rows, sizeof rows - 1);
    ur_examples_options_init(&o);
    o.tagged = true;
    assert_ok(ur_examples_open(&texts, &text_path, 1, NULL));
    assert_ok(ur_examples_open(&frames, &frames_path, 1, &o));
    assert_ok(ur_batches_new(&batches, texts, NULL, 0, 1, 1));
    assert_ok(ur_vocab_of_text(&letters, UR_TOKEN_CHAR, "xy", 2, 1));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ur_batches_free(batches);
    ur_examples_close(texts);
    ur_examples_close(frames);
    ur_vocab_free(letters);
    free((void *)(uintptr_t)text_path);
    free((void *)(uintptr_t)frames_path);
    return 0;
}

static ur_examples_options usual(void)
{
    ur_examples_options o;
    ur_examples_options_init(&o);
    return o;
}

static void examples__open_what_is_there_as_it_can_be_read(void **unused)
{
    (void)unused;
    ur_examples *x;
    const char *nowhere = "nowhere.tsv", *none = NULL;
    ur_examples_options o = {0};
    ur_examples_close(NULL);
    REFUSED(UR_EINVAL, ur_examples_open(NULL, paths, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_open(&x, NULL, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_open(&x, &none, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 0, NULL));
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, -1, NULL));
    REFUSED(UR_EINPUT, ur_examples_open(&x, &nowhere, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    assert_null(x);
    o = usual(), o.format = "xml";
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    o = usual(), o.header = (ur_header)3;
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    o = usual(), o.scan = (ur_scan)5;
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    o = usual(), o.width = -1;
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    o = usual(), o.steps = -1;
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
    o = usual(), o.labels = letters;
    REFUSED(UR_EINVAL, ur_examples_open(&x, paths, 1, &o));
}

static void examples__have_those_numbers_and_those_contents(void **unused)
{
    (void)unused;
    char text[8];
    ur_real numbers[8];
    int32_t ids[8];
    NOTHING(ur_examples_count(NULL));
    SAYS(ur_examples_content(NULL));
    NOTHING(ur_examples_width(NULL));
    NOTHING(ur_examples_labels(NULL));
    NOTHING(ur_examples_label_count(NULL));
    NOTHING(ur_examples_label_name(NULL, 0));
    NOTHING(ur_examples_length(NULL, 0));
    NOTHING(ur_examples_length(texts, -1));
    NOTHING(ur_examples_length(texts, 2));
    SAYS(ur_examples_label(NULL, 0));
    SAYS(ur_examples_label(texts, 2));
    SAYS(ur_examples_group(NULL, 0));
    SAYS(ur_examples_group(texts, 2));
    NOTHING(ur_examples_bytes(NULL, 0));
    NOTHING(ur_examples_bytes(texts, INT64_MAX));
    REFUSED(UR_EINVAL, ur_examples_text(NULL, 0, text));
    REFUSED(UR_EINVAL, ur_examples_text(texts, 0, NULL));
    REFUSED(UR_EINVAL, ur_examples_text(texts, 2, text));
    REFUSED(UR_EINVAL, ur_examples_text(frames, 0, text));
    REFUSED(UR_EINVAL, ur_examples_frames(NULL, 0, 0, 1, numbers));
    REFUSED(UR_EINVAL, ur_examples_frames(frames, 0, 0, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_frames(texts, 0, 0, 1, numbers));
    REFUSED(UR_EINVAL, ur_examples_frames(frames, 1, 0, 1, numbers));
    REFUSED(UR_EINVAL, ur_examples_frames(frames, 0, 1, 2, numbers));
    REFUSED(UR_EINVAL, ur_examples_frames(frames, 0, -1, 1, numbers));
    REFUSED(UR_EINVAL, ur_examples_frames(frames, 0, 0, -1, numbers));
    REFUSED(UR_EINVAL, ur_examples_tags(NULL, 0, 0, 1, ids));
    REFUSED(UR_EINVAL, ur_examples_tags(frames, 0, 0, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_tags(frames, 0, 0, 3, ids));
    REFUSED(UR_EINVAL, ur_examples_tags(texts, 0, 0, 1, ids));
}

static void numbers__are_of_texts(void **unused)
{
    (void)unused;
    static const int64_t beyond[] = {2};
    ur_vocab *v;
    REFUSED(UR_EINVAL, ur_examples_vocab(NULL, texts, UR_TOKEN_CHAR, 1, NULL, 0));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, NULL, UR_TOKEN_CHAR, 1, NULL, 0));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, texts, (ur_token_kind)9, 1, NULL, 0));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, texts, UR_TOKEN_WORD, 0, NULL, 0));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, texts, UR_TOKEN_CHAR, 1, beyond, 1));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, texts, UR_TOKEN_CHAR, 1, beyond, -1));
    REFUSED(UR_EINVAL, ur_examples_vocab(&v, texts, UR_TOKEN_CHAR, 1, beyond, 0));
    REFUSED(UR_EDATA, ur_examples_vocab(&v, frames, UR_TOKEN_CHAR, 1, NULL, 0));
    assert_null(v);
    REFUSED(UR_EINVAL, ur_examples_number(NULL, letters, UR_UNKNOWN_USUAL));
    REFUSED(UR_EINVAL, ur_examples_number(texts, NULL, UR_UNKNOWN_USUAL));
    REFUSED(UR_EINVAL, ur_examples_number(texts, letters, (ur_unknown)9));
    REFUSED(UR_EDATA, ur_examples_number(frames, letters, UR_UNKNOWN_USUAL));
}

static void batches__are_of_examples_that_are_there(void **unused)
{
    (void)unused;
    static const int64_t good[] = {0}, beyond[] = {0, 2};
    const int64_t *which;
    ur_real numbers[8];
    int32_t ids[8];
    int64_t part[2], n;
    int lengths[2], rows;
    ur_batches *b;
    NOTHING(ur_examples_longest(NULL, NULL, 0));
    SAYS(ur_examples_longest(texts, beyond, 2));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(NULL, good, 1, 1, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, NULL, 1, 1, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, good, 0, 1, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, good, 1, 0, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, good, 1, 1, NULL, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, good, 1, 1, numbers, NULL));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(frames, beyond, 2, 1, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_frames(texts, good, 1, 1, numbers, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_ids(texts, good, 1, 1, NULL, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_ids(texts, good, 1, 1, ids, NULL));
    REFUSED(UR_EINVAL, ur_examples_pad_ids(texts, good, 1, 1, ids, lengths));
    REFUSED(UR_EINVAL, ur_examples_pad_labels(texts, good, 1, 1, NULL));
    REFUSED(UR_EINVAL, ur_examples_pad_labels(texts, beyond, 2, 1, ids));
    REFUSED(UR_EINVAL, ur_examples_hold_out(NULL, 0.5, 1, part, &n));
    REFUSED(UR_EINVAL, ur_examples_hold_out(texts, 0.5, 1, NULL, &n));
    REFUSED(UR_EINVAL, ur_examples_hold_out(texts, 0.5, 1, part, NULL));
    REFUSED(UR_EINVAL, ur_examples_hold_out(texts, 1, 1, part, &n));
    ur_batches_free(NULL);
    REFUSED(UR_EINVAL, ur_batches_new(NULL, texts, NULL, 0, 1, 1));
    REFUSED(UR_EINVAL, ur_batches_new(&b, NULL, NULL, 0, 1, 1));
    REFUSED(UR_EINVAL, ur_batches_new(&b, texts, NULL, 0, 0, 1));
    REFUSED(UR_EINVAL, ur_batches_new(&b, texts, good, 0, 1, 1));
    REFUSED(UR_EINVAL, ur_batches_new(&b, texts, beyond, 2, 1, 1));
    assert_null(b);
    NOTHING(ur_batches_steps(NULL));
    REFUSED(UR_EINVAL, ur_batches_at(NULL, 0, 0, &which, &rows));
    REFUSED(UR_EINVAL, ur_batches_at(batches, 0, 0, NULL, &rows));
    REFUSED(UR_EINVAL, ur_batches_at(batches, 0, 0, &which, NULL));
    REFUSED(UR_EINVAL, ur_batches_at(batches, 0, 2, &which, &rows));
    REFUSED(UR_EINVAL, ur_batches_at(batches, -1, 0, &which, &rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples__open_what_is_there_as_it_can_be_read),
        cmocka_unit_test(examples__have_those_numbers_and_those_contents),
        cmocka_unit_test(numbers__are_of_texts),
        cmocka_unit_test(batches__are_of_examples_that_are_there),
    };
    int failed = cmocka_run_group_tests_name("misuse_data", tests, set_up, tear_down);
    misuse_total(80);
    return failed;
}
