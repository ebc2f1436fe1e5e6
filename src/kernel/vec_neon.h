/* SPDX-License-Identifier: MIT */
/* The vocabulary for NEON as 64-bit ARM has it (FMA, division and square root are
 * always there): 4 reals, 32 registers. */
#ifndef UR_KERNEL_VEC_NEON_H
#define UR_KERNEL_VEC_NEON_H

#include "kernel/vec_common.h"

#include <arm_neon.h>

#define LANES 4
#define MR 6
#define MC 96
#define KC 256

typedef float32x4_t vec;
typedef uint32x4_t uvec;
typedef int32x4_t ivec;
typedef uint32x4_t mask;

INLINE vec v_set1(ur_real x)
{
    return vdupq_n_f32(x);
}

INLINE uvec u_set1(bits x)
{
    return vdupq_n_u32(x);
}

INLINE vec v_load(const ur_real *p)
{
    return vld1q_f32(p);
}

INLINE void v_store(ur_real *p, vec v)
{
    vst1q_f32(p, v);
}

/* NEON has no masks in memory: a pair, then a single one. */
INLINE vec v_loadn(const ur_real *p, int n)
{
    const vec zero = vdupq_n_f32(0);
    if (n < 2)
        return n < 1 ? zero : vld1q_lane_f32(p, zero, 0);
    const vec pair = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    return n < 3 ? pair : vld1q_lane_f32(p + 2, pair, 2);
}

INLINE void v_storen(ur_real *p, int n, vec v)
{
    if (n >= 2)
        vst1_f32(p, vget_low_f32(v));
    if (n == 1)
        vst1q_lane_f32(p, v, 0);
    else if (n == 3)
        vst1q_lane_f32(p + 2, v, 2);
}

INLINE vec v_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

INLINE vec v_fnma(vec a, vec b, vec c)
{
    return vfmsq_f32(c, a, b);
}

INLINE vec v_sqrt(vec x)
{
    return vsqrtq_f32(x);
}

INLINE vec u_real(uvec u)
{
    return vcvtq_f32_s32(vreinterpretq_s32_u32(u));
}

INLINE void u_mul_wide(uvec a, uint32_t b, uvec *high, uvec *low)
{
    const uvec first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(a), b));
    const uvec second = vreinterpretq_u32_u64(vmull_n_u32(vget_high_u32(a), b));
    *high = vuzp2q_u32(first, second);
    *low = vuzp1q_u32(first, second);
}

INLINE mask v_lt(vec a, vec b)
{
    return vcltq_f32(a, b);
}

INLINE mask v_ne(vec a, vec b)
{
    return vmvnq_u32(vceqq_f32(a, b));
}

INLINE vec v_sel(mask m, vec a, vec b)
{
    return vbslq_f32(m, a, b);
}

INLINE mask m_none(void)
{
    return vdupq_n_u32(0);
}

INLINE mask m_or(mask a, mask b)
{
    return vorrq_u32(a, b);
}

INLINE bool m_any(mask m)
{
    return vmaxvq_u32(m) != 0;
}

/* NEON's own minimum and maximum give NaN if one is NaN and order the zeros. */
INLINE vec v_min(vec a, vec b)
{
    mask m = v_lt(a, b);
    OPAQUE(m);
    return v_sel(m, a, b);
}

INLINE vec v_max(vec a, vec b)
{
    mask m = v_lt(b, a);
    OPAQUE(m);
    return v_sel(m, a, b);
}

#endif
