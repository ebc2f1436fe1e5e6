/* SPDX-License-Identifier: MIT */
/*
 * Time series as the UCR and UEA archives and sktime have them: lines of comments (#) and of
 * properties (@name values), then @data and an example a line: dimensions separated by colons,
 * values by commas, the class last. Lengths may differ between examples.
 *
 * A missing value (?) takes the one before it in its dimension, at the beginning the first that
 * is there; the set counts them.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/cells.h"
#include "data/formats.h"

struct reading {
    struct ur__intake *in;
    bool in_data, labelled;
    int64_t dimensions, length;     /* as said before the data, then as found; 0: not said */
    struct ur__word_table classes;  /* said before the data; none: any */
    float *value;                   /* [dimensions, steps] of the line at hand */
    size_t n, capacity;
    float *frame;                   /* [dimensions] */
};

/* ---- properties -------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does s begin with that word (of lower case letters), in any case? Returns what follows it. */
static const char *after(const char *s, const char *word)
{
    for (; *word; s++, word++) {
        if (lower(*s) != *word)
            return NULL;
    }
    return *s && *s != ' ' && *s != '\t' ? NULL : s + strspn(s, " \t");
}

static const char *next_word(const char *s, size_t *n)
{
    s += strspn(s, " \t");
    *n = strcspn(s, " \t");
    return s;
}

static ur_status take_classes(struct reading *r, const char *s)
{
    size_t n;
    int32_t number;
    r->labelled = after(s, "false") == NULL && *s;
    if (!r->labelled)
        return UR_OK;
    for (s = next_word(s, &n), s = next_word(s + n, &n); n; s = next_word(s + n, &n)) {
        char name[UR__WORD_MAX];
        int length = ur__label_name(s, n, name);
        if (length > 0)
            UR__TRY(ur__word_add(&r->classes, name, (size_t)length, &number));
    }
    return UR_OK;
}

static ur_status take_count(const struct reading *r, const char *s, int64_t *to)
{
    if (ur__parse_int(s, to) && *to >= 1 && *to <= INT32_MAX)
        return UR_OK;
    return ur__lines_fail(&r->in->lines, "\"%.40s\" is not a count", s);
}

static ur_status take_property(struct reading *r)
{
    struct ur__lines *l = &r->in->lines;
    const char *s = l->text, *value;
    while (l->n && (s[l->n - 1] == ' ' || s[l->n - 1] == '\t'))
        l->text[--l->n] = '\0';
    if ((value = after(s, "@dimensions")) || (value = after(s, "@dimension")))
        return take_count(r, value, &r->dimensions);
    if ((value = after(s, "@serieslength")))
        return take_count(r, value, &r->length);
    if ((value = after(s, "@classlabel")))
        return take_classes(r, value);
    if ((value = after(s, "@targetlabel")) && after(value, "true"))
        return ur__lines_fail(l, "the series have numbers to predict, not classes");
    if ((value = after(s, "@timestamps")) && after(value, "true"))
        return ur__lines_fail(l, "series with time stamps are not read");
    if (after(s, "@data"))
        r->in_data = true;
    else if (*s != '@' && *s != '#')
        return ur__lines_fail(l, "neither a property (@...) nor a comment (#...) before @data");
    return UR_OK;
}

/* ---- data -------------------------------------------------------------- */

static ur_status put_value(struct reading *r, float value)
{
    if (r->n == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 1024;
        float *larger = ur__realloc(r->value, capacity, sizeof *larger);
        if (!larger)
            return UR_ENOMEM;
        r->value = larger;
        r->capacity = capacity;
    }
    r->value[r->n++] = value;
    return UR_OK;
}

/* The values of one dimension, separated by commas; text is cut. */
static ur_status take_dimension(struct reading *r, char *text, int64_t dimension)
{
    const struct ur__lines *l = &r->in->lines;
    size_t begin = r->n, missing = 0;
    for (char *s = text, *next; s; s = next) {
        float value = r->n > begin ? r->value[r->n - 1] : 0;
        next = strchr(s, ',');
        if (next)
            *next++ = '\0';
        struct ur__cell cell = {s, strlen(s)};
        bool here = !ur__cell_is(cell, "?");
        if (here && !ur__cell_is_number(cell, &value))
            return ur__lines_fail(l, "value %zu of dimension %lld, \"%.40s\", is not a number",
                                  r->n - begin + 1, (long long)dimension, s);
        UR__TRY(put_value(r, value));
        if (here && missing == r->n - begin - 1) {
            for (size_t i = begin; i < begin + missing; i++)
                r->value[i] = value;
        }
        missing += !here;
        r->in->x->filled += !here;
    }
    if (missing == r->n - begin)
        return ur__lines_fail(l, "dimension %lld has no value", (long long)dimension);
    return UR_OK;
}

