/* SPDX-License-Identifier: MIT */
#include "bits.h"

#include "kernel/select.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char name[80];
static uint64_t hash, state;

/* ---- a case ---- */

/* FNV-1a (Fowler, Noll and Vo) */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static uint64_t hashed(uint64_t h, const void *p, size_t n)
{
    const unsigned char *byte = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ byte[i]) * UINT64_C(0x100000001b3);
    return h;
}

void bits_begin(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    hash = HASH_START;
    state = hashed(HASH_START, name, strlen(name));
}

void bits_reals(const ur_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const ur_real one = x[i] != x[i] ? bits_to_real(0x7fc00000) : x[i];
        hash = hashed(hash, &one, sizeof one);
    }
}

void bits_double(double x)
{
    const uint64_t nan = UINT64_C(0x7ff8000000000000);
    hash = hashed(hash, x != x ? (const void *)&nan : &x, sizeof x);
}

void bits_end(void)
{
    printf("%s %016" PRIx64 "\n", name, hash);
}

void bits_end_unsupported(void)
{
    printf("%s unsupported\n", name);
}

void bits_need(bool it, const char *what)
{
    if (it)
        return;
    fprintf(stderr, "bits: %s: %s: %s\n", name, what, ur_errmsg());
    exit(2);
}

/* ---- its numbers ---- */

/* SplitMix64 (Steele, Lea and Flood 2014): nothing that is under test. */
uint64_t bits_random(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int bits_below(int n)
{
    return (int)(bits_random() % (uint64_t)n);
}

ur_real bits_to_real(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return (ur_real)x;
}

void bits_fill(ur_real *x, size_t n, double lo, double hi)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (ur_real)(lo + (hi - lo) * (double)(bits_random() >> 11) * 0x1p-53);
}

void bits_fill_wildly(ur_real *x, size_t n)
{
    static const uint32_t special[] = {
        0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001,
        0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,
        0x3f800000, 0xbf800000, 0x3f7fffff, 0x42b17218, 0xc2cff1b5, 0x0d800000, 0x0d7fffff,
    };
    for (size_t i = 0; i < n; i++) {
        switch (bits_below(4)) {
        case 0:
            x[i] = bits_to_real(special[bits_below((int)(sizeof special / sizeof *special))]);
            break;
        case 1:
            x[i] = bits_to_real((uint32_t)bits_random());
            break;
        default:
            bits_fill(x + i, 1, -9, 9);
            break;
        }
    }
}

/* ---- the program ---- */

int main(int argc, char **argv)
{
    const struct ur__kernel *const *table = ur__kernels_available();
    for (; *table != NULL; table++) {
        if (argc < 2)
            printf("%s\n", (*table)->name);
        else if (strcmp((*table)->name, argv[1]) == 0)
            break;
    }
    if (argc < 2)
        return 0;
    if (*table == NULL) {
        fprintf(stderr, "bits: this machine has no table %s\n", argv[1]);
        return 2;
    }
    ur__kernel_force(*table);
    bits_of_kernels(*table);
    bits_of_nets();
    return fflush(stdout) == 0 ? 0 : 2;
}
