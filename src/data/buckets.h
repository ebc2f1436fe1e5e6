/* SPDX-License-Identifier: MIT */
/*
 * Batches of examples of similar length. An epoch's order is drawn; pools of UR__POOL batches of
 * it are sorted by length and cut into batches, whose order within the pool is drawn again. So
 * which batch comes at (epoch, step) is a function of the seed, the lengths and these two alone.
 *
 * Cut into pieces of some steps, a batch takes as many updates, in a row, as its longest example
 * has pieces. Then all of an epoch is one pool, sorted by pieces, so that how many an epoch has
 * does not depend on what was drawn; as many have an order as above.
 */
#ifndef UR_DATA_BUCKETS_H
#define UR_DATA_BUCKETS_H

#include "unroll/base.h"

#define UR__POOL 32

struct ur__buckets {
    uint64_t seed;
    int64_t n;
    const int32_t *length;      /* [n], borrowed */
    int B;
    int32_t piece;              /* steps of a piece; 0: examples are whole */
    int64_t steps;              /* of an epoch: batches, or pieces of all of them */
    int64_t from;               /* of the batch given last: the first step of its piece */
    /* Private: the pool that was sorted last; pool −1: none. */
    int64_t epoch, pool, pooled;
    int64_t batch, begin;       /* the batch found last, in the order drawn, and its first update */
    struct ur__bucketed *sorted;    /* [min(n, UR__POOL·B)], of pieces [n] */
    int64_t *which;             /* [B] */
};

/* n, B >= 1. */
ur_status ur__buckets_init(struct ur__buckets *b, uint64_t seed, int64_t n, const int32_t *length,
                           int B, int32_t piece);
void ur__buckets_free(struct ur__buckets *b);
/* The examples of a batch, step in [0, steps): *rows of them, at most B. Borrowed until the next
 * call. Allocates nothing. */
ur_status ur__buckets_batch(struct ur__buckets *b, int64_t epoch, int64_t step,
                            const int64_t **which, int *rows);

/* Does a batch begin at that step, one of the epoch's, and not go on with its next piece? */
bool ur__buckets_first(struct ur__buckets *b, int64_t epoch, int64_t step);

#endif