/* [dimensions, steps] as frames. */
static ur_status take_series(struct reading *r)
{
    size_t width = (size_t)r->dimensions, steps = r->n / width;
    if (!r->frame && !(r->frame = ur__alloc(width, sizeof *r->frame)))
        return UR_ENOMEM;
    UR__TRY(ur__take_kind(r->in, UR_CONTENT_FRAMES, (int)width));
    for (size_t t = 0; t < steps; t++) {
        for (size_t i = 0; i < width; i++)
            r->frame[i] = r->value[i * steps + t];
        UR__TRY(ur__take_frames(r->in, 1, r->frame));
    }
    return UR_OK;
}

static ur_status take_class(struct reading *r, const char *text, int32_t *label)
{
    char name[UR__WORD_MAX];
    int n = ur__label_name(text, strlen(text), name);
    if (n > 0 && r->classes.n && ur__word_find(&r->classes, name, (size_t)n) < 0)
        return ur__lines_fail(&r->in->lines, "class \"%.*s\" is not among those of @classLabel", n,
                              name);
    return ur__take_label(r->in, text, strlen(text), label);
}

static ur_status take_line(struct reading *r)
{
    const struct ur__lines *l = &r->in->lines;
    int64_t dimensions = 0, steps = 0;
    int32_t label = -1;
    char *class = strrchr(l->text, ':');
    r->n = 0;
    if (r->labelled && !class)
        return ur__lines_fail(l, "there is no class after a colon");
    if (r->labelled)
        *class = '\0';
    for (char *s = l->text, *next; s; s = next) {
        int64_t before = (int64_t)r->n;
        next = strchr(s, ':');
        if (next)
            *next++ = '\0';
        UR__TRY(take_dimension(r, s, ++dimensions));
        if (dimensions > 1 && (int64_t)r->n - before != steps)
            return ur__lines_fail(l, "dimension %lld has %lld values where the first has %lld",
                                  (long long)dimensions, (long long)r->n - before,
                                  (long long)steps);
        steps = (int64_t)r->n - before;
    }
    if (r->dimensions && dimensions != r->dimensions)
        return ur__lines_fail(l, "%lld dimensions, not %lld", (long long)dimensions,
                              (long long)r->dimensions);
    if (r->length && steps != r->length)
        return ur__lines_fail(l, "%lld values, not the %lld of @seriesLength", (long long)steps,
                              (long long)r->length);
    r->dimensions = dimensions;
    UR__TRY(take_series(r));
    if (r->labelled && !r->in->rule->unlabelled)
        UR__TRY(take_class(r, class + 1, &label));
    return ur__take_end(r->in, l->number, label, -1);
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    struct ur__lines *l = &in->lines;
    r->in = in;
    r->labelled = true;
    for (bool more = true; more && !r->in_data; ) {
        UR__TRY(ur__lines_next(l, &more));
        if (more && !ur__lines_blank(l))
            UR__TRY(take_property(r));
    }
    if (!r->labelled && !in->rule->unlabelled)
        return ur__lines_fail(l, "@classLabel says that the series have no class");
    return UR_OK;
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    UR__TRY(ur__lines_next_filled(&r->in->lines, more));
    return *more ? take_line(r) : UR_OK;
}

static void end(void *reader)
{
    struct reading *r = reader;
    ur__word_table_free(&r->classes);
    ur__free(r->value);
    ur__free(r->frame);
}

static bool is_ts(const char *head, size_t n, bool tagged)
{
    (void)n;
    (void)tagged;
    while (*head == '#' || *head == '\n') {
        head += strcspn(head, "\n");
        head += *head == '\n';
    }
    return *head == '@';
}

static const char *const endings[] = {".ts", NULL};
const struct ur__format ur__format_ts = {
    .name = "ts", .what = "series of the UCR and UEA archives", .endings = endings, .one = true,
    .is = is_ts, .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
