/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 of ISO 3309 and gzip (RFC 1952, section 8), eight bytes at a time: Kounavis and
 * Berry, "Novel table lookup-based algorithms for high-performance CRC generation", 2008.
 *
 * table[k][i] is what byte i does k bytes later. It is linear in the bits of i, so the eight
 * entries of a single bit, given here from bit 0 on, make all others.
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

static const uint32_t table[8][256] = {
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

static uint32_t load(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t ur__crc32(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; n >= 8; n -= 8, at += 8) {
        uint32_t a = load(at) ^ crc, b = load(at + 4);
        crc = table[7][a & 255] ^ table[6][a >> 8 & 255] ^ table[5][a >> 16 & 255] ^
              table[4][a >> 24] ^ table[3][b & 255] ^ table[2][b >> 8 & 255] ^
              table[1][b >> 16 & 255] ^ table[0][b >> 24];
    }
    for (; n > 0; n--)
        crc = table[0][(crc ^ *at++) & 255] ^ crc >> 8;
    return ~crc;
}
