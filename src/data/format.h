/* SPDX-License-Identifier: MIT */
/* What a reader of one file format is. One const struct and one file (read_NAME.c) each; the list
 * of them is in formats.c. */
#ifndef UR_DATA_FORMAT_H
#define UR_DATA_FORMAT_H

#include "data/intake.h"

struct ur__format {
    const char *name;           /* "csv" */
    const char *what;           /* what a file of it holds, for help and messages */
    const char *const *endings; /* of names that tell it, ".gz" apart; ended by NULL */
    bool one, tagged;           /* it has one label an example; one a step */
    bool bare;                  /* it never has any: its first bytes tell it, if none are wanted */
    /* Options of a rule that change how it is read: "width"; ended by NULL. */
    const char *const *options;
    bool binary;                /* begin() opens the file itself; else it is open: in->lines */
    /* Does a file look like it that begins with these n bytes? Text is UTF-8, followed by a zero,
     * its line ends LF. */
    bool (*is)(const char *head, size_t n, bool tagged);
    /* A reader at work: `size` bytes, zeroed before begin(). */
    size_t size;
    ur_status (*begin)(void *reader, struct ur__intake *in);
    /* Takes one example; *more false: there is none left. */
    ur_status (*next)(void *reader, bool *more);
    void (*end)(void *reader);  /* whatever begin() said */
};

#endif
