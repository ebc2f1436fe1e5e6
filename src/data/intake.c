/* SPDX-License-Identifier: MIT */
#include "data/intake.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define PIECE 4096      /* numbers converted at a time, on the stack */

ur_status ur__take_fail(const struct ur__intake *in, int64_t line, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    int n = ur__vformat(what, sizeof what, format, args);
    va_end(args);
    return ur__fail(UR_EDATA, "%s:%lld: %s", strcmp(in->path, "-") ? in->path : "standard input",
                    (long long)line, n < 0 ? "" : what);
}

ur_status ur__take_kind(struct ur__intake *in, ur_content content, int width)
{
    static const char *const names[] = {"texts", "tokens", "numbers"};
    struct ur__examples *x = in->x;
    const int features = in->rule->features;
    const char *path = strcmp(in->path, "-") ? in->path : "standard input";
    if (features && (content == UR_CONTENT_FRAMES) != (features > 0))
        return ur__fail(UR_EDATA, "%s holds %s, but the network reads %s", path, names[content],
                        features > 0 ? "numbers" : "text");
    if (features > 0 && width != features)
        return ur__fail(UR_EDATA, "%s has %d numbers a step, but the network reads %d", path,
                        width, features);
    if (x->width && x->content != content)
        return ur__fail(UR_EDATA, "%s: holds %s where %s before it holds %s", in->path,
                        names[content], x->path[0], names[x->content]);
    if (x->width && x->width != width)
        return ur__fail(UR_EDATA, "%s: has %d numbers a step where %s before it has %d", in->path,
                        width, x->path[0], x->width);
    x->content = content;
    x->width = width;
    return UR_OK;
}

/* ---- labels and groups ------------------------------------------------- */

static bool is_reserved(const char *name, int n)
{
    return (n == (int)strlen(UR__UNKNOWN_TEXT) && memcmp(name, UR__UNKNOWN_TEXT, (size_t)n) == 0)
           || (n == (int)strlen(UR__LINE_END_TEXT)
               && memcmp(name, UR__LINE_END_TEXT, (size_t)n) == 0);
}

ur_status ur__take_label(struct ur__intake *in, const char *name, size_t n, int32_t *label)
{
    char text[UR__WORD_MAX];
    int length = ur__label_name(name, n, text);
    *label = -1;
    if (length == 0)
        return ur__take_fail(in, in->lines.number, "the label is empty");
    if (length < 0 || is_reserved(text, length))
        return ur__take_fail(in, in->lines.number, "\"%.*s\" cannot be a label: UTF-8 of at most "
                             "%d bytes, but not " UR__UNKNOWN_TEXT " or " UR__LINE_END_TEXT,
                             n < 40 ? (int)n : 40, name, UR__WORD_MAX);
    if (!in->rule->labels)
        return ur__word_add(&in->labels, text, (size_t)length, label);
    *label = ur__label_find(in->rule->labels, text, (size_t)length);
    if (*label < 0)
        return ur__take_fail(in, in->lines.number, "label \"%.*s\" was not in training", length,
                             text);
    return UR_OK;
}

ur_status ur__take_group(struct ur__intake *in, const char *name, size_t n, int32_t *group)
{
    return ur__word_add(&in->x->groups, name, n, group);
}

/* ---- parts ------------------------------------------------------------- */

static ur_status put_bytes(struct ur__intake *in, const char *text, size_t n)
{
    for (size_t done = 0; done < n; done += PIECE) {
        uint32_t byte[PIECE];
        size_t m = n - done < PIECE ? n - done : PIECE;
        for (size_t i = 0; i < m; i++)
            byte[i] = (unsigned char)text[done + i];
        UR__TRY(ur__numbers_put(&in->x->data, m, byte, 255));
    }
    return UR_OK;
}

static ur_status count_steps(struct ur__intake *in, size_t n)
{
    if (n > (size_t)(INT32_MAX - in->steps))
        return ur__take_fail(in, in->lines.number, "a sequence of more than %d steps", INT32_MAX);
    in->steps += (int32_t)n;
    return UR_OK;
}

