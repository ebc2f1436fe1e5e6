/* SPDX-License-Identifier: MIT */
#include "data/encode.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vocab.h"

/* ---- policies ---------------------------------------------------------- */

/* What replaces a character: the first of these that the vocabulary has. */
static const struct {
    uint32_t code;
    const char *shown;
} stand_ins[] = {
    {0xFFFD, "U+FFFD"}, {'?', "\"?\""}, {' ', "a space"},
};

const char *const ur__unknown_words[] = {"error", "skip", "replace", NULL};

bool ur_unknown_find(const char *name, ur_unknown *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    int at = ur__find_name(ur__unknown_words, 3, name);
    if (at >= 0)
        *out = (ur_unknown)(UR_UNKNOWN_ERROR + at);
    return at >= 0;
}

ur_status ur__unknown_init(struct ur__unknown *u, const ur_vocab *vocab, ur_unknown how)
{
    ur_token_kind kind = ur_vocab_kind(vocab);
    bool words = ur__is_words(kind);
    if ((int)how < UR_UNKNOWN_USUAL || how > UR_UNKNOWN_REPLACE)
        return ur__fail(UR_EINVAL, "there is no policy %d for unknown tokens", (int)how);
    if (how == UR_UNKNOWN_USUAL)
        how = words ? UR_UNKNOWN_REPLACE : UR_UNKNOWN_ERROR;
    *u = (struct ur__unknown){
        .how = how, .stand_in = ur_vocab_unknown(vocab), .shown = UR__UNKNOWN_TEXT,
        .unit = words ? "word" : kind == UR_TOKEN_BYTE ? "byte" : "character",
    };
    if (how != UR_UNKNOWN_REPLACE || words)
        return UR_OK;
    for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins && u->stand_in < 0; i++) {
        u->stand_in = ur__vocab_find(vocab, stand_ins[i].code);
        u->shown = stand_ins[i].shown;
    }
    if (u->stand_in >= 0)
        return UR_OK;
    return ur__fail(UR_EINVAL, "the model knows neither \"?\" nor a space to replace an unknown "
                    "%s by: skip what is unknown", u->unit);
}

ur_status ur__unknown_note(const struct ur__unknown *u, int64_t count, const char *what,
                           struct ur__buf *to)
{
    bool many = count > 1;
    return ur__buf_printf(to, "%lld %s%s of %s %s unknown to the model: %s%s", (long long)count,
                          u->unit, many ? "s" : "", what, many ? "are" : "is",
                          u->how == UR_UNKNOWN_SKIP ? "skipped" : "read as ",
                          u->how == UR_UNKNOWN_SKIP ? "" : u->shown);
}

ur_status ur__unknown_fail(ur_status status, const char *where, int64_t count, const char *word)
{
    return ur__fail(status, "%s%lld word%s unknown to the model%s %s", where, (long long)count,
                    count > 1 ? "s are" : " is", count > 1 ? ", the first:" : ":", word);
}

/* ---- encoders ---------------------------------------------------------- */

struct ur_encoder {
    const ur_vocab *vocab;
    struct ur__unknown unknown;
    int64_t count;              /* unknown ones so far */
    struct ur__buf note;
};

ur_status ur_encoder_new(ur_encoder **out, const ur_vocab *vocab, ur_unknown how)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(vocab, "vocab");
    struct ur__unknown unknown;
    UR__TRY(ur__unknown_init(&unknown, vocab, how));
    ur_encoder *e = ur__calloc(1, sizeof *e);
    if (!e)
        return UR_ENOMEM;
    e->vocab = vocab;
    e->unknown = unknown;
    *out = e;
    return UR_OK;
}

void ur_encoder_free(ur_encoder *e)
{
    if (e)
        ur__buf_free(&e->note);
    ur__free(e);
}

/* One that is not known: skipped, or replaced. */
static void take_unknown(ur_encoder *e, int32_t *ids, size_t *count)
{
    e->count++;
    if (e->unknown.how == UR_UNKNOWN_REPLACE)
        ids[(*count)++] = e->unknown.stand_in;
}

struct search {
    const ur_vocab *vocab;
    char word[UR__WORD_MAX + 1];
};

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct search *s = user;
    if (!s->word[0] && ur__vocab_find_word(s->vocab, word, n) == UR__UNKNOWN)
        snprintf(s->word, sizeof s->word, "%.*s", (int)n, word);
    return UR_OK;
}

