/* SPDX-License-Identifier: MIT */
/* The token numbers of one or more text files, one after the other. Small ones stay in
 * memory; from 64 MiB on they go to a nameless scratch file, so that a text of any size
 * trains in bounded memory. Of words each different one is held while they are read, up to
 * 1,500,000 or 64 MiB of them: one that first occurs after these is unknown. */
#ifndef UR_DATA_CORPUS_H
#define UR_DATA_CORPUS_H

#include "data/choose.h"
#include "data/encode.h"

struct ur__corpus;

/* How a text becomes tokens. */
struct ur__text_rule {
    ur_token_kind kind;
    const ur_vocab *vocab;          /* NULL: one is built from all files */
    const char *of;                 /* what messages call it; NULL: "the model's vocabulary" */
    struct ur__word_rule words;     /* of a vocabulary of words that is built */
    bool unix_newlines;             /* CRLF and a CR alone are read as LF; not of bytes */
    ur_unknown unknown;             /* what becomes of tokens that vocab does not have */
};

/* Reads all files. Without a vocabulary it builds one and delivers it through *built (owned by
 * the caller); with one, what is outside it and is to be an error is UR_EDATA, a byte or character
 * named with file and byte offset. Malformed UTF-8 with other tokens than bytes is UR_EDATA: file,
 * byte offset, and the advice to take the kind byte; so is a file of another kind (ur__text_check),
 * with its own advice. A byte order mark at a file's start is skipped. Bytes are taken as they are.
 * An input without tokens is UR_EDATA. A file's end ends a word, but no line. */
ur_status ur__corpus_open_rule(struct ur__corpus **out, const char *const *paths, int n_paths,
                               const struct ur__text_rule *rule, ur_vocab **built);
/* The same with all words in the vocabulary, and line ends as they are. */
ur_status ur__corpus_open(struct ur__corpus **out, const char *const *paths, int n_paths,
                          ur_token_kind kind, const ur_vocab *vocab, ur_vocab **built);
void ur__corpus_free(struct ur__corpus *c);
int64_t ur__corpus_tokens(const struct ur__corpus *c);
/* Size in bytes and CRC-32 of the files (inflated): nothing skipped, nothing changed. */
uint64_t ur__corpus_bytes(const struct ur__corpus *c);
uint32_t ur__corpus_crc(const struct ur__corpus *c);
/* Bytes of token numbers that lie in a scratch file. */
uint64_t ur__corpus_spooled(const struct ur__corpus *c);
/* Words that ur__choose_words cut off. */
int64_t ur__corpus_cut(const struct ur__corpus *c);
/* A sentence on the files that a user should know, or NULL. Borrowed. */
const char *ur__corpus_note(const struct ur__corpus *c);
/* Tokens [begin, begin+n). Allocates nothing. */
ur_status ur__corpus_read(struct ur__corpus *c, int64_t begin, int64_t n, int32_t *ids);
/* How many of them are unknown words. */
ur_status ur__corpus_unknown(struct ur__corpus *c, int64_t begin, int64_t n, int64_t *count);

/* Test hook: so many different words are held (0: the usual number). Not thread-safe. */
void ur__corpus_set_most_words(int32_t n);

#endif
