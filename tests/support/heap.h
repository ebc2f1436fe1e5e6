/* SPDX-License-Identifier: MIT */
/* How much memory something took at most: by the library's allocator. */
#ifndef UR_TESTS_HEAP_H
#define UR_TESTS_HEAP_H

#include <stddef.h>

/* Puts a counting allocator in place. Call before any other function of unroll. */
void heap_watch(void);
/* Bytes held now. */
size_t heap_now(void);
/* The most held since heap_mark(), above what was held then. */
void heap_mark(void);
size_t heap_taken(void);

/* What a file that is refused may take: twice its size, 64 times its header, 1 MiB. */
size_t heap_allowed(size_t file, size_t header);
/* Bytes of a safetensors file's header, as its first bytes have it; 0: they lie. */
size_t heap_header(const void *bytes, size_t n);

#endif
