/* SPDX-License-Identifier: MIT */
#ifndef UR_BENCH_LIMITS_H
#define UR_BENCH_LIMITS_H

#include <stddef.h>

/* For each instruction set: multiply-adds of registers (returns the FLOP; sink[16] holds the
 * factor and the addend, then the result), and n floats read from memory. */
#define LIMITS_ISA(isa)                                              \
    double limits_fma_##isa(long rounds, float *sink);               \
    void limits_read_##isa(const float *p, size_t n, float *sink);

LIMITS_ISA(avx512)
LIMITS_ISA(avx2)
LIMITS_ISA(neon)
LIMITS_ISA(scalar)

#endif
