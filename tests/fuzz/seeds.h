/* SPDX-License-Identifier: MIT */
#ifndef UR_TESTS_FUZZ_SEEDS_H
#define UR_TESTS_FUZZ_SEEDS_H

#include <stddef.h>

/* Writes an input that a fuzzer begins with; ends the program if it cannot. */
void put(const char *fuzzer, const char *name, const void *bytes, size_t n);

/* Those of the readers of labelled examples, and of word vectors. */
void put_sets(void);

#endif
