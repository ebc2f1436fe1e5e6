/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 of ISO 3309 and gzip (RFC 1952, section 8), eight bytes at a time: Kounavis and
 * Berry, "Novel table lookup-based algorithms for high-performance CRC generation", 2008.
 * One look-up waits for the one before it, so four sums run side by side, each of every
 * fourth eight bytes, until they are added up over the last ones.
 *
 * near[k][i] is what byte i does k bytes later, far[k][i] what it does 24 bytes after that. It
 * is linear in the bits of i, so the eight entries of a single bit, given here from bit 0 on,
 * make all others.
 */
#include "io/file.h"

#define BIT(i, b, x) ((x) & (0u - ((unsigned)(i) >> (b) & 1u)))
#define ENTRY(i, a, b, c, d, e, f, g, h)                                      \
    (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^              \
     BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))
#define FOUR(i, ...)                                                          \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__), \
        ENTRY((i) + 3, __VA_ARGS__)
#define SIXTEEN(i, ...)                                                       \
    FOUR(i, __VA_ARGS__), FOUR((i) + 4, __VA_ARGS__), FOUR((i) + 8, __VA_ARGS__), \
        FOUR((i) + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...)                                                    \
    SIXTEEN(i, __VA_ARGS__), SIXTEEN((i) + 16, __VA_ARGS__),                  \
        SIXTEEN((i) + 32, __VA_ARGS__), SIXTEEN((i) + 48, __VA_ARGS__)
#define ROW(...)                                                              \
    SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__),                  \
        SIXTY_FOUR(128, __VA_ARGS__), SIXTY_FOUR(192, __VA_ARGS__)

typedef const uint32_t tables[8][256];

static tables near = {
    {ROW(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832,
         0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320)},
    {ROW(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08,
         0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b)},
    {ROW(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8,
         0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80)},
    {ROW(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef,
         0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b)},
    {ROW(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1,
         0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092)},
    {ROW(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d,
         0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8)},
    {ROW(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67,
         0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2)},
    {ROW(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5,
         0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da)},
};

static tables far = {
    {ROW(0xa58b900e, 0x9066265d, 0xfbbd4afb, 0x2c0b93b7,
         0x5817276e, 0xb02e4edc, 0xbb2d9bf9, 0xad2a31b3)},
    {ROW(0xe71da697, 0x154a4b6f, 0x2a9496de, 0x55292dbc,
         0xaa525b78, 0x8fd5b0b1, 0xc4da6723, 0x52c5c807)},
    {ROW(0x6e8c1b41, 0xdd183682, 0x61416b45, 0xc282d68a,
         0x5e74ab55, 0xbce956aa, 0xa2a3ab15, 0x9e36506b)},
    {ROW(0x01b5fd1d, 0x036bfa3a, 0x06d7f474, 0x0dafe8e8,
         0x1b5fd1d0, 0x36bfa3a0, 0x6d7f4740, 0xdafe8e80)},
    {ROW(0x6307d924, 0xc60fb248, 0x576e62d1, 0xaedcc5a2,
         0x86c88d05, 0xd6e01c4b, 0x76b13ed7, 0xed627dae)},
    {ROW(0x3c60e308, 0x78c1c610, 0xf1838c20, 0x38761e01,
         0x70ec3c02, 0xe1d87804, 0x18c1f649, 0x3183ec92)},
    {ROW(0x0ee7e8d1, 0x1dcfd1a2, 0x3b9fa344, 0x773f4688,
         0xee7e8d10, 0x078c1c61, 0x0f1838c2, 0x1e307184)},
    {ROW(0xf1da05aa, 0x38c50d15, 0x718a1a2a, 0xe3143454,
         0x1d596ee9, 0x3ab2ddd2, 0x7565bba4, 0xeacb7748)},
};

static uint64_t load(const unsigned char *at)
{
    return at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

static inline uint32_t eight(tables t, uint64_t x)
{
    return t[7][x & 255] ^ t[6][x >> 8 & 255] ^ t[5][x >> 16 & 255] ^ t[4][x >> 24 & 255] ^
           t[3][x >> 32 & 255] ^ t[2][x >> 40 & 255] ^ t[1][x >> 48 & 255] ^ t[0][x >> 56];
}

uint32_t ur__crc32(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t a = ~crc, b = 0, c = 0, d = 0;
    for (; n >= 64; n -= 32, at += 32) {
        a = eight(far, load(at) ^ a);
        b = eight(far, load(at + 8) ^ b);
        c = eight(far, load(at + 16) ^ c);
        d = eight(far, load(at + 24) ^ d);
    }
    for (; n >= 8; n -= 8, at += 8) {
        a = eight(near, load(at) ^ a) ^ b;
        b = c;
        c = d;
        d = 0;
    }
    for (; n > 0; n--)
        a = near[0][(a ^ *at++) & 255] ^ a >> 8;
    return ~a;
}
