/* SPDX-License-Identifier: MIT */
/* The arena: bump allocation in a chain of blocks, merged into one at reset. */
#include "base/arena.h"

#include "base/mem.h"
#include "base/status.h"

#define FIRST_BLOCK ((size_t)64 << 10)
#define LARGEST_SPARE ((size_t)64 << 20)

struct ur__arena_block {
    struct ur__arena_block *next;
    size_t size, used;      /* of the bytes that follow the header */
};

/* The header takes one alignment unit, so that what follows stays aligned. */
#define HEADER UR__ALIGN
_Static_assert(sizeof(struct ur__arena_block) <= HEADER, "a block's header must fit its slot");

static struct ur__arena_block *new_block(struct ur__arena *a, size_t size)
{
    size_t total;
    if (!ur__add(&total, size, HEADER))
        total = SIZE_MAX;   /* fails below, with the message */
    struct ur__arena_block *b = ur__alloc(total, 1);
    if (!b)
        return NULL;
    b->next = a->blocks;
    b->size = size;
    b->used = 0;
    a->blocks = b;
    a->reserved += size;
    return b;
}

bool ur__arena_piece(size_t *bytes, size_t n, size_t size)
{
    size_t exact;
    if (!ur__mul(&exact, n, size) || !ur__add(&exact, exact, UR__ALIGN - 1))
        return false;
    *bytes = exact / UR__ALIGN * UR__ALIGN;
    if (*bytes == 0)
        *bytes = UR__ALIGN;     /* two empty pieces still have two addresses */
    return true;
}

void *ur__arena_alloc(struct ur__arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (!ur__arena_piece(&bytes, n, size)) {
        ur__fail(UR_ENOMEM, "out of memory: %zu times %zu bytes is beyond the address space",
                 n, size);
        return NULL;
    }
    if (ur__mem_refuses(true)) {
        ur__fail(UR_ENOMEM, "out of memory: cannot allocate %zu bytes", n * size);
        return NULL;
    }
    struct ur__arena_block *b = a->blocks;
    if (!b || b->size - b->used < bytes) {
        /* Doubling up to a limit: few blocks in the first round, one from the second on,
         * and no large one that stays empty. */
        size_t want = a->reserved > FIRST_BLOCK ? a->reserved : FIRST_BLOCK;
        want = want < LARGEST_SPARE ? want : LARGEST_SPARE;
        b = new_block(a, bytes > want ? bytes : want);
        if (!b && bytes < want)
            b = new_block(a, bytes);
        if (!b)
            return NULL;
    }
    void *p = (unsigned char *)b + HEADER + b->used;
    b->used += bytes;
    a->used += bytes;
    return p;
}

ur_status ur__arena_reserve(struct ur__arena *a, size_t bytes)
{
    if (a->used)
        return ur__fail(UR_EINVAL, "an arena in use is not enlarged");
    if (a->blocks && a->blocks->size >= bytes)
        return UR_OK;
    ur__arena_free(a);
    return new_block(a, bytes) ? UR_OK : UR_ENOMEM;
}

void ur__arena_reset(struct ur__arena *a)
{
    size_t taken = a->used;
    a->used = 0;
    if (!a->blocks)
        return;
    if (!a->blocks->next) {
        a->blocks->used = 0;
        return;
    }
    /* Freed before the merged one is taken, so that the peak does not double. A
     * failure leaves an empty arena, and the next round reports it. */
    ur__arena_free(a);
    new_block(a, taken);
}

void ur__arena_free(struct ur__arena *a)
{
    for (struct ur__arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        ur__free(b);
    }
    *a = (struct ur__arena){0};
}

/* ---- one block --------------------------------------------------------- */

void *ur__carve(struct ur__carve *c, size_t n, size_t size)
{
    size_t bytes, at = c->used;
    if (n == 0)
        return NULL;
    if (!ur__arena_piece(&bytes, n, size) || !ur__add(&c->used, at, bytes))
        c->used = SIZE_MAX;
    return c->base ? (unsigned char *)c->base + at : NULL;
}
