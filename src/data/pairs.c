/* SPDX-License-Identifier: MIT */
#include "data/pairs.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/intake.h"

static const char *const side_names[] = {"source", "target"};

struct reading {
    struct ur__intake in[UR__PAIR_SIDES];
    struct ur__lines lines;
};

static bool is_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != ' ')
            return false;
    return true;
}

static ur_status take_side(struct reading *r, int side, const char *text, size_t n, int32_t group)
{
    struct ur__intake *in = &r->in[side];
    in->lines.number = r->lines.number;     /* for messages */
    if (is_blank(text, n))
        return ur__lines_fail(&r->lines, "the %s is empty", side_names[side]);
    UR__TRY(ur__take_text(in, text, n));
    return ur__take_end(in, r->lines.number, -1, group);
}

static ur_status take_line(struct reading *r)
{
    const struct ur__lines *l = &r->lines;
    const char *tab = memchr(l->text, '\t', l->n);
    int32_t group;
    if (!tab)
        return ur__lines_fail(l, "there is no tab between a source and a target");
    const size_t n = (size_t)(tab - l->text);
    if (memchr(tab + 1, '\t', l->n - n - 1))
        return ur__lines_fail(l, "there is more than one tab: a line is source<TAB>target");
    UR__TRY(ur__take_group(&r->in[UR__PAIR_SOURCE], l->text, n, &group));
    UR__TRY(take_side(r, UR__PAIR_SOURCE, l->text, n, group));
    return take_side(r, UR__PAIR_TARGET, tab + 1, l->n - n - 1, -1);
}

static ur_status take_lines(struct reading *r)
{
    const int64_t before = r->in[UR__PAIR_SOURCE].x->n;
    for (bool more = true; more; ) {
        UR__TRY(ur__lines_next_filled(&r->lines, &more));
        if (more)
            UR__TRY(take_line(r));
    }
    return r->in[UR__PAIR_SOURCE].x->n > before
        ? UR_OK : ur__fail(UR_EDATA, "%s: holds no pair", r->lines.name);
}

static ur_status take_file(struct reading *r, const char *path, bool any_bytes)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        struct ur__examples *x = r->in[side].x;
        if (!(x->path[x->n_paths] = ur__strdup(path)))
            return UR_ENOMEM;
        r->in[side].path = x->path[x->n_paths++];
        UR__TRY(ur__take_kind(&r->in[side], UR_CONTENT_TEXTS, 1));
    }
    ur_status status = ur__lines_open(&r->lines, r->in[UR__PAIR_SOURCE].path, any_bytes,
                                      &r->in[UR__PAIR_SOURCE].x->tally);
    if (status == UR_OK)
        status = take_lines(r);
    ur__lines_close(&r->lines);
    return status;
}

static ur_status open_side(struct ur__examples **out, int n_paths)
{
    struct ur__examples *x = *out = ur__calloc(1, sizeof *x);
    if (!x)
        return UR_ENOMEM;
    x->path = ur__alloc((size_t)n_paths, sizeof *x->path);
    return x->path ? UR_OK : UR_ENOMEM;
}

static ur_status read_all(struct ur__pairs *p, const char *const *paths, int n_paths,
                          bool any_bytes)
{
    const struct ur__read_rule rule = {.unlabelled = true, .any_bytes = any_bytes};
    struct reading r = {0};
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        UR__TRY(open_side(&p->side[side], n_paths));
        r.in[side].x = p->side[side];
        r.in[side].rule = &rule;
    }
    for (int i = 0; i < n_paths; i++)
        UR__TRY(take_file(&r, paths[i], any_bytes));
    return UR_OK;
}

ur_status ur__pairs_open(struct ur__pairs *p, const char *const *paths, int n_paths,
                         bool any_bytes)
{
    *p = (struct ur__pairs){0};
    if (n_paths < 1)
        return ur__fail(UR_EINVAL, "a set of pairs needs at least one file");
    ur_status status = read_all(p, paths, n_paths, any_bytes);
    if (status != UR_OK)
        ur__pairs_free(p);
    return status;
}

void ur__pairs_free(struct ur__pairs *p)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        if (p->side[side])
            ur__examples_free(p->side[side]);
        p->side[side] = NULL;
    }
}
