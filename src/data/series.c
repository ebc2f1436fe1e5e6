/* SPDX-License-Identifier: MIT */
#include "data/series.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/table.h"

#define MOST_ROWS ((int64_t)1 << 31)

struct reading {
    struct ur__series *s;
    const struct ur__series_rule *rule;
    struct ur__intake in;       /* lines, for the table */
    struct ur__table table;
    int time;                   /* its column, -1: none */
    int column[UR__SERIES_MOST];
    int64_t capacity;           /* rows */
};

/* ---- columns ----------------------------------------------------------- */

static bool is_word(struct ur__cell cell, const char *const *words)
{
    cell = ur__cell_trim(cell);
    for (; *words; words++) {
        size_t n = strlen(*words), i = 0;
        while (i < n && i < cell.n && (cell.text[i] | 32) == ((*words)[i] | 32))
            i++;
        if (i == n && n == cell.n)
            return true;
    }
    return false;
}

static bool is_missing(struct ur__cell cell)
{
    static const char *const words[] = {"na", "n/a", "#n/a", "nan", "null", "none", "?",
                                        NULL};
    return ur__cell_trim(cell).n == 0 || is_word(cell, words);
}

static bool is_taken(const struct reading *r, int column)
{
    bool taken = column == r->time;
    for (int i = 0; i < ur__series_columns(r->s); i++)
        taken = taken || r->column[i] == column;
    return taken;
}

static ur_status take_column(struct reading *r, int column, int *count)
{
    if (ur__series_columns(r->s) == UR__SERIES_MOST)
        return ur__lines_fail(&r->in.lines, "more than %d columns are to be read",
                              UR__SERIES_MOST);
    r->column[ur__series_columns(r->s)] = column;
    ++*count;
    return UR_OK;
}

/* "a,b" as columns. */
static ur_status take_list(struct reading *r, const char *list, int *count)
{
    const size_t size = strlen(list) + 1;
    char *name = ur__alloc(size, 1);
    ur_status status = name ? UR_OK : UR_ENOMEM;
    for (const char *at = list; status == UR_OK; at++) {
        size_t n = strcspn(at, ",");
        int column = 0;
        memcpy(name, at, n);
        name[n] = '\0';
        status = ur__table_column(&r->table, name, 0, &column);
        if (status == UR_OK && is_taken(r, column))
            status = ur__fail(UR_EDATA, "%s: column %.80s is named twice, as a time, target or "
                              "feature", r->in.lines.name, name);
        if (status == UR_OK)
            status = take_column(r, column, count);
        at += n;
        if (*at == '\0')
            break;
    }
    ur__free(name);
    return status;
}

/* The first that holds a date, or is called so. */
static int usual_time(const struct reading *r)
{
    static const char *const names[] = {"date", "time", "datetime", "timestamp", "ds", "year",
                                        "month", "day", NULL};
    struct ur__time t;
    for (int i = 0; i < r->table.columns; i++) {
        struct ur__cell cell = r->table.row->cell[i];
        if (ur__time_read(cell.text, cell.n, &t) && t.form.date && t.form.between)
            return i;
    }
    for (int i = 0; i < r->table.columns; i++)
        if (is_word(r->table.first.cell[i], names))
            return i;
    return -1;
}

static ur_status find_columns(struct reading *r)
{
    const struct ur__series_rule *rule = r->rule;
    const int last = r->table.columns - 1;
    r->time = -1;
    if (!rule->time)
        r->time = usual_time(r);
    else if (!ur__is_no_column(rule->time))
        UR__TRY(ur__table_column(&r->table, rule->time, -1, &r->time));
    if (rule->targets)
        UR__TRY(take_list(r, rule->targets, &r->s->targets));
    else if (r->time != last)
        UR__TRY(take_column(r, last, &r->s->targets));
    else
        return ur__lines_fail(&r->in.lines, "the last column holds times: say which is to be "
                              "forecast (target)");
    if (rule->features && strcmp(rule->features, "all") != 0)
        return take_list(r, rule->features, &r->s->features);
    for (int i = 0; rule->features && i <= last; i++)
        if (!is_taken(r, i))
            UR__TRY(take_column(r, i, &r->s->features));
    return UR_OK;
}

static ur_status keep_names(struct reading *r)
{
    for (int i = 0; i < ur__series_columns(r->s); i++) {
        struct ur__cell cell = ur__cell_trim(r->table.first.cell[r->column[i]]);
        UR__TRY(ur__buf_show(&r->s->names, cell.text, cell.n, UR__SHOW_LINE));
        UR__TRY(ur__buf_put(&r->s->names, "", 1));
    }
    return UR_OK;
}

/* ---- rows -------------------------------------------------------------- */

static ur_status wrong_time(const struct reading *r, const struct ur__time *t)
{
    const struct ur__series *s = r->s;
    char now[UR__TIME_TEXT], before[UR__TIME_TEXT], step[UR__TIME_TEXT];
    struct ur__time last = s->first;
    struct ur__time_step d;
    if (s->n > 1)
        last = ur__time_after(&s->first, &s->step, s->n - 1);
    ur__time_write(t, now);
    ur__time_write(&last, before);
    if (!ur__time_same_form(&last, t))
        return ur__lines_fail(&r->in.lines, "time %s is written in another way than %s", now,
                              before);
    if (!ur__time_between(&last, t, &d))
        return ur__lines_fail(&r->in.lines, "time %s does not come after %s: rows are in the order "
                              "of time; time-column none: these are no times", now, before);
    return ur__lines_fail(&r->in.lines, "time %s follows %s, where steps are %s: a row that is "
                          "missing is given with empty values", now, before,
                          ur__time_step_write(&s->step, step));
}

