/* SPDX-License-Identifier: MIT */
/* What stands for a token that a vocabulary does not have; the public half is unroll/data.h. */
#ifndef UR_DATA_ENCODE_H
#define UR_DATA_ENCODE_H

#include "base/text.h"
#include "unroll/data.h"

/* A word as it stands, whatever parts words: always one token, the unknown one where that is to be
 * skipped. UR_EINVAL as ur_encoder_put. */
ur_status ur__encoder_word(ur_encoder *e, const char *word, size_t n, int32_t *id);
/* The policy for texts that are labelled: characters are usually skipped, as a name has others to
 * be known by. */
ur_unknown ur__unknown_labelled(const ur_vocab *vocab, ur_unknown how);
/* Does it leave out what is unknown? */
bool ur__encoder_skips(const ur_encoder *e);

/* "error", "skip", "replace", ended by NULL: from UR_UNKNOWN_ERROR on. */
extern const char *const ur__unknown_words[];

/* A policy for one vocabulary. */
struct ur__unknown {
    ur_unknown how;             /* never the usual one: that is settled */
    int32_t stand_in;           /* what replaces */
    const char *shown;          /* the same for people; static */
    const char *unit;           /* what a token is called: "word"; static */
};

/* UR_EINVAL: nothing in the vocabulary can replace. */
ur_status ur__unknown_init(struct ur__unknown *u, const ur_vocab *vocab, ur_unknown how);
/* Appends "2 words of the prime are unknown to the model: read as <unk>"; what: "the prime". */
ur_status ur__unknown_note(const struct ur__unknown *u, int64_t count, const char *what,
                           struct ur__buf *to);

/* Fails with status and "FILE: 2 words are unknown to the model, the first: zebra"; where: "FILE: "
 * or "". */
ur_status ur__unknown_fail(ur_status status, const char *where, int64_t count, const char *word);

#endif
