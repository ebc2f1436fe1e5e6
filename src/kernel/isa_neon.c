/* SPDX-License-Identifier: MIT */
/* The table for NEON on 64-bit ARM, whose every CPU has it. */
#include "kernel/isa.h"

#if defined(__aarch64__) && !defined(UR_DOUBLE)

#if !defined(__ARM_NEON) || !defined(__ARM_FEATURE_FMA)
#error "isa_neon.c wants a compiler that may use NEON"
#endif

#include "kernel/vec_neon.h"

#include "kernel/math.inc"

#include "kernel/sum.inc"

#include "kernel/elem.inc"

#include "kernel/gate.inc"

#include "kernel/optim.inc"

#include "kernel/gemm.inc"

#define TABLE ur__kernel_neon
#define TABLE_NAME "neon"
#include "kernel/table.inc"

#else
typedef int ur__kernel_neon_unused; /* a translation unit may not be empty */
#endif
