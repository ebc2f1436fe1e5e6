/* SPDX-License-Identifier: MIT */
#include "data/cells.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define MOST_CELLS (1 << 24)

void ur__cells_free(struct ur__cells *c)
{
    ur__free(c->cell);
    *c = (struct ur__cells){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

char ur__cells_separator(const char *line)
{
    const char *s = line;
    if (*s == '"') {
        for (s++; *s && (*s != '"' || s[1] == '"'); s++)
            s += *s == '"';
    }
    s += strcspn(s, ",;\t\n");
    return *s && *s != '\n' ? *s : UR__BLANKS;
}

/* ---- splitting --------------------------------------------------------- */

static ur_status add(struct ur__cells *c, const struct ur__lines *l, char *text, char *end)
{
    if (c->n == MOST_CELLS)
        return ur__lines_fail(l, "more than %d fields", MOST_CELLS);
    if (c->n == c->capacity) {
        int capacity = c->capacity ? 2 * c->capacity : 16;
        struct ur__cell *cell = ur__realloc(c->cell, (size_t)capacity, sizeof *cell);
        if (!cell)
            return UR_ENOMEM;
        c->cell = cell;
        c->capacity = capacity;
    }
    *end = '\0';
    c->cell[c->n++] = (struct ur__cell){text, (size_t)(end - text)};
    return UR_OK;
}

/* Takes lines until every quoted cell is closed. */
static ur_status complete(char separator, struct ur__lines *l)
{
    const char stop[] = {separator, '\0'};
    bool quoted = false;
    for (size_t at = 0; at < l->n || quoted; ) {
        bool more = true;
        const char *quote = quoted ? strchr(l->text + at, '"') : NULL;
        if (!quoted && l->text[at] == '"') {
            quoted = true;
            at++;
        } else if (!quoted) {
            at += strcspn(l->text + at, stop);
            at += at < l->n;
        } else if (!quote) {
            at = l->n;
            UR__TRY(ur__lines_join(l, &more));
        } else {
            quoted = quote[1] == '"';
            at = (size_t)(quote - l->text) + 1 + (quote[1] != '\0');
            if (!quoted && quote[1] && quote[1] != separator)
                return ur__lines_fail(l, "text follows a closing quote: two stand for one within");
        }
        if (!more)
            return ur__lines_fail(l, "a quote is opened and never closed");
    }
    return UR_OK;
}

/* Behind the quote that closes the cell that begins at s. */
static char *closing(char *s)
{
    for (s = strchr(s + 1, '"'); s[1] == '"'; s = strchr(s + 2, '"'))
        ;
    return s + 1;
}

/* The cell's text without its quotes; returns where it ends. */
static char *unquote(char *from, const char *end)
{
    char *to = from;
    for (const char *s = from + 1; s < end - 1; s++) {
        *to++ = *s;
        s += *s == '"';
    }
    return to;
}

static ur_status split_blanks(struct ur__cells *c, const struct ur__lines *l)
{
    for (char *s = l->text; ; ) {
        while (is_blank(*s))
            s++;
        if (!*s)
            return UR_OK;
        char *end = s + strcspn(s, " \t");
        bool last = !*end;
        UR__TRY(add(c, l, s, end));
        if (last)
            return UR_OK;
        s = end + 1;
    }
}

ur_status ur__cells_split(struct ur__cells *c, struct ur__lines *l, bool quotes)
{
    const char stop[] = {c->separator, '\0'};
    c->n = 0;
    if (c->separator == UR__BLANKS)
        return split_blanks(c, l);
    if (quotes)
        UR__TRY(complete(c->separator, l));
    for (char *s = l->text; ; ) {
        char *end = quotes && *s == '"' ? closing(s) : s + strcspn(s, stop);
        bool last = !*end;
        UR__TRY(add(c, l, s, quotes && *s == '"' ? unquote(s, end) : end));
        if (last)
            return UR_OK;
        s = end + 1;
    }
}

/* ---- what is in them --------------------------------------------------- */

struct ur__cell ur__cell_trim(struct ur__cell cell)
{
    while (cell.n && is_blank(*cell.text)) {
        cell.text++;
        cell.n--;
    }
    while (cell.n && is_blank(cell.text[cell.n - 1]))
        cell.n--;
    return cell;
}

bool ur__cell_is(struct ur__cell cell, const char *text)
{
    cell = ur__cell_trim(cell);
    return cell.n == strlen(text) && memcmp(cell.text, text, cell.n) == 0;
}

bool ur__cell_is_number(struct ur__cell cell, float *out)
{
    double value;
    cell = ur__cell_trim(cell);
    char next = cell.text[cell.n];
    cell.text[cell.n] = '\0';
    bool is_number = ur__parse_real(cell.text, &value) && isfinite((float)value);
    cell.text[cell.n] = next;
    if (is_number)
        *out = (float)value;
    return is_number;
}

ur_status ur__cells_number(const struct ur__cells *c, const struct ur__lines *l, int i, float *out)
{
    if (ur__cell_is_number(c->cell[i], out))
        return UR_OK;
    const char *text = c->cell[i].text;
    const bool word = (*text | 32) >= 'a' && (*text | 32) <= 'z';
    const char *hint = strchr(text, ',') ? " (decimals follow a point)"
        : word && l->number <= 2 ? " (column, text-column and header say what a file holds)" : "";
    return ur__lines_fail(l, "field %d, \"%.40s\", is not a number%s", i + 1, text, hint);
}

ur_status ur__cells_column(const struct ur__cells *names, int n, const char *column,
                           const struct ur__lines *l, int *place)
{
    int64_t number;
    for (*place = 0; names && *place < names->n; ++*place) {
        if (ur__cell_is(names->cell[*place], column))
            return UR_OK;
    }
    if (!ur__parse_int(column, &number))
        return ur__fail(UR_EDATA, "%s: there is no column \"%.80s\"%s", l->name, column,
                        names ? "" : ": the file has no line of names");
    if (number < 1 || number > n)
        return ur__fail(UR_EDATA, "%s: there is no column %s: the first row has %d field%s",
                        l->name, column, n, n > 1 ? "s" : "");
    *place = (int)number - 1;
    return UR_OK;
}
