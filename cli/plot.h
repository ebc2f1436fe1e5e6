/* SPDX-License-Identifier: MIT */
/* What can be drawn. Each kind is one const struct in a file plot_*.c, listed in cmd_plot.c. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "cli/svg.h"
#include "cli/ui.h"
#include "io/json.h"

struct plot_options {
    struct opt_common common;
    const char *output, *labels, *title;
    const char *unit, *metric, *steps, *series;
    int64_t layer;
    bool force, log_x, log_y, gradients, shares;
    bool has_layer;             /* --layer was given */
};

/* A figure in the making. */
struct plot {
    const struct plot_options *options;
    const struct plot_kind *kind;       /* NULL: nothing has told it yet */
    struct ui ui;
    int n_files, file;                  /* which of them is being read */
    const char *const *name;            /* [n_files] */
    char **label;                       /* [n_files] */
    long long line;                     /* of the file, from 1 */
    void *inside;                       /* the kind's */
};

struct plot_kind {
    const char *name;           /* "a training log" */
    const char *group;          /* of options that are of use to it; NULL: there is none */
    size_t size;                /* of what lies inside, zeroed at first */
    bool (*is)(const struct ur__json *j);
    /* Takes a line's document, also if it fails. */
    ur_status (*take)(struct plot *p, struct ur__json *j);
    /* All lines are there. UR_EDATA: nothing of them can be drawn. */
    ur_status (*draw)(struct plot *p, struct svg *s);
    void (*close)(void *inside);
};

/* What the line under way is called in a message: "run.jsonl:3". Valid until the next call. */
const char *plot_place(const struct plot *p);
/* "standard input" for "-". */
const char *plot_name(const struct plot *p, int file);

/* Draws answers of predict --json, lines, into a file that picture_check has let pass; words: of
 * the command line. */
ur_status plot_answers(const char *output, bool force, const struct opt_words *words,
                       const struct ur__buf *lines);

/* Calls each with every line of a file, without its end and followed by a zero; n bytes. A line
 * has at most 64 MiB. */
ur_status plot_lines(const char *path, ur_status (*each)(void *user, const char *line, size_t n),
                     void *user);

#endif
