/* SPDX-License-Identifier: MIT */
/* The Gregorian calendar, without leap seconds and zones of time. */
#include "data/calendar.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

enum { DAY = 86400, FIRST_YEAR = 1, LAST_YEAR = 9999 };

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days of all years before, from 0001-01-01 on. */
static int64_t days_before(int64_t year)
{
    int64_t y = year - 1;
    return 365 * y + y / 4 - y / 100 + y / 400;
}

struct date {
    int64_t year;
    int month, day;
};

enum { EPOCH = 719162 };        /* days before 1970 */

static int64_t day_number(struct date d)
{
    int64_t day = days_before(d.year) - EPOCH + d.day - 1;
    for (int m = 1; m < d.month; m++)
        day += month_days(d.year, m);
    return day;
}

static struct date date_of(int64_t day)
{
    int64_t n = day + EPOCH, year = n / 366 + 1;
    while (days_before(year + 1) <= n)
        year++;
    struct date d = {year, 1, 0};
    n -= days_before(year);
    while (n >= month_days(year, d.month))
        n -= month_days(year, d.month++);
    d.day = (int)n + 1;
    return d;
}

/* ---- reading ----------------------------------------------------------- */

/* Text not yet read. */
struct rest {
    const char *at, *end;
};

static bool digits(struct rest *r, int n, int low, int high, int *out)
{
    int value = 0;
    if (r->end - r->at < n)
        return false;
    for (int i = 0; i < n; i++, r->at++) {
        if (*r->at < '0' || *r->at > '9')
            return false;
        value = 10 * value + *r->at - '0';
    }
    *out = value;
    return value >= low && value <= high;
}

