/* SPDX-License-Identifier: MIT */
/*
 * What every vector vocabulary shares. A vocabulary (vec_*.h) defines
 *   LANES, MR         reals in a vector (a divisor of 16), rows of gemm's tile
 *   MC, KC            rows and depth of gemm's cache block
 *   vec, uvec, mask   reals; unsigned integers of the same width; one truth a lane
 *   v_set1 u_set1 v_load v_loadn v_store v_storen (n < LANES elements, zeros read
 *   beyond them, memory beyond them untouched)
 *   v_fma(a,b,c) = a*b + c, v_fnma = c - a*b, rounded once; v_sqrt
 *   v_lt v_ne (ordered, but v_ne(x,x) is "x is NaN"), v_sel(m,a,b) = m ? a : b,
 *   m_or, m_any, m_none
 *   v_min(a,b) = a < b ? a : b, v_max(a,b) = a > b ? a : b: both are b if one is NaN,
 *   so a constant comes first to let NaN pass
 * + - * / & | ^ << >> are the compiler's on vec and uvec; (uvec)x, (vec)u keep bits;
 * u_real turns signed integers into reals; u_mul_wide gives both halves of 32 x 32 bits.
 */
#ifndef UR_KERNEL_VEC_COMMON_H
#define UR_KERNEL_VEC_COMMON_H

#include "unroll/base.h"

#define INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* For the mask of v_min and v_max, unseen by the optimizer from there on. clang 14 takes
 * x < 0 ? 0 : x for ARM's own maximum, which makes +0 of x = -0; SSE's does as we do. */
#if defined(__SSE2__)
#define OPAQUE(m) ((void)0)
#elif defined(__aarch64__)
#define OPAQUE(m) __asm__("" : "+w"(m))
#else
#define OPAQUE(m) __asm__("" : "+m"(m))
#endif

#ifdef UR_DOUBLE
typedef uint64_t bits;
typedef int64_t signed_bits;
#define SIGN_BIT UINT64_C(0x8000000000000000)
#define INF_BITS UINT64_C(0x7ff0000000000000)
#else
typedef uint32_t bits;
typedef int32_t signed_bits;
#define SIGN_BIT UINT32_C(0x80000000)
#define INF_BITS UINT32_C(0x7f800000)
#endif

#endif
