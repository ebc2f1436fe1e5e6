/* SPDX-License-Identifier: MIT */
/*
 * The heap behind the allocator hook, which promises no more than malloc's
 * alignment. A block as the hook gave it:
 *
 *   base                        p (multiple of 64)
 *   | 0..63 bytes of padding | struct header | n bytes for the caller |
 *
 * Invariant: the header that touches p holds base and the size asked of the
 * hook, so p alone is enough to free, resize and account.
 */
#ifdef __linux__
#define _DEFAULT_SOURCE     /* madvise */
#endif

#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "base/status.h"

struct header {
    void *base;
    size_t bytes;   /* of the whole block */
};

#define OVERHEAD (sizeof(struct header) + UR__ALIGN - 1)

/* Large blocks are weights and activations that are read from end to end: with huge pages a
 * step of one sequence through 32 MiB of weights took a quarter less time. A mere wish: where
 * it is not granted nothing changes. */
static void *wish_huge_pages(void *p, size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = (uintptr_t)1 << 21;
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)p + bytes) / page * page;
    if (p && bytes >= 2 * page && from < to)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)bytes;
#endif
    return p;
}

static void *libc_allocator(void *user, void *p, size_t bytes)
{
    (void)user;
    if (bytes == 0) {
        free(p);
        return NULL;
    }
    return wish_huge_pages(realloc(p, bytes), bytes);
}

static ur_allocator hook = libc_allocator;
static void *hook_user;

static atomic_size_t used, peak;
static atomic_long allocations, refusals, blocks;
static atomic_long fail_countdown;      /* 0: off; n: the n-th fails; -1: all fail */
static atomic_bool fail_forever, pieces_count;
static _Thread_local struct ur__account *account;   /* the innermost */

void ur_set_allocator(ur_allocator allocator, void *user)
{
    hook = allocator ? allocator : libc_allocator;
    hook_user = allocator ? user : NULL;
}

size_t ur_memory_used(void)
{
    return atomic_load(&used);
}

size_t ur_memory_peak(void)
{
    return atomic_load(&peak);
}

/* ---- figures and failures for tests ------------------------------------ */

void ur__mem_fail_at(long n, bool forever)
{
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_countdown, n);
}

long ur__mem_fail_left(void)
{
    return atomic_load(&fail_countdown);
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

static bool must_fail(void)
{
    long n = atomic_load(&fail_countdown);
    while (n > 0) {
        long next = n > 1 ? n - 1 : atomic_load(&fail_forever) ? -1 : 0;
        if (atomic_compare_exchange_weak(&fail_countdown, &n, next))
            return n == 1;
    }
    return n < 0;
}

bool ur__mem_refuses(void)
{
    bool refused = must_fail();
    if (refused)
        atomic_fetch_add(&refusals, 1);
    return refused;
}

void ur__mem_count_pieces(bool on)
{
    atomic_store(&pieces_count, on);
}

bool ur__mem_refuses_piece(void)
{
    return atomic_load_explicit(&pieces_count, memory_order_relaxed) && ur__mem_refuses();
}

/* ---- blocks ------------------------------------------------------------ */

static struct header *header_of(void *p)
{
    return (struct header *)p - 1;
}

/* Where the caller's bytes lie in a block that begins at base. */
static unsigned char *place(void *base)
{
    uintptr_t at = (uintptr_t)base + OVERHEAD;
    size_t offset = (size_t)(at / UR__ALIGN * UR__ALIGN - (uintptr_t)base);
    return (unsigned char *)base + offset;
}

void ur__account_open(struct ur__account *a)
{
    *a = (struct ur__account){.outer = account};
    account = a;
}

void ur__account_close(struct ur__account *a)
{
    account = a->outer;
}

static void count_used(size_t more, size_t less)
{
    for (struct ur__account *a = account; a; a = a->outer) {
        a->held = more + (a->held > less ? a->held - less : 0);
        a->peak = a->held > a->peak ? a->held : a->peak;
    }
    if (less)
        atomic_fetch_sub(&used, less);
    if (!more)
        return;
    size_t now = atomic_fetch_add(&used, more) + more;
    size_t most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
}

void *ur__realloc(void *p, size_t n, size_t size)
{
    size_t bytes, total;
    if (!ur__mul(&bytes, n, size) || !ur__add(&total, bytes, OVERHEAD)) {
        ur__fail(UR_ENOMEM, "out of memory: %zu times %zu bytes is beyond the address space",
                 n, size);
        return NULL;
    }
    struct header old = p ? *header_of(p) : (struct header){0};
    size_t offset = p ? (size_t)((unsigned char *)p - (unsigned char *)old.base) : 0;
    size_t kept = old.bytes < total ? old.bytes : total;    /* of the whole block */

    void *base = ur__mem_refuses() ? NULL : hook(hook_user, old.base, total);
    if (!base) {
        ur__fail(UR_ENOMEM, "out of memory: %zu bytes are not to be had", bytes);
        return NULL;
    }
    unsigned char *moved = place(base);
    /* The hook kept the bytes but perhaps not their distance from a multiple of
     * 64. Both offsets are at most OVERHEAD, so a shrunk block still holds all
     * that the caller may read; clipping the copy covers the rest. */
    size_t new_offset = (size_t)(moved - (unsigned char *)base);
    if (p && new_offset != offset) {
        size_t reach = kept - offset < total - new_offset ? kept - offset : total - new_offset;
        memmove(moved, (unsigned char *)base + offset, reach);
    }
    *header_of(moved) = (struct header){base, total};
    count_used(total, old.bytes);
    atomic_fetch_add(&allocations, 1);
    if (!p)
        atomic_fetch_add(&blocks, 1);
    return moved;
}

void *ur__alloc(size_t n, size_t size)
{
    return ur__realloc(NULL, n, size);
}

void *ur__calloc(size_t n, size_t size)
{
    void *p = ur__realloc(NULL, n, size);
    if (p)
        memset(p, 0, n * size);
    return p;
}

void ur__free(void *p)
{
    if (!p)
        return;
    struct header h = *header_of(p);
    hook(hook_user, h.base, 0);
    count_used(0, h.bytes);
    atomic_fetch_sub(&blocks, 1);
}

char *ur__strndup(const char *s, size_t n)
{
    size_t bytes;
    if (!ur__add(&bytes, n, 1))
        bytes = SIZE_MAX;   /* fails below, with the message */
    char *copy = ur__alloc(bytes, 1);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *ur__strdup(const char *s)
{
    return ur__strndup(s, strlen(s));
}
