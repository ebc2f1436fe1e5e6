/* SPDX-License-Identifier: MIT */
/* Makes allocations fail, and counts them, through the library's one hook for that
 * (ur__mem_set_watch), from before main on. */
#ifndef UR_TESTS_SUPPORT_FAULTS_H
#define UR_TESTS_SUPPORT_FAULTS_H

#include "unroll/base.h"

/* The n-th allocation from now fails (1 is the next), once or, with forever, from then on; 0
 * switches it off. Starting a thread counts as one. */
void ur__mem_fail_at(long n, bool forever);
/* How many more until it fails; 0: never, −1: all do. */
long ur__mem_fail_left(void);
/* Whether the pieces of an arena count as well, not only its blocks: which of the pieces need a
 * new block is a matter of sizes, so any of them may. Off at first. */
void ur__mem_count_pieces(bool on);
/* Allocations made, allocations refused, blocks alive. */
long ur__mem_allocations(void);
long ur__mem_refusals(void);
long ur__mem_blocks(void);

#endif
