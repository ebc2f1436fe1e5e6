/* SPDX-License-Identifier: MIT */
/* unroll/data.h: from text to token numbers and back. */
#ifndef UNROLL_DATA_H
#define UNROLL_DATA_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a token is: a byte, or a Unicode code point of UTF-8 text. */
typedef enum ur_token_kind { UR_TOKEN_BYTE = 0, UR_TOKEN_CHAR = 1 } ur_token_kind;

/** "byte", "char". Static text; NULL for an unknown kind. */
UR_API const char *ur_token_kind_name(ur_token_kind kind);
/** The kind of a name. False if there is none. */
UR_API bool ur_token_kind_find(const char *name, ur_token_kind *out);

/** The tokens that a model knows, in the order of their code. Borrowed from a model;
 *  read-only, may be shared between threads. */
typedef struct ur_vocab ur_vocab;

/** Tokens in it; what one token is. */
UR_API int ur_vocab_size(const ur_vocab *vocab);
UR_API ur_token_kind ur_vocab_kind(const ur_vocab *vocab);
/** Bytes of one token into out[4]; returns how many (0: no such token). */
UR_API int ur_vocab_text(const ur_vocab *vocab, int32_t id, char out[4]);
/** Token numbers of n bytes of text. ids: room for n. Errors: UR_EINVAL, naming the
 *  first character that is not in the vocabulary or not UTF-8, and its place. */
UR_API ur_status ur_vocab_encode(const ur_vocab *vocab, const char *text, size_t n,
                                 int32_t *ids, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
