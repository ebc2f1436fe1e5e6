/* SPDX-License-Identifier: MIT */
/* A long row of whole numbers that grows at its end: one, two or four bytes each, as the
 * largest needs; small ones in memory, from 64 MiB on in a nameless scratch file. */
#ifndef UR_DATA_NUMBERS_H
#define UR_DATA_NUMBERS_H

#include "unroll/base.h"

struct ur__spool;

/* Zeroed it is empty. Invariant: all that was appended has the present width, in memory
 * or in the spool, never in both. */
struct ur__numbers {
    int64_t n;
    int width;                  /* bytes a number; 0 before the first */
    unsigned char *data;        /* NULL: in the spool */
    size_t size, capacity;
    struct ur__spool *spool;
};
void ur__numbers_free(struct ur__numbers *a);
/* Empties it; memory is kept for what follows. */
void ur__numbers_clear(struct ur__numbers *a);
/* Appends n numbers, each at most `most`. */
ur_status ur__numbers_put(struct ur__numbers *a, size_t n, const uint32_t *number, uint32_t most);
/* Numbers [begin, begin+n), which are there. Allocates nothing. */
ur_status ur__numbers_read(struct ur__numbers *a, int64_t begin, size_t n, uint32_t *number);

/* Test hook: numbers of more than `bytes` bytes go to the scratch file (0: the usual
 * 64 MiB). Not thread-safe. */
void ur__numbers_set_spool_at(size_t bytes);

#endif
