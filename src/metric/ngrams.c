/* SPDX-License-Identifier: MIT */
#include "metric/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"

/* ---- texts ------------------------------------------------------------- */

/* White space as Python's str.split() has it. */
static bool is_space(uint32_t c)
{
    static const uint32_t others[] = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F,
                                      0x3000};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c == others[i])
            return true;
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || (c >= 0x2000 && c <= 0x200A);
}

struct word {
    const char *text;
    size_t n, place;
};

/* Where words, or characters, of a text that was checked are put; NULL: they are only counted. */
struct sink {
    struct word *word;
    int32_t *ids;
    size_t n;
};

static void cut(const char *text, bool words, struct sink *to)
{
    const size_t size = strlen(text);
    size_t begin = 0;
    bool open = false;
    for (size_t at = 0; at < size; ) {
        uint32_t code;
        size_t n = (size_t)ur__utf8_decode((const unsigned char *)text + at, size - at, &code);
        bool space = is_space(code);
        if (!words && !space && to->ids)
            to->ids[to->n] = (int32_t)code;
        if (words ? !space && !open : !space)
            to->n++;
        if (words && !space && !open)
            begin = at;
        open = !space;
        at += n;
        if (words && !space && to->word)
            to->word[to->n - 1] = (struct word){text + begin, at - begin, to->n - 1};
    }
}

static int compare_words(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->text, y->text, x->n);
}

/* Numbers words so that equal ones have one number. */
static void number(struct word *word, size_t n, int32_t *ids)
{
    int32_t id = 0;
    qsort(word, n, sizeof *word, compare_words);
    for (size_t i = 0; i < n; i++) {
        id += i > 0 && compare_words(&word[i - 1], &word[i]) != 0;
        ids[word[i].place] = id;
    }
}

static void place(struct ur__pieces *p, struct word **word, size_t n, bool words,
                  struct ur__carve *c)
{
    p->begin = ur__carve(c, (size_t)p->n + 1, sizeof *p->begin);
    p->ids = ur__carve(c, n + 1, sizeof *p->ids);
    *word = ur__carve(c, words ? n + 1 : 0, sizeof **word);
}

static ur_status check(const char *text, int n, const char *const *references)
{
    if (n < 1)
        return ur__fail(UR_EINVAL, "a text is compared with at least 1 reference, not %d", n);
    for (int i = -1; i < n; i++) {
        const char *one = i < 0 ? text : references[i];
        if (!one)
            return ur__fail(UR_EINVAL, "reference %d is NULL", i);
        size_t size = strlen(one), good = ur__utf8_check((const unsigned char *)one, size);
        if (good < size)
            return ur__fail(UR_EDATA, "malformed UTF-8 at byte %zu (0x%02X)", good,
                            (unsigned)(unsigned char)one[good]);
    }
    return UR_OK;
}

ur_status ur__pieces_make(struct ur__pieces *p, bool words, const char *text, int n,
                          const char *const *references)
{
    struct sink count = {0};
    struct word *word;
    *p = (struct ur__pieces){.n = n + 1};
    UR__TRY(check(text, n, references));
    for (int i = -1; i < n; i++)
        cut(i < 0 ? text : references[i], words, &count);
    if (count.n > INT32_MAX)
        return ur__fail(UR_EDATA, "more than %d tokens to compare", INT32_MAX);
    struct ur__carve size = {0};
    place(p, &word, count.n, words, &size);
    struct ur__carve c = {.base = p->block = ur__alloc(size.used, 1)};
    if (!p->block)
        return UR_ENOMEM;
    place(p, &word, count.n, words, &c);
    struct sink to = {.word = word, .ids = p->ids};
    for (int i = -1; i < n; i++) {
        p->begin[i + 1] = to.n;
        cut(i < 0 ? text : references[i], words, &to);
    }
    p->begin[n + 1] = to.n;
    if (words)
        number(word, to.n, p->ids);
    return UR_OK;
}

void ur__pieces_free(struct ur__pieces *p)
{
    ur__free(p->block);
    p->block = NULL;
}

/* ---- n-grams ----------------------------------------------------------- */

struct gram {
    const int32_t *at;
    int order;
};

struct ur__grams {
    const struct ur__pieces *p;
    int order;
    struct gram *gram;          /* those of text i from begin[i] on, in order */
    size_t *next;               /* [texts] while two are compared */
};

static int compare(const void *a, const void *b)
{
    const struct gram *x = a, *y = b;
    for (int i = 0; i < x->order; i++)
        if (x->at[i] != y->at[i])
            return x->at[i] < y->at[i] ? -1 : 1;
    return 0;
}

ur_status ur__grams_new(struct ur__grams **out, const struct ur__pieces *p)
{
    struct ur__grams *g = *out = ur__calloc(1, sizeof *g);
    if (!g)
        return UR_ENOMEM;
    g->p = p;
    g->gram = ur__alloc(p->begin[p->n] + 1, sizeof *g->gram);
    g->next = ur__alloc((size_t)p->n, sizeof *g->next);
    if (g->gram && g->next)
        return UR_OK;
    ur__grams_free(g);
    *out = NULL;
    return UR_ENOMEM;
}

void ur__grams_free(struct ur__grams *g)
{
    if (!g)
        return;
    ur__free(g->gram);
    ur__free(g->next);
    ur__free(g);
}

size_t ur__grams_count(const struct ur__grams *g, int i)
{
    const size_t n = ur__pieces_length(g->p, i), order = (size_t)g->order;
    return n < order ? 0 : n - order + 1;
}

void ur__grams_sort(struct ur__grams *g, int order)
{
    g->order = order;
    for (int i = 0; i < g->p->n; i++) {
        const size_t n = ur__grams_count(g, i), begin = g->p->begin[i];
        for (size_t k = 0; k < n; k++)
            g->gram[begin + k] = (struct gram){g->p->ids + begin + k, order};
        if (n > 1)
            qsort(g->gram + begin, n, sizeof *g->gram, compare);
    }
}

/* How often text i has that n-gram; they are asked for in order. */
static size_t occurs(struct ur__grams *g, int i, const struct gram *what)
{
    const struct gram *gram = g->gram + g->p->begin[i];
    const size_t n = ur__grams_count(g, i);
    size_t count = 0;
    while (g->next[i] < n && compare(&gram[g->next[i]], what) < 0)
        g->next[i]++;
    while (g->next[i] < n && compare(&gram[g->next[i]], what) == 0) {
        g->next[i]++;
        count++;
    }
    return count;
}

size_t ur__grams_matched(struct ur__grams *g, int from, int to)
{
    const size_t n = ur__grams_count(g, 0);
    size_t matched = 0;
    for (int i = from; i < to; i++)
        g->next[i] = 0;
    for (size_t at = 0, end; at < n; at = end) {
        const struct gram *what = &g->gram[at];
        size_t most = 0;
        for (end = at; end < n && compare(&g->gram[end], what) == 0; )
            end++;
        for (int i = from; i < to; i++) {
            size_t count = occurs(g, i, what);
            most = count > most ? count : most;
        }
        matched += most < end - at ? most : end - at;
    }
    return matched;
}
