/* SPDX-License-Identifier: MIT */
/* `dates N SEED`: N dates from 1900-01-01 to 2099-11-12 in one of twelve written forms, a tab, and
 * the same as ISO 8601 has it, a line each. To learn from them, see docs/COOKBOOK.md. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unroll.h>

static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
                                     "August", "September", "October", "November", "December"};
static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                                       "Saturday", "Sunday"};
struct date { int year, month, day, weekday; };     /* month from 0; 0: Monday */

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (month == 1 && leap);
}

static struct date date_of(int n)       /* n days after 1 January 1900, a Monday */
{
    struct date d = {1900, 0, 0, n % 7};
    for (; n >= days_of(d.year, d.month); d.month = (d.month + 1) % 12) {
        n -= days_of(d.year, d.month);
        d.year += d.month == 11;
    }
    d.day = n + 1;
    return d;
}

static const char *ending(int day)
{
    return day / 10 == 1 ? "th" : day % 10 == 1 ? "st" : day % 10 == 2 ? "nd"
                                : day % 10 == 3 ? "rd" : "th";
}

static void write_date(int form, struct date d, char *to, size_t size)
{
    const char *m = months[d.month], *w = weekdays[d.weekday], *end = ending(d.day);
    char upper[16] = "", lower[16] = "";
    for (size_t i = 0; i < strlen(m); i++) {
        upper[i] = (char)toupper(m[i]);
        lower[i] = (char)tolower(m[i]);
    }
    switch (form) {
    case 0: snprintf(to, size, "%d %s %d", d.day, m, d.year); break;
    case 1: snprintf(to, size, "%s %d, %d", m, d.day, d.year); break;
    case 2: snprintf(to, size, "%.3s %d %d", m, d.day, d.year); break;
    case 3: snprintf(to, size, "%s, %d %s %d", w, d.day, m, d.year); break;
    case 4: snprintf(to, size, "%.3s %.3s %02d %d", w, m, d.day, d.year); break;
    case 5: snprintf(to, size, "%02d-%.3s-%d", d.day, m, d.year); break;
    case 6: snprintf(to, size, "%d/%02d/%02d", d.year, d.month + 1, d.day); break;
    case 7: snprintf(to, size, "%d.%d.%d", d.day, d.month + 1, d.year); break;
    case 8: snprintf(to, size, "the %d%s of %s, %d", d.day, end, m, d.year); break;
    case 9: snprintf(to, size, "%s %d%s %d", upper, d.day, end, d.year); break;
    case 10: snprintf(to, size, "%d %s %d", d.year, lower, d.day); break;
    default: snprintf(to, size, "%d %.3s %d", d.day, lower, d.year); break;
    }
}

int main(int argc, char **argv)
{
    const int days = 73000;             /* up to 2099-11-12 */
    const unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 12;
    const uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    for (unsigned i = 0; i < n; i++) {
        const struct date d = date_of((int)(ur_random_uniform(seed, 5, 0, i) * days));
        char text[64];
        write_date((int)(ur_random_uniform(seed, 5, 1, i) * 12), d, text, sizeof text);
        printf("%s\t%d-%02d-%02d\n", text, d.year, d.month + 1, d.day);
    }
    return 0;
}
