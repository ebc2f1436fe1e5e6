/* SPDX-License-Identifier: MIT */
/* unroll/data.h: from text to token numbers and back. */
#ifndef UNROLL_DATA_H
#define UNROLL_DATA_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a token is: a byte, a Unicode code point of UTF-8 text, or a word: what stands
 *  between white space, with UR_TOKEN_WORDPUNCT punctuation apart (docs/FORMAT.md, "Words"). */
typedef enum ur_token_kind {
    UR_TOKEN_BYTE = 0,
    UR_TOKEN_CHAR = 1,
    UR_TOKEN_WORD = 2,
    UR_TOKEN_WORDPUNCT = 3
} ur_token_kind;

/** "byte", "char", "word", "wordpunct". Static text; NULL for an unknown kind. */
UR_API const char *ur_token_kind_name(ur_token_kind kind);
/** The kind of a name. False if there is none. */
UR_API bool ur_token_kind_find(const char *name, ur_token_kind *out);

/** The tokens that a model knows: bytes and characters in the order of their code, words
 *  in that of their frequency. Read-only; may be shared between threads. */
typedef struct ur_vocab ur_vocab;

/** The tokens of n bytes of text; of words those that occur at least min_count times (1: all).
 *  Give it to a model, or free it. Errors: UR_EINVAL, UR_EDATA (there are none; no UTF-8). */
UR_API ur_status ur_vocab_of_text(ur_vocab **out, ur_token_kind kind, const char *text, size_t n,
                                  int min_count);
UR_API void ur_vocab_free(ur_vocab *vocab);

/** Tokens in it; what one token is. */
UR_API int ur_vocab_size(const ur_vocab *vocab);
UR_API ur_token_kind ur_vocab_kind(const ur_vocab *vocab);
/** The token that stands for all words that are not in it, −1 for bytes and characters;
 *  the token that ends a line, −1 if there is none. */
UR_API int32_t ur_vocab_unknown(const ur_vocab *vocab);
UR_API int32_t ur_vocab_line_end(const ur_vocab *vocab);
/** Text of one token, *n bytes, borrowed (NULL: no such token). */
UR_API const char *ur_vocab_text(const ur_vocab *vocab, int32_t id, size_t *n);
/** Token numbers of n bytes of text. ids: room for n. A word that is not in the
 *  vocabulary becomes ur_vocab_unknown. Errors: UR_EINVAL, naming the first character that
 *  is not in the vocabulary or not UTF-8, and its place. */
UR_API ur_status ur_vocab_encode(const ur_vocab *vocab, const char *text, size_t n,
                                 int32_t *ids, size_t *count);

/** What becomes of words, characters or bytes that a vocabulary does not have. */
typedef enum ur_unknown {
    UR_UNKNOWN_USUAL = 0,       /* words are replaced, all else is an error */
    UR_UNKNOWN_ERROR = 1,
    UR_UNKNOWN_SKIP = 2,
    UR_UNKNOWN_REPLACE = 3      /* by the unknown word; else by U+FFFD, ? or a space, the first of
                                   these that is there */
} ur_unknown;

/** The policy of a name: "error", "skip", "replace". False if there is none. */
UR_API bool ur_unknown_find(const char *name, ur_unknown *out);

/** Texts as tokens of a vocabulary that may not have all of them. */
typedef struct ur_encoder ur_encoder;

/** vocab is borrowed. Errors: UR_EINVAL (nothing in it can replace), UR_ENOMEM. */
UR_API ur_status ur_encoder_new(ur_encoder **out, const ur_vocab *vocab, ur_unknown how);
UR_API void ur_encoder_free(ur_encoder *encoder);
/** Token numbers of n bytes of text. ids: room for n. Errors: UR_EINVAL as ur_vocab_encode, of
 *  words with UR_UNKNOWN_ERROR only. */
UR_API ur_status ur_encoder_put(ur_encoder *encoder, const char *text, size_t n, int32_t *ids,
                                size_t *count);
/** A note on all texts so far, which `what` calls "the prime": "2 words of the prime
 *  are unknown to the model: read as <unk>". Borrowed until the next call; NULL: nothing. */
UR_API const char *ur_encoder_note(ur_encoder *encoder, const char *what);

/** How a text of tokens goes on. Zeroed: at the beginning. */
typedef struct ur_join {
    bool space;         /* the next word stands apart */
    bool quoted;        /* the line has an open double quote */
} ur_join;

/** Text of the next token as it continues a text, *n bytes, borrowed (NULL: no such token):
 *  words with the space in front that is due, a line's end as a line feed. */
UR_API const char *ur_vocab_join(const ur_vocab *vocab, ur_join *join, int32_t id, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
