/* SPDX-License-Identifier: MIT */
/* The token numbers of one or more text files, one after the other. Small ones stay in
 * memory; from 64 MiB on they go to a nameless scratch file, so that a text of any size
 * trains in bounded memory. */
#ifndef UR_DATA_CORPUS_H
#define UR_DATA_CORPUS_H

#include "data/vocab.h"

struct ur__corpus;

/* Reads all files. vocab NULL: builds one from all of them and delivers it through
 * *built (owned by the caller); else encodes with vocab, and a token outside it is
 * UR_EDATA, named with file and byte offset. Malformed UTF-8 with UR_TOKEN_CHAR is
 * UR_EDATA: file, byte offset, and the advice to use --tokens byte. An empty input is
 * UR_EDATA. */
ur_status ur__corpus_open(struct ur__corpus **out, const char *const *paths, int n_paths,
                          ur_token_kind kind, const ur_vocab *vocab, ur_vocab **built);
void ur__corpus_free(struct ur__corpus *c);
int64_t ur__corpus_tokens(const struct ur__corpus *c);
/* Size in bytes and CRC-32 of the whole (inflated) text. */
uint64_t ur__corpus_bytes(const struct ur__corpus *c);
uint32_t ur__corpus_crc(const struct ur__corpus *c);
/* Tokens [begin, begin+n). Allocates nothing. */
ur_status ur__corpus_read(struct ur__corpus *c, int64_t begin, int64_t n, int32_t *ids);

/* Test hook: token numbers of more than `bytes` bytes go to the scratch file (0: the
 * usual 64 MiB). Not thread-safe. */
void ur__corpus_set_spool_at(size_t bytes);

#endif
