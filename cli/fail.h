/* SPDX-License-Identifier: MIT */
/* How the program ends: exit status, the sentence on stderr, signals, and the state of
 * standard output. */
#ifndef CLI_FAIL_H
#define CLI_FAIL_H

#include <stdarg.h>

#include "unroll/model.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,     /* unknown or impossible options */
    EXIT_INPUT = 3,     /* missing, unreadable, malformed, too short */
    EXIT_MEMORY = 4,
    EXIT_OUTPUT = 5,    /* not writable, disk full, exists already */
    EXIT_DIVERGED = 6,
    EXIT_SIGNAL = 128   /* + its number */
};

/* Prints a line on stderr after the text `before`. A file's name in it may hold anything:
 * what is not printable is not printed. */
void tell(const char *before, const char *format, va_list args) UR_PRINTF(2, 0);
/* Prints "unroll: sentence" on stderr, on one line, and returns code. */
int fail(int code, const char *format, ...) UR_PRINTF(2, 3);
/* The same with this thread's last message of the library. */
int fail_status(ur_status status);
/* The same where a model is only read: a number in it that is not finite makes it a bad
 * input, not a run that diverged. */
int fail_reading(ur_status status);
/* UR_EDATA, naming its file, unless the model's task is this one. */
ur_status need_verb(const ur_model *model, const char *path, const char *verb);

/* EXIT_DONE, or EXIT_OUTPUT and a sentence if standard output goes to the file that this input
 * ("-": standard input; NULL: none) is read from: it would read what it writes, or lose it. */
int spare_input(const char *path);

/* From now on (calling it again changes nothing) the first SIGINT, SIGTERM or SIGHUP is
 * remembered and a second one, a quarter of a second later or more, ends the program at
 * once. A signal that is ignored (nohup) stays so. */
void signals_catch(void);
/* The signal that came, or 0. */
int signals_caught(void);

/* Ends standard output. Returns code, EXIT_OUTPUT if what was printed could not be
 * written, or EXIT_DONE if only its reader went away (`| head`). */
int out_end(int code);
/* Prints n bytes, or writes what is printed so far; false: nobody reads on or the disk is
 * full, and out_end() will say which. */
bool out_put(const void *bytes, size_t n);
bool out_flush(void);

#endif
