/* SPDX-License-Identifier: MIT */
/* Which of a text's words make its vocabulary. */
#ifndef UR_DATA_CHOOSE_H
#define UR_DATA_CHOOSE_H

#include "data/numbers.h"
#include "data/vocab.h"
#include "data/word_table.h"

struct ur__word_rule {
    double held_out;        /* share of the text, at its end, whose words do not count */
    int min_count;          /* how often a word must occur in the rest */
    int most;               /* words in the vocabulary at most; 0: as many as it holds */
};

/* What there is to know of them beside the vocabulary. */
struct ur__chosen {
    int32_t *order;         /* [words of the table], the caller's: numbers in the vocabulary */
    int64_t cut;            /* words that are frequent enough but more than a vocabulary holds */
};

/* The most frequent words of a text, equal ones in the order of their bytes. text: its
 * words by their numbers in the table, which begins with <unk> and </s>. UR_EDATA: there is
 * none. */
ur_status ur__choose_words(ur_vocab **out, ur_token_kind kind, const struct ur__word_table *table,
                           struct ur__numbers *text, const struct ur__word_rule *rule,
                           struct ur__chosen *chosen);

/* Tokens that a share of a text's end has: ⌊share·tokens⌋. */
int64_t ur__held_out(int64_t tokens, double share);

#endif
