/* SPDX-License-Identifier: MIT */
/* Examples as what a net reads: token numbers of texts, and batches padded to one length. */
#ifndef UR_DATA_SEQUENCES_H
#define UR_DATA_SEQUENCES_H

#include "data/examples.h"

/* Rows [b0,b1) of a batch: examples `which` [b1-b0] (of them the steps from `from` on, at most T),
 * each in a column of what is padded, [T, b1-b0]. An example that ends before `from` has none. */
struct ur__rows {
    const int64_t *which;
    int B, T;
    int32_t from;
};

/* The tokens of all examples as numbers. */
struct ur__sequences {
    int64_t n;
    int64_t *begin;             /* [n+1] places in ids */
    struct ur__numbers ids;
    int32_t longest;
    int64_t unknown;            /* how many are no words of the vocabulary */
};

/* Whose tokens a vocabulary has: those of the n examples `which` (NULL: of all). */
struct ur__vocab_rule {
    ur_token_kind kind;
    int min_count;
    const int64_t *which;
    int64_t n;
    bool line_end;              /* of characters and bytes it also has a line feed */
    int most;                   /* words at most, the likeliest; 0: as many as it holds */
};

/* The vocabulary: of texts the tokens of that kind; of tokens, which must be of a kind of words,
 * these as they are. *cut as ur__choose_words. */
ur_status ur__examples_vocab(ur_vocab **out, struct ur__examples *x,
                             const struct ur__vocab_rule *rule, int64_t *cut);
/* how: what becomes of tokens of texts that are not in the vocabulary; tokens as the file has them
 * are <unk> then. UR_EDATA with FILE:LINE: a character that is not, a text without words. */
ur_status ur__sequences_new(struct ur__sequences *s, struct ur__examples *x, const ur_vocab *vocab,
                            ur_unknown how);
void ur__sequences_free(struct ur__sequences *s);
int32_t ur__sequence_length(const struct ur__sequences *s, int64_t i);
/* Adds to *count how often a token stands in the n examples `which`. */
ur_status ur__sequences_count(struct ur__sequences *s, const int64_t *which, int64_t n,
                              int32_t token, int64_t *count);

/* Fill [T,B] and lengths [B]; past the end stands 0. Allocate nothing. */
ur_status ur__pad_ids(struct ur__sequences *s, const struct ur__rows *rows, int32_t *to,
                      int *lengths);
/* [T,B,width]. */
ur_status ur__pad_frames(struct ur__examples *x, const struct ur__rows *rows, ur_real *to,
                         int *lengths);
/* Labels of steps [T,B]; past the end stands -1. */
ur_status ur__pad_tags(struct ur__examples *x, const struct ur__rows *rows, int32_t *to);

#endif