/* Is the row one step after the one before? */
static ur_status take_time(struct reading *r)
{
    struct ur__series *s = r->s;
    struct ur__time t;
    if (r->time < 0)
        return UR_OK;
    struct ur__cell cell = r->table.row->cell[r->time];
    if (!ur__time_read(cell.text, cell.n, &t))
        return ur__lines_fail(&r->in.lines, "\"%.40s\" is no time: dates are YYYY-MM-DD or "
                              "YYYY-MM, with HH:MM behind them or without, or numbers", cell.text);
    s->timed = true;
    if (s->n == 0) {
        s->first = t;
        return UR_OK;
    }
    if (s->n == 1 && !ur__time_between(&s->first, &t, &s->step))
        return wrong_time(r, &t);
    struct ur__time due = ur__time_after(&s->first, &s->step, s->n);
    if (!ur__time_same(&t, &due, &s->step))
        return wrong_time(r, &t);
    if (!t.form.date)           /* rounded: the longer the way, the better it is known */
        s->step.number = (t.number - s->first.number) / (double)s->n;
    return UR_OK;
}

static ur_status grow(struct reading *r)
{
    struct ur__series *s = r->s;
    if (s->n < r->capacity)
        return UR_OK;
    int64_t capacity = r->capacity ? 2 * r->capacity : 256;
    if (capacity > MOST_ROWS)
        return ur__lines_fail(&r->in.lines, "too many rows");
    double *value = ur__realloc(s->value, (size_t)capacity,
                                (size_t)ur__series_columns(s) * sizeof *value);
    if (!value)
        return UR_ENOMEM;
    s->value = value;
    r->capacity = capacity;
    return UR_OK;
}

static ur_status take_value(struct reading *r, int i, double *to)
{
    const int column = r->column[i];
    struct ur__cell cell = ur__cell_trim(r->table.row->cell[column]);
    float narrow;
    if (is_missing(cell)) {
        *to = (double)NAN;
        r->s->missing++;
        return UR_OK;
    }
    UR__TRY(ur__cells_number(r->table.row, &r->in.lines, column, &narrow));
    cell.text[cell.n] = '\0';
    ur__parse_real(cell.text, to);
    return UR_OK;
}

static ur_status take_row(struct reading *r)
{
    struct ur__series *s = r->s;
    const int columns = ur__series_columns(s);
    UR__TRY(take_time(r));
    UR__TRY(grow(r));
    for (int i = 0; i < columns; i++)
        UR__TRY(take_value(r, i, &s->value[s->n * columns + i]));
    s->n++;
    return UR_OK;
}

/* ---- files ------------------------------------------------------------- */

static ur_status read_rows(struct reading *r)
{
    bool more, blank;
    for (;;) {
        UR__TRY(ur__table_next(&r->table, &more, &blank));
        if (!more)
            return UR_OK;
        if (r->s->n == 0) {
            UR__TRY(find_columns(r));
            UR__TRY(keep_names(r));
        }
        UR__TRY(take_row(r));
    }
}

static ur_status check_values(const struct reading *r)
{
    const struct ur__series *s = r->s;
    const int columns = ur__series_columns(s);
    if (s->n == 0)
        return ur__fail(UR_EDATA, "%s: there is no row below the line of names", r->in.lines.name);
    for (int i = 0; i < columns; i++) {
        int64_t t = 0;
        while (t < s->n && isnan(s->value[t * columns + i]))
            t++;
        if (t == s->n)
            return ur__fail(UR_EDATA, "%s: column \"%s\" has no value: all are missing",
                            r->in.lines.name, ur__series_name(s, i));
    }
    return UR_OK;
}

ur_status ur__series_open(struct ur__series *s, const char *path,
                          const struct ur__series_rule *rule)
{
    const struct ur__read_rule table = {.header = UR_HEADER_YES};
    struct reading *r = ur__calloc(1, sizeof *r);
    *s = (struct ur__series){.n = 0};
    if (!r)
        return UR_ENOMEM;
    r->s = s;
    r->rule = rule;
    r->in.rule = &table;
    r->in.path = path;
    ur_status status = ur__lines_open(&r->in.lines, path, false, &s->tally);
    if (status == UR_OK) {
        status = ur__table_open(&r->table, &r->in, true, false);
        if (status == UR_OK)
            status = read_rows(r);
        ur__table_close(&r->table);
    }
    if (status == UR_OK)
        status = check_values(r);
    ur__lines_close(&r->in.lines);
    ur__free(r);
    return status;
}

void ur__series_close(struct ur__series *s)
{
    ur__free(s->value);
    ur__buf_free(&s->names);
    *s = (struct ur__series){.n = 0};
}

const char *ur__series_name(const struct ur__series *s, int i)
{
    const char *at = s->names.data;
    while (at && i-- > 0)
        at += strlen(at) + 1;
    return at ? at : "";
}

char *ur__series_time(const struct ur__series *s, int64_t row, char to[UR__TIME_TEXT])
{
    if (!s->timed || s->n < 2) {
        ur__format(to, UR__TIME_TEXT, "%lld", (long long)row + 1);
        return to;
    }
    const struct ur__time t = ur__time_after(&s->first, &s->step, row);
    return ur__time_write(&t, to);
}
