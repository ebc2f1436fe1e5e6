/* SPDX-License-Identifier: MIT */
/* All heap of the library. Blocks are 64-byte aligned; sizes are products
 * checked for overflow; tests can make the n-th allocation fail. */
#ifndef UR_BASE_MEM_H
#define UR_BASE_MEM_H

#include "unroll/base.h"

#define UR__ALIGN 64

/* n*size bytes, 64-byte aligned, uninitialised; NULL and UR_ENOMEM's message on
 * failure or overflow. n*size 0 gives a valid block. Freed by ur__free. */
void *ur__alloc(size_t n, size_t size);
void *ur__calloc(size_t n, size_t size);
/* Resizes keeping the first bytes; p NULL allocates. On failure p stays valid. */
void *ur__realloc(void *p, size_t n, size_t size);
void ur__free(void *p);
/* A copy of n bytes and a terminating zero; of a C string. */
char *ur__strndup(const char *s, size_t n);
char *ur__strdup(const char *s);

/* What a thread's own calls hold: between opening and closing its account, each block that the
 * thread takes adds to it and each that it gives back is taken off, never below nothing. What
 * other threads do meanwhile does not count. Accounts of a thread nest. */
struct ur__account {
    size_t held, peak;
    struct ur__account *outer;
};
void ur__account_open(struct ur__account *account);
/* The account that was opened last. Its figures stay. */
void ur__account_close(struct ur__account *account);

/* *out = a*b (a+b); false on overflow, and *out is of no use. */
static inline bool ur__mul(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool ur__add(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Test hook: the n-th allocation from now fails (1 is the next), once or, with
 * forever, from then on; 0 switches it off. */
void ur__mem_fail_at(long n, bool forever);
/* How many more until it fails; 0: never, −1: all do. */
long ur__mem_fail_left(void);
/* Counts as an allocation that the hook may refuse, true if it does: for what the system gives
 * elsewhere, such as a thread. */
bool ur__mem_refuses(void);
/* Whether the pieces of an arena count as well, not only its blocks: which of the pieces need a
 * new block is a matter of sizes, so any of them may. Off at first. */
void ur__mem_count_pieces(bool on);
bool ur__mem_refuses_piece(void);
/* Test figures: allocations made so far, allocations that the hook refused, blocks alive. */
long ur__mem_allocations(void);
long ur__mem_refusals(void);
long ur__mem_blocks(void);

#endif
