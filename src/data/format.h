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
    bool binary;                /* read() opens the file itself; else it is open: in->lines */
    /* Does a file look like it that begins with these n bytes? Text is UTF-8, followed by a zero,
     * its line ends LF. */
    bool (*is)(const char *head, size_t n, bool tagged);
    ur_status (*read)(struct ur__intake *in);
};

#endif
