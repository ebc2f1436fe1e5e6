/* SPDX-License-Identifier: MIT */
/* Series of numbers in a CSV file with a line of names: a row a step, all steps alike. */
#ifndef UR_DATA_SERIES_H
#define UR_DATA_SERIES_H

#include "data/calendar.h"
#include "data/lines.h"

enum { UR__SERIES_MOST = 256 };         /* columns that are read */

/* Which columns; by name or number from 1, several with commas between. Borrowed. */
struct ur__series_rule {
    const char *time;       /* NULL: found by what it holds or is called; "none": there is none */
    const char *targets;    /* NULL: the last one */
    const char *features;   /* NULL: none; "all": all that are neither */
};

struct ur__series {
    int64_t n;                  /* rows */
    int targets, features;      /* a row has the targets first */
    double *value;              /* [n, targets + features]; NaN: missing */
    int64_t missing;            /* how many are */
    struct ur__buf names;       /* of the columns, a zero after each */
    bool timed;                 /* there is a column of times: */
    struct ur__time first;
    struct ur__time_step step;
    struct ur__tally tally;
};

/* Reads a file; close it whatever the outcome. A field that is empty or NA, N/A, NaN, null or ? in
 * letters of any size is missing. UR_EDATA with FILE:LINE: no rows, another number of fields, no
 * number, a time that is not one step after the one before; a column that is not there or has no
 * value at all. */
ur_status ur__series_open(struct ur__series *s, const char *path,
                          const struct ur__series_rule *rule);
void ur__series_close(struct ur__series *s);
/* The i-th column's name; static while it is open. */
const char *ur__series_name(const struct ur__series *s, int i);
/* The time of a row as the file writes it, or would go on after its end; without times the row's
 * number from 1. Returns to. */
char *ur__series_time(const struct ur__series *s, int64_t row, char to[UR__TIME_TEXT]);

static inline int ur__series_columns(const struct ur__series *s)
{
    return s->targets + s->features;
}

#endif
