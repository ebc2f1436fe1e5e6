/* SPDX-License-Identifier: MIT */
/* A vocabulary of texts that come piece by piece. */
#ifndef UR_DATA_GATHER_H
#define UR_DATA_GATHER_H

#include "data/choose.h"

struct ur__gather;
ur_status ur__gather_new(struct ur__gather **out, ur_token_kind kind);
void ur__gather_free(struct ur__gather *g);
/* A whole text: its end ends a word. UR_EDATA: it is no UTF-8; says where. */
ur_status ur__gather_text(struct ur__gather *g, const char *text, size_t n);
/* A word as it is, without white space. Only of a kind of words. */
ur_status ur__gather_word(struct ur__gather *g, const char *word, size_t n);
/* The vocabulary; of words as ur__choose_words. UR_EDATA: there is no token. */
ur_status ur__gather_end(struct ur__gather *g, const struct ur__word_rule *rule, ur_vocab **out,
                         int64_t *cut);

#endif
