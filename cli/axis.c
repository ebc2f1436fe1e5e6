/* SPDX-License-Identifier: MIT */
#include "cli/axis.h"

#include <math.h>

#define LARGEST 1e100
#define LEAST_SPAN 1e-90        /* of a linear scale: far from where doubles lose digits */

bool axis_has(double x, bool log)
{
    return log ? x >= 1 / LARGEST && x <= LARGEST : fabs(x) <= LARGEST;     /* no NaN is */
}

static void add(struct axis *a, double tick)
{
    if (a->n < AXIS_MOST && (a->n == 0 || tick > a->tick[a->n - 1]))
        a->tick[a->n++] = tick;
}

/* Multiples of 1, 2 or 5 times a power of ten, at most seven. */
static void linear_ticks(struct axis *a, double low, double high)
{
    static const double step[] = {1, 2, 5, 10};
    double span = high > low ? high - low : fabs(low);
    span = span >= LEAST_SPAN ? span : 1;
    double size = pow(10, floor(log10(span / 5)));
    int i = 0;
    while (i < 3 && span / (size * step[i]) > 6)
        i++;
    size *= step[i];
    double first = ceil(low / size - 1e-9), last = floor(high / size + 1e-9);
    /* A little beyond the numbers, where a tick is near. */
    first -= low / size - (first - 1) < 0.25;
    last += last + 1 - high / size < 0.25;
    for (int k = 0; k < AXIS_MOST && first + k <= last; k++)
        add(a, (first + k) * size);
    if (a->n == 0)
        add(a, low);
}

/* Powers of ten, or 1, 2 and 5 times each where they are few: those between low and high. If that
 * is one or none, the nearest on either side as well. */
static void log_ticks(struct axis *a, double low, double high)
{
    static const double step[] = {1, 2, 5};
    int first = (int)floor(log10(low)), last = (int)ceil(log10(high));
    int every = (last - first + 7) / 8, each = last - first <= 2 ? 3 : 1, inside = 0;
    double tick[AXIS_MOST];
    int n = 0, from = 0;
    for (int e = first; e <= last; e += every > 1 ? every : 1)
        for (int k = 0; k < each && n < AXIS_MOST; k++) {
            tick[n] = step[k] * pow(10, e);
            from += tick[n] < low * 0.999;
            inside += tick[n] >= low * 0.999 && tick[n] <= high * 1.001;
            n++;
        }
    int end = from + inside;
    if (inside <= 1) {
        from -= from > 0;
        end += end < n;
    }
    for (int i = from; i < end; i++)
        add(a, tick[i]);
}

void axis_init(struct axis *a, double low, double high, bool log)
{
    *a = (struct axis){.log = log};
    if (log)
        log_ticks(a, low, high);
    else
        linear_ticks(a, low, high);
    a->low = low < a->tick[0] ? low : a->tick[0];
    a->high = high > a->tick[a->n - 1] ? high : a->tick[a->n - 1];
    if (log ? a->high > a->low : a->high - a->low >= LEAST_SPAN)
        return;
    double more = fabs(low) >= LEAST_SPAN ? fabs(low) : 1;
    a->low = log ? low / 2 : low - more;
    a->high = log ? high * 2 : high + more;
}

double axis_place(const struct axis *a, double x)
{
    return a->log ? log(x / a->low) / log(a->high / a->low) : (x - a->low) / (a->high - a->low);
}
