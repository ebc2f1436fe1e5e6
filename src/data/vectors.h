/* SPDX-License-Identifier: MIT */
/* Word vectors as text: a word and its numbers a line, perhaps after a line with how many words
 * and numbers there are (word2vec, fastText; GloVe has none). */
#ifndef UR_DATA_VECTORS_H
#define UR_DATA_VECTORS_H

#include "data/lines.h"
#include "unroll/data.h"

struct ur__vectors {
    int width;              /* numbers a word */
    int64_t words;          /* as the first line says; -1: it does not */
    struct ur__tally tally;
    struct ur__lines lines; /* private */
    bool first_waits;       /* the first line is a word's */
};

/* Close it whatever the outcome. UR_EDATA: FILE:LINE and what. */
ur_status ur__vectors_open(struct ur__vectors *v, const char *path);
void ur__vectors_close(struct ur__vectors *v);
/* Fills the rows [size of the vocabulary, width] of words that are there, by the first vector of
 * each, and marks them in found [size]; others keep their values. *count: how many were found. */
ur_status ur__vectors_fill(struct ur__vectors *v, const ur_vocab *vocab, ur_real *rows,
                           unsigned char *found, int64_t *count);

#endif
