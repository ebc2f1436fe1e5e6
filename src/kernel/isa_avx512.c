/* SPDX-License-Identifier: MIT */
/* The table for AVX-512 (F, VL, BW, DQ). */
#include "kernel/isa.h"

#if defined(__x86_64__) && !defined(UR_DOUBLE)

#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512BW__) || \
    !defined(__AVX512DQ__)
#error "compile isa_avx512.c with -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma"
#endif

#include "kernel/vec_avx512.h"

#include "kernel/math.inc"

#include "kernel/sum.inc"

#include "kernel/elem.inc"

#include "kernel/gate.inc"

#include "kernel/optim.inc"

#include "kernel/gemm.inc"

#define TABLE ur__kernel_avx512
#define TABLE_NAME "avx512"
#include "kernel/table.inc"

#else
typedef int ur__kernel_avx512_unused; /* a translation unit may not be empty */
#endif
