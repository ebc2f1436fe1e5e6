/* SPDX-License-Identifier: MIT */
/* The two loops that find a core's limits, compiled once for each instruction set. */
#include VEC_HEADER

#include "limits.h"

#define CAT2(a, b) a##b
#define CAT(a, b) CAT2(a, b)

enum { CHAINS = 12 };   /* enough to hide the latency of two units; fits sixteen registers */

double CAT(limits_fma_, ISA)(long rounds, float *sink)
{
    vec c[CHAINS];
    const vec a = v_set1(sink[0]), b = v_set1(sink[1]);
    for (int i = 0; i < CHAINS; i++)
        c[i] = v_set1((float)i);
    for (long r = 0; r < rounds; r++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            c[i] = v_fma(c[i], a, b);
    }
    for (int i = 1; i < CHAINS; i++)
        c[0] = c[0] + c[i];
    v_store(sink, c[0]);
    return 2.0 * LANES * CHAINS * (double)rounds;
}

void CAT(limits_read_, ISA)(const float *p, size_t n, float *sink)
{
    vec c[8];
    for (int i = 0; i < 8; i++)
        c[i] = v_set1(0.0f);
    for (size_t k = 0; k + 8 * LANES <= n; k += 8 * LANES) {
        UNROLL
        for (int i = 0; i < 8; i++)
            c[i] = c[i] + v_load(p + k + i * LANES);
    }
    for (int i = 1; i < 8; i++)
        c[0] = c[0] + c[i];
    v_store(sink, c[0]);
}
