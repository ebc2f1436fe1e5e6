/* SPDX-License-Identifier: MIT */
/* How a series is read and what of it is learnt. */
#include "task/signal.h"

static const char *const normalise_words[] = {"last", "window", "series", NULL};
static const char *const base_words[] = {"none", "last", "seasonal", "linear", NULL};
static const char *const either_words[] = {"no", "yes", NULL};
static const char *const transform_words[] = {"none", "log", NULL};

#define AT(member) .at = offsetof(struct ur__forecast_options, member)

static const ur_option option_rows[] = {
    {.group = "data", .name = "target", .arg = "NAME|N[,...]", .shown = "the last column",
     .kind = UR_OPTION_TEXT, .flags = UR_OPTION_SPARSE | UR_OPTION_READS, AT(target),
     .help = "columns to forecast"},
    {.name = "features", .arg = "NAME|N[,...]|all", .shown = "none", .kind = UR_OPTION_TEXT,
     .flags = UR_OPTION_SPARSE | UR_OPTION_READS, AT(features),
     .help = "other columns to read, of which the future is not known"},
    {.name = "time-column", .arg = "NAME|N|none", .shown = "one of dates, or called date or year",
     .kind = UR_OPTION_TEXT, .flags = UR_OPTION_SPARSE | UR_OPTION_READS, AT(time),
     .help = "column of times, one even step apart"},
    {.name = "split", .arg = "A,B[,C]", .shown = "by --val", .kind = UR_OPTION_TEXT,
     .flags = UR_OPTION_SPARSE, AT(split),
     .help = "rows, or shares below 1, to learn from, to validate on and to leave for a test"},
    {.name = "period", .arg = "N", .fallback = "0", .shown = "by the rows' step: a day of hours, a "
     "year of months or weeks, a week of days; else 1", .kind = UR_OPTION_INT, .max = 1048576,
     AT(period), .help = "steps after which the series comes round"},
    {.name = "normalise", .words = normalise_words, .fallback = "last", .kind = UR_OPTION_CHOICE,
     AT(normalise), .help = "values are told from the last one of the context, from its mean and "
                            "deviation, or from those of the part to learn from"},
    {.name = "base", .words = base_words, .fallback = "linear", .kind = UR_OPTION_CHOICE, AT(base),
     .help = "what the network adds to: nothing, the last value, that of one period before, or a "
             "linear autoregression"},
    {.name = "transform", .words = transform_words, .fallback = "none",
     .kind = UR_OPTION_EITHER, .flags = UR_OPTION_SPARSE, AT(log),
     .help = "log: logarithms of the targets are learnt, which must be above 0"},
    {.name = "calendar", .words = either_words, .fallback = "yes", .kind = UR_OPTION_EITHER,
     AT(calendar), .help = "read where in the day, the week and the year a row is"},
    {.name = "recent", .arg = "N", .fallback = "0", .shown = "those to validate on, at most 256",
     .kind = UR_OPTION_INT, .max = 65536, AT(recent),
     .help = "rows whose forecasts say how wide the next interval must be"},
    {.name = "back", .arg = "N", .fallback = "0", .kind = UR_OPTION_INT, .max = 1e9,
     .flags = UR_OPTION_SPARSE | UR_OPTION_READS, AT(back),
     .help = "leave out so many rows at the file's end; predict shows them beside its forecast"},
};

const ur_option_table ur__forecast_table = {
    .name = "forecast", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct ur__forecast_options),
};
