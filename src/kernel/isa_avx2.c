/* SPDX-License-Identifier: MIT */
/* The table for AVX2 with FMA (x86-64 since 2013). */
#include "kernel/isa.h"

#if defined(__x86_64__) && !defined(UR_DOUBLE)

#if !defined(__AVX2__) || !defined(__FMA__)
#error "compile isa_avx2.c with -mavx2 -mfma"
#endif

#include "kernel/vec_avx2.h"

#include "kernel/math.inc"

#include "kernel/sum.inc"

#include "kernel/elem.inc"

#include "kernel/gate.inc"

#include "kernel/optim.inc"

#include "kernel/gemm.inc"

#define TABLE ur__kernel_avx2
#define TABLE_NAME "avx2"
#include "kernel/table.inc"

#else
typedef int ur__kernel_avx2_unused; /* a translation unit may not be empty */
#endif
