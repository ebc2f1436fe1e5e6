/* SPDX-License-Identifier: MIT */
/* A vocabulary is a sorted array of codes, a token's number its place in it: codes below
 * 256 are looked up in a table, the others by bisection. Or it is a table of words. */
#include "data/vocab.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/word_table.h"

struct glyph {
    char text[4];
    uint8_t n;
};

struct ur_vocab {
    ur_token_kind kind;
    int n;
    int32_t low[256];               /* numbers of the codes below 256, −1: none */
    uint32_t *codes;                /* [n] ascending; NULL: words */
    struct glyph *glyph;            /* [n] their texts; NULL: words */
    struct ur__word_table words;
};

static const char *const kind_names[] = {"byte", "char", "word", "wordpunct"};
enum { N_KINDS = sizeof kind_names / sizeof *kind_names };

const char *ur_token_kind_name(ur_token_kind kind)
{
    return (int)kind >= 0 && (int)kind < N_KINDS ? kind_names[kind] : NULL;
}

bool ur_token_kind_find(const char *name, ur_token_kind *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    int i = ur__find_name(kind_names, N_KINDS, name);
    if (i >= 0)
        *out = (ur_token_kind)i;
    return i >= 0;
}

/* ---- of codes ---------------------------------------------------------- */

static bool is_possible(ur_token_kind kind, uint32_t code)
{
    unsigned char text[4];
    return kind == UR_TOKEN_BYTE ? code < 256 : ur__utf8_encode(code, text) > 0;
}

static ur_status check_size(int n, int least)
{
    if (n < least || n > UR__VOCAB_MAX)
        return ur__fail(UR_EFORMAT, "a vocabulary has %d to %d tokens, not %d", least,
                        UR__VOCAB_MAX, n);
    return UR_OK;
}

static ur_status check_codes(ur_token_kind kind, int n, const uint32_t *codes)
{
    UR__TRY(check_size(n, 1));
    for (int i = 0; i < n; i++) {
        if (!is_possible(kind, codes[i]))
            return ur__fail(UR_EFORMAT, "vocabulary: code %u of token %d is not a %s",
                            (unsigned)codes[i], i, ur_token_kind_name(kind));
        if (i > 0 && codes[i] <= codes[i - 1])
            return ur__fail(UR_EFORMAT, "vocabulary: code %u of token %d follows %u: "
                            "codes must ascend", (unsigned)codes[i], i, (unsigned)codes[i - 1]);
    }
    return UR_OK;
}

static struct glyph glyph_of(ur_token_kind kind, uint32_t code)
{
    struct glyph g = {{0}, 1};
    if (kind == UR_TOKEN_BYTE)
        g.text[0] = (char)(unsigned char)code;
    else
        g.n = (uint8_t)ur__utf8_encode(code, (unsigned char *)g.text);
    return g;
}

ur_status ur__vocab_new(ur_vocab **out, ur_token_kind kind, int n, const uint32_t *codes)
{
    *out = NULL;
    if (!ur_token_kind_name(kind) || ur__is_words(kind))
        return ur__fail(UR_EINVAL, "tokens of kind %d do not have codes", (int)kind);
    UR__TRY(check_codes(kind, n, codes));
    ur_vocab *v = ur__calloc(1, sizeof *v);
    if (!v)
        return UR_ENOMEM;
    v->codes = ur__alloc((size_t)n, sizeof *v->codes);
    v->glyph = ur__alloc((size_t)n, sizeof *v->glyph);
    if (!v->codes || !v->glyph) {
        ur_vocab_free(v);
        return UR_ENOMEM;
    }
    memcpy(v->codes, codes, (size_t)n * sizeof *codes);
    v->kind = kind;
    v->n = n;
    for (int i = 0; i < 256; i++)
        v->low[i] = -1;
    for (int i = 0; i < n; i++) {
        v->glyph[i] = glyph_of(kind, codes[i]);
        if (codes[i] < 256)
            v->low[codes[i]] = i;
    }
    *out = v;
    return UR_OK;
}

void ur_vocab_free(ur_vocab *vocab)
{
    if (!vocab)
        return;
    ur__free(vocab->codes);
    ur__free(vocab->glyph);
    ur__word_table_free(&vocab->words);
    ur__free(vocab);
}

/* ---- of words ---------------------------------------------------------- */

/* Could a text hold it as one word? */
static bool is_word(const char *word, size_t n)
{
    uint32_t code;
    if (n == 0 || n > UR__WORD_MAX)
        return false;
    for (size_t at = 0; at < n; ) {
        int length = ur__utf8_decode((const unsigned char *)word + at, n - at, &code);
        if (length <= 0 || ur__is_space(code))
            return false;
        at += (size_t)length;
    }
    return true;
}

