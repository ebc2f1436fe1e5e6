/* SPDX-License-Identifier: MIT */
/* Making vocabularies; the public half is unroll/data.h. */
#ifndef UR_DATA_VOCAB_H
#define UR_DATA_VOCAB_H

#include "data/split.h"

#define UR__VOCAB_MAX 65536
/* Bytes of all words together: with these a model's header stays within its 16 MiB,
 * however much of it must be escaped. */
#define UR__VOCAB_TEXT_MAX ((size_t)2 << 20)

struct ur__word_table;

/* A vocabulary of n codes (bytes or code points), strictly ascending. UR_EFORMAT if
 * they are not, or impossible for the kind; n in [1, 65536]. */
ur_status ur__vocab_new(ur_vocab **out, ur_token_kind kind, int n, const uint32_t *codes);
/* One of words, in the order of their numbers: <unk>, </s>, then n−2 others. UR_EFORMAT if
 * these two are not the first, or a word is impossible or there twice; n in [2, 65536]. */
ur_status ur__vocab_new_words(ur_vocab **out, ur_token_kind kind, int n, const char *const *words);
ur_status ur__vocab_copy(ur_vocab **out, const ur_vocab *vocab);
/* NULL for words. */
const uint32_t *ur__vocab_codes(const ur_vocab *vocab);
/* The number of a code, −1 if it is not in the vocabulary. */
int32_t ur__vocab_find(const ur_vocab *vocab, uint32_t code);
/* The number of a word, UR__UNKNOWN if it is not in the vocabulary. */
int32_t ur__vocab_find_word(const ur_vocab *vocab, const char *word, size_t n);

/* A code for messages: `character "é" (U+00E9)`, `byte 0xE9`. Returns out. */
#define UR__CODE_TEXT 32
const char *ur__code_text(ur_token_kind kind, uint32_t code, char out[UR__CODE_TEXT]);

#endif
