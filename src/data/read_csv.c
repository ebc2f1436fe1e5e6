/* SPDX-License-Identifier: MIT */
/* CSV (RFC 4180; a semicolon or a tab may part fields): an example a row, with a column for the
 * label and either one for a text or numbers in all others.
 *
 * Where labels are not wanted, their column may be missing: it is if the first line names columns
 * but not that one, or if there is one column less than in the table with labels that the rule was
 * made for. Columns that are given by number are then counted as in that table. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/formats.h"
#include "data/table.h"

struct reading {
    struct ur__intake *in;
    struct ur__table table;
    int label, text, group;     /* columns; -1: none */
    int missing;                /* the label's place in a table with labels; -1: none is missing */
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

static bool is_number(const char *column, int64_t *number)
{
    return column && ur__parse_int(column, number);
}

/* The place of a column that is counted in a table with labels. */
static ur_status find_column(const struct reading *r, const char *column, int *place)
{
    int64_t number;
    if (r->missing < 0 || !is_number(column, &number) || number - 1 < r->missing)
        return ur__table_column(&r->table, column, -1, place);
    char moved[24];
    snprintf(moved, sizeof moved, "%lld", (long long)number - 1);
    return ur__table_column(&r->table, moved, -1, place);
}

/* Is the column of the labels there, though none is wanted? */
static ur_status is_labelled(struct reading *r, bool *yes)
{
    const struct ur__read_rule *rule = r->in->rule;
    const struct ur__table *t = &r->table;
    int64_t number;
    *yes = rule->column && !ur__is_no_column(rule->column);
    if (rule->columns == 0 || ur__is_no_column(rule->column))
        return UR_OK;
    if (t->named && rule->column && !is_number(rule->column, &number)) {
        *yes = ur__table_has_name(t, rule->column);
        return UR_OK;
    }
    *yes = t->columns == rule->columns;
    r->missing = *yes ? -1 : is_number(rule->column, &number) ? (int)number - 1
                                                               : rule->columns - 1;
    if (*yes || t->columns == rule->columns - 1)
        return UR_OK;
    return ur__lines_fail(t->lines, "%d fields, where the data to learn from had %d, the label "
                          "among them: say which is the label, or that none is (column)",
                          t->columns, rule->columns);
}

/* A column of groups may be missing where nothing is parted by it: one that has a name is looked
 * for, and one that has a number is not in a table of other columns. */
static bool has_groups(const struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    int64_t number;
    if (!rule->group || strcmp(rule->group, "file") == 0)
        return false;
    if (!rule->whole)
        return true;
    return is_number(rule->group, &number) ? !ur__is_no_column(rule->column)
           : !r->table.named || ur__table_has_name(&r->table, rule->group);
}

static ur_status find_columns(struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    const struct ur__table *t = &r->table;
    bool labelled = true, grouped = has_groups(r);
    r->label = r->missing = -1;
    if (rule->unlabelled)
        UR__TRY(is_labelled(r, &labelled));
    if (labelled)
        UR__TRY(ur__table_column(t, rule->column, t->columns - 1, &r->label));
    UR__TRY(find_column(r, grouped ? rule->group : NULL, &r->group));
    UR__TRY(find_column(r, rule->text, &r->text));
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
    bool whole = rule->apart && !rule->steps && !rule->width;
    *steps = whole ? 1 : rule->steps ? rule->steps : rule->width ? n / rule->width : n;
    *width = whole ? n : rule->width ? rule->width : rule->steps ? n / rule->steps : 1;
    if ((int64_t)*steps * *width != n)
        return ur__lines_fail(r->table.lines, "%d numbers do not make %d steps of %d", n, *steps,
                              *width);
    return UR_OK;
}

/* Text or numbers? One column that is no number in the first row is text. */
static ur_status look(struct reading *r)
{
    const bool texts = r->in->rule->features < 0;
    float value;
    int steps, width;
    UR__TRY(find_columns(r));
    if (!r->in->x->columns)
        r->in->x->columns = r->table.columns;
    for (int i = 0; r->text < 0 && r->features == 1 && i < r->table.columns; i++) {
        if (is_feature(r, i) && (texts || !ur__cell_is_number(r->table.row->cell[i], &value)))
            r->text = i;
    }
    if (r->text >= 0)
        return ur__take_kind(r->in, UR_CONTENT_TEXTS, 1);
    if (texts)
        return ur__lines_fail(r->table.lines, "which of %d columns is the text? name it "
                              "(text-column)", r->features);
    UR__TRY(find_shape(r, &steps, &width));
    UR__TRY(ur__take_kind(r->in, UR_CONTENT_FRAMES, width));
    r->frame = ur__alloc((size_t)r->features, sizeof *r->frame);
    return r->frame ? UR_OK : UR_ENOMEM;
}

static ur_status take_row(struct reading *r)
{
    struct ur__intake *in = r->in;
    const struct ur__cells *row = r->table.row;
    int32_t label = -1, group = -1;
    int n = 0;
    if (r->label >= 0 && !in->rule->unlabelled)
        UR__TRY(ur__take_label(in, row->cell[r->label].text, row->cell[r->label].n, &label));
    if (r->group >= 0 && !in->rule->unlabelled)
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

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    r->in = in;
    return ur__table_open(&r->table, in, true, false);
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    bool blank;
    UR__TRY(ur__table_next(&r->table, more, &blank));
    if (!*more)
        return UR_OK;
    if (r->features == 0)
        UR__TRY(look(r));
    return take_row(r);
}

static void end(void *reader)
{
    struct reading *r = reader;
    ur__table_close(&r->table);
    ur__free(r->frame);
}

static const char *const own_options[] = {"column", "text-column", "group", "header", "width",
                                          NULL};
static const char *const endings[] = {".csv", NULL};
const struct ur__format ur__format_csv = {
    .name = "csv", .what = "rows of numbers, or a text, with a column for the label",
    .endings = endings, .options = own_options, .one = true, .is = is_csv,
    .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