/* The first word that is not known. */
static const char *first_unknown(struct search *s, const char *text, size_t n)
{
    struct ur__splitter split = {
        .punctuation = ur_vocab_kind(s->vocab) == UR_TOKEN_WORDPUNCT, .on_word = on_word, .user = s
    };
    uint32_t code;
    for (size_t at = 0; at < n && !s->word[0]; ) {
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        ur__split_put(&split, code, text + at, (size_t)length);
        at += (size_t)length;
    }
    ur__split_end(&split);
    return s->word;
}

/* text: n bytes that have been encoded. */
static ur_status sift_words(ur_encoder *e, const char *text, size_t n_text, int32_t *ids,
                            size_t *count)
{
    size_t n = *count;
    int64_t before = e->count;
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (ids[i] == UR__UNKNOWN)
            take_unknown(e, ids, count);
        else
            ids[(*count)++] = ids[i];
    if (e->unknown.how != UR_UNKNOWN_ERROR || e->count == before)
        return UR_OK;
    struct search search = {.vocab = e->vocab};
    return ur__unknown_fail(UR_EINVAL, "", e->count - before,
                            first_unknown(&search, text, n_text));
}

static ur_status put_codes(ur_encoder *e, const char *text, size_t n, int32_t *ids, size_t *count)
{
    for (size_t at = 0, length = 1; at < n; at += length) {
        uint32_t code = (unsigned char)text[at];
        if (ur_vocab_kind(e->vocab) == UR_TOKEN_CHAR) {
            int bytes = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
            if (bytes <= 0)
                return ur__fail(UR_EINVAL, "malformed UTF-8 at byte %zu (0x%02X)", at,
                                (unsigned)(unsigned char)text[at]);
            length = (size_t)bytes;
        }
        int32_t id = ur__vocab_find(e->vocab, code);
        if (id >= 0)
            ids[(*count)++] = id;
        else
            take_unknown(e, ids, count);
    }
    return UR_OK;
}

ur_status ur_encoder_put(ur_encoder *e, const char *text, size_t n, int32_t *ids, size_t *count)
{
    UR__NEED(count, "count");
    *count = 0;
    UR__NEED(e, "encoder");
    bool words = ur__is_words(ur_vocab_kind(e->vocab));
    if (words || e->unknown.how == UR_UNKNOWN_ERROR) {
        UR__TRY(ur_vocab_encode(e->vocab, text, n, ids, count));
        return words ? sift_words(e, text, n, ids, count) : UR_OK;
    }
    if (n > 0) {
        UR__NEED(text, "text");
        UR__NEED(ids, "ids");
    }
    return put_codes(e, text, n, ids, count);
}

ur_status ur__encoder_word(ur_encoder *e, const char *word, size_t n, int32_t *id)
{
    char shown[UR__WORD_MAX + 1];
    *id = ur__vocab_find_word(e->vocab, word, n);
    if (*id != UR__UNKNOWN)
        return UR_OK;
    e->count++;
    if (e->unknown.how != UR_UNKNOWN_ERROR)
        return UR_OK;
    snprintf(shown, sizeof shown, "%.*s", (int)(n < UR__WORD_MAX ? n : UR__WORD_MAX), word);
    return ur__unknown_fail(UR_EINVAL, "", 1, shown);
}

ur_unknown ur__unknown_labelled(const ur_vocab *vocab, ur_unknown how)
{
    bool words = ur__is_words(ur_vocab_kind(vocab));
    return how == UR_UNKNOWN_USUAL && !words ? UR_UNKNOWN_SKIP : how;
}

bool ur__encoder_skips(const ur_encoder *e)
{
    return e->unknown.how == UR_UNKNOWN_SKIP;
}

const char *ur_encoder_note(ur_encoder *e, const char *what)
{
    UR__NEED_OR(e, "encoder", NULL);
    UR__NEED_OR(what, "what", NULL);
    if (e->count == 0)
        return NULL;
    e->note.size = 0;
    return ur__unknown_note(&e->unknown, e->count, what, &e->note) == UR_OK ? e->note.data : NULL;
}
