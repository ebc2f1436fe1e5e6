/* SPDX-License-Identifier: MIT */
/* From characters to words and back to spaces. What separates words and what is
 * punctuation is fixed here, by code points, and the same in every locale
 * (docs/FORMAT.md, "Words"). */
#ifndef UR_DATA_SPLIT_H
#define UR_DATA_SPLIT_H

#include "unroll/data.h"

/* The two tokens that every vocabulary of words begins with. */
#define UR__UNKNOWN 0
#define UR__LINE_END 1
#define UR__UNKNOWN_TEXT "<unk>"
#define UR__LINE_END_TEXT "</s>"

/* Bytes of the longest word; a longer one is unknown. */
#define UR__WORD_MAX 256

static inline bool ur__is_words(ur_token_kind kind)
{
    return kind == UR_TOKEN_WORD || kind == UR_TOKEN_WORDPUNCT;
}

/* White space of Unicode, controls, and the marks of no width that begin files or part
 * words. */
bool ur__is_space(uint32_t code);
bool ur__is_punctuation(uint32_t code);

/* Characters in, words out, however the text is cut into pieces. */
struct ur__splitter {
    bool punctuation;           /* it is split too */
    /* Gets each word as it is complete; text is borrowed for the call. */
    ur_status (*on_word)(void *user, const char *text, size_t n);
    void *user;
    size_t n;                   /* bytes of the word so far; counts on beyond its room */
    char word[UR__WORD_MAX];
    uint32_t last;              /* its last character */
    uint32_t held;              /* a sign that stays in the word if a fitting one follows, or 0 */
};
/* One character and its n bytes. */
ur_status ur__split_put(struct ur__splitter *s, uint32_t code, const char *bytes, size_t n);
/* The text is over; a new one may begin. */
ur_status ur__split_end(struct ur__splitter *s);

/* Is a space due between what `join` has seen and this word? Moves on past it. */
bool ur__join_space(ur_join *join, ur_token_kind kind, const char *text, size_t n);

#endif
