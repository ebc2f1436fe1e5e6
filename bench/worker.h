/* SPDX-License-Identifier: MIT */
/*
 * How a program under measurement talks with run.py, one line each way; every program, in C
 * (worker.c) or Python (worker.py), is started with its number of threads and answers
 *     (at the start)             NAME VERSION...
 *     time SECONDS KIND ...      seconds of each unit of work, or "none": it has no such row
 *     values PATH KIND ...       "ok"; the results are in PATH, by name
 *     memory KIND ...            bytes that one call needs beside weights, inputs and results
 * and "error TEXT" when it fails. The row of the last line stays open, so that rounds do not
 * pay for its making.
 */
#ifndef UR_BENCH_WORKER_H
#define UR_BENCH_WORKER_H

#include <stdio.h>

#include "row.h"

/* One side of the comparison. call, values and memory return false after complaining. */
struct side {
    const char *name, *version;
    bool (*has)(const struct row *row);
    void *(*open)(const struct row *row, int threads);  /* NULL: complained */
    bool (*call)(void *net);
    bool (*values)(void *net, FILE *to);
    double (*memory)(void *net);        /* NULL: it cannot tell. Negative: complained */
    void (*close)(void *net);
};

/* Keeps a message for the next answer. Returns false. */
bool complain(const char *format, ...) UR_PRINTF(1, 2);
const char *complaint(void);

/* Answers lines of standard input until its end. */
int worker_serve(const struct side *side, int threads);

/* Seconds a unit of calls that take `seconds` together; at least one, at most max. Returns how
 * many, 0: complained. A short call is warmed up by one that does not count. */
int worker_time(const struct side *side, void *net, const struct row *row, double seconds,
                double *took, int max);

/* One result: a line "NAME N", then N floats. */
void worker_write(FILE *to, const char *name, const float *values, size_t n);

double worker_now(void);

#endif
