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
};

/* The most frequent words of a text, equal ones in the order of their bytes. text: its
 * words by their numbers in the table, which begins with <unk> and </s>. order
 * [table->n] gets the number in the vocabulary of each word of the table. *cut: words that
 * are frequent enough but beyond what a vocabulary holds. UR_EDATA: there is none. */
ur_status ur__choose_words(ur_vocab **out, ur_token_kind kind, const struct ur__word_table *table,
                           struct ur__numbers *text, const struct ur__word_rule *rule,
                           int32_t *order, int64_t *cut);

/* Tokens that a share of a text's end has: ⌊share·tokens⌋. */
int64_t ur__held_out(int64_t tokens, double share);

#endif
