/* SPDX-License-Identifier: MIT */
/* The floating-point mode of a thread. A host may have asked for flush-to-zero
 * or another rounding (audio software and -ffast-math start-up code do), and
 * threads inherit their creator's mode: every region sets the IEEE default. */
#include "base/fpmode.h"

#if defined(__SSE__)

#include <xmmintrin.h>

/* MXCSR after reset: round to nearest, all exceptions masked, no flush to zero,
 * no denormals-are-zero, no flags (Intel SDM, volume 1, 10.2.3). */
#define MXCSR_DEFAULT 0x1f80u

unsigned ur__fpmode_default(void)
{
    unsigned old = _mm_getcsr();
    if (old != MXCSR_DEFAULT)
        _mm_setcsr(MXCSR_DEFAULT);
    return old;
}

void ur__fpmode_restore(unsigned mode)
{
    _mm_setcsr(mode);
}

#elif defined(__aarch64__)

/* FPCR 0: round to nearest, no traps, no flush to zero, IEEE NaNs (Arm ARM,
 * C5.2.8). Its upper half is reserved. */
unsigned ur__fpmode_default(void)
{
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    if (old != 0)
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
    return (unsigned)old;
}

void ur__fpmode_restore(unsigned mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)mode) : "memory");
}

#else

unsigned ur__fpmode_default(void)
{
    return 0;
}

void ur__fpmode_restore(unsigned mode)
{
    (void)mode;
}

#endif
