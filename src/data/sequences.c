/* SPDX-License-Identifier: MIT */
#include "data/sequences.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/encode.h"
#include "data/gather.h"

#define PIECE 1024      /* numbers of a row read at a time, on the stack */

/* ---- texts, one after the other ---------------------------------------- */

/* Room for the bytes of any example. */
static char *new_text(const struct ur__examples *x)
{
    uint64_t most = 0;
    for (int64_t i = 0; i < x->n; i++)
        most = x->example[i].size > most ? x->example[i].size : most;
    return ur__alloc((size_t)most, 1);
}

/* The message with the place of example i in front. */
static ur_status at_example(const struct ur__examples *x, int64_t i, ur_status status)
{
    if (status != UR_EDATA && status != UR_EINVAL)
        return status;
    return ur__fail(UR_EDATA, "%s:%lld: %s", ur__examples_file(x, i),
                    (long long)x->example[i].line, ur_errmsg());
}

/* Calls f for each token, or with the whole text. */
typedef ur_status on_text(void *user, const char *text, size_t n);
static ur_status each_text(struct ur__examples *x, int64_t i, char *text, on_text *f, void *user)
{
    size_t size = (size_t)x->example[i].size;
    UR__TRY(ur__examples_text(x, i, text));
    if (x->content == UR_CONTENT_TEXTS)
        return f(user, text, size);
    for (size_t at = 0; at < size; at += strlen(text + at) + 1)
        UR__TRY(f(user, text + at, strlen(text + at)));
    return UR_OK;
}

static ur_status check_texts(const struct ur__examples *x)
{
    return x->content == UR_CONTENT_FRAMES ? ur__fail(UR_EDATA, "%s: holds numbers, not texts",
                                               x->path[0])
                                    : UR_OK;
}

/* ---- vocabularies ------------------------------------------------------ */

static ur_status gather_text(void *user, const char *text, size_t n)
{
    return ur__gather_text(user, text, n);
}

static ur_status gather_word(void *user, const char *text, size_t n)
{
    return ur__gather_word(user, text, n);
}

static ur_status gather(struct ur__gather *g, struct ur__examples *x, bool words,
                        const int64_t *which, int64_t n)
{
    char *text = new_text(x);
    ur_status status = text ? UR_OK : UR_ENOMEM;
    for (int64_t k = 0; k < n && status == UR_OK; k++) {
        int64_t i = which ? which[k] : k;
        status = at_example(x, i, each_text(x, i, text, words ? gather_word : gather_text, g));
    }
    ur__free(text);
    return status;
}

ur_status ur__examples_vocab(ur_vocab **out, struct ur__examples *x,
                             const struct ur__vocab_rule *rule, int64_t *cut)
{
    struct ur__gather *g;
    *out = NULL;
    *cut = 0;
    UR__TRY(check_texts(x));
    UR__TRY(ur__gather_new(&g, rule->kind));
    ur_status status = gather(g, x, x->content == UR_CONTENT_TOKENS && ur__is_words(rule->kind),
                              rule->which, rule->which ? rule->n : x->n);
    if (status == UR_OK && rule->line_end)
        status = ur__gather_text(g, "\n", 1);
    const struct ur__word_rule words = {.min_count = rule->min_count, .most = rule->most};
    if (status == UR_OK)
        status = ur__gather_end(g, &words, out, cut);
    ur__gather_free(g);
    return status;
}

/* ---- numbers ----------------------------------------------------------- */

struct numbering {
    struct ur__sequences *to;
    const ur_vocab *vocab;
    ur_encoder *encoder;    /* of texts */
    int32_t *ids;           /* room for a text's */
    uint32_t most;
    int32_t unknown;        /* -1: none is */
};

static ur_status put_ids(struct numbering *a, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a->to->unknown += ids[i] == a->unknown;
    /* Below 2^31: both types hold them alike. */
    return ur__numbers_put(&a->to->ids, n, (const uint32_t *)ids, a->most);
}

static ur_status number_text(void *user, const char *text, size_t n)
{
    struct numbering *a = user;
    size_t count;
    UR__TRY(ur_encoder_put(a->encoder, text, n, a->ids, &count));
    if (count == 0)
        return ur__fail(UR_EDATA, "a text without words");
    return put_ids(a, a->ids, count);
}

static ur_status number_token(void *user, const char *text, size_t n)
{
    struct numbering *a = user;
    int32_t id;
    UR__TRY(ur__encoder_word(a->encoder, text, n, &id));
    return put_ids(a, &id, 1);
}

static ur_status number_all(struct numbering *a, struct ur__examples *x, char *text)
{
    struct ur__sequences *s = a->to;
    bool tokens = x->content == UR_CONTENT_TOKENS;
    s->begin[0] = 0;
    for (; s->n < x->n; s->n++) {
        UR__TRY(at_example(x, s->n, each_text(x, s->n, text, tokens ? number_token : number_text,
                                              a)));
        s->begin[s->n + 1] = s->ids.n;
        int64_t length = s->ids.n - s->begin[s->n];
        s->longest = length > s->longest ? (int32_t)length : s->longest;
    }
    return UR_OK;
}

