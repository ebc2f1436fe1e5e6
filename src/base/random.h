/* SPDX-License-Identifier: MIT */
/* The streams of random numbers: who draws from which, so that no two uses ever
 * share a counter. */
#ifndef UR_BASE_RANDOM_H
#define UR_BASE_RANDOM_H

#include "unroll/base.h"

enum {
    UR__STREAM_INIT = 1,        /* parameter initialisation */
    UR__STREAM_SHUFFLE = 2,
    UR__STREAM_SAMPLE = 3,      /* generating text */
    UR__STREAM_SPLIT = 4,       /* held-out draws */
    UR__STREAM_USER = 5,        /* users of ur_random(), tests */
    UR__STREAM_DROPOUT = 1000   /* + ordinal of the dropout on the tape */
};

/* Philox4x32-10 itself: counter, key -> out. */
void ur__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
