/* SPDX-License-Identifier: MIT */
#include "data/buckets.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/window.h"

struct ur__bucketed {
    int32_t pieces, length;     /* 1 and its steps, where examples are whole */
    int64_t place, which;       /* in the order drawn; the example */
    int64_t run;                /* of UR__POOL batches in that order; of whole ones 0 */
};

/* By pieces, then run by run short ones first, then as drawn. */
static int compare(const void *a, const void *b)
{
    const struct ur__bucketed *x = a, *y = b;
    if (x->pieces != y->pieces)
        return x->pieces < y->pieces ? -1 : 1;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int64_t pool_batches(const struct ur__buckets *b)
{
    return b->piece ? b->n / b->B + (b->n % b->B != 0) : UR__POOL;
}

static int64_t pool_size(const struct ur__buckets *b, int64_t n)
{
    int64_t most = pool_batches(b) * b->B;
    return n < most ? n : most;
}

static int32_t pieces_of(const struct ur__buckets *b, int32_t length)
{
    return b->piece ? length / b->piece + (length % b->piece != 0) : 1;
}

static void sort_pool(struct ur__buckets *b, int64_t epoch, int64_t pool)
{
    int64_t begin = pool * pool_batches(b) * b->B;
    b->pooled = pool_size(b, b->n - begin);
    for (int64_t i = 0; i < b->pooled; i++) {
        int64_t which = ur__shuffled(b->seed, (uint64_t)epoch, b->n, begin + i);
        b->sorted[i] = (struct ur__bucketed){
            .pieces = pieces_of(b, b->length[which]), .length = b->length[which], .place = i,
            .which = which, .run = b->piece ? i / ((int64_t)UR__POOL * b->B) : 0
        };
    }
    qsort(b->sorted, (size_t)b->pooled, sizeof *b->sorted, compare);
    b->epoch = epoch;
    b->pool = pool;
    b->batch = b->begin = 0;
}

/* Updates of the batch that begins there in the pool. */
static int64_t pieces_at(const struct ur__buckets *b, int64_t at)
{
    int64_t end = at + b->B < b->pooled ? at + b->B : b->pooled;
    return b->sorted[end - 1].pieces;
}

ur_status ur__buckets_init(struct ur__buckets *b, uint64_t seed, int64_t n, const int32_t *length,
                           int B, int32_t piece)
{
    *b = (struct ur__buckets){.seed = seed, .n = n, .length = length, .B = B, .piece = piece,
                              .pool = -1};
    if (n < 1 || B < 1 || piece < 0)
        return ur__fail(UR_EINVAL, "batches of %d of %lld examples are impossible", B,
                        (long long)n);
    b->sorted = ur__alloc((size_t)pool_size(b, n), sizeof *b->sorted);
    b->which = ur__alloc((size_t)B, sizeof *b->which);
    if (!b->sorted || !b->which) {
        ur__buckets_free(b);
        return UR_ENOMEM;
    }
    if (!piece)
        b->steps = n / B + (n % B != 0);
    else
        sort_pool(b, 0, 0);
    for (int64_t at = 0; piece && at < n; at += B)
        b->steps += pieces_at(b, at);
    return UR_OK;
}

void ur__buckets_free(struct ur__buckets *b)
{
    ur__free(b->sorted);
    ur__free(b->which);
    *b = (struct ur__buckets){0};
}

/* Where in the pool the examples of its j-th batch begin. */
static int64_t place_of(const struct ur__buckets *b, int64_t j)
{
    /* Rounds from the top down: the examples' order counts from 0 up. */
    int64_t all = b->n / b->B + (b->n % b->B != 0), per = pool_batches(b);
    int64_t pools = (all + per - 1) / per, batches = (b->pooled + b->B - 1) / b->B;
    uint64_t round = ~((uint64_t)b->epoch * (uint64_t)pools + (uint64_t)b->pool);
    return b->B * ur__shuffled(b->seed, round, batches, j);
}

/* The batch of an update of the pool, counted from its first one. Updates mostly follow on each
 * other, so the search goes on from the last. */
static int64_t find(struct ur__buckets *b, int64_t update)
{
    int64_t at;
    if (!b->piece) {
        b->from = 0;
        return place_of(b, update);
    }
    if (update < b->begin)
        b->batch = b->begin = 0;
    for (int64_t n; at = place_of(b, b->batch), n = pieces_at(b, at), update >= b->begin + n;
         b->batch++)
        b->begin += n;
    b->from = (update - b->begin) * b->piece;
    return at;
}

/* The batch of a step of the epoch: where in the pool, which is sorted then, it begins. */
static int64_t seek(struct ur__buckets *b, int64_t epoch, int64_t step)
{
    int64_t pool = b->piece ? 0 : step / UR__POOL;
    if (b->pool != pool || b->epoch != epoch)
        sort_pool(b, epoch, pool);
    return find(b, b->piece ? step : step % UR__POOL);
}

bool ur__buckets_first(struct ur__buckets *b, int64_t epoch, int64_t step)
{
    if (b->piece)
        seek(b, epoch, step);
    return !b->piece || b->from == 0;
}

ur_status ur__buckets_batch(struct ur__buckets *b, int64_t epoch, int64_t step,
                            const int64_t **which, int *rows)
{
    if (epoch < 0 || step < 0 || step >= b->steps)
        return ur__fail(UR_EINVAL, "there is no batch %lld of %lld", (long long)step,
                        (long long)b->steps);
    int64_t at = seek(b, epoch, step);
    *rows = b->pooled - at < b->B ? (int)(b->pooled - at) : b->B;
    for (int i = 0; i < *rows; i++)
        b->which[i] = b->sorted[at + i].which;
    *which = b->which;
    return UR_OK;
}
