/* SPDX-License-Identifier: MIT */
/* A scale of numbers: where each lies between the ends, and which are named. */
#ifndef CLI_AXIS_H
#define CLI_AXIS_H

#include <stdbool.h>

enum { AXIS_MOST = 32 };

struct axis {
    bool log;
    double low, high;           /* its ends */
    double tick[AXIS_MOST];     /* rising */
    int n;                      /* at least 1 */
};

/* Can it be drawn? Nothing near the ends of doubles; on a logarithmic scale only what is
 * positive. */
bool axis_has(double x, bool log);
/* The scale of numbers from low to high. */
void axis_init(struct axis *a, double low, double high, bool log);
/* 0 at its low end, 1 at its high one. */
double axis_place(const struct axis *a, double x);

#endif
