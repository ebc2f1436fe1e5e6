/* SPDX-License-Identifier: MIT */
/* The vocabulary for AVX2 with FMA3: 8 reals, 16 registers. */
#ifndef UR_KERNEL_VEC_AVX2_H
#define UR_KERNEL_VEC_AVX2_H

#include "kernel/vec_common.h"

#include <immintrin.h>

#define LANES 8
#define MR 3
#define MC 96
#define KC 256

typedef __m256 vec;
typedef uint32_t uvec __attribute__((vector_size(32)));
typedef int32_t ivec __attribute__((vector_size(32)));
typedef __m256 mask;

INLINE vec v_set1(ur_real x)
{
    return _mm256_set1_ps(x);
}

INLINE uvec u_set1(bits x)
{
    return (uvec)_mm256_set1_epi32((int)x);
}

INLINE vec v_load(const ur_real *p)
{
    return _mm256_loadu_ps(p);
}

INLINE void v_store(ur_real *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

/* All ones in the first n lanes. */
INLINE __m256i first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vec v_loadn(const ur_real *p, int n)
{
    return _mm256_maskload_ps(p, first(n));
}

INLINE void v_storen(ur_real *p, int n, vec v)
{
    _mm256_maskstore_ps(p, first(n), v);
}

INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vec v_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

INLINE vec v_sqrt(vec x)
{
    return _mm256_sqrt_ps(x);
}

INLINE vec u_real(uvec u)
{
    return _mm256_cvtepi32_ps((__m256i)u);
}

INLINE void u_mul_wide(uvec a, uint32_t b, uvec *high, uvec *low)
{
    const __m256i m = _mm256_set1_epi32((int)b), odd_lanes = _mm256_srli_epi64((__m256i)a, 32);
    const __m256i even = _mm256_mul_epu32((__m256i)a, m), odd = _mm256_mul_epu32(odd_lanes, m);
    *high = (uvec)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    *low = (uvec)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

INLINE mask v_lt(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

INLINE mask v_ne(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ);
}

INLINE vec v_sel(mask m, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, m);
}

INLINE mask m_none(void)
{
    return _mm256_setzero_ps();
}

INLINE mask m_or(mask a, mask b)
{
    return _mm256_or_ps(a, b);
}

INLINE bool m_any(mask m)
{
    return _mm256_movemask_ps(m) != 0;
}

INLINE vec v_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

INLINE vec v_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

#endif
