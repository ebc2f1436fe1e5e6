/* SPDX-License-Identifier: MIT */
/*
 * Arrays beside pages that may not be touched. An array ends exactly where such a page
 * begins, or begins where one ends; an access beyond it stops the program with a line that
 * names the case and the array. On the other side, and in what alignment leaves free, stand
 * canaries, which guard_check compares.
 *
 *     guard_watch();
 *     guard_begin(GUARD_END, "lstm, T %d", T);
 *     float *x = guard_reals("x", n);
 *     ...
 *     guard_check();
 */
#ifndef UR_TESTS_SUPPORT_GUARD_H
#define UR_TESTS_SUPPORT_GUARD_H

#include <stddef.h>

#include "unroll/base.h"

/* Of many cases a sanitized build, which has guards of its own and is slow, takes one in five. */
#ifdef UR_DEBUG
#define GUARD_STRIDE 5
#else
#define GUARD_STRIDE 1
#endif

typedef enum guard_side { GUARD_END, GUARD_BEGIN } guard_side;

/* From now on a fault ends the program: status 1 and the line on stderr. */
void guard_watch(void);

/* A new case: all arrays are gone. */
void guard_begin(guard_side side, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *guard_case(void);

/* Bytes that hold NaN whatever they are read as; align: a power of two, at most a page. Where it
 * does not divide the size, up to align − 1 bytes on the guarded side are canaries. name is kept
 * as it is. Ends the program if there is no memory. */
void *guard_bytes(const char *name, size_t bytes, size_t align);
ur_real *guard_reals(const char *name, size_t n);

/* The name of an array whose canaries have changed; NULL: all are well. */
const char *guard_check(void);

/* For ur_set_allocator: each block is a mapping of its own that ends at such a page, up to the
 * 63 bytes that a block's alignment may leave. */
void *guard_allocator(void *user, void *p, size_t bytes);

#endif