ur_status ur__sequences_new(struct ur__sequences *s, struct ur__examples *x, const ur_vocab *vocab,
                            ur_unknown how)
{
    *s = (struct ur__sequences){0};
    UR__TRY(check_texts(x));
    if (x->content == UR_CONTENT_TOKENS && !ur__is_words(ur_vocab_kind(vocab)))
        return ur__fail(UR_EINVAL, "tokens of a file need a vocabulary of words");
    char *text = new_text(x);
    struct numbering a = {
        .to = s, .vocab = vocab, .most = (uint32_t)ur_vocab_size(vocab) - 1,
        .ids = ur__alloc((size_t)(x->content == UR_CONTENT_TEXTS ? x->longest : 1), sizeof *a.ids),
        .unknown = ur_vocab_unknown(vocab)
    };
    s->begin = ur__alloc((size_t)x->n + 1, sizeof *s->begin);
    ur_status status = text && a.ids && s->begin ? ur_encoder_new(&a.encoder, vocab, how)
                                                 : UR_ENOMEM;
    if (status == UR_OK)
        status = number_all(&a, x, text);
    ur_encoder_free(a.encoder);
    ur__free(text);
    ur__free(a.ids);
    if (status != UR_OK)
        ur__sequences_free(s);
    return status;
}

void ur__sequences_free(struct ur__sequences *s)
{
    ur__free(s->begin);
    ur__numbers_free(&s->ids);
    *s = (struct ur__sequences){0};
}

int32_t ur__sequence_length(const struct ur__sequences *s, int64_t i)
{
    return (int32_t)(s->begin[i + 1] - s->begin[i]);
}

ur_status ur__sequences_count(struct ur__sequences *s, const int64_t *which, int64_t n,
                              int32_t token, int64_t *count)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t begin = s->begin[which[i]], end = s->begin[which[i] + 1];
        for (int64_t at = begin; at < end; at += PIECE) {
            uint32_t ids[PIECE];
            const size_t there = end - at < PIECE ? (size_t)(end - at) : PIECE;
            UR__TRY(ur__numbers_read(&s->ids, at, there, ids));
            for (size_t k = 0; k < there; k++)
                *count += ids[k] == (uint32_t)token;
        }
    }
    return UR_OK;
}

/* ---- batches ----------------------------------------------------------- */

/* Steps of a row that are there. */
static int steps_of(const struct ur__rows *rows, int32_t length)
{
    int32_t left = length - rows->from;
    return left < 0 ? 0 : left < rows->T ? (int)left : rows->T;
}

/* Copies n numbers to every B-th place. */
static void spread(int n, const int32_t *from, size_t B, int32_t *to)
{
    for (int i = 0; i < n; i++)
        to[(size_t)i * B] = from[i];
}

ur_status ur__pad_ids(struct ur__sequences *s, const struct ur__rows *rows, int32_t *to,
                      int *lengths)
{
    size_t B = (size_t)rows->B;
    for (size_t b = 0; b < B; b++) {
        int64_t i = rows->which[b];
        int length = lengths[b] = steps_of(rows, ur__sequence_length(s, i));
        for (int t = 0, n; t < rows->T; t += n) {
            uint32_t bits[PIECE] = {0};
            n = rows->T - t < PIECE ? rows->T - t : PIECE;
            int there = length - t < n ? length - t : n;
            if (there > 0)
                UR__TRY(ur__numbers_read(&s->ids, s->begin[i] + rows->from + t, (size_t)there,
                                         bits));
            spread(n, (const int32_t *)bits, B, to + (size_t)t * B + b);
        }
    }
    return UR_OK;
}

/* n steps of example i to every B-th place, a few at a time. */
static ur_status spread_frames(struct ur__examples *x, int64_t i, int32_t from, int32_t n,
                               size_t B, ur_real *to)
{
    size_t width = (size_t)x->width;
    int32_t most = width < PIECE ? (int32_t)(PIECE / width) : 1;
    for (int32_t t = 0, m; t < n; t += m) {
        ur_real piece[PIECE], *frames = width < PIECE ? piece : to + (size_t)t * B * width;
        m = n - t < most ? n - t : most;
        UR__TRY(ur__examples_frames(x, i, from + t, m, frames));
        for (int32_t k = 0; k < m && frames == piece; k++)
            memcpy(to + (size_t)(t + k) * B * width, piece + (size_t)k * width,
                   width * sizeof *piece);
    }
    return UR_OK;
}

ur_status ur__pad_frames(struct ur__examples *x, const struct ur__rows *rows, ur_real *to,
                         int *lengths)
{
    size_t B = (size_t)rows->B, width = (size_t)x->width;
    for (size_t b = 0; b < B; b++) {
        int64_t i = rows->which[b];
        lengths[b] = steps_of(rows, x->example[i].length);
        UR__TRY(spread_frames(x, i, rows->from, lengths[b], B, to + b * width));
        for (int t = lengths[b]; t < rows->T; t++)
            memset(to + ((size_t)t * B + b) * width, 0, width * sizeof *to);
    }
    return UR_OK;
}

ur_status ur__pad_tags(struct ur__examples *x, const struct ur__rows *rows, int32_t *to)
{
    size_t B = (size_t)rows->B;
    for (size_t b = 0; b < B; b++) {
        int64_t i = rows->which[b];
        int length = steps_of(rows, x->example[i].length);
        for (int t = 0, n; t < length; t += n) {
            int32_t tag[PIECE];
            n = length - t < PIECE ? length - t : PIECE;
            UR__TRY(ur__examples_tags(x, i, rows->from + t, n, tag));
            spread(n, tag, B, to + (size_t)t * B + b);
        }
        for (int t = length; t < rows->T; t++)
            to[(size_t)t * B + b] = -1;
    }
    return UR_OK;
}
