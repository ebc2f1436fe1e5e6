/* SPDX-License-Identifier: MIT */
#include "support/faults.h"

#include <stdatomic.h>

#include "base/mem.h"

static atomic_long allocations, refusals, blocks;
static atomic_long countdown;       /* 0: off; n: the n-th fails; -1: all fail */
static atomic_bool forever, pieces;

static bool must_fail(void)
{
    long n = atomic_load(&countdown);
    while (n > 0) {
        long next = n > 1 ? n - 1 : atomic_load(&forever) ? -1 : 0;
        if (atomic_compare_exchange_weak(&countdown, &n, next))
            return n == 1;
    }
    return n < 0;
}

static bool refuses(bool piece)
{
    if ((piece && !atomic_load(&pieces)) || !must_fail())
        return false;
    atomic_fetch_add(&refusals, 1);
    return true;
}

static void told(bool taken, int more)
{
    atomic_fetch_add(&allocations, taken);
    atomic_fetch_add(&blocks, more);
}

/* Before main, so that the blocks of a whole program are counted. */
__attribute__((constructor)) static void watch(void)
{
    static const struct ur__mem_watch own = {refuses, told};
    ur__mem_set_watch(&own);
}

void ur__mem_fail_at(long n, bool for_good)
{
    atomic_store(&forever, for_good);
    atomic_store(&countdown, n);
}

long ur__mem_fail_left(void)
{
    return atomic_load(&countdown);
}

void ur__mem_count_pieces(bool on)
{
    atomic_store(&pieces, on);
}

long ur__mem_allocations(void)
{
    return atomic_load(&allocations);
}

long ur__mem_refusals(void)
{
    return atomic_load(&refusals);
}

long ur__mem_blocks(void)
{
    return atomic_load(&blocks);
}
