/* SPDX-License-Identifier: MIT */
#include "data/holdout.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/status.h"

/* What is drawn as one: an example, or a group of them. */
struct lot {
    int64_t stratum;        /* its label; of groups all the same */
    uint64_t key;
    int64_t begin, size;    /* of `member` */
};

struct lots {
    int64_t n;
    struct lot *lot;        /* by stratum, then as drawn */
    int64_t *member;        /* [examples] the lots' one after the other */
    bool grouped;
};

/* An example and its group, or its place after all groups. */
struct pair {
    int64_t group, i;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static int compare_lots(const void *a, const void *b)
{
    const struct lot *x = a, *y = b;
    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static uint64_t key_of(const struct ur__draw *d, int64_t lot, bool grouped)
{
    uint32_t out[4];
    uint64_t step = (uint64_t)(lot >> 32) * 2 + grouped;
    ur_random(d->seed, UR__STREAM_SPLIT, step, (uint32_t)lot, out);
    return (uint64_t)out[0] << 32 | out[1];
}

static void free_lots(struct lots *a)
{
    ur__free(a->lot);
    ur__free(a->member);
}

static void fill(struct lots *a, const struct ur__draw *d, struct pair *pair)
{
    for (int64_t i = 0; i < d->n; i++) {
        bool of_group = d->group && d->group[i] >= 0;
        pair[i] = (struct pair){of_group ? d->group[i] : ((int64_t)1 << 32) + i, i};
        a->grouped = a->grouped || of_group;
    }
    qsort(pair, (size_t)d->n, sizeof *pair, compare_pairs);
    for (int64_t k = 0; k < d->n; k++) {
        int64_t i = pair[k].i;
        a->member[k] = i;
        if (k > 0 && pair[k].group == pair[k - 1].group) {
            a->lot[a->n - 1].size++;
            continue;
        }
        a->lot[a->n] = (struct lot){
            .stratum = a->grouped || !d->label ? 0 : d->label[i],
            .key = key_of(d, a->n, a->grouped), .begin = k, .size = 1
        };
        a->n++;
    }
    qsort(a->lot, (size_t)a->n, sizeof *a->lot, compare_lots);
}

static ur_status draw(struct lots *a, const struct ur__draw *d)
{
    *a = (struct lots){0};
    struct pair *pair = ur__alloc((size_t)d->n, sizeof *pair);
    a->lot = ur__alloc((size_t)d->n, sizeof *a->lot);
    a->member = ur__alloc((size_t)d->n, sizeof *a->member);
    ur_status status = pair && a->lot && a->member ? UR_OK : UR_ENOMEM;
    if (status == UR_OK)
        fill(a, d, pair);
    ur__free(pair);
    if (status != UR_OK)
        free_lots(a);
    return status;
}

/* ---- held out ---------------------------------------------------------- */

static void hold(const struct lots *a, int64_t which, unsigned char *held, int64_t *count)
{
    const struct lot *l = &a->lot[which];
    for (int64_t k = l->begin; k < l->begin + l->size; k++)
        held[a->member[k]] = 1;
    *count += l->size;
}

/* Of each label what brings the sum to the share, rounded; one of each stays at least. */
static void hold_labels(const struct lots *a, double share, unsigned char *held, int64_t *count)
{
    double due = 0;
    for (int64_t begin = 0, end; begin < a->n; begin = end) {
        for (end = begin; end < a->n && a->lot[end].stratum == a->lot[begin].stratum; )
            end++;
        double now = floor(share * (double)end + 0.5);
        int64_t take = (int64_t)(now - due), most = end - begin - 1;
        due = now;
        for (int64_t i = begin; i < begin + (take < most ? take : most); i++)
            hold(a, i, held, count);
    }
}

/* Groups in the order drawn, each if it brings the sum nearer to the share. */
static void hold_groups(const struct lots *a, double target, unsigned char *held, int64_t *count)
{
    for (int64_t i = 0; i < a->n - 1; i++) {
        if (i == 0 || (double)*count + (double)a->lot[i].size / 2 <= target)
            hold(a, i, held, count);
    }
}

ur_status ur__draw_of(struct ur__draw *d, const struct ur__examples *x, uint64_t seed)
{
    const size_t n = (size_t)x->n;
    int32_t *label = ur__alloc(2 * n, sizeof *label), *group = label ? label + n : NULL;
    if (!label)
        return UR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        label[i] = x->tagged ? -1 : x->example[i].label;
        group[i] = x->example[i].group;
    }
    *d = (struct ur__draw){seed, x->n, label, x->groups.n ? group : NULL};
    return UR_OK;
}

ur_status ur__holdout(const struct ur__draw *d, double share, unsigned char *held, int64_t *count)
{
    struct lots a;
    *count = 0;
    if (!(share >= 0 && share < 1))
        return ur__fail(UR_EINVAL, "a share of %g cannot be held out", share);
    for (int64_t i = 0; i < d->n; i++)
        held[i] = 0;
    if (d->n == 0 || share <= 0)
        return UR_OK;
    UR__TRY(draw(&a, d));
    ur_status status = UR_OK;
    if (!a.grouped)
        hold_labels(&a, share, held, count);
    else if (a.n > 1)
        hold_groups(&a, share * (double)d->n, held, count);
    else
        status = ur__fail(UR_EDATA, "all examples are of one group, so that none can be held out");
    free_lots(&a);
    return status;
}

/* ---- cross-validation -------------------------------------------------- */

ur_status ur__folds(const struct ur__draw *d, int k, int32_t *fold)
{
    struct lots a;
    UR__TRY(draw(&a, d));
    int64_t n = a.n;
    for (int64_t i = 0; i < n && k >= 2 && k <= n; i++) {
        for (int64_t m = a.lot[i].begin; m < a.lot[i].begin + a.lot[i].size; m++)
            fold[a.member[m]] = (int32_t)(i % k);
    }
    free_lots(&a);
    if (k < 2 || k > n)
        return ur__fail(UR_EDATA, "%lld %s cannot be cut into %d parts", (long long)n,
                        a.grouped ? "groups" : "examples", k);
    return UR_OK;
}
