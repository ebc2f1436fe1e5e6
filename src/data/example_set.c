/* SPDX-License-Identifier: MIT */
/* The public face of sets of examples (data/examples.h), of what is held out of them and of their
 * numbers as batches have them. */
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "data/formats.h"
#include "data/holdout.h"
#include "data/sequences.h"

struct ur_examples {
    struct ur__examples *x;
    ur_vocab *labels;           /* NULL: unlabelled */
    const char **name;          /* [labels] in names */
    char *names;
    struct ur__sequences ids;   /* of texts and tokens that are numbered; else ids.begin NULL */
};

static const ur_examples_options defaults = {.size = sizeof defaults};

void ur_examples_options_init_size(ur_examples_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

/* ---- opening ----------------------------------------------------------- */

static ur_status check(const ur_examples_options *o)
{
    if (o->header < UR_HEADER_AUTO || o->header > UR_HEADER_NO)
        return ur__fail(UR_EINVAL, "examples: header is %d, not 0 to 2", (int)o->header);
    if (o->scan < UR_SCAN_AUTO || o->scan > UR_SCAN_PICTURE)
        return ur__fail(UR_EINVAL, "examples: scan is %d, not 0 to 4", (int)o->scan);
    if (o->steps < 0 || o->width < 0)
        return ur__fail(UR_EINVAL, "examples: a line of numbers cannot be [%d,%d]", o->steps,
                        o->width);
    if (o->labels && (ur_vocab_kind(o->labels) != UR_TOKEN_WORD || ur__label_count(o->labels) < 1))
        return ur__fail(UR_EINVAL, "examples: the vocabulary given is not one of labels");
    return UR_OK;
}

static ur_status copy_names(ur_examples *s)
{
    s->names = ur__alloc(ur__label_names_size(s->labels), 1);
    s->name = ur__alloc((size_t)ur__label_count(s->labels), sizeof *s->name);
    if (!s->names || !s->name)
        return UR_ENOMEM;
    ur__label_names(s->labels, s->names, s->name);
    return UR_OK;
}

static ur_status open(ur_examples *s, const char *const *paths, int n,
                      const ur_examples_options *o)
{
    const struct ur__read_rule rule = {
        .format = o->format, .tagged = o->tagged, .unlabelled = o->unlabelled,
        .any_bytes = o->any_bytes, .labels = o->labels, .label_file = o->label_file,
        .column = o->column, .text = o->text, .group = o->group, .header = o->header,
        .steps = o->steps, .width = o->width, .scan = o->scan,
    };
    bool found = !o->unlabelled && !o->labels;
    UR__TRY(ur__examples_open(&s->x, paths, n, &rule, found ? &s->labels : NULL));
    if (!o->unlabelled && o->labels)
        UR__TRY(ur__vocab_copy(&s->labels, o->labels));
    return s->labels ? copy_names(s) : UR_OK;
}

ur_status ur_examples_open(ur_examples **out, const char *const *paths, int n,
                           const ur_examples_options *options)
{
    ur_examples_options o = defaults;
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(paths, "paths");
    for (int i = 0; i < n; i++)
        UR__NEED(paths[i], "a path");
    if (options)
        UR__TRY(ur__sized_read(&o, options, &defaults, sizeof o, "ur_examples_options_init"));
    UR__TRY(check(&o));
    ur_examples *s = ur__calloc(1, sizeof *s);
    ur_status status = s ? open(s, paths, n, &o) : UR_ENOMEM;
    if (status != UR_OK) {
        ur_examples_close(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

void ur_examples_close(ur_examples *s)
{
    if (!s)
        return;
    ur__free(s->name);
    ur__free(s->names);
    ur__sequences_free(&s->ids);
    ur_vocab_free(s->labels);
    ur__examples_free(s->x);
    ur__free(s);
}

/* ---- looking ----------------------------------------------------------- */

int64_t ur_examples_count(const ur_examples *s)
{
    UR__NEED_OR(s, "x", 0);
    return s->x->n;
}

ur_content ur_examples_content(const ur_examples *s)
{
    UR__NEED_OR(s, "x", UR_CONTENT_TEXTS);
    return s->x->content;
}

int ur_examples_width(const ur_examples *s)
{
    UR__NEED_OR(s, "x", 0);
    return s->x->width;
}

const ur_vocab *ur_examples_labels(const ur_examples *s)
{
    UR__NEED_OR(s, "x", NULL);
    return s->labels;
}

int ur_examples_label_count(const ur_examples *s)
{
    UR__NEED_OR(s, "x", 0);
    return s->labels ? ur__label_count(s->labels) : 0;
}

const char *ur_examples_label_name(const ur_examples *s, int32_t k)
{
    UR__NEED_OR(s, "x", NULL);
    return k >= 0 && k < ur_examples_label_count(s) ? s->name[k] : NULL;
}

/* NULL, with a message: there is no such example. */
static const struct ur__example *find(const ur_examples *s, int64_t i)
{
    UR__NEED_OR(s, "x", NULL);
    if (i >= 0 && i < s->x->n)
        return &s->x->example[i];
    ur__fail(UR_EINVAL, "there is no example %lld of %lld", (long long)i, (long long)s->x->n);
    return NULL;
}

int32_t ur_examples_length(const ur_examples *s, int64_t i)
{
    const struct ur__example *e = find(s, i);
    return !e ? 0 : s->ids.begin ? ur__sequence_length(&s->ids, i) : e->length;
}

int32_t ur_examples_label(const ur_examples *s, int64_t i)
{
    const struct ur__example *e = find(s, i);
    return e ? e->label : -1;
}

int32_t ur_examples_group(const ur_examples *s, int64_t i)
{
    const struct ur__example *e = find(s, i);
    return e ? e->group : -1;
}

size_t ur_examples_bytes(const ur_examples *s, int64_t i)
{
    const struct ur__example *e = find(s, i);
    return e && s->x->content != UR_CONTENT_FRAMES ? (size_t)e->size : 0;
}

static ur_status check_content(const ur_examples *s, bool frames)
{
    if (frames == (s->x->content == UR_CONTENT_FRAMES))
        return UR_OK;
    return ur__fail(UR_EINVAL, "the examples are %s, not %s", frames ? "text" : "numbers",
                    frames ? "numbers" : "text");
}

ur_status ur_examples_text(ur_examples *s, int64_t i, char *to)
{
    UR__NEED(s, "x");
    UR__NEED(to, "to");
    UR__TRY(check_content(s, false));
    return ur__examples_text(s->x, i, to);
}

ur_status ur_examples_frames(ur_examples *s, int64_t i, int32_t from, int32_t n, ur_real *to)
{
    UR__NEED(s, "x");
    UR__NEED(to, "to");
    UR__TRY(check_content(s, true));
    unsigned mode = ur__fpmode_default();       /* pictures are divided by 255 */
    ur_status status = ur__examples_frames(s->x, i, from, n, to);
    ur__fpmode_restore(mode);
    return status;
}

ur_status ur_examples_tags(ur_examples *s, int64_t i, int32_t from, int32_t n, int32_t *to)
{
    UR__NEED(s, "x");
    UR__NEED(to, "to");
    return ur__examples_tags(s->x, i, from, n, to);
}

/* ---- texts as numbers -------------------------------------------------- */

/* Are there such examples? which NULL: all. */
static ur_status check_which(const ur_examples *s, const int64_t *which, int64_t n)
{
    for (int64_t k = 0; which && k < n; k++)
        if (!find(s, which[k]))
            return UR_EINVAL;
    return which && n < 1 ? ur__fail(UR_EINVAL, "%lld examples are none", (long long)n) : UR_OK;
}

ur_status ur_examples_vocab(ur_vocab **out, ur_examples *s, ur_token_kind kind, int min_count,
                            const int64_t *which, int64_t n)
{
    const struct ur__vocab_rule rule = {.kind = kind, .min_count = min_count, .which = which,
                                        .n = n};
    int64_t cut;
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(s, "x");
    if (!ur_token_kind_name(kind) || min_count < 1)
        return ur__fail(UR_EINVAL, "examples: there is no vocabulary of kind %d and of words that "
                        "occur %d times", (int)kind, min_count);
    UR__TRY(check_which(s, which, n));
    return ur__examples_vocab(out, s->x, &rule, &cut);
}

ur_status ur_examples_number(ur_examples *s, const ur_vocab *vocab, ur_unknown how)
{
    struct ur__sequences ids;
    UR__NEED(s, "x");
    UR__NEED(vocab, "vocab");
    UR__TRY(ur__sequences_new(&ids, s->x, vocab, how));
    ur__sequences_free(&s->ids);
    s->ids = ids;
    return UR_OK;
}

/* ---- batches ----------------------------------------------------------- */

int32_t ur_examples_longest(const ur_examples *s, const int64_t *which, int64_t n)
{
    int32_t longest = 0;
    UR__NEED_OR(s, "x", 0);
    for (int64_t k = 0; k < (which ? n : s->x->n); k++) {
        int32_t length = ur_examples_length(s, which ? which[k] : k);
        longest = length > longest ? length : longest;
    }
    return longest;
}

static ur_status check_batch(const ur_examples *s, const int64_t *which, int B, int T)
{
    if (B < 1 || T < 1)
        return ur__fail(UR_EINVAL, "a batch of [%d,%d] steps is impossible", T, B);
    return check_which(s, which, B);
}

ur_status ur_examples_pad_frames(ur_examples *s, const int64_t *which, int B, int T, ur_real *to,
                                 int *lengths)
{
    UR__NEED(s, "x");
    UR__NEED(which, "which");
    UR__TRY(check_batch(s, which, B, T));
    UR__NEED(to, "to");
    UR__NEED(lengths, "lengths");
    UR__TRY(check_content(s, true));
    unsigned mode = ur__fpmode_default();
    ur_status status = ur__pad_frames(s->x, &(struct ur__rows){which, B, T, 0}, to, lengths);
    ur__fpmode_restore(mode);
    return status;
}

ur_status ur_examples_pad_ids(ur_examples *s, const int64_t *which, int B, int T, int32_t *to,
                              int *lengths)
{
    UR__NEED(s, "x");
    UR__NEED(which, "which");
    UR__TRY(check_batch(s, which, B, T));
    UR__NEED(to, "to");
    UR__NEED(lengths, "lengths");
    if (!s->ids.begin)
        return ur__fail(UR_EINVAL, "the examples are not numbered: call ur_examples_number first");
    return ur__pad_ids(&s->ids, &(struct ur__rows){which, B, T, 0}, to, lengths);
}

ur_status ur_examples_pad_labels(ur_examples *s, const int64_t *which, int B, int T, int32_t *to)
{
    UR__NEED(s, "x");
    UR__NEED(which, "which");
    UR__TRY(check_batch(s, which, B, T));
    UR__NEED(to, "to");
    if (s->x->tagged)
        return ur__pad_tags(s->x, &(struct ur__rows){which, B, T, 0}, to);
    for (int b = 0; b < B; b++)
        to[b] = s->x->example[which[b]].label;
    return UR_OK;
}

/* ---- what is held out -------------------------------------------------- */

static void part(int64_t n, const unsigned char *held, int64_t *which, int64_t *n_rest)
{
    int64_t at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < n; i++)
            if (held[i] == pass)
                which[at++] = i;
        *n_rest = pass ? *n_rest : at;
    }
}

ur_status ur_examples_hold_out(const ur_examples *s, double share, uint64_t seed, int64_t *which,
                               int64_t *n)
{
    int64_t count;
    UR__NEED(s, "x");
    UR__NEED(which, "which");
    UR__NEED(n, "n");
    struct ur__draw d;
    UR__TRY(ur__draw_of(&d, s->x, seed));
    unsigned char *held = ur__alloc((size_t)d.n, 1);
    ur_status status = held ? ur__holdout(&d, share, held, &count) : UR_ENOMEM;
    if (status == UR_OK)
        part(d.n, held, which, n);
    ur__free(held);
    ur__free(d.label);
    return status;
}
