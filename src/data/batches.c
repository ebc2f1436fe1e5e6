/* SPDX-License-Identifier: MIT */
/* Batches of a set's examples: the public face of data/buckets.h. */
#include "base/mem.h"
#include "base/status.h"
#include "data/buckets.h"
#include "unroll/data.h"

struct ur_batches {
    struct ur__buckets buckets;     /* of places in `which` */
    int64_t *which;                 /* [n] examples */
    int32_t *length;                /* [n] */
    int64_t *row;                   /* [B] of the batch at hand */
};

static ur_status make(ur_batches *b, const ur_examples *x, const int64_t *which, int B,
                      uint64_t seed)
{
    const int64_t n = b->buckets.n;
    b->which = ur__alloc((size_t)n, sizeof *b->which);
    b->length = ur__alloc((size_t)n, sizeof *b->length);
    b->row = ur__alloc((size_t)B, sizeof *b->row);
    if (!b->which || !b->length || !b->row)
        return UR_ENOMEM;
    for (int64_t k = 0; k < n; k++) {
        b->which[k] = which ? which[k] : k;
        b->length[k] = ur_examples_length(x, b->which[k]);
        if (b->length[k] == 0)
            return UR_EINVAL;       /* the message is there */
    }
    return ur__buckets_init(&b->buckets, seed, n, b->length, B, 0);
}

ur_status ur_batches_new(ur_batches **out, const ur_examples *x, const int64_t *which, int64_t n,
                         int B, uint64_t seed)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(x, "x");
    n = which ? n : ur_examples_count(x);
    if (n < 1 || B < 1)
        return ur__fail(UR_EINVAL, "batches of %d of %lld examples are impossible", B,
                        (long long)n);
    ur_batches *b = ur__calloc(1, sizeof *b);
    if (!b)
        return UR_ENOMEM;
    b->buckets.n = n;
    ur_status status = make(b, x, which, n < B ? (int)n : B, seed);
    if (status != UR_OK) {
        ur_batches_free(b);
        return status;
    }
    *out = b;
    return UR_OK;
}

void ur_batches_free(ur_batches *b)
{
    if (!b)
        return;
    ur__buckets_free(&b->buckets);
    ur__free(b->which);
    ur__free(b->length);
    ur__free(b->row);
    ur__free(b);
}

int64_t ur_batches_steps(const ur_batches *b)
{
    UR__NEED_OR(b, "b", 0);
    return b->buckets.steps;
}

ur_status ur_batches_at(ur_batches *b, int64_t epoch, int64_t step, const int64_t **which, int *B)
{
    const int64_t *place;
    UR__NEED(b, "b");
    UR__NEED(which, "which");
    UR__NEED(B, "B");
    UR__TRY(ur__buckets_batch(&b->buckets, epoch, step, &place, B));
    for (int k = 0; k < *B; k++)
        b->row[k] = b->which[place[k]];
    *which = b->row;
    return UR_OK;
}
