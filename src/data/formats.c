/* SPDX-License-Identifier: MIT */
/* The one list of file formats, and reading files by it. */
#include "data/formats.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"

/* FORMAT(x): ur__format_x, of read_x.c. In this order a file is compared with them: the more
 * peculiar first. */
#define FORMATS(FORMAT) \
    FORMAT(idx)         \
    FORMAT(ts)          \
    FORMAT(wav)         \
    FORMAT(conllu)      \
    FORMAT(frames)      \
    FORMAT(conll)       \
    FORMAT(csv)         \
    FORMAT(text)

#define DECLARE(x) extern const struct ur__format ur__format_##x;
#define ENTRY(x) &ur__format_##x,
FORMATS(DECLARE)
static const struct ur__format *const formats[] = {FORMATS(ENTRY)};
enum { N_FORMATS = sizeof formats / sizeof *formats, MAGIC = 4 };

const char *const *ur__format_names(void)
{
    static _Thread_local const char *names[N_FORMATS + 1];
    for (int i = 0; i < N_FORMATS; i++)
        names[i] = formats[i]->name;
    return names;
}

const struct ur__format *ur__format_find(const char *name)
{
    for (int i = 0; i < N_FORMATS; i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

/* ---- telling a file's format ------------------------------------------- */

static bool ends_with(const char *path, size_t n, const char *ending)
{
    size_t m = strlen(ending);
    return n > m && memcmp(path + n - m, ending, m) == 0;
}

static bool has_ending(const struct ur__format *f, const char *path)
{
    size_t n = strlen(path);
    n -= ends_with(path, n, ".gz") ? 3 : 0;
    for (int i = 0; f->endings[i]; i++) {
        if (ends_with(path, n, f->endings[i]))
            return true;
    }
    return false;
}

static bool fits(const struct ur__format *f, const struct ur__read_rule *rule)
{
    return rule->tagged ? f->tagged : f->one;
}

/* What comes through a pipe cannot be read twice: it is text. */
static ur_status find_binary(const struct ur__intake *in, const struct ur__format **out)
{
    struct ur__file_id id;
    struct ur__reader *r;
    struct ur__tally tally = {0};
    char head[MAGIC];
    size_t n;
    *out = NULL;
    if (strcmp(in->path, "-") == 0
        || (ur__file_identify(&id, in->path) && id.kind == UR__FILE_STREAM))
        return UR_OK;
    UR__TRY(ur__reader_open(&r, in->path));
    ur_status status = ur__tally_read(&tally, r, head, sizeof head, &n);
    ur__reader_close(r);
    for (int i = 0; i < N_FORMATS && status == UR_OK; i++) {
        if (formats[i]->binary && fits(formats[i], in->rule)
            && formats[i]->is(head, n, in->rule->tagged))
            *out = formats[i];
    }
    return status;
}

static ur_status find_text(const struct ur__intake *in, const struct ur__format **out)
{
    size_t n;
    const char *head = ur__lines_head(&in->lines, &n);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < N_FORMATS; i++) {
            const struct ur__format *f = formats[i];
            if (f->binary || !fits(f, in->rule)
                || !(pass ? f->is(head, n, in->rule->tagged) : has_ending(f, in->path)))
                continue;
            *out = f;
            return UR_OK;
        }
    }
    return ur__fail(UR_EDATA, "%s: looks like none of the formats that are known: say which it "
                    "is", in->lines.name);
}

/* ---- reading ----------------------------------------------------------- */

static ur_status check_format(const struct ur__read_rule *rule, const struct ur__format **out)
{
    *out = rule->format ? ur__format_find(rule->format) : NULL;
    if (rule->format && !*out)
        return ur__fail(UR_EINVAL, "there is no format called \"%.80s\"", rule->format);
    if (*out && !fits(*out, rule))
        return ur__fail(UR_EINVAL, "files of format %s (%s) have no label %s", rule->format,
                        (*out)->what, rule->tagged ? "a step" : "for a whole example");
    return UR_OK;
}

static ur_status read_file(struct ur__intake *in)
{
    const struct ur__format *f;
    UR__TRY(check_format(in->rule, &f));
    if (!f)
        UR__TRY(find_binary(in, &f));
    if (f && f->binary)
        return f->read(in);
    ur_status status = ur__lines_open(&in->lines, in->path, in->rule->any_bytes, &in->x->tally);
    if (status == UR_OK && !f)
        status = find_text(in, &f);
    if (status == UR_OK)
        status = f->read(in);
    ur__lines_close(&in->lines);
    return status;
}

static ur_status take_file(struct ur__intake *in, const char *path)
{
    struct ur__examples *x = in->x;
    int64_t before = x->n;
    in->path = path;
    in->steps = 0;
    if (!(x->path[x->n_paths] = ur__strdup(path)))
        return UR_ENOMEM;
    x->n_paths++;
    UR__TRY(read_file(in));
    if (x->n == before)
        return ur__fail(UR_EDATA, "%s: holds no example", strcmp(path, "-") ? path
                        : "standard input");
    return UR_OK;
}

static ur_status settle(struct ur__intake *in, ur_vocab **labels)
{
    struct ur__examples *x = in->x;
    if (in->rule->unlabelled || in->rule->labels)
        return UR_OK;
    x->order = ur__alloc((size_t)in->labels.n, sizeof *x->order);
    if (!x->order)
        return UR_ENOMEM;
    UR__TRY(ur__labels_settle(labels, &in->labels, x->order));
    for (int64_t i = 0; i < x->n; i++) {
        if (x->example[i].label >= 0)
            x->example[i].label = x->order[x->example[i].label];
    }
    return UR_OK;
}

static ur_status take_all(struct ur__intake *in, const char *const *paths, int n_paths,
                          ur_vocab **labels)
{
    in->x->tagged = in->rule->tagged && !in->rule->unlabelled;
    in->x->path = ur__alloc((size_t)n_paths, sizeof *in->x->path);
    if (!in->x->path)
        return UR_ENOMEM;
    for (int i = 0; i < n_paths; i++)
        UR__TRY(take_file(in, paths[i]));
    return settle(in, labels);
}

ur_status ur__examples_open(struct ur__examples **out, const char *const *paths, int n_paths,
                            const struct ur__read_rule *rule, ur_vocab **labels)
{
    *out = NULL;
    if (labels)
        *labels = NULL;
    if (n_paths < 1)
        return ur__fail(UR_EINVAL, "a set of examples needs at least one file");
    if (!rule->unlabelled && !rule->labels && !labels)
        return ur__fail(UR_EINVAL, "examples: the labels found have no place to go");
    struct ur__examples *x = ur__calloc(1, sizeof *x);
    struct ur__intake *in = x ? ur__calloc(1, sizeof *in) : NULL;
    ur_status status = UR_ENOMEM;
    if (in) {
        in->x = x;
        in->rule = rule;
        unsigned mode = ur__fpmode_default();       /* numbers are read, sounds transformed */
        status = take_all(in, paths, n_paths, labels);
        ur__fpmode_restore(mode);
        ur__word_table_free(&in->labels);
        ur__free(in);
    }
    if (status != UR_OK) {
        ur__examples_free(x);
        return status;
    }
    *out = x;
    return UR_OK;
}
