/* SPDX-License-Identifier: MIT */
#include "data/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define PIECE 4096      /* numbers read at a time, on the stack */

int64_t ur__held_out(int64_t tokens, double share)
{
    return (int64_t)floor(share * (double)tokens);
}

struct candidate {
    const char *word;
    size_t length;
    int64_t count;
    int32_t number;     /* in the table */
};

/* The more frequent first, then by bytes: the order of appearance plays no part. */
static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    size_t n = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->word, y->word, n);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static ur_status count_words(struct ur__numbers *text, int64_t n, int64_t *count)
{
    for (int64_t at = 0; at < n; at += PIECE) {
        uint32_t number[PIECE];
        size_t m = n - at < PIECE ? (size_t)(n - at) : PIECE;
        UR__TRY(ur__numbers_read(text, at, m, number));
        for (size_t i = 0; i < m; i++)
            count[number[i]]++;
    }
    return UR_OK;
}

/* Fills list with the words that are frequent enough, in their order; returns how many. */
static size_t sort_words(const struct ur__word_table *table, const int64_t *count, int min_count,
                         struct candidate *list)
{
    size_t n = 0;
    for (int32_t i = UR__LINE_END + 1; i < table->n; i++) {
        if (count[i] < min_count || count[i] == 0)
            continue;
        struct candidate *c = &list[n++];
        c->word = ur__word_at(table, i, &c->length);
        c->count = count[i];
        c->number = i;
    }
    qsort(list, n, sizeof *list, compare);
    return n;
}

/* How many of the sorted words a vocabulary of `wanted` words (0: any number) holds. */
static size_t fit(const struct candidate *list, size_t n, int wanted)
{
    size_t most = UR__VOCAB_MAX - (UR__LINE_END + 1), bytes = 0, i = 0;
    most = wanted > 0 && (size_t)wanted < most ? (size_t)wanted : most;
    while (i < n && i < most && list[i].length <= UR__VOCAB_TEXT_MAX - bytes)
        bytes += list[i++].length;
    return i;
}

static ur_status make(ur_vocab **out, ur_token_kind kind, const struct candidate *list, size_t n,
                      int32_t *order)
{
    const size_t first = UR__LINE_END + 1;
    char *text = ur__alloc(UR__VOCAB_TEXT_MAX + n + 1, 1), *end = text;
    const char **words = ur__alloc(first + n, sizeof *words);
    ur_status status = text && words ? UR_OK : UR_ENOMEM;
    if (status == UR_OK) {
        words[UR__UNKNOWN] = UR__UNKNOWN_TEXT;
        words[UR__LINE_END] = UR__LINE_END_TEXT;
        for (size_t i = 0; i < n; i++) {
            order[list[i].number] = (int32_t)(first + i);
            words[first + i] = memcpy(end, list[i].word, list[i].length);
            end[list[i].length] = '\0';
            end += list[i].length + 1;
        }
        status = ur__vocab_new_words(out, kind, (int)(first + n), words);
    }
    ur__free(text);
    ur__free(words);
    return status;
}

/* n sorted words, of which there are enough. */
static ur_status choose(ur_vocab **out, ur_token_kind kind, const struct ur__word_table *table,
                        const struct candidate *list, size_t n, struct ur__chosen *chosen)
{
    size_t kept = n - (size_t)chosen->cut;
    for (int32_t i = 0; i < table->n; i++)
        chosen->order[i] = i == UR__LINE_END ? UR__LINE_END : UR__UNKNOWN;
    return make(out, kind, list, kept, chosen->order);
}

ur_status ur__choose_words(ur_vocab **out, ur_token_kind kind, const struct ur__word_table *table,
                           struct ur__numbers *text, const struct ur__word_rule *rule,
                           struct ur__chosen *chosen)
{
    *out = NULL;
    int64_t *count = ur__calloc((size_t)table->n, sizeof *count);
    struct candidate *list = ur__alloc((size_t)table->n, sizeof *list);
    ur_status status = count && list ? UR_OK : UR_ENOMEM;
    if (status == UR_OK)
        status = count_words(text, text->n - ur__held_out(text->n, rule->held_out), count);
    size_t n = status == UR_OK ? sort_words(table, count, rule->min_count, list) : 0;
    chosen->cut = (int64_t)(n - fit(list, n, rule->most));
    if (n > 0)
        status = choose(out, kind, table, list, n, chosen);
    else if (status == UR_OK)
        status = ur__fail(UR_EDATA, "no word occurs %d times in the part of the text to learn "
                          "from: a longer text or a lower min-count is needed", rule->min_count);
    ur__free(count);
    ur__free(list);
    return status;
}
