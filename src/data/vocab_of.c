/* SPDX-License-Identifier: MIT */
/* The vocabulary of a text in memory. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/choose.h"
#include "data/vocab.h"

#define CODES 0x110000

/* ---- characters and bytes ---------------------------------------------- */

static ur_status mark_codes(unsigned char *seen, bool bytes, const char *text, size_t n)
{
    for (size_t at = 0; at < n; ) {
        uint32_t code = (unsigned char)text[at];
        int length = bytes ? 1 : ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return ur__fail(UR_EDATA, "malformed UTF-8 at byte %zu", at);
        seen[code] = 1;
        at += (size_t)length;
    }
    return UR_OK;
}

static ur_status of_codes(ur_vocab **out, ur_token_kind kind, const char *text, size_t n)
{
    unsigned char *seen = ur__calloc(CODES, 1);
    uint32_t *codes = ur__alloc(UR__VOCAB_MAX, sizeof *codes);
    ur_status status = UR_ENOMEM;
    int found = 0;
    if (seen && codes)
        status = mark_codes(seen, kind == UR_TOKEN_BYTE, text, n);
    for (uint32_t code = 0; status == UR_OK && code < CODES; code++) {
        if (seen[code] && found == UR__VOCAB_MAX)
            status = ur__fail(UR_EDATA, "the text has more than %d different characters",
                              UR__VOCAB_MAX);
        else if (seen[code])
            codes[found++] = code;
    }
    if (status == UR_OK)
        status = ur__vocab_new(out, kind, found, codes);
    ur__free(seen);
    ur__free(codes);
    return status;
}

/* ---- words ------------------------------------------------------------- */

struct counting {
    struct ur__word_table words;
    struct ur__numbers numbers;
    struct ur__splitter splitter;
};

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct counting *c = user;
    int32_t number;
    UR__TRY(ur__word_add(&c->words, word, n, &number));
    uint32_t value = (uint32_t)number;
    return ur__numbers_put(&c->numbers, 1, &value, (uint32_t)c->words.n);
}

static ur_status count_words(struct counting *c, const char *text, size_t n)
{
    int32_t number;
    UR__TRY(ur__word_add(&c->words, UR__UNKNOWN_TEXT, strlen(UR__UNKNOWN_TEXT), &number));
    UR__TRY(ur__word_add(&c->words, UR__LINE_END_TEXT, strlen(UR__LINE_END_TEXT), &number));
    for (size_t at = 0; at < n; ) {
        uint32_t code;
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return ur__fail(UR_EDATA, "malformed UTF-8 at byte %zu", at);
        UR__TRY(ur__split_put(&c->splitter, code, text + at, (size_t)length));
        at += (size_t)length;
    }
    return ur__split_end(&c->splitter);
}

static ur_status of_words(ur_vocab **out, ur_token_kind kind, const char *text, size_t n,
                          int min_count)
{
    struct counting *c = ur__calloc(1, sizeof *c);
    const struct ur__word_rule rule = {0, min_count};
    int64_t cut;
    int32_t *order = NULL;
    if (!c)
        return UR_ENOMEM;
    c->splitter.punctuation = kind == UR_TOKEN_WORDPUNCT;
    c->splitter.on_word = on_word;
    c->splitter.user = c;
    ur_status status = count_words(c, text, n);
    if (status == UR_OK && !(order = ur__alloc((size_t)c->words.n, sizeof *order)))
        status = UR_ENOMEM;
    if (status == UR_OK)
        status = ur__choose_words(out, kind, &c->words, &c->numbers, &rule, order, &cut);
    ur__free(order);
    ur__word_table_free(&c->words);
    ur__numbers_free(&c->numbers);
    ur__free(c);
    return status;
}

ur_status ur_vocab_of_text(ur_vocab **out, ur_token_kind kind, const char *text, size_t n,
                           int min_count)
{
    UR__NEED(out, "out");
    *out = NULL;
    if (!ur_token_kind_name(kind))
        return ur__fail(UR_EINVAL, "there is no kind of token %d", (int)kind);
    if (min_count < 1)
        return ur__fail(UR_EINVAL, "min_count must be at least 1, not %d", min_count);
    if (n > 0)
        UR__NEED(text, "text");
    if (n == 0)
        return ur__fail(UR_EDATA, "a vocabulary needs a text that is not empty");
    return ur__is_words(kind) ? of_words(out, kind, text, n, min_count)
                              : of_codes(out, kind, text, n);
}
