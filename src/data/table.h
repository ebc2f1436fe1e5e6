/* SPDX-License-Identifier: MIT */
/* Rows of equally many cells, with a first line of names or without. */
#ifndef UR_DATA_TABLE_H
#define UR_DATA_TABLE_H

#include "data/cells.h"
#include "data/intake.h"

struct ur__table {
    struct ur__lines *lines;    /* borrowed */
    bool quotes, blanks;
    int columns;
    bool named;                 /* the first row has names */
    const struct ur__cells *row;    /* the row at hand, which begins at the line at hand */
    /* Private. */
    struct ur__cells first, other;
    char *text;                 /* of the first row: the next line takes the place of its own */
    int64_t first_line;
    bool first_waits;           /* to be given */
    bool ahead;                 /* one more was read, as these say */
    bool ahead_more, ahead_blank;
    int64_t ahead_line;
};

/* Finds separator and columns, and by the rule or by itself whether the first row has names: it has
 * if a column of the rule is one of them, or if there is no number in it and one in the second.
 * Without blanks, blank lines are allowed at the end only. Close it whatever the outcome. */
ur_status ur__table_open(struct ur__table *t, struct ur__intake *in, bool quotes, bool blanks);
void ur__table_close(struct ur__table *t);
/* The next row; *more false: there is none; *blank: a blank line instead. UR_EDATA: another number
 * of cells than the first has. */
ur_status ur__table_next(struct ur__table *t, bool *more, bool *blank);
/* Has the first row names, and that one among them? */
bool ur__table_has_name(const struct ur__table *t, const char *name);
/* "none": what is called a column that is not there, where labels are not wanted. */
bool ur__is_no_column(const char *column);
/* The place of a column of the rule, `otherwise` if that is NULL. */
ur_status ur__table_column(const struct ur__table *t, const char *column, int otherwise,
                           int *place);

#endif
