/* SPDX-License-Identifier: MIT */
#include "cli/encode.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/utf8.h"

/* What replaces a character: the first of these that the model knows. */
static const struct {
    const char *text, *shown;
} stand_ins[] = {
    {"\xEF\xBF\xBD", "U+FFFD"}, {"?", "\"?\""}, {" ", "a space"},
};

static bool has_words(const ur_vocab *vocab)
{
    return ur_vocab_unknown(vocab) >= 0;
}

static const char *unit_of(const ur_vocab *vocab)
{
    return has_words(vocab) ? "word" : ur_vocab_kind(vocab) == UR_TOKEN_BYTE ? "byte" : "character";
}

ur_status encoder_init(struct encoder *e, const ur_vocab *vocab, const char *choice)
{
    bool words = has_words(vocab);
    *e = (struct encoder){.vocab = vocab, .stand_in = ur_vocab_unknown(vocab), .shown = "<unk>"};
    if (choice == NULL)
        e->how = words ? UNKNOWN_REPLACE : UNKNOWN_ERROR;
    else
        e->how = strcmp(choice, "skip") == 0      ? UNKNOWN_SKIP
                 : strcmp(choice, "replace") == 0 ? UNKNOWN_REPLACE
                                                  : UNKNOWN_ERROR;
    if (e->how != UNKNOWN_REPLACE || words)
        return UR_OK;
    for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++) {
        size_t n = strlen(stand_ins[i].text), count;
        int32_t ids[4];
        e->shown = stand_ins[i].shown;
        if (ur_vocab_encode(vocab, stand_ins[i].text, n, ids, &count) == UR_OK && count == 1) {
            e->stand_in = ids[0];
            return UR_OK;
        }
    }
    return ur__fail(UR_EINVAL, "--unknown replace: the model knows neither \"?\" nor a space to "
                    "replace a %s by; use --unknown skip", unit_of(vocab));
}

/* One that is not known: skipped, or replaced. */
static void take_unknown(struct encoder *e, int32_t *ids, size_t *count)
{
    e->unknown++;
    if (e->how == UNKNOWN_REPLACE)
        ids[(*count)++] = e->stand_in;
}

static ur_status put_words(struct encoder *e, int32_t *ids, size_t *count)
{
    size_t n = *count;
    int64_t before = e->unknown;
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (ids[i] == ur_vocab_unknown(e->vocab))
            take_unknown(e, ids, count);
        else
            ids[(*count)++] = ids[i];
    if (e->how != UNKNOWN_ERROR || e->unknown == before)
        return UR_OK;
    int64_t found = e->unknown - before;
    return ur__fail(UR_EINVAL, "%lld word%s %s unknown to the model", (long long)found,
                    found > 1 ? "s" : "", found > 1 ? "are" : "is");
}

ur_status encoder_put(struct encoder *e, const char *text, size_t n, int32_t *ids, size_t *count)
{
    if (has_words(e->vocab) || e->how == UNKNOWN_ERROR) {
        UR__TRY(ur_vocab_encode(e->vocab, text, n, ids, count));
        return has_words(e->vocab) ? put_words(e, ids, count) : UR_OK;
    }
    *count = 0;
    for (size_t at = 0, length = 1; at < n; at += length) {
        uint32_t code;
        size_t one;
        if (ur_vocab_kind(e->vocab) == UR_TOKEN_CHAR) {
            int bytes = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
            if (bytes <= 0)
                return ur__fail(UR_EINVAL, "malformed UTF-8 at byte %zu (0x%02X)", at,
                                (unsigned)(unsigned char)text[at]);
            length = (size_t)bytes;
        }
        if (ur_vocab_encode(e->vocab, text + at, length, ids + *count, &one) == UR_OK)
            *count += one;
        else
            take_unknown(e, ids, count);
    }
    return UR_OK;
}

void encoder_say(const struct encoder *e, const char *what)
{
    bool many = e->unknown > 1;
    if (e->unknown > 0)
        fprintf(stderr, "unroll: %lld %s%s of %s %s unknown to the model: %s%s\n",
                (long long)e->unknown, unit_of(e->vocab), many ? "s" : "", what,
                many ? "are" : "is", e->how == UNKNOWN_SKIP ? "skipped" : "read as ",
                e->how == UNKNOWN_SKIP ? "" : e->shown);
}
