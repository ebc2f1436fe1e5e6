/* SPDX-License-Identifier: MIT */
#if defined(__APPLE__)
#include <sys/random.h>
#else
#define _DEFAULT_SOURCE
#endif
#include "base/siphash.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Figure 2.1 of the paper, n times. */
static void mix(uint64_t v[4], int n)
{
    for (int i = 0; i < n; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

/* n <= 8 bytes, the first the lowest. */
static uint64_t load(const unsigned char *from, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)from[i] << 8 * i;
    return x;
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
}

uint64_t ur__siphash(const uint64_t key[2], const void *bytes, size_t n)
{
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
        key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u,
    };
    const unsigned char *from = bytes;
    size_t whole = n & ~(size_t)7;
    for (size_t at = 0; at < whole; at += 8)
        absorb(v, load(from + at, 8));
    absorb(v, (uint64_t)n << 56 | load(from + whole, n & 7));
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void ur__siphash_key(uint64_t key[2], const void *object)
{
    static atomic_uint count;
    if (getentropy(key, 2 * sizeof *key) == 0)
        return;
    /* A system without: addresses, which are drawn when a process starts, and a number. */
    key[0] = (uint64_t)(uintptr_t)object ^ (uint64_t)atomic_fetch_add(&count, 1) << 48;
    key[1] = (uint64_t)(uintptr_t)&count;
}
