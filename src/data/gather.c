/* SPDX-License-Identifier: MIT */
#include "data/gather.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"

#define CODES 0x110000

struct ur__gather {
    ur_token_kind kind;
    unsigned char *seen;        /* [CODES] of codes; NULL: words */
    struct ur__word_table words;
    struct ur__numbers numbers; /* the words in their order */
    struct ur__splitter splitter;
};

/* ---- taking ------------------------------------------------------------ */

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct ur__gather *g = user;
    int32_t number;
    UR__TRY(ur__word_add(&g->words, word, n, &number));
    uint32_t value = (uint32_t)number;
    return ur__numbers_put(&g->numbers, 1, &value, (uint32_t)g->words.n);
}

static ur_status begin(struct ur__gather *g)
{
    int32_t number;
    if (!ur__is_words(g->kind))
        return (g->seen = ur__calloc(CODES, 1)) ? UR_OK : UR_ENOMEM;
    g->splitter.punctuation = g->kind == UR_TOKEN_WORDPUNCT;
    g->splitter.on_word = on_word;
    g->splitter.user = g;
    UR__TRY(ur__word_add(&g->words, UR__UNKNOWN_TEXT, strlen(UR__UNKNOWN_TEXT), &number));
    return ur__word_add(&g->words, UR__LINE_END_TEXT, strlen(UR__LINE_END_TEXT), &number);
}

ur_status ur__gather_new(struct ur__gather **out, ur_token_kind kind)
{
    *out = NULL;
    struct ur__gather *g = ur__calloc(1, sizeof *g);
    if (!g)
        return UR_ENOMEM;
    g->kind = kind;
    ur_status status = begin(g);
    if (status != UR_OK) {
        ur__gather_free(g);
        return status;
    }
    *out = g;
    return UR_OK;
}

void ur__gather_free(struct ur__gather *g)
{
    if (!g)
        return;
    ur__free(g->seen);
    ur__word_table_free(&g->words);
    ur__numbers_free(&g->numbers);
    ur__free(g);
}

ur_status ur__gather_text(struct ur__gather *g, const char *text, size_t n)
{
    for (size_t at = 0; at < n; ) {
        uint32_t code = (unsigned char)text[at];
        int length = 1;
        if (g->kind != UR_TOKEN_BYTE)
            length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return ur__fail(UR_EDATA, "malformed UTF-8 at byte %zu (0x%02X)", at,
                            (unsigned)(unsigned char)text[at]);
        if (g->seen)
            g->seen[code] = 1;
        else
            UR__TRY(ur__split_put(&g->splitter, code, text + at, (size_t)length));
        at += (size_t)length;
    }
    return g->seen ? UR_OK : ur__split_end(&g->splitter);
}

ur_status ur__gather_word(struct ur__gather *g, const char *word, size_t n)
{
    return n <= UR__WORD_MAX ? on_word(g, word, n)
                             : on_word(g, UR__UNKNOWN_TEXT, strlen(UR__UNKNOWN_TEXT));
}

/* ---- making ------------------------------------------------------------ */

static ur_status make_codes(const struct ur__gather *g, ur_vocab **out)
{
    uint32_t *codes = ur__alloc(UR__VOCAB_MAX, sizeof *codes);
    ur_status status = codes ? UR_OK : UR_ENOMEM;
    int found = 0;
    for (uint32_t code = 0; status == UR_OK && code < CODES; code++) {
        if (g->seen[code] && found == UR__VOCAB_MAX)
            status = ur__fail(UR_EDATA, "the text has more than %d different characters",
                              UR__VOCAB_MAX);
        else if (g->seen[code])
            codes[found++] = code;
    }
    if (status == UR_OK)
        status = ur__vocab_new(out, g->kind, found, codes);
    ur__free(codes);
    return status;
}

ur_status ur__gather_end(struct ur__gather *g, const struct ur__word_rule *rule, ur_vocab **out,
                         int64_t *cut)
{
    *out = NULL;
    *cut = 0;
    if (g->seen)
        return make_codes(g, out);
    struct ur__chosen chosen = {.order = ur__alloc((size_t)g->words.n, sizeof *chosen.order)};
    if (!chosen.order)
        return UR_ENOMEM;
    ur_status status = ur__choose_words(out, g->kind, &g->words, &g->numbers, rule, &chosen);
    *cut = chosen.cut;
    ur__free(chosen.order);
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
    const struct ur__word_rule rule = {.min_count = min_count};
    struct ur__gather *g;
    int64_t cut;
    UR__TRY(ur__gather_new(&g, kind));
    ur_status status = ur__gather_text(g, text, n);
    if (status == UR_OK)
        status = ur__gather_end(g, &rule, out, &cut);
    ur__gather_free(g);
    return status;
}