static bool take(struct rest *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool read_clock(struct rest *r, struct ur__time *t)
{
    int hour, minute, second = 0;
    t->form.before_clock = *r->at++;
    if (!digits(r, 2, 0, 23, &hour) || !take(r, ':') || !digits(r, 2, 0, 59, &minute))
        return false;
    t->form.seconds = take(r, ':');
    if (t->form.seconds && !digits(r, 2, 0, 59, &second))
        return false;
    t->second = 3600 * hour + 60 * minute + second;
    return true;
}

static bool read_date(struct rest r, struct ur__time *t)
{
    int year, month, day = 1;
    if (!digits(&r, 4, FIRST_YEAR, LAST_YEAR, &year) || r.at == r.end)
        return false;
    t->form = (struct ur__time_form){.date = true};
    if (*r.at == '-' || *r.at == '/' || *r.at == '.')
        t->form.between = *r.at++;
    if (!digits(&r, 2, 1, 12, &month))
        return false;
    t->form.day = t->form.between ? take(&r, t->form.between) : true;
    if (t->form.day && !digits(&r, 2, 1, month_days(year, month), &day))
        return false;
    /* 1949.01 is a number of its own, and 194901 too. */
    if (!t->form.day && t->form.between == '.')
        return false;
    t->day = day_number((struct date){year, month, day});
    t->second = 0;
    if (t->form.day && r.at < r.end && (*r.at == ' ' || *r.at == 'T') && !read_clock(&r, t))
        return false;
    return r.at == r.end;
}

bool ur__time_read(const char *text, size_t n, struct ur__time *out)
{
    char number[UR__TIME_TEXT];
    struct rest r = {text, text + n};
    while (r.at < r.end && (*r.at == ' ' || *r.at == '\t'))
        r.at++;
    while (r.at < r.end && (r.end[-1] == ' ' || r.end[-1] == '\t'))
        r.end--;
    *out = (struct ur__time){.second = 0};
    if (read_date(r, out))
        return true;
    *out = (struct ur__time){.second = 0};
    n = (size_t)(r.end - r.at);
    if (n == 0 || n >= sizeof number)
        return false;
    memcpy(number, r.at, n);
    number[n] = '\0';
    return ur__parse_real(number, &out->number) && fabs(out->number) <= 1e15;
}

/* ---- steps ------------------------------------------------------------- */

bool ur__time_same_form(const struct ur__time *a, const struct ur__time *b)
{
    return a->form.date == b->form.date && a->form.between == b->form.between
        && a->form.day == b->form.day && a->form.before_clock == b->form.before_clock
        && a->form.seconds == b->form.seconds;
}

/* Whole months from a to b; 0: they are at different places of theirs. */
static int months_between(const struct ur__time *a, const struct ur__time *b, bool *ends)
{
    const struct date x = date_of(a->day), y = date_of(b->day);
    *ends = a->form.day && x.day == month_days(x.year, x.month)
        && y.day == month_days(y.year, y.month);
    if (a->second != b->second || (x.day != y.day && !*ends))
        return 0;
    return (int)(12 * (y.year - x.year) + y.month - x.month);
}

bool ur__time_between(const struct ur__time *a, const struct ur__time *b,
                      struct ur__time_step *out)
{
    *out = (struct ur__time_step){.months = 0};
    if (!ur__time_same_form(a, b))
        return false;
    if (!a->form.date) {
        out->number = b->number - a->number;
        return out->number > 0;
    }
    out->months = months_between(a, b, &out->ends);
    if (out->months == 0)
        out->seconds = DAY * (b->day - a->day) + b->second - a->second;
    return out->months > 0 || out->seconds > 0;
}

struct ur__time ur__time_after(const struct ur__time *from, const struct ur__time_step *step,
                               int64_t k)
{
    struct ur__time t = *from;
    if (!from->form.date) {
        t.number += (double)k * step->number;
        return t;
    }
    if (step->months == 0) {
        int64_t seconds = k * step->seconds + from->second, days = seconds / DAY;
        days -= seconds % DAY < 0;
        t.day += days;
        t.second = (int)(seconds - DAY * days);
        return t;
    }
    struct date d = date_of(from->day);
    int64_t months = 12 * d.year + d.month - 1 + k * step->months;
    d.year = months / 12;
    d.month = (int)(months % 12) + 1;
    int last = month_days(d.year, d.month);
    d.day = step->ends || d.day > last ? last : d.day;
    t.day = day_number(d);
    return t;
}

bool ur__time_same(const struct ur__time *a, const struct ur__time *b,
                   const struct ur__time_step *step)
{
    if (!ur__time_same_form(a, b))
        return false;
    return a->form.date ? a->day == b->day && a->second == b->second
                        : fabs(a->number - b->number) <= 0.02 * step->number;
}

/* ---- writing ----------------------------------------------------------- */

/* Whole numbers as such: years. */
static void write_number(double x, char to[UR__TIME_TEXT])
{
    ur__format(to, UR__TIME_TEXT, "%.15g", x);
}

char *ur__time_write(const struct ur__time *t, char to[UR__TIME_TEXT])
{
    char *at = to;
    const struct date d = date_of(t->day);
    const char between[] = {t->form.between, '\0'};
    const int minutes = t->second / 60;
    size_t room = UR__TIME_TEXT;
    if (!t->form.date) {
        write_number(t->number, to);
        return to;
    }
    at += ur__format(at, room, "%04d%s%02d", (int)d.year, between, d.month);
    if (t->form.day)
        at += ur__format(at, room - (size_t)(at - to), "%s%02d", between, d.day);
    if (t->form.before_clock)
        at += ur__format(at, room - (size_t)(at - to), "%c%02d:%02d", t->form.before_clock,
                         minutes / 60, minutes % 60);
    if (t->form.seconds)
        ur__format(at, room - (size_t)(at - to), ":%02d", t->second % 60);
    return to;
}

char *ur__time_step_write(const struct ur__time_step *step, char to[UR__TIME_TEXT])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{604800, "week"}, {DAY, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    int64_t n = step->months;
    const char *name = "month";
    for (int i = 0; step->seconds > 0; i++)
        if (step->seconds % units[i].seconds == 0) {
            n = step->seconds / units[i].seconds;
            name = units[i].name;
            break;
        }
    if (n > 0)
        ur__format(to, UR__TIME_TEXT, "%lld %s%s", (long long)n, name, n > 1 ? "s" : "");
    else
        write_number(step->number, to);
    return to;
}

/* ---- cycles ------------------------------------------------------------ */

int ur__time_period(const struct ur__time_step *step)
{
    if (step->months > 0)
        return 12 % step->months == 0 ? 12 / step->months : 1;
    if (step->seconds <= 0)
        return 1;
    if (step->seconds == DAY)
        return 7;
    if (step->seconds == 7 * DAY)
        return 52;
    return step->seconds < DAY && DAY % step->seconds == 0 ? (int)(DAY / step->seconds) : 1;
}

void ur__time_phases(const struct ur__time *t, const struct ur__time_step *step,
                     double phase[UR__TIME_CYCLES])
{
    int64_t seconds = step->months ? (int64_t)30 * DAY * step->months : step->seconds;
    for (int i = 0; i < UR__TIME_CYCLES; i++)
        phase[i] = -1;
    if (!t->form.date)
        return;
    const int64_t year = date_of(t->day).year;
    const double of_day = (double)t->second / DAY;
    const int64_t monday = ((t->day + 3) % 7 + 7) % 7;      /* 1970 began on a Thursday */
    const double in_year = (double)(t->day - (days_before(year) - EPOCH)) + of_day;
    if (seconds < DAY)
        phase[UR__TIME_DAY] = of_day;
    if (seconds < 7 * DAY)
        phase[UR__TIME_WEEK] = ((double)monday + of_day) / 7;
    if (seconds < 365 * DAY)
        phase[UR__TIME_YEAR] = in_year / (365 + is_leap(year));
}
