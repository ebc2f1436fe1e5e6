/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L     /* setenv */

#include "reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/formats.h"
#include "io/file.h"
#include "support/memory_file.h"

enum { HEAD = 4, MAX = 1 << 16, PIECE = 256 };

static const char *fuzzed;      /* the format */
static const char *path;        /* of the set */
static const char list[] = "a\ts.wav\tyou\nb\tt.wav\tme\n";
/* Of 16,000 samples a second. */
static const char fast[] = "RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\x80\x3e\0\0"
                           "\1\0\x08\0data\x08\0\0\0abcdefgh";

/* Files and the rule for them as the first bytes have it. */
static struct ur__read_rule set_up(const uint8_t *data, size_t size)
{
    const struct ur__format *f = ur__format_find(fuzzed);
    struct ur__read_rule rule = {
        .format = data[2] & 128 ? NULL : fuzzed,
        .tagged = !f->one || (f->tagged && data[0] & 1), .unlabelled = data[0] & 2,
        .any_bytes = data[0] & 4, .column = data[0] & 64 ? data[0] & 2 ? "2" : "name" : NULL,
        .group = data[0] & 128 ? "1" : NULL, .header = (ur_header)((data[0] >> 4 & 3) % 3),
        .steps = data[2] & 7, .width = data[2] >> 3 & 15, .scan = (ur_scan)(data[2] % 5),
        .mel = {.window = (data[2] >> 3 & 15) * 16, .hop = (data[2] & 7) * 40, .bands = data[2] & 3}
    };
    const uint8_t *file = data + HEAD;
    size_t n = size - HEAD, labels = 0;
    path = "mem:in";
    if (f->binary) {
        path = "mem:images";
        labels = data[3] < n ? data[3] : n;
        memory_file("mem:labels", file + n - labels, labels);
    }
    if (strcmp(fuzzed, "wav") == 0 && !(data[2] & 128)) {
        path = "mem:d/list";
        memory_file(path, list, sizeof list - 1);
        memory_file("mem:d/s.wav", file, n);
        memory_file("mem:d/t.wav", data[3] & 1 ? (const uint8_t *)fast : file,
                    data[3] & 1 ? sizeof fast - 1 : n);
    } else {
        memory_file(path, file, n - labels);
    }
    memory_files_read_at_most(data[1]);
    ur__numbers_set_spool_at(data[0] & 8 ? 16 : 0);
    return rule;
}

static void set_down(void)
{
    memory_files_read_at_most(0);
    ur__numbers_set_spool_at(0);
}

/* ---- looking ----------------------------------------------------------- */

static void sum(uint32_t *digest, const void *bytes, size_t n)
{
    *digest = ur__crc32(*digest, bytes, n);
}

static ur_status sum_frames(struct ur__examples *x, int64_t i, uint32_t *digest)
{
    size_t width = (size_t)x->width;
    ur_real *frame = malloc(width * sizeof *frame);
    ur_status status = UR_OK;
    FUZZ_CHECK(frame && x->example[i].size == (uint64_t)x->example[i].length * width);
    for (int32_t t = 0; t < x->example[i].length && status == UR_OK; t++) {
        status = ur__examples_frames(x, i, t, 1, frame);
        for (size_t k = 0; k < width && status == UR_OK; k++)
            FUZZ_CHECK(isfinite(frame[k]));
        if (status == UR_OK)
            sum(digest, frame, width * sizeof *frame);
    }
    free(frame);
    return status;
}

static ur_status sum_text(struct ur__examples *x, int64_t i, uint32_t *digest)
{
    size_t n = (size_t)x->example[i].size, zeros = 0;
    char *text = malloc(n);
    FUZZ_CHECK(text);
    ur_status status = ur__examples_text(x, i, text);
    for (size_t k = 0; k < n && status == UR_OK; k++)
        zeros += text[k] == '\0';
    if (status == UR_OK) {
        FUZZ_CHECK(zeros == (x->content == UR_CONTENT_TOKENS ? (size_t)x->example[i].length : 0));
        sum(digest, text, n);
    }
    free(text);
    return status;
}

static ur_status sum_tags(struct ur__examples *x, int64_t i, int n_labels, uint32_t *digest)
{
    for (int32_t t = 0, n; t < x->example[i].length; t += n) {
        int32_t tag[PIECE];
        n = x->example[i].length - t < PIECE ? x->example[i].length - t : PIECE;
        ur_status status = ur__examples_tags(x, i, t, n, tag);
        if (status != UR_OK)
            return status;
        for (int32_t k = 0; k < n; k++)
            FUZZ_CHECK(tag[k] >= 0 && tag[k] < n_labels);
        sum(digest, tag, (size_t)n * sizeof *tag);
    }
    return UR_OK;
}

/* All that is in it. */
static ur_status sum_up(struct ur__examples *x, const ur_vocab *labels, uint32_t *digest)
{
    int n_labels = labels ? ur__label_count(labels) : 0;
    ur_status status = UR_OK;
    size_t n;
    for (int i = 0; i < n_labels; i++)
        FUZZ_CHECK(ur__label_text(labels, i, &n) && n > 0);
    *digest = x->tally.crc;
    for (int64_t i = 0; i < x->n && status == UR_OK; i++) {
        const struct ur__example *e = &x->example[i];
        FUZZ_CHECK(e->length >= 1 && e->length <= x->longest && e->line >= 1);
        FUZZ_CHECK(e->label >= -1 && e->label < n_labels);
        FUZZ_CHECK((e->label < 0) == (x->tagged || !labels));
        FUZZ_CHECK(e->group >= -1 && e->group < x->groups.n);
        sum(digest, &e->label, sizeof e->label);
        sum(digest, &e->group, sizeof e->group);
        sum(digest, &e->line, sizeof e->line);
        status = x->content == UR_CONTENT_FRAMES ? sum_frames(x, i, digest)
                                                 : sum_text(x, i, digest);
        if (status == UR_OK && x->tagged)
            status = sum_tags(x, i, n_labels, digest);
    }
    return status;
}

