/* SPDX-License-Identifier: MIT */
/* Which pairs are learnt from and which are held out, and how large they are. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/holdout.h"
#include "task/translate.h"

/* ---- halves ------------------------------------------------------------ */

static ur_status take_half(struct ur__pair_half *h, struct ur__pair_set *set,
                           const unsigned char *held, bool marked)
{
    const int64_t all = ur__pairs_count(&set->pairs);
    h->set = set;
    h->which = ur__alloc((size_t)all, sizeof *h->which);
    h->length = ur__alloc((size_t)all, sizeof *h->length);
    if (!h->which || !h->length)
        return UR_ENOMEM;
    for (int64_t i = 0; i < all; i++)
        if (!held || held[i] == marked)
            h->which[h->n++] = i;
    return UR_OK;
}

ur_status ur__pair_half_all(struct ur__pair_half *h, struct ur__pair_set *set)
{
    return take_half(h, set, NULL, false);
}

void ur__pair_half_free(struct ur__pair_half *h)
{
    ur__buckets_free(&h->buckets);
    ur__free(h->which);
    ur__free(h->length);
    ur__free(h->rows);
    ur__free(h->by_source);
    ur__free(h->begin);
}

ur_status ur__pair_halves(struct ur__translate *t, double share, bool val_file)
{
    const struct ur__examples *sources = t->set.pairs.side[UR__PAIR_SOURCE];
    unsigned char *held = ur__calloc((size_t)sources->n, 1);
    struct ur__draw d = {0};
    int64_t n;
    ur_status status = held ? UR_OK : UR_ENOMEM;
    if (status == UR_OK && !val_file && share > 0) {
        status = ur__draw_of(&d, sources, t->seed);
        if (status == UR_OK)
            status = ur__holdout(&d, share, held, &n);
        ur__free(d.label);
    }
    if (status == UR_OK)
        status = take_half(&t->train, &t->set, held, false);
    if (status == UR_OK && !val_file)
        status = take_half(&t->valid, &t->set, held, true);
    ur__free(held);
    return status;
}

/* ---- sizes ------------------------------------------------------------- */

static ur_status check_length(const struct ur__pair_set *set, int side, int64_t i, int length,
                              int most)
{
    static const char *const names[] = {"source", "target"};
    const struct ur__examples *x = set->pairs.side[side];
    if (most == 0 || length <= most)
        return UR_OK;
    return ur__fail(UR_EDATA, "%s:%lld: the %s has %d tokens, more than the %d of max-length",
                    ur__examples_file(x, i), (long long)x->example[i].line, names[side], length,
                    most);
}

/* Pairs by the length of their source, then by the source. */
struct placed {
    int32_t length, group;
    int64_t pair;
};

static int compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->pair > y->pair) - (x->pair < y->pair);
}

static ur_status sort_sources(struct ur__pair_half *h)
{
    const size_t n = (size_t)h->n;
    struct placed *all = ur__alloc(n, sizeof *all);
    h->by_source = ur__alloc(n, sizeof *h->by_source);
    h->begin = ur__alloc(n + 1, sizeof *h->begin);
    ur_status status = all && h->by_source && h->begin ? UR_OK : UR_ENOMEM;
    for (size_t k = 0; k < n && status == UR_OK; k++) {
        const int64_t i = h->which[k];
        all[k] = (struct placed){
            ur__sequence_length(&h->set->ids[UR__PAIR_SOURCE], i),
            h->set->pairs.side[UR__PAIR_SOURCE]->example[i].group, i
        };
    }
    if (status == UR_OK && n > 1)
        qsort(all, n, sizeof *all, compare);
    for (size_t k = 0; k < n && status == UR_OK; k++) {
        h->by_source[k] = all[k].pair;
        if (k == 0 || all[k].group != all[k - 1].group)
            h->begin[h->texts++] = (int64_t)k;
    }
    if (status == UR_OK)
        h->begin[h->texts] = h->n;
    ur__free(all);
    return status;
}

ur_status ur__pair_half_measure(struct ur__pair_half *h, int max_length)
{
    for (int64_t k = 0; k < h->n; k++) {
        h->length[k] = 0;
        for (int side = 0; side < UR__PAIR_SIDES; side++) {
            int length = ur__sequence_length(&h->set->ids[side], h->which[k]);
            UR__TRY(check_length(h->set, side, h->which[k], length, max_length));
            h->length[k] += length + 1;
            h->longest[side] = length + 1 > h->longest[side] ? length + 1 : h->longest[side];
            h->tokens += side == UR__PAIR_TARGET ? length + 1 : 0;
        }
    }
    return sort_sources(h);
}