ur_status ur__take_text(struct ur__intake *in, const char *text, size_t n)
{
    UR__TRY(count_steps(in, n));
    return put_bytes(in, text, n);
}

ur_status ur__take_token(struct ur__intake *in, const char *text, size_t n)
{
    if (n == 0)
        return ur__lines_fail(&in->lines, "the token is empty");
    UR__TRY(count_steps(in, 1));
    for (size_t at = 0; at < n; ) {
        uint32_t code;
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return ur__take_fail(in, in->lines.number, "the token is not UTF-8");
        UR__TRY(ur__is_space(code) ? put_bytes(in, "_", 1)
                                   : put_bytes(in, text + at, (size_t)length));
        at += (size_t)length;
    }
    return put_bytes(in, "", 1);
}

/* Numbers of one set are kept in one way. */
static ur_status check_scale(struct ur__intake *in, bool scaled)
{
    if (in->x->data.n > 0 && in->x->scaled != scaled)
        return ur__fail(UR_EDATA, "%s: pictures and other numbers do not make one set", in->path);
    in->x->scaled = scaled;
    return UR_OK;
}

ur_status ur__take_frames(struct ur__intake *in, int32_t n, const float *frames)
{
    size_t all = (size_t)n * (size_t)in->x->width;
    UR__TRY(check_scale(in, false));
    UR__TRY(count_steps(in, (size_t)n));
    for (size_t done = 0; done < all; done += PIECE) {
        uint32_t bits[PIECE];
        size_t m = all - done < PIECE ? all - done : PIECE;
        memcpy(bits, frames + done, m * sizeof *bits);
        UR__TRY(ur__numbers_put(&in->x->data, m, bits, UINT32_MAX));
    }
    return UR_OK;
}

ur_status ur__take_pixels(struct ur__intake *in, int32_t n, const unsigned char *pixels)
{
    UR__TRY(check_scale(in, true));
    UR__TRY(count_steps(in, (size_t)n));
    return put_bytes(in, (const char *)pixels, (size_t)n * (size_t)in->x->width);
}

ur_status ur__take_tag(struct ur__intake *in, int32_t label)
{
    int most = in->rule->labels ? ur__label_count(in->rule->labels) : in->labels.n;
    uint32_t number = (uint32_t)label;
    return ur__numbers_put(&in->x->tags, 1, &number, (uint32_t)most);
}

ur_status ur__take_named_tag(struct ur__intake *in, const char *name, size_t n)
{
    int32_t label;
    UR__TRY(ur__take_label(in, name, n, &label));
    return ur__take_tag(in, label);
}

static ur_status add(struct ur__examples *x, const struct ur__example *e)
{
    if (x->n == x->capacity) {
        int64_t capacity = x->capacity ? 2 * x->capacity : 64;
        struct ur__example *example = ur__realloc(x->example, (size_t)capacity, sizeof *example);
        if (!example)
            return UR_ENOMEM;
        x->example = example;
        x->capacity = capacity;
    }
    x->example[x->n++] = *e;
    return UR_OK;
}

ur_status ur__take_end(struct ur__intake *in, int64_t line, int32_t label, int32_t group)
{
    struct ur__examples *x = in->x;
    const struct ur__example *last = x->n ? &x->example[x->n - 1] : NULL;
    struct ur__example e = {
        .at = last ? last->at + last->size : 0,
        .tag = last && x->tagged ? last->tag + (uint64_t)last->length : 0,
        .line = line, .length = in->steps, .label = label, .group = group, .file = x->n_paths - 1
    };
    e.size = (uint64_t)x->data.n - e.at;
    if (in->steps == 0)
        return ur__take_fail(in, line, "an empty sequence");
    if (group < 0 && in->rule->group && strcmp(in->rule->group, "file") == 0)
        UR__TRY(ur__take_group(in, in->path, strlen(in->path), &e.group));
    x->longest = e.length > x->longest ? e.length : x->longest;
    in->steps = 0;
    return add(x, &e);
}
