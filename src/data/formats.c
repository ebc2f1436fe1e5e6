/* SPDX-License-Identifier: MIT */
/* The one list of file formats, and reading files by it. */
#include "data/formats.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"

/* FORMAT(x): ur__format_x, of read_x.c (sound: of read_wav.c). In this order a file is compared
 * with them: the more peculiar first. */
#define FORMATS(FORMAT) \
    FORMAT(idx)         \
    FORMAT(sound)       \
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

bool ur__format_has(const char *format, const char *option, const char *value)
{
    if (strcmp(option, "group") == 0 && strcmp(value, "file") == 0)
        return true;
    const struct ur__format *f = ur__format_find(format);
    for (int i = 0; f && f->options && f->options[i]; i++)
        if (strcmp(f->options[i], option) == 0)
            return true;
    return false;
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
    return (rule->tagged ? f->tagged : f->one) && (rule->unlabelled || !f->bare);
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
    struct ur__buf names = {0};
    for (int i = 0; i < N_FORMATS; i++)
        if (fits(formats[i], in->rule))
            ur__buf_printf(&names, "%s%s", names.size ? ", " : "", formats[i]->name);
    ur_status status = ur__fail(UR_EDATA, "%s: looks like no format with %s: say which it is with "
                                "format (%s)", in->lines.name, in->rule->tagged
                                ? "a label a step" : "a label an example",
                                names.data ? names.data : "");
    ur__buf_free(&names);
    return status;
}

/* ---- reading ----------------------------------------------------------- */

struct ur__example_reader {
    struct ur__intake in;
    const char *const *paths;
    int n_paths;
    int64_t before;             /* examples before the file at hand */
    int64_t taken;
    const struct ur__format *f; /* of the file at hand; NULL: none is open */
    void *inside;               /* its reader's */
};

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

/* The format of the file at hand, which is open then unless its reader is to open it. */
static ur_status find_format(struct ur__intake *in, const struct ur__format **out)
{
    const struct ur__format *f, *binary = NULL;
    *out = NULL;
    UR__TRY(check_format(in->rule, &f));
    if (!f || in->rule->unlabelled)
        UR__TRY(find_binary(in, &binary));
    if (binary && (!f || binary->bare))
        f = binary;
    if (!f || !f->binary)
        UR__TRY(ur__lines_open(&in->lines, in->path, in->rule->any_bytes, &in->x->tally));
    if (!f)
        UR__TRY(find_text(in, &f));
    *out = f;
    return UR_OK;
}

static void close_file(struct ur__example_reader *r)
{
    if (r->inside)
        r->f->end(r->inside);
    ur__free(r->inside);
    ur__lines_close(&r->in.lines);
    r->inside = NULL;
    r->f = NULL;
}

static ur_status open_file(struct ur__example_reader *r)
{
    struct ur__intake *in = &r->in;
    struct ur__examples *x = in->x;
    const char *path = r->paths[x->n_paths];
    r->before = r->taken;
    in->steps = 0;
    if (!(x->path[x->n_paths] = ur__strdup(path)))
        return UR_ENOMEM;
    in->path = x->path[x->n_paths++];
    UR__TRY(find_format(in, &r->f));
    if (!x->format)
        x->format = r->f->name;
    r->inside = ur__calloc(1, r->f->size);
    return r->inside ? r->f->begin(r->inside, in) : UR_ENOMEM;
}

/* Adds an example to the set; *more false: there was none left in any file. */
static ur_status take_next(struct ur__example_reader *r, bool *more)
{
    for (*more = false; r->f || r->in.x->n_paths < r->n_paths; close_file(r)) {
        if (!r->f)
            UR__TRY(open_file(r));
        UR__TRY(r->f->next(r->inside, more));
        r->taken += *more;
        if (*more)
            return UR_OK;
        if (r->taken == r->before)
            return ur__fail(UR_EDATA, "%s: holds no example",
                            strcmp(r->in.path, "-") ? r->in.path : "standard input");
    }
    return UR_OK;
}

static struct ur__example_reader *new_reader(const char *const *paths, int n_paths,
                                             const struct ur__read_rule *rule)
{
    struct ur__example_reader *r = ur__calloc(1, sizeof *r);
    struct ur__examples *x = r ? ur__calloc(1, sizeof *x) : NULL;
    if (!x) {
        ur__free(r);
        return NULL;
    }
    r->in.x = x;
    r->in.rule = rule;
    r->paths = paths;
    r->n_paths = n_paths;
    x->tagged = rule->tagged && !rule->unlabelled;
    x->path = ur__alloc((size_t)n_paths, sizeof *x->path);
    if (x->path)
        return r;
    ur__example_reader_close(r);
    return NULL;
}

static ur_status check_paths(int n_paths)
{
    return n_paths > 0 ? UR_OK
                       : ur__fail(UR_EINVAL, "a set of examples needs at least one file");
}

void ur__example_reader_close(struct ur__example_reader *r)
{
    if (!r)
        return;
    close_file(r);
    ur__examples_free(r->in.x);
    ur__word_table_free(&r->in.labels);
    ur__free(r);
}

ur_status ur__example_reader_open(struct ur__example_reader **out, const char *const *paths,
                                  int n_paths, const struct ur__read_rule *rule)
{
    *out = NULL;
    UR__TRY(check_paths(n_paths));
    *out = new_reader(paths, n_paths, rule);
    return *out ? UR_OK : UR_ENOMEM;
}

ur_status ur__example_reader_next(struct ur__example_reader *r, struct ur__examples **x)
{
    bool more;
    ur__examples_clear(r->in.x);
    unsigned mode = ur__fpmode_default();       /* numbers are read, sounds transformed */
    ur_status status = take_next(r, &more);
    ur__fpmode_restore(mode);
    *x = status == UR_OK && more ? r->in.x : NULL;
    return status;
}

/* ---- whole sets -------------------------------------------------------- */

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

static ur_status take_all(struct ur__example_reader *r, ur_vocab **labels)
{
    for (bool more = true; more; )
        UR__TRY(take_next(r, &more));
    return settle(&r->in, labels);
}

ur_status ur__examples_open(struct ur__examples **out, const char *const *paths, int n_paths,
                            const struct ur__read_rule *rule, ur_vocab **labels)
{
    *out = NULL;
    if (labels)
        *labels = NULL;
    UR__TRY(check_paths(n_paths));
    if (!rule->unlabelled && !rule->labels && !labels)
        return ur__fail(UR_EINVAL, "examples: the labels found have no place to go");
    struct ur__example_reader *r = new_reader(paths, n_paths, rule);
    if (!r)
        return UR_ENOMEM;
    unsigned mode = ur__fpmode_default();       /* numbers are read, sounds transformed */
    ur_status status = take_all(r, labels);
    ur__fpmode_restore(mode);
    if (status == UR_OK) {
        *out = r->in.x;
        r->in.x = NULL;
    }
    ur__example_reader_close(r);
    return status;
}
