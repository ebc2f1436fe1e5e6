/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the kernel floor share. Every array that a kernel sees ends at a
 * page that may not be touched (one element too far is a crash) and begins behind a
 * strip of canaries; as lengths vary, so does its alignment.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/select.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 12
#define SLOT_REALS ((size_t)1 << 20)
#define CANARIES 64
#define CANARY ((ur_real)-12345.678)

static struct slot {
    ur_real *end;   /* the forbidden page */
    ur_real *begin; /* of the array now in it */
} slots[SLOTS];

/* n uninitialised reals that end at the forbidden page of a slot. */
static inline ur_real *guarded(int slot, size_t n)
{
    struct slot *s = &slots[slot];
    assert_true(n + CANARIES <= SLOT_REALS);
    if (s->end == NULL) {
        const size_t bytes = SLOT_REALS * sizeof(ur_real);
        char *p = mmap(NULL, bytes + (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(p != MAP_FAILED);
        assert_int_equal(mprotect(p + bytes, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE), 0);
        s->end = (ur_real *)(void *)(p + bytes);
    }
    s->begin = s->end - n;
    for (int i = 1; i <= CANARIES; i++)
        s->begin[-i] = CANARY;
    return s->begin;
}

static inline void check_canaries(void)
{
    for (int s = 0; s < SLOTS; s++) {
        for (int i = 1; slots[s].begin != NULL && i <= CANARIES; i++) {
            if (slots[s].begin[-i] < CANARY || slots[s].begin[-i] > CANARY)
                fail_msg("slot %d: canary %d before the array is gone", s, i);
        }
    }
}

static uint64_t test_state = 88172645463325252u;

static inline uint64_t test_random(void)
{
    test_state ^= test_state << 13;
    test_state ^= test_state >> 7;
    test_state ^= test_state << 17;
    return test_state;
}

static inline int test_below(int n)
{
    return (int)(test_random() % (uint64_t)n);
}

/* Uniform in [lo, hi). */
static inline ur_real test_real(double lo, double hi)
{
    return (ur_real)(lo + (hi - lo) * (double)(test_random() >> 11) * 0x1p-53);
}

static inline void fill(ur_real *p, size_t n, double lo, double hi)
{
    for (size_t i = 0; i < n; i++)
        p[i] = test_real(lo, hi);
}

static inline ur_real *filled(int slot, size_t n, double lo, double hi)
{
    fill(guarded(slot, n), n, lo, hi);
    return slots[slot].begin;
}

static inline ur_real *copied(int slot, const ur_real *from, size_t n)
{
    ur_real *p = guarded(slot, n);
    memcpy(p, from, n * sizeof *p);
    return p;
}

static inline ur_real bits_real(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return (ur_real)f;
}

/* |y - exact| in units of the last place of a float of exact's size. */
static inline double ulps(ur_real y, double exact)
{
    if (isnan(exact))
        return isnan(y) ? 0 : HUGE_VAL;
    if (fabs(exact) >= 0x1.ffffffp127)
        return isinf(y) && (y > 0) == (exact > 0) ? 0 : HUGE_VAL;
    if (isnan(y))
        return HUGE_VAL;
    int e;
    frexp(exact, &e);
    const double unit = ldexp(1.0, (e - 1 < -126 ? -126 : e - 1) - 23);
    if (isinf(y)) /* one step beyond the largest float */
        return (0x1p128 - fabs(exact)) / unit + ((y > 0) == (exact > 0) ? 0 : HUGE_VAL);
    return fabs((double)y - exact) / unit;
}

static inline void check_close(const char *what, const ur_real *y, const double *exact, size_t n,
                               double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        const double error = fabs((double)y[i] - exact[i]) / fmax(1.0, fabs(exact[i]));
        if (!(error <= tolerance))
            fail_msg("%s: element %zu of %zu is %.9g, not %.9g: error %.3g, not %.3g", what, i, n,
                     (double)y[i], exact[i], error, tolerance);
    }
}

/* Equal bits; a NaN, whose sign and payload mean nothing, equals any other. */
static inline void check_bits(const char *what, const char *table, const ur_real *y,
                              const ur_real *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&y[i], &expected[i], sizeof *y) != 0 && !(isnan(y[i]) && isnan(expected[i])))
            fail_msg("%s, %s: element %zu of %zu is %a, not %a", what, table, i, n, (double)y[i],
                     (double)expected[i]);
    }
}

/* Lengths round all that vectors, tiles and blocks have for a width. */
static const int lengths[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,  13,
                              14, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 79, 100, 257};
#define N_LENGTHS ((int)(sizeof lengths / sizeof *lengths))

#define EACH_TABLE(k)                                                         \
    for (const struct ur__kernel *const *each_ = ur__kernels_available(), *k; \
         (k = *each_) != NULL; each_++)

#endif
