/* SPDX-License-Identifier: MIT */
/*
 * Sets of labelled examples, read from files of many formats (data/formats.h): texts, sequences
 * of tokens, or sequences of numbers, each with one label or with one a step.
 *
 * The index of examples stays in memory; what they hold does up to 64 MiB, and lies in a
 * nameless scratch file beyond that.
 */
#ifndef UR_DATA_EXAMPLES_H
#define UR_DATA_EXAMPLES_H

#include "data/labels.h"
#include "data/lines.h"
#include "data/numbers.h"
#include "unroll/data.h"

struct ur__example {
    uint64_t at, size;      /* what it holds: bytes or numbers of the set's data */
    uint64_t tag;           /* place of its first label a step */
    int64_t line;           /* where it begins in its file: from 1, or its number (binary) */
    int32_t length;         /* steps, at least 1 */
    int32_t label;          /* -1: none, or one a step */
    int32_t group;          /* what it may not be parted from (speaker, source); -1: nothing */
    int32_t file;
};

struct ur__examples {
    ur_content content;
    bool tagged;            /* a label a step */
    int width;              /* of frames; else 1 */
    int rate;               /* of sounds, samples a second; 0: none */
    const char *format;     /* that of the first file; static */
    int columns;            /* of the first table (csv); 0: none */
    bool scaled;            /* frames are bytes of pictures that stand for n/255 */
    int32_t longest;        /* the most steps of an example */
    struct ur__word_table groups;   /* their names */
    int64_t n;
    struct ur__example *example;
    int64_t filled;         /* missing values that were filled in (data/read_ts.c) */
    struct ur__tally tally; /* of all files */
    /* Private. */
    int64_t capacity;
    struct ur__numbers data, tags;
    int32_t *order;         /* number of a label as kept -> label; NULL: the same */
    char **path;            /* [n_paths] */
    int n_paths;
};
void ur__examples_free(struct ur__examples *x);
/* Forgets the examples, not what they are like: others may follow. */
void ur__examples_clear(struct ur__examples *x);

/* Reading one. i in [0,n), and from + n steps in its length. Nothing is allocated. */

/* The `size` bytes of a text, or of tokens: each followed by a zero. */
ur_status ur__examples_text(struct ur__examples *x, int64_t i, char *to);
/* Numbers of n steps, [n, width]. */
ur_status ur__examples_frames(struct ur__examples *x, int64_t i, int32_t from, int32_t n,
                              ur_real *to);
/* Labels of n steps. */
ur_status ur__examples_tags(struct ur__examples *x, int64_t i, int32_t from, int32_t n,
                            int32_t *to);
/* An example that may be a line of names which was read like others: it is the first line of a file
 * of text, and no other line has its label, where a label has several examples on average. -1: none
 * is like that. */
int64_t ur__examples_header(const struct ur__examples *x);
/* The file that it stands in; borrowed. */
const char *ur__examples_file(const struct ur__examples *x, int64_t i);

#endif
