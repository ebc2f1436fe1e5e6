/* SPDX-License-Identifier: MIT */
/* Makes each allocation of a piece of work fail in turn, the n-th once and the n-th and all
 * after it, and looks at what comes of it. Every refusal must end in UR_ENOMEM with a message,
 * or, where memory was a mere wish, in the result that there is without it; no block and no
 * descriptor may stay behind; what was there before must still do the same work. */
#ifndef UR_TESTS_SUPPORT_NOMEM_H
#define UR_TESTS_SUPPORT_NOMEM_H

#include "unroll/base.h"

struct nomem {
    const char *name;
    /* What is there before the work, made with all the memory it wants; NULL: nothing. */
    void *(*make)(const void *arg);
    void (*unmake)(void *it);
    /* The work. Frees all it makes but what `it` keeps, whatever happens; *digest is of its
     * results. */
    ur_status (*act)(void *it, const void *arg, uint32_t *digest);
    /* After a failure, with memory again: must give the digest of undisturbed work. NULL: act,
     * where there is something that was there before. */
    ur_status (*again)(void *it, const void *arg, uint32_t *digest);
    const void *arg;
    int quick;      /* ordinals tried each way in a quick test; 0: 60 */
};

/* Fails the test that calls it, or prints one line. All ordinals where the environment's
 * UNROLL_NOMEM is "all", else the first ones and a stride through the others. */
void nomem_try(const struct nomem *s);
/* Prints how many refusals all scenarios have seen; fails below `least`. */
void nomem_total(long least);

/* CRC-32 of n bytes more. */
void nomem_digest(uint32_t *digest, const void *bytes, size_t n);
void nomem_digest_file(uint32_t *digest, const char *path);

#endif
