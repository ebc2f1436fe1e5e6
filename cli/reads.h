/* SPDX-License-Identifier: MIT */
/* Options of the library that say how files of examples are read, whatever the task: commands that
 * are given a model have them among their rows, and hand them on when it is known. */
#ifndef CLI_READS_H
#define CLI_READS_H

#include "unroll/options.h"

enum { READS_MOST = 32 };
struct reads {
    ur_setting set[READS_MOST];
    int n;
};

/* The i-th such row, those with one of the flags UR_OPTION_READS...; NULL: there is none. */
const ur_option *reads_row(unsigned flags, int i);
/* For `set` of a command. */
ur_status reads_set(struct reads *reads, const char *name, const char *text);
/* EXIT_OUTPUT, and a line that says so, if a file that one of them names is standard output. */
int reads_spare(const struct reads *reads, unsigned flags);

#endif
