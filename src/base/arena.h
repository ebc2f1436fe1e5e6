/* SPDX-License-Identifier: MIT */
/* Memory that is taken piece by piece and given back all at once. After a reset
 * the arena holds one block as large as all that was taken, so that a repeated
 * round of the same size allocates nothing.
 * Invariant: blocks are chained newest first; only the newest has room. */
#ifndef UR_BASE_ARENA_H
#define UR_BASE_ARENA_H

#include "unroll/base.h"

struct ur__arena_block;
struct ur__arena {
    struct ur__arena_block *blocks;
    size_t used;        /* bytes taken since the last reset, padding included */
    size_t reserved;    /* bytes of all blocks */
};

/* A zeroed struct is a valid empty arena. n*size bytes, 64-byte aligned,
 * uninitialised; NULL with UR_ENOMEM's message. */
void *ur__arena_alloc(struct ur__arena *a, size_t n, size_t size);
/* Makes room for that many bytes, the padding of each piece included, so that taking them
 * allocates nothing. The arena must be empty; UR_ENOMEM: it stays so. */
ur_status ur__arena_reserve(struct ur__arena *a, size_t bytes);
void ur__arena_reset(struct ur__arena *a);
void ur__arena_free(struct ur__arena *a);

/* What a piece of that many bytes takes: whole units of the alignment, at least one. False:
 * beyond the address space. */
bool ur__arena_piece(size_t *bytes, size_t n, size_t size);

/* One block cut into pieces. An object's layout is one function, run twice: with base NULL it
 * counts what it takes, then, with that many bytes, it places. `used` sticks to SIZE_MAX, which
 * no allocator grants, once a sum is beyond the address space. */
struct ur__carve {
    void *base;         /* 64-byte aligned; NULL: only count */
    size_t used;
};
/* n*size bytes, 64-byte aligned, uninitialised; NULL while counting, and for n 0. */
void *ur__carve(struct ur__carve *c, size_t n, size_t size);

#endif
