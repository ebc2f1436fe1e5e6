/* SPDX-License-Identifier: MIT */
/* Shared by the tests of readers: files written, read and shown as text. */
#ifndef UR_TESTS_READERS_H
#define UR_TESTS_READERS_H

#include "test_io.h"

#include "base/text.h"
#include "data/formats.h"

/* What was read, an example a line: where it begins, its label, its text in quotes, its tokens with
 * their labels, or its frames; groups in parentheses. */
static inline void show_examples(struct ur__examples *x, const ur_vocab *labels, struct ur__buf *to)
{
    for (int64_t i = 0; i < x->n; i++) {
        const struct ur__example *e = &x->example[i];
        char *text = malloc(e->size + 1);
        ur_real *frame = malloc((e->size + 1) * sizeof *frame);
        int32_t *tag = malloc((size_t)e->length * sizeof *tag);
        size_t n = 0, at = 0;
        assert_true(text && frame && tag);
        if (x->content == UR_CONTENT_FRAMES)
            assert_ok(ur__examples_frames(x, i, 0, e->length, frame));
        else
            assert_ok(ur__examples_text(x, i, text));
        if (x->tagged)
            assert_ok(ur__examples_tags(x, i, 0, e->length, tag));
        assert_ok(ur__buf_printf(to, "%lld", (long long)e->line));
        if (e->label >= 0) {
            const char *name = ur__label_text(labels, e->label, &n);
            assert_ok(ur__buf_printf(to, " %.*s", (int)n, name));
        }
        if (e->group >= 0)
            assert_ok(ur__buf_printf(to, " (%d)", (int)e->group));
        if (x->content == UR_CONTENT_TEXTS)
            assert_ok(ur__buf_printf(to, " \"%.*s\"", (int)e->size, text));
        for (int t = 0; t < e->length && x->content != UR_CONTENT_TEXTS; t++) {
            if (x->content == UR_CONTENT_TOKENS) {
                assert_ok(ur__buf_printf(to, " %s", text + at));
                at += strlen(text + at) + 1;
            }
            for (int k = 0; k < x->width && x->content == UR_CONTENT_FRAMES; k++)
                assert_ok(ur__buf_printf(to, "%s%.6g", k ? "," : " ",
                                         (double)frame[t * x->width + k]));
            if (x->tagged) {
                const char *name = ur__label_text(labels, tag[t], &n);
                assert_ok(ur__buf_printf(to, "/%.*s", (int)n, name));
            }
        }
        assert_ok(ur__buf_puts(to, "\n"));
        free(text);
        free(frame);
        free(tag);
    }
}

/* Reads one file and shows it; what is refused is shown as its message, without the folder. */
static inline char *read_and_show(const char *path, const struct ur__read_rule *rule)
{
    struct ur__examples *x;
    ur_vocab *labels = NULL;
    struct ur__buf to = {0};
    ur_status status = ur__examples_open(&x, &path, 1, rule, &labels);
    if (status == UR_OK) {
        show_examples(x, labels ? labels : rule->labels, &to);
    } else {
        assert_null(x);
        assert_null(labels);
        assert_ok(ur__buf_printf(&to, "%s ", ur_status_name(status)));
        const char *message = ur_errmsg();
        for (const char *at; (at = strstr(message, tmp_dir())) != NULL; ) {
            assert_ok(ur__buf_put(&to, message, (size_t)(at - message)));
            message = at + strlen(tmp_dir());
            message += strspn(message, "/0123456789-");
        }
        assert_ok(ur__buf_puts(&to, message));
    }
    char *text = strdup(to.data ? to.data : "");
    ur__buf_free(&to);
    ur__examples_free(x);
    ur_vocab_free(labels);
    return text;
}

/* A file of that name and content, and what must come of it. */
struct reading_case {
    const char *name, *content, *shown;
    struct ur__read_rule rule;
};

static inline void try_reading(const struct reading_case *c, size_t n)
{
    long blocks = ur__mem_blocks();
    for (size_t i = 0; i < n; i++) {
        const char *path = tmp_path(c[i].name);
        put_file(path, c[i].content, strlen(c[i].content));
        char *shown = read_and_show(path, &c[i].rule);
        if (strcmp(shown, c[i].shown) != 0)
            fail_msg("case %zu of %s:\n%s\nis read as\n%s\nnot as\n%s", i, c[i].name,
                     c[i].content, shown, c[i].shown);
        free(shown);
    }
    assert_int_equal(ur__mem_blocks(), blocks);
}

#endif
