/* SPDX-License-Identifier: MIT */
/* CSV (RFC 4180; a semicolon or a tab may part fields): an example a row, with a column for the
 * label and either one for a text or numbers in all others. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/formats.h"
#include "data/table.h"

struct reading {
    struct ur__intake *in;
    struct ur__table table;
    int label, text, group;     /* columns; -1: none */
    int features;               /* other columns */
    float *frame;               /* [features] */
};

static bool is_csv(const char *head, size_t n, bool tagged)
{
    char separator = ur__cells_separator(head);
    (void)n;
    (void)tagged;
    return separator == ',' || separator == ';';
}

static bool is_feature(const struct reading *r, int i)
{
    return i != r->label && i != r->group;
}

static ur_status find_columns(struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    const struct ur__table *t = &r->table;
    bool by_file = rule->group && strcmp(rule->group, "file") == 0;
    UR__TRY(ur__table_column(t, rule->unlabelled ? NULL : rule->column,
                             rule->unlabelled ? -1 : t->columns - 1, &r->label));
    UR__TRY(ur__table_column(t, by_file ? NULL : rule->group, -1, &r->group));
    UR__TRY(ur__table_column(t, rule->text, -1, &r->text));
    r->features = t->columns - (r->label >= 0) - (r->group >= 0 && r->group != r->label);
    if (r->features < 1)
        return ur__lines_fail(t->lines, "there is nothing beside the label");
    return UR_OK;
}

/* How many steps a row of numbers has, how many numbers a step. */
static ur_status find_shape(const struct reading *r, int *steps, int *width)
{
    const struct ur__read_rule *rule = r->in->rule;
    int n = r->features;
    *steps = rule->steps ? rule->steps : rule->width ? n / rule->width : n;
    *width = rule->width ? rule->width : rule->steps ? n / rule->steps : 1;
    if ((int64_t)*steps * *width != n)
        return ur__lines_fail(r->table.lines, "%d numbers do not make %d steps of %d", n, *steps,
                              *width);
    return UR_OK;
}

/* Text or numbers? One column that is no number in the first row is text. */
static ur_status begin(struct reading *r)
{
    float value;
    int steps, width;
    UR__TRY(find_columns(r));
    for (int i = 0; r->text < 0 && r->features == 1 && i < r->table.columns; i++) {
        if (is_feature(r, i) && !ur__cell_is_number(r->table.row->cell[i], &value))
            r->text = i;
    }
    if (r->text >= 0)
        return ur__take_kind(r->in, UR_CONTENT_TEXTS, 1);
    UR__TRY(find_shape(r, &steps, &width));
    r->frame = ur__alloc((size_t)r->features, sizeof *r->frame);
    if (!r->frame)
        return UR_ENOMEM;
    return ur__take_kind(r->in, UR_CONTENT_FRAMES, width);
}

static ur_status take_row(struct reading *r)
{
    struct ur__intake *in = r->in;
    const struct ur__cells *row = r->table.row;
    int32_t label = -1, group = -1;
    int n = 0;
    if (r->label >= 0)
        UR__TRY(ur__take_label(in, row->cell[r->label].text, row->cell[r->label].n, &label));
    if (r->group >= 0)
        UR__TRY(ur__take_group(in, row->cell[r->group].text, row->cell[r->group].n, &group));
    if (r->text >= 0) {
        UR__TRY(ur__take_text(in, row->cell[r->text].text, row->cell[r->text].n));
    } else {
        for (int i = 0; i < row->n; i++) {
            if (is_feature(r, i))
                UR__TRY(ur__cells_number(row, &in->lines, i, &r->frame[n++]));
        }
        UR__TRY(ur__take_frames(in, n / in->x->width, r->frame));
    }
    return ur__take_end(in, in->lines.number, label, group);
}

static ur_status read_rows(struct reading *r)
{
    bool more, blank, first = true;
    UR__TRY(ur__table_open(&r->table, r->in, true, false));
    for (;;) {
        UR__TRY(ur__table_next(&r->table, &more, &blank));
        if (!more)
            return UR_OK;
        if (first)
            UR__TRY(begin(r));
        first = false;
        UR__TRY(take_row(r));
    }
}

static ur_status read_csv(struct ur__intake *in)
{
    struct reading r = {.in = in};
    ur_status status = read_rows(&r);
    ur__table_close(&r.table);
    ur__free(r.frame);
    return status;
}

static const char *const endings[] = {".csv", NULL};
const struct ur__format ur__format_csv = {
    .name = "csv", .what = "rows of numbers, or a text, with a column for the label",
    .endings = endings, .one = true, .is = is_csv, .read = read_csv,
};