/* ---- the input --------------------------------------------------------- */

static ur_status work(const uint8_t *data, size_t size)
{
    struct ur__examples *x = NULL;
    ur_vocab *labels = NULL;
    uint32_t digest;
    if (size < HEAD || size > MAX)
        return UR_OK;
    struct ur__read_rule rule = set_up(data, size);
    ur_status status = ur__examples_open(&x, &path, 1, &rule, &labels);
    if (status == UR_OK)
        status = sum_up(x, labels, &digest);
    set_down();
    ur__examples_free(x);
    ur_vocab_free(labels);
    return status;
}

static void check_again(struct ur__read_rule rule, const ur_vocab *labels, uint32_t want)
{
    struct ur__examples *x;
    uint32_t got;
    rule.labels = labels;
    set_down();
    FUZZ_CHECK(ur__examples_open(&x, &path, 1, &rule, NULL) == UR_OK);
    FUZZ_CHECK(sum_up(x, labels, &got) == UR_OK && got == want);
    ur__examples_free(x);
}

/* Beside another file, and by the labels of another set. */
static void check_other(struct ur__read_rule rule)
{
    static const char other[] = "1,2,other\n";
    const char *paths[] = {path, "mem:other"};
    struct ur__examples *x, *y = NULL;
    ur_vocab *labels, *others;
    rule = (struct ur__read_rule){.tagged = rule.tagged, .group = "file"};
    memory_file("mem:other", other, sizeof other - 1);
    ur_status status = ur__examples_open(&x, paths, 2, &rule, &labels);
    FUZZ_CHECK((status == UR_OK) == (x != NULL) && (status == UR_OK) == (labels != NULL));
    FUZZ_CHECK(status != UR_OK || x->groups.n >= 2);
    ur__examples_free(x);
    ur_vocab_free(labels);
    FUZZ_CHECK(ur__examples_open(&x, &paths[1], 1, &rule, &others) == UR_OK);
    rule.labels = others;
    status = ur__examples_open(&y, paths, 1, &rule, NULL);
    FUZZ_CHECK((status == UR_OK) == (y != NULL));
    ur__examples_free(x);
    ur__examples_free(y);
    ur_vocab_free(others);
    memory_file_remove("mem:other");
}

/* A list's paths may lead out of what is in memory. */
static bool leads_out(const uint8_t *data, size_t size)
{
    for (size_t i = HEAD; i + 4 <= size; i++) {
        if (memcmp(data + i, ".wav", 4) == 0 || memcmp(data + i, ".WAV", 4) == 0)
            return true;
    }
    return false;
}

/* One by one they are those of the set, which x is if it was taken; and a rule that knows more of
 * the data may refuse, not fail. */
static void check_singly(struct ur__read_rule rule, struct ur__examples *x, int more)
{
    struct ur__example_reader *r;
    struct ur__examples *one;
    int64_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        ur_status status = ur__example_reader_open(&r, &path, 1, &rule);
        for (one = NULL; status == UR_OK; ) {
            status = ur__example_reader_next(r, &one);
            FUZZ_CHECK(status == UR_OK || !one);
            if (!one)
                break;
            FUZZ_CHECK(one->n == 1 && one->example[0].label < 0 && one->example[0].length >= 1);
            if (x && pass == 0)
                FUZZ_CHECK(n < x->n && one->example[0].size == x->example[n].size
                           && one->example[0].line == x->example[n].line);
            n++;
        }
        if (pass == 0)
            FUZZ_CHECK((status == UR_OK) == (x != NULL) && (!x || n == x->n));
        ur__example_reader_close(r);
        rule.columns = more & 7;
        rule.features = (more >> 3 & 7) - 1;
        rule.apart = more & 64;
    }
}

int fuzz_reading(const char *format, const uint8_t *data, size_t size)
{
    struct ur__examples *x;
    ur_vocab *labels = NULL;
    uint32_t digest;
    fuzzed = format;
    /* Scratch files too. Not before the first input: libFuzzer makes files of its own. */
    setenv("TMPDIR", "mem:", 1);
    if (leads_out(data, size))
        return 0;
    fuzz_plan(&data, &size, work);
    if (size < HEAD || size > MAX)
        return 0;
    fuzz_begin();
    struct ur__read_rule rule = set_up(data, size);
    ur_status status = ur__examples_open(&x, &path, 1, &rule, &labels);
    FUZZ_CHECK((status == UR_OK) == (x != NULL));
    FUZZ_CHECK((labels != NULL) == (x && !rule.unlabelled));
    if (status == UR_OK) {
        FUZZ_CHECK(x->n > 0 && x->width > 0);
        FUZZ_CHECK(sum_up(x, labels, &digest) == UR_OK);
        check_again(rule, labels, digest);
        check_other(rule);
    } else {
        fuzz_refused(status, size + MAX, MAX);
    }
    if (rule.unlabelled)
        check_singly(rule, x, data[3]);
    set_down();
    ur__examples_free(x);
    ur_vocab_free(labels);
    memory_file_remove("mem:labels");
    fuzz_end();
    return 0;
}
