/* SPDX-License-Identifier: MIT */
/* A run of text cut into windows of T tokens that are read in any order. */
#ifndef UR_DATA_WINDOW_H
#define UR_DATA_WINDOW_H

#include "data/corpus.h"

struct ur__windows {
    struct ur__corpus *corpus;  /* borrowed */
    int64_t begin, tokens;      /* the part of the corpus */
    int T;
    int64_t n;                  /* ⌈tokens/T⌉ windows; the last may be shorter */
};

/* UR_EDATA: fewer than 2 tokens. T becomes `tokens` if that is less. */
ur_status ur__windows_init(struct ur__windows *w, struct ur__corpus *corpus, int64_t begin,
                           int64_t tokens, int T);
/* Tokens of B windows by number: ids [t,B], *t the longest one's length; after the end of
 * a shorter one stands 0. lengths [B]. */
ur_status ur__windows_read(struct ur__windows *w, int B, const int64_t *which, int32_t *ids,
                           int *lengths, int *t);

/* Place i of a random order of 0 … n−1, another one each round: a function of its arguments
 * alone, which takes no memory. 0 <= i < n. */
int64_t ur__shuffled(uint64_t seed, uint64_t round, int64_t n, int64_t i);

#endif
