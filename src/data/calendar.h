/* SPDX-License-Identifier: MIT */
/* Points in time as files write them, and the even steps that lead from one to the next. */
#ifndef UR_DATA_CALENDAR_H
#define UR_DATA_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a date is written: YYYY-MM, YYYY-MM-DD, with / or . or nothing in place of the dashes (then
 * with a day), and perhaps a clock behind it, HH:MM or HH:MM:SS. Equal forms have equal bytes. */
struct ur__time_form {
    bool date;                  /* else a number: a year, a count, seconds */
    char between;               /* '-', '/', '.', 0 */
    bool day;
    char before_clock;          /* ' ', 'T', 0: no clock */
    bool seconds;
};

struct ur__time {
    struct ur__time_form form;
    double number;              /* of a number */
    int64_t day;                /* of a date: days from 1970-01-01 on */
    int second;                 /* of that day */
};

/* From one row to the next; one of the three is above 0. */
struct ur__time_step {
    double number;
    int64_t seconds;
    int months;
    bool ends;                  /* from the last day of a month to that of another */
};

/* Reads n bytes with blanks around them or without. False: they are no time. */
bool ur__time_read(const char *text, size_t n, struct ur__time *out);
/* The step from a to b, by months where both are at the same place of one. False: b is not later,
 * or of another form. */
bool ur__time_between(const struct ur__time *a, const struct ur__time *b,
                      struct ur__time_step *out);
/* What is k steps after a time. */
struct ur__time ur__time_after(const struct ur__time *from, const struct ur__time_step *step,
                               int64_t k);
/* Are both written in the same way? */
bool ur__time_same_form(const struct ur__time *a, const struct ur__time *b);
/* Are both the same, numbers but for a fiftieth of a step? */
bool ur__time_same(const struct ur__time *a, const struct ur__time *b,
                   const struct ur__time_step *step);
enum { UR__TIME_TEXT = 48 };
/* As it is written in a file. Returns to. */
char *ur__time_write(const struct ur__time *t, char to[UR__TIME_TEXT]);
/* "1 month": for messages. Returns to. */
char *ur__time_step_write(const struct ur__time_step *step, char to[UR__TIME_TEXT]);

/* Steps after which most series of such a step come round: those of a day, of a week (steps of a
 * day), of a year (of weeks, months and quarters); else 1. */
int ur__time_period(const struct ur__time_step *step);

/* Where in a day, a week and a year a date is, each in [0,1). Those not longer than its step are
 * -1, and all of a number. */
enum { UR__TIME_DAY, UR__TIME_WEEK, UR__TIME_YEAR, UR__TIME_CYCLES };
void ur__time_phases(const struct ur__time *t, const struct ur__time_step *step,
                     double phase[UR__TIME_CYCLES]);

#endif
