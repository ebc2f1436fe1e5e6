/* SPDX-License-Identifier: MIT */
/* The vocabulary for AVX-512 (F, VL, BW, DQ): 16 reals, 32 registers, masks. */
#ifndef UR_KERNEL_VEC_AVX512_H
#define UR_KERNEL_VEC_AVX512_H

#include "kernel/vec_common.h"

#include <immintrin.h>

#define LANES 16
#define MR 6
#define MC 96
#define KC 256

typedef __m512 vec;
typedef uint32_t uvec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));
typedef __mmask16 mask;

INLINE vec v_set1(ur_real x)
{
    return _mm512_set1_ps(x);
}

INLINE uvec u_set1(bits x)
{
    return (uvec)_mm512_set1_epi32((int)x);
}

INLINE vec v_load(const ur_real *p)
{
    return _mm512_loadu_ps(p);
}

INLINE void v_store(ur_real *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

/* The first n lanes. */
INLINE mask first(int n)
{
    return (mask)((1u << n) - 1);
}

INLINE vec v_loadn(const ur_real *p, int n)
{
    return _mm512_maskz_loadu_ps(first(n), p);
}

INLINE void v_storen(ur_real *p, int n, vec v)
{
    _mm512_mask_storeu_ps(p, first(n), v);
}

INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vec v_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

INLINE vec v_sqrt(vec x)
{
    return _mm512_sqrt_ps(x);
}

INLINE vec u_real(uvec u)
{
    return _mm512_cvtepi32_ps((__m512i)u);
}

INLINE void u_mul_wide(uvec a, uint32_t b, uvec *high, uvec *low)
{
    const __m512i m = _mm512_set1_epi32((int)b), odd_lanes = _mm512_srli_epi64((__m512i)a, 32);
    const __m512i even = _mm512_mul_epu32((__m512i)a, m), odd = _mm512_mul_epu32(odd_lanes, m);
    *high = (uvec)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    *low = (uvec)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

INLINE mask v_lt(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

INLINE mask v_ne(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ);
}

INLINE vec v_sel(mask m, vec a, vec b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

INLINE mask m_none(void)
{
    return 0;
}

INLINE mask m_or(mask a, mask b)
{
    return (mask)(a | b);
}

INLINE bool m_any(mask m)
{
    return m != 0;
}

INLINE vec v_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

INLINE vec v_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

#endif
