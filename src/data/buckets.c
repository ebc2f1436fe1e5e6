/* SPDX-License-Identifier: MIT */
#include "data/buckets.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/window.h"

struct ur__bucketed {
    int32_t length;
    int64_t place, which;       /* in the order drawn; the example */
};

/* Short ones first, then as drawn. */
static int compare(const void *a, const void *b)
{
    const struct ur__bucketed *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int64_t pool_size(int64_t n, int B)
{
    int64_t most = (int64_t)UR__POOL * B;
    return n < most ? n : most;
}

ur_status ur__buckets_init(struct ur__buckets *b, uint64_t seed, int64_t n, const int32_t *length,
                           int B)
{
    *b = (struct ur__buckets){.seed = seed, .n = n, .length = length, .B = B, .pool = -1};
    if (n < 1 || B < 1)
        return ur__fail(UR_EINVAL, "batches of %d of %lld examples are impossible", B,
                        (long long)n);
    b->steps = n / B + (n % B != 0);
    b->sorted = ur__alloc((size_t)pool_size(n, B), sizeof *b->sorted);
    b->which = ur__alloc((size_t)B, sizeof *b->which);
    if (b->sorted && b->which)
        return UR_OK;
    ur__buckets_free(b);
    return UR_ENOMEM;
}

void ur__buckets_free(struct ur__buckets *b)
{
    ur__free(b->sorted);
    ur__free(b->which);
    *b = (struct ur__buckets){0};
}

static void sort_pool(struct ur__buckets *b, int64_t epoch, int64_t pool)
{
    int64_t begin = pool * UR__POOL * b->B;
    b->pooled = pool_size(b->n - begin, b->B);
    for (int64_t i = 0; i < b->pooled; i++) {
        int64_t which = ur__shuffled(b->seed, (uint64_t)epoch, b->n, begin + i);
        b->sorted[i] = (struct ur__bucketed){b->length[which], i, which};
    }
    qsort(b->sorted, (size_t)b->pooled, sizeof *b->sorted, compare);
    b->epoch = epoch;
    b->pool = pool;
}

ur_status ur__buckets_batch(struct ur__buckets *b, int64_t epoch, int64_t step,
                            const int64_t **which, int *rows)
{
    if (epoch < 0 || step < 0 || step >= b->steps)
        return ur__fail(UR_EINVAL, "there is no batch %lld of %lld", (long long)step,
                        (long long)b->steps);
    int64_t pool = step / UR__POOL, pools = (b->steps + UR__POOL - 1) / UR__POOL;
    if (b->pool != pool || b->epoch != epoch)
        sort_pool(b, epoch, pool);
    /* Rounds from the top down: the examples' order counts from 0 up. */
    uint64_t round = ~((uint64_t)epoch * (uint64_t)pools + (uint64_t)pool);
    int64_t batches = (b->pooled + b->B - 1) / b->B;
    int64_t at = b->B * ur__shuffled(b->seed, round, batches, step % UR__POOL);
    *rows = b->pooled - at < b->B ? (int)(b->pooled - at) : b->B;
    for (int i = 0; i < *rows; i++)
        b->which[i] = b->sorted[at + i].which;
    *which = b->which;
    return UR_OK;
}
