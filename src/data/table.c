/* SPDX-License-Identifier: MIT */
#include "data/table.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"

/* The next line as cells. */
static ur_status read_row(struct ur__table *t, bool *more, bool *blank)
{
    UR__TRY(t->blanks ? ur__lines_next(t->lines, more) : ur__lines_next_filled(t->lines, more));
    *blank = *more && ur__lines_blank(t->lines);
    return *more && !*blank ? ur__cells_split(&t->other, t->lines, t->quotes) : UR_OK;
}

/* Copies the row at hand: the next line takes its place. */
static ur_status keep_first(struct ur__table *t)
{
    size_t size = 0;
    for (int i = 0; i < t->other.n; i++)
        size += t->other.cell[i].n + 1;
    char *to = t->text = ur__alloc(size, 1);
    t->first.cell = ur__alloc((size_t)t->other.n, sizeof *t->first.cell);
    if (!t->text || !t->first.cell)
        return UR_ENOMEM;
    for (int i = 0; i < t->other.n; i++) {
        const struct ur__cell *from = &t->other.cell[i];
        t->first.cell[i] = (struct ur__cell){memcpy(to, from->text, from->n + 1), from->n};
        to += from->n + 1;
    }
    t->columns = t->first.n = t->first.capacity = t->other.n;
    t->first.separator = t->other.separator;
    t->first_line = t->lines->number;
    return UR_OK;
}

static bool has_number(const struct ur__cells *c)
{
    float value;
    for (int i = 0; i < c->n; i++) {
        if (ur__cell_is_number(c->cell[i], &value))
            return true;
    }
    return false;
}

static bool has_name(const struct ur__cells *c, const char *column)
{
    int64_t number;
    for (int i = 0; i < c->n && column && !ur__parse_int(column, &number); i++) {
        if (ur__cell_is(c->cell[i], column))
            return true;
    }
    return false;
}

static bool has_any_name(const struct ur__cells *c, const struct ur__read_rule *rule)
{
    return has_name(c, rule->column) || has_name(c, rule->text) || has_name(c, rule->group);
}

/* The first row, and whether it has names. */
static ur_status look(struct ur__table *t, const struct ur__read_rule *rule)
{
    bool more = true, blank = true;
    while (more && blank)
        UR__TRY(read_row(t, &more, &blank));
    if (!more)
        return UR_OK;
    UR__TRY(keep_first(t));
    t->named = rule->header == UR_HEADER_YES
               || (rule->header == UR_HEADER_AUTO && has_any_name(&t->first, rule));
    bool text_alone = rule->features < 0 && t->columns == 1;   /* a number in it means nothing */
    if (!t->named && rule->header == UR_HEADER_AUTO && !text_alone && !has_number(&t->first)) {
        UR__TRY(read_row(t, &t->ahead_more, &t->ahead_blank));
        t->ahead = true;
        t->ahead_line = t->lines->number;
        t->named = t->ahead_more && !t->ahead_blank && has_number(&t->other);
    }
    t->first_waits = !t->named;
    return UR_OK;
}

ur_status ur__table_open(struct ur__table *t, struct ur__intake *in, bool quotes, bool blanks)
{
    size_t n;
    *t = (struct ur__table){.lines = &in->lines, .quotes = quotes, .blanks = blanks};
    const char *head = ur__lines_head(t->lines, &n);
    t->other.separator = ur__cells_separator(head + strspn(head, "\n"));
    if (quotes && t->other.separator == UR__BLANKS)     /* a column alone may hold blanks */
        t->other.separator = ',';
    return look(t, in->rule);
}

void ur__table_close(struct ur__table *t)
{
    ur__cells_free(&t->first);
    ur__cells_free(&t->other);
    ur__free(t->text);
}

ur_status ur__table_next(struct ur__table *t, bool *more, bool *blank)
{
    *more = true;
    *blank = false;
    if (t->first_waits) {
        t->first_waits = false;
        t->row = &t->first;
        t->lines->number = t->first_line;
        return UR_OK;
    }
    if (t->ahead) {
        *more = t->ahead_more;
        *blank = t->ahead_blank;
        t->lines->number = t->ahead_line;
        t->ahead = false;
    } else if (t->columns) {
        UR__TRY(read_row(t, more, blank));
    } else {
        *more = false;
    }
    t->row = &t->other;
    if (*more && !*blank && t->other.n != t->columns)
        return ur__lines_fail(t->lines, "%d fields where the first row has %d", t->other.n,
                              t->columns);
    return UR_OK;
}

bool ur__table_has_name(const struct ur__table *t, const char *name)
{
    return t->named && has_name(&t->first, name);
}

bool ur__is_no_column(const char *column)
{
    return column && strcmp(column, "none") == 0;
}

ur_status ur__table_column(const struct ur__table *t, const char *column, int otherwise,
                           int *place)
{
    *place = otherwise;
    return column ? ur__cells_column(t->named ? &t->first : NULL, t->columns, column, t->lines,
                                     place)
                  : UR_OK;
}
