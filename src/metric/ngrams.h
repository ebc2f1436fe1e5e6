/* SPDX-License-Identifier: MIT */
/* Texts cut into words or characters, and the n-grams that two of them share. */
#ifndef UR_METRIC_NGRAMS_H
#define UR_METRIC_NGRAMS_H

#include "unroll/base.h"

/* A text and its references behind it, as tokens by number: equal ones have one number. */
struct ur__pieces {
    int n;                      /* texts */
    size_t *begin;              /* [n+1] where each begins in ids */
    int32_t *ids;
    void *block;
};
/* words: what stands between white space; else characters, white space left out. UR_EDATA: a text
 * is no UTF-8. UR_EINVAL: one is NULL, or there is no reference. */
ur_status ur__pieces_make(struct ur__pieces *p, bool words, const char *text, int n,
                          const char *const *references);
void ur__pieces_free(struct ur__pieces *p);
static inline size_t ur__pieces_length(const struct ur__pieces *p, int i)
{
    return p->begin[i + 1] - p->begin[i];
}

/* What the n-grams of one order of all texts have in common. */
struct ur__grams;
ur_status ur__grams_new(struct ur__grams **out, const struct ur__pieces *p);
void ur__grams_free(struct ur__grams *g);
/* Those of `order` tokens. */
void ur__grams_sort(struct ur__grams *g, int order);
/* How many text i has. */
size_t ur__grams_count(const struct ur__grams *g, int i);
/* How many of the first text's are in texts [from,to), each as often as in that of them which has
 * it most often. */
size_t ur__grams_matched(struct ur__grams *g, int from, int to);

#endif
