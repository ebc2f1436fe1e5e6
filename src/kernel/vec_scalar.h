/* SPDX-License-Identifier: MIT */
/* The vocabulary without an instruction set: 16-byte vectors that the compiler
 * lowers to what the machine has, and FMA lane by lane. */
#ifndef UR_KERNEL_VEC_SCALAR_H
#define UR_KERNEL_VEC_SCALAR_H

#include "kernel/vec_common.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef UR_DOUBLE
#define LANES 2
#else
#define LANES 4
#endif
#define MR 3
#define MC 96
#define KC 128

typedef ur_real vec __attribute__((vector_size(16)));
typedef bits uvec __attribute__((vector_size(16)));
typedef signed_bits ivec __attribute__((vector_size(16)));
typedef uvec mask;

INLINE vec v_set1(ur_real x)
{
#ifdef UR_DOUBLE
    return (vec){x, x};
#else
    return (vec){x, x, x, x};
#endif
}

INLINE uvec u_set1(bits x)
{
#ifdef UR_DOUBLE
    return (uvec){x, x};
#else
    return (uvec){x, x, x, x};
#endif
}

INLINE vec v_load(const ur_real *p)
{
    vec v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

INLINE void v_store(ur_real *p, vec v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

INLINE vec v_loadn(const ur_real *p, int n)
{
    vec v = v_set1(0);
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}

INLINE void v_storen(ur_real *p, int n, vec v)
{
    for (int i = 0; i < n; i++)
        p[i] = v[i];
}

INLINE vec v_fma(vec a, vec b, vec c)
{
#ifdef UR_DOUBLE
    return a * b + c;
#else
    return (vec){__builtin_fmaf(a[0], b[0], c[0]), __builtin_fmaf(a[1], b[1], c[1]),
                 __builtin_fmaf(a[2], b[2], c[2]), __builtin_fmaf(a[3], b[3], c[3])};
#endif
}

INLINE vec v_fnma(vec a, vec b, vec c)
{
    return v_fma(-a, b, c);
}

INLINE vec v_sqrt(vec x)
{
#if defined(__SSE2__) && defined(UR_DOUBLE)
    return _mm_sqrt_pd(x);
#elif defined(__SSE2__)
    return _mm_sqrt_ps(x);
#elif defined(UR_DOUBLE)
    return (vec){__builtin_sqrt(x[0]), __builtin_sqrt(x[1])};
#else
    return (vec){__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]),
                 __builtin_sqrtf(x[3])};
#endif
}

INLINE vec u_real(uvec u)
{
    return __builtin_convertvector((ivec)u, vec);
}

INLINE void u_mul_wide(uvec a, uint32_t b, uvec *high, uvec *low)
{
    bits h[LANES], l[LANES];
    for (int i = 0; i < LANES; i++) {
        const uint64_t p = (uint64_t)a[i] * b;
        h[i] = (bits)(p >> 32);
        l[i] = (uint32_t)p;
    }
    __builtin_memcpy(high, h, sizeof h);
    __builtin_memcpy(low, l, sizeof l);
}

INLINE mask v_lt(vec a, vec b)
{
    return (mask)(a < b);
}

INLINE mask v_ne(vec a, vec b)
{
    return (mask)(a != b);
}

INLINE vec v_sel(mask m, vec a, vec b)
{
    return (vec)((m & (uvec)a) | (~m & (uvec)b));
}

INLINE mask m_none(void)
{
    return u_set1(0);
}

INLINE mask m_or(mask a, mask b)
{
    return a | b;
}

INLINE bool m_any(mask m)
{
    bits any = 0;
    for (int i = 0; i < LANES; i++)
        any |= m[i];
    return any != 0;
}

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
