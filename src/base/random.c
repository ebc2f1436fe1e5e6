/* SPDX-License-Identifier: MIT */
/*
 * Philox4x32-10, a block cipher of 128 bits made light: ten rounds of two 32x32
 * -> 64 bit products, with a key that moves on by a Weyl sequence.
 *
 * ur_random(seed, stream, step, index) encrypts
 *
 *   counter = { index, low half of step, high half of step, stream }
 *   key     = { low half of seed, high half of seed }
 *
 * Every argument has bits of its own, so distinct arguments are distinct
 * counters or keys, and the map from counter to output is a bijection.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011, section 3.3 and table 2. Checked: test_base philox__known_answers.
 */
#include "base/random.h"

#include "base/status.h"

#define MULTIPLIER_0 0xd2511f53u
#define MULTIPLIER_1 0xcd9e8d57u
#define WEYL_0 0x9e3779b9u      /* golden ratio */
#define WEYL_1 0xbb67ae85u      /* square root of 3, less 1 */

void ur__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)MULTIPLIER_0 * c0;
        uint64_t p1 = (uint64_t)MULTIPLIER_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void ur_random(uint64_t seed, uint32_t stream, uint64_t step, uint32_t index, uint32_t out[4])
{
    UR__NEED_OR(out, "out", );
    const uint32_t counter[4] = {index, (uint32_t)step, (uint32_t)(step >> 32), stream};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    ur__philox(counter, key, out);
}

double ur_random_uniform(uint64_t seed, uint32_t stream, uint64_t step, uint32_t index)
{
    uint32_t r[4];
    ur_random(seed, stream, step, index, r);
    /* 27 bits of the first word above 26 of the second, times 2^-53: exact. */
    uint64_t bits = (uint64_t)(r[0] >> 5) << 26 | r[1] >> 6;
    return (double)bits * 0x1p-53;
}
