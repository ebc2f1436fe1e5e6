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
 * step of one sequence through 32 MiB of weights took a quarter less time. It is only
 * advice: without it nothing changes. */
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
static _Atomic(const struct ur__mem_watch *) watch;
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

void ur__mem_set_watch(const struct ur__mem_watch *w)
{
    atomic_store(&watch, w);
}

bool ur__mem_refuses(bool piece)
{
    const struct ur__mem_watch *w = atomic_load_explicit(&watch, memory_order_acquire);
    return w && w->refuses(piece);
}

static void tell(bool taken, int blocks)
{
    const struct ur__mem_watch *w = atomic_load_explicit(&watch, memory_order_acquire);
    if (w)
        w->told(taken, blocks);
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

    void *base = ur__mem_refuses(false) ? NULL : hook(hook_user, old.base, total);
    if (!base) {
        ur__fail(UR_ENOMEM, "out of memory: cannot allocate %zu bytes", bytes);
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
    tell(true, !p);
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
    tell(false, -1);
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
