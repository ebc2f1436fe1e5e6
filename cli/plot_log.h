/* SPDX-License-Identifier: MIT */
/* What is kept of training logs to be drawn. */
#ifndef CLI_PLOT_LOG_H
#define CLI_PLOT_LOG_H

#include "cli/chart.h"
#include "cli/plot.h"

/* A number of a step; its place in the file. */
struct seen {
    double step, y;
    int64_t order;
};

/* Norms of the gradient at a step, and whether a curve shows them. */
struct reach {
    double step;
    int64_t order;
    struct ur__json *line;
    bool drawn;
};

/* Rows of a log by what wrote them. */
enum { STEPS, VALIDATIONS, N_ROWS };

struct log {
    struct ur__buf row[N_ROWS];         /* of struct seen */
    struct ur__json *valid;             /* the last validation, or NULL */
    struct ur__buf reach;               /* of struct reach */
    bool bare;                          /* it gave no curve */
};

struct logs {
    struct log *log;                    /* [p->n_files] */
    int n;
};

/* Adds a file's curves of what --gradients, --steps and --layer ask for, from a colour on
 * (plot_reach.c). */
ur_status plot_gradients(struct plot *p, int file, int *color, struct chart *c);

#endif
