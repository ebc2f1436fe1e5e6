/* SPDX-License-Identifier: MIT */
/* A vocabulary is a sorted array of codes: a token's number is its place in it. Codes
 * below 256 are looked up in a table, the others by bisection. */
#include "data/vocab.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"

struct ur_vocab {
    ur_token_kind kind;
    int n;
    int32_t low[256];   /* numbers of the codes below 256, −1: none */
    uint32_t *codes;    /* [n] ascending */
};

static const char *const kind_names[] = {"byte", "char"};

const char *ur_token_kind_name(ur_token_kind kind)
{
    return kind == UR_TOKEN_BYTE || kind == UR_TOKEN_CHAR ? kind_names[kind] : NULL;
}

bool ur_token_kind_find(const char *name, ur_token_kind *out)
{
    int i = ur__find_name(kind_names, 2, name);
    if (i >= 0)
        *out = (ur_token_kind)i;
    return i >= 0;
}

/* ---- making ------------------------------------------------------------ */

static bool is_possible(ur_token_kind kind, uint32_t code)
{
    unsigned char text[4];
    return kind == UR_TOKEN_BYTE ? code < 256 : ur__utf8_encode(code, text) > 0;
}

static ur_status check_codes(ur_token_kind kind, int n, const uint32_t *codes)
{
    if (n < 1 || n > UR__VOCAB_MAX)
        return ur__fail(UR_EFORMAT, "a vocabulary has 1 to %d tokens, not %d", UR__VOCAB_MAX, n);
    for (int i = 0; i < n; i++) {
        if (!is_possible(kind, codes[i]))
            return ur__fail(UR_EFORMAT, "vocabulary: code %u of token %d is no %s",
                            (unsigned)codes[i], i, ur_token_kind_name(kind));
        if (i > 0 && codes[i] <= codes[i - 1])
            return ur__fail(UR_EFORMAT, "vocabulary: code %u of token %d follows %u: "
                            "codes must ascend", (unsigned)codes[i], i, (unsigned)codes[i - 1]);
    }
    return UR_OK;
}

ur_status ur__vocab_new(ur_vocab **out, ur_token_kind kind, int n, const uint32_t *codes)
{
    *out = NULL;
    if (!ur_token_kind_name(kind))
        return ur__fail(UR_EINVAL, "%d is no kind of token", (int)kind);
    UR__TRY(check_codes(kind, n, codes));
    ur_vocab *v = ur__calloc(1, sizeof *v);
    if (!v)
        return UR_ENOMEM;
    v->codes = ur__alloc((size_t)n, sizeof *v->codes);
    if (!v->codes) {
        ur__free(v);
        return UR_ENOMEM;
    }
    memcpy(v->codes, codes, (size_t)n * sizeof *codes);
    v->kind = kind;
    v->n = n;
    for (int i = 0; i < 256; i++)
        v->low[i] = -1;
    for (int i = 0; i < n && codes[i] < 256; i++)
        v->low[codes[i]] = i;
    *out = v;
    return UR_OK;
}

void ur__vocab_free(ur_vocab *vocab)
{
    if (!vocab)
        return;
    ur__free(vocab->codes);
    ur__free(vocab);
}

/* ---- looking ----------------------------------------------------------- */

int ur_vocab_size(const ur_vocab *vocab)
{
    return vocab->n;
}

ur_token_kind ur_vocab_kind(const ur_vocab *vocab)
{
    return vocab->kind;
}

const uint32_t *ur__vocab_codes(const ur_vocab *vocab)
{
    return vocab->codes;
}

int32_t ur__vocab_find(const ur_vocab *vocab, uint32_t code)
{
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

int ur_vocab_text(const ur_vocab *vocab, int32_t id, char out[4])
{
    if (id < 0 || id >= vocab->n)
        return 0;
    uint32_t code = vocab->codes[id];
    if (vocab->kind == UR_TOKEN_BYTE) {
        out[0] = (char)(unsigned char)code;
        return 1;
    }
    unsigned char text[4];
    int n = ur__utf8_encode(code, text);
    memcpy(out, text, (size_t)n);
    return n;
}

const char *ur__code_text(ur_token_kind kind, uint32_t code, char out[UR__CODE_TEXT])
{
    unsigned char text[5] = {0};
    if (kind == UR_TOKEN_BYTE) {
        snprintf(out, UR__CODE_TEXT, "byte 0x%02X", (unsigned)code);
        return out;
    }
    /* A control character would say nothing, or upset the terminal. */
    bool visible = code >= 0x20 && !(code >= 0x7f && code < 0xa0);
    if (visible && ur__utf8_encode(code, text) > 0)
        snprintf(out, UR__CODE_TEXT, "character \"%s\" (U+%04X)", (char *)text, (unsigned)code);
    else
        snprintf(out, UR__CODE_TEXT, "character U+%04X", (unsigned)code);
    return out;
}

ur_status ur_vocab_encode(const ur_vocab *vocab, const char *text, size_t n, int32_t *ids,
                          size_t *count)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t made = 0;
    *count = 0;
    for (size_t at = 0; at < n; ) {
        uint32_t code = s[at];
        int length = 1;
        if (vocab->kind == UR_TOKEN_CHAR)
            length = ur__utf8_decode(s + at, n - at, &code);
        if (length < 0)
            return ur__fail(UR_EINVAL, "malformed UTF-8 at byte %zu (0x%02X)", at, s[at]);
        if (length == 0)
            return ur__fail(UR_EINVAL, "text ends within the UTF-8 character at byte %zu", at);
        int32_t id = ur__vocab_find(vocab, code);
        if (id < 0) {
            char what[UR__CODE_TEXT];
            return ur__fail(UR_EINVAL, "%s at byte %zu is not in the model's vocabulary",
                            ur__code_text(vocab->kind, code, what), at);
        }
        ids[made++] = id;
        at += (size_t)length;
    }
    *count = made;
    return UR_OK;
}
