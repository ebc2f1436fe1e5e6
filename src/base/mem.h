/* SPDX-License-Identifier: MIT */
/* All heap of the library. Blocks are 64-byte aligned; sizes are products
 * checked for overflow; tests can make any allocation fail. */
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

/* For tests (tests/support/faults.c): who is asked before each allocation and told of it. NULL,
 * as at first: nobody. A piece of an arena is asked for too, since which piece needs a new block
 * is a matter of sizes. */
struct ur__mem_watch {
    bool (*refuses)(bool piece);
    void (*told)(bool taken, int blocks);   /* blocks: how many more are alive now */
};
void ur__mem_set_watch(const struct ur__mem_watch *watch);
/* Must this allocation fail? Asked also for what the system gives elsewhere, such as a thread. */
bool ur__mem_refuses(bool piece);

#endif
