/* SPDX-License-Identifier: MIT */
/* Texts of a user as tokens of a model, which may not know all of them. */
#ifndef CLI_ENCODE_H
#define CLI_ENCODE_H

#include <stdbool.h>

#include "unroll/data.h"

/* What becomes of characters, bytes or words that the model does not know. */
enum unknown { UNKNOWN_ERROR, UNKNOWN_SKIP, UNKNOWN_REPLACE };
#define UNKNOWN_CHOICES "error|skip|replace"
#define UNKNOWN_DEFAULT "words: replace, else error"

struct encoder {
    const ur_vocab *vocab;
    enum unknown how;
    int32_t stand_in;       /* what replaces them */
    const char *shown;      /* the same for people */
    int64_t unknown;        /* how many there were */
};

/* choice: a word of UNKNOWN_CHOICES, or NULL. UR_EINVAL: nothing in the vocabulary can
 * replace. */
ur_status encoder_init(struct encoder *e, const ur_vocab *vocab, const char *choice);
/* ids: room for n. Errors as ur_vocab_encode. */
ur_status encoder_put(struct encoder *e, const char *text, size_t n, int32_t *ids,
                      size_t *count);
/* A line on stderr if there were any. what: "the prime". */
void encoder_say(const struct encoder *e, const char *what);

#endif
