/* SPDX-License-Identifier: MIT */
/* Lines cut into cells: by a character, with double quotes as RFC 4180 has them, or by runs of
 * blanks. */
#ifndef UR_DATA_CELLS_H
#define UR_DATA_CELLS_H

#include "data/lines.h"

#define UR__BLANKS ' '      /* the separator that stands for runs of blanks and tabs */

struct ur__cell {
    char *text;             /* n bytes and a zero, within the line */
    size_t n;
};

/* Zeroed: none. */
struct ur__cells {
    char separator;
    int n, capacity;
    struct ur__cell *cell;
};
void ur__cells_free(struct ur__cells *c);
/* Of ',', ';' and tab the one that ends the first cell of a line; else UR__BLANKS. */
char ur__cells_separator(const char *line);
/* Cuts the line at hand in place. With quotes a cell that begins with one ends with one, holds
 * separators and two quotes for one, and may go on over lines, which it takes. */
ur_status ur__cells_split(struct ur__cells *c, struct ur__lines *l, bool quotes);

/* A cell without the blanks around it, and without the zero if there were some after it. */
struct ur__cell ur__cell_trim(struct ur__cell cell);
/* Is it that text, but for blanks around it? */
bool ur__cell_is(struct ur__cell cell, const char *text);
/* A finite number, with blanks around it or without. */
bool ur__cell_is_number(struct ur__cell cell, float *out);
/* The same of cell i; UR_EDATA names it. */
ur_status ur__cells_number(const struct ur__cells *c, const struct ur__lines *l, int i, float *out);
/* The place of a column, which is given by its name in `names` (NULL: there are none) or by its
 * number from 1. UR_EDATA. */
ur_status ur__cells_column(const struct ur__cells *names, int n, const char *column,
                           const struct ur__lines *l, int *place);

#endif