static ur_status add_words(ur_vocab *v, int n, const char *const *words)
{
    for (int i = 0; i < n; i++) {
        size_t length = strlen(words[i]);
        int32_t number;
        if (!is_word(words[i], length))
            return ur__fail(UR_EFORMAT, "vocabulary: the text of token %d is not a word", i);
        UR__TRY(ur__word_add(&v->words, words[i], length, &number));
        if (number != i)
            return ur__fail(UR_EFORMAT, "vocabulary: tokens %d and %d are both \"%s\"", (int)number,
                            i, words[i]);
    }
    return UR_OK;
}

ur_status ur__vocab_new_words(ur_vocab **out, ur_token_kind kind, int n, const char *const *words)
{
    *out = NULL;
    if (!ur__is_words(kind))
        return ur__fail(UR_EINVAL, "tokens of kind %d are not words", (int)kind);
    UR__TRY(check_size(n, 2));
    if (strcmp(words[UR__UNKNOWN], UR__UNKNOWN_TEXT) != 0
        || strcmp(words[UR__LINE_END], UR__LINE_END_TEXT) != 0)
        return ur__fail(UR_EFORMAT, "vocabulary: words begin with " UR__UNKNOWN_TEXT " and "
                        UR__LINE_END_TEXT);
    ur_vocab *v = ur__calloc(1, sizeof *v);
    if (!v)
        return UR_ENOMEM;
    v->kind = kind;
    v->n = n;
    ur_status status = add_words(v, n, words);
    if (status != UR_OK) {
        ur_vocab_free(v);
        return status;
    }
    *out = v;
    return UR_OK;
}

/* Words in a table do not end in zeros, as strings do. */
static ur_status copy_words(ur_vocab **out, const ur_vocab *vocab)
{
    size_t n = (size_t)vocab->n, bytes = vocab->words.size + n + 1;
    char *text = ur__alloc(bytes, 1), *at = text;
    const char **words = ur__alloc(n, sizeof *words);
    ur_status status = UR_ENOMEM;
    for (int32_t i = 0; text && words && i < vocab->n; i++) {
        size_t length;
        const char *word = ur__word_at(&vocab->words, i, &length);
        words[i] = memcpy(at, word, length);
        at[length] = '\0';
        at += length + 1;
    }
    if (text && words)
        status = ur__vocab_new_words(out, vocab->kind, vocab->n, words);
    ur__free(text);
    ur__free(words);
    return status;
}

ur_status ur__vocab_copy(ur_vocab **out, const ur_vocab *vocab)
{
    *out = NULL;
    return vocab->codes ? ur__vocab_new(out, vocab->kind, vocab->n, vocab->codes)
                        : copy_words(out, vocab);
}

/* ---- looking ----------------------------------------------------------- */

int ur_vocab_size(const ur_vocab *vocab)
{
    UR__NEED_OR(vocab, "vocab", 0);
    return vocab->n;
}

ur_token_kind ur_vocab_kind(const ur_vocab *vocab)
{
    UR__NEED_OR(vocab, "vocab", UR_TOKEN_BYTE);
    return vocab->kind;
}

const uint32_t *ur__vocab_codes(const ur_vocab *vocab)
{
    return vocab->codes;
}

