/* SPDX-License-Identifier: MIT */
/* The log of a training run: lines of JSON in a file or on standard output. A disk that
 * refuses some costs the run nothing: they are counted, and the log goes on when it can. */
#ifndef CLI_TRAIN_LOG_H
#define CLI_TRAIN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui;

struct train_log {
    const char *path;   /* NULL: no log */
    int stream;         /* standard output or error, if path leads to it; else −1 */
    bool append;        /* go on at its end */
    int fd;
    bool opened;
    bool is_file;       /* so that half a line can be taken back */
    int64_t size;       /* of a file's whole lines */
    bool torn;          /* half a line was written and stays */
    bool gone;          /* its reader went away */
    int64_t lost;       /* lines */
    bool failing;       /* the last line was lost, because of */
    int error;
};

/* path NULL: there is none; "-": standard output. */
void train_log_init(struct train_log *log, const char *path, bool append);
/* Writes a line, its end included, at once: who reads along sees it, and a crash takes none.
 * The first failure of a row is a warning. */
void train_log_put(struct train_log *log, struct ui *ui, const char *line, size_t n);
void train_log_close(struct train_log *log);
/* EXIT_DONE, or EXIT_OUTPUT and a sentence if lines are missing. */
int train_log_end(const struct train_log *log);

#endif