int32_t ur__vocab_find(const ur_vocab *vocab, uint32_t code)
{
    if (!vocab->codes)
        return -1;
    if (code < 256)
        return vocab->low[code];
    int begin = 0, end = vocab->n;
    while (begin < end) {
        int middle = begin + (end - begin) / 2;
        if (vocab->codes[middle] < code)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin < vocab->n && vocab->codes[begin] == code ? begin : -1;
}

int32_t ur__vocab_find_word(const ur_vocab *vocab, const char *word, size_t n)
{
    int32_t id = ur__word_find(&vocab->words, word, n);
    return id < 0 ? UR__UNKNOWN : id;
}

int32_t ur_vocab_unknown(const ur_vocab *vocab)
{
    UR__NEED_OR(vocab, "vocab", -1);
    return ur__is_words(vocab->kind) ? UR__UNKNOWN : -1;
}

int32_t ur_vocab_line_end(const ur_vocab *vocab)
{
    UR__NEED_OR(vocab, "vocab", -1);
    return ur__is_words(vocab->kind) ? UR__LINE_END : ur__vocab_find(vocab, '\n');
}

const char *ur_vocab_text(const ur_vocab *vocab, int32_t id, size_t *n)
{
    UR__NEED_OR(n, "n", NULL);
    *n = 0;
    UR__NEED_OR(vocab, "vocab", NULL);
    if (id < 0 || id >= vocab->n)
        return NULL;
    if (!vocab->glyph)
        return ur__word_at(&vocab->words, id, n);
    *n = vocab->glyph[id].n;
    return vocab->glyph[id].text;
}

const char *ur_vocab_join(const ur_vocab *vocab, ur_join *join, int32_t id, size_t *n)
{
    UR__NEED_OR(n, "n", NULL);
    *n = 0;
    UR__NEED_OR(join, "join", NULL);
    const char *text = ur_vocab_text(vocab, id, n);
    if (!text || vocab->glyph)
        return text;
    if (id == UR__LINE_END) {
        *join = (ur_join){false, false};
        *n = 1;
        return "\n";
    }
    size_t space = ur__join_space(join, vocab->kind, text, *n);
    *n += space;
    return text - space;    /* where the table has one */
}

const char *ur__code_text(ur_token_kind kind, uint32_t code, char out[UR__CODE_TEXT])
{
    unsigned char text[5] = {0};
    if (kind == UR_TOKEN_BYTE) {
        snprintf(out, UR__CODE_TEXT, "byte 0x%02X", (unsigned)code);
        return out;
    }
    if (ur__is_printable(code) && ur__utf8_encode(code, text) > 0)
        snprintf(out, UR__CODE_TEXT, "character \"%s\" (U+%04X)", (char *)text, (unsigned)code);
    else
        snprintf(out, UR__CODE_TEXT, "character U+%04X", (unsigned)code);
    return out;
}

/* ---- encoding ---------------------------------------------------------- */

/* One character of the text, or one byte; its length. */
static ur_status next_code(ur_token_kind kind, const char *text, size_t n, size_t at,
                           uint32_t *code, int *length)
{
    const unsigned char *s = (const unsigned char *)text + at;
    *code = *s;
    *length = 1;
    if (kind != UR_TOKEN_BYTE)
        *length = ur__utf8_decode(s, n - at, code);
    if (*length < 0)
        return ur__fail(UR_EINVAL, "malformed UTF-8 at byte %zu (0x%02X)", at, *s);
    if (*length == 0)
        return ur__fail(UR_EINVAL, "text ends within the UTF-8 character at byte %zu", at);
    return UR_OK;
}

struct encoding {
    const ur_vocab *vocab;
    int32_t *ids;
    size_t made;
};

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct encoding *e = user;
    e->ids[e->made++] = ur__vocab_find_word(e->vocab, word, n);
    return UR_OK;
}

static ur_status encode_words(struct encoding *e, const char *text, size_t n)
{
    struct ur__splitter s = {
        .punctuation = e->vocab->kind == UR_TOKEN_WORDPUNCT, .on_word = on_word, .user = e
    };
    uint32_t code;
    for (size_t at = 0; at < n; ) {
        int length;
        UR__TRY(next_code(e->vocab->kind, text, n, at, &code, &length));
        UR__TRY(ur__split_put(&s, code, text + at, (size_t)length));
        at += (size_t)length;
    }
    return ur__split_end(&s);
}

static ur_status encode_codes(struct encoding *e, const char *text, size_t n)
{
    ur_token_kind kind = e->vocab->kind;
    uint32_t code;
    for (size_t at = 0; at < n; ) {
        int length;
        UR__TRY(next_code(kind, text, n, at, &code, &length));
        int32_t id = ur__vocab_find(e->vocab, code);
        if (id < 0) {
            char what[UR__CODE_TEXT];
            return ur__fail(UR_EINVAL, "%s at byte %zu is not in the model's vocabulary",
                            ur__code_text(kind, code, what), at);
        }
        e->ids[e->made++] = id;
        at += (size_t)length;
    }
    return UR_OK;
}

ur_status ur_vocab_encode(const ur_vocab *vocab, const char *text, size_t n, int32_t *ids,
                          size_t *count)
{
    UR__NEED(count, "count");
    struct encoding e = {vocab, ids, 0};
    *count = 0;
    UR__NEED(vocab, "vocab");
    if (n > 0) {
        UR__NEED(text, "text");
        UR__NEED(ids, "ids");
    }
    UR__TRY(ur__is_words(vocab->kind) ? encode_words(&e, text, n) : encode_codes(&e, text, n));
    *count = e.made;
    return UR_OK;
}
