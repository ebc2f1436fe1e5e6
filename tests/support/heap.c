/* SPDX-License-Identifier: MIT */
/* Each block begins with its size. */
#include "support/heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unroll/base.h"

enum { ROOM = 16 };     /* for the size, without loss of alignment */

/* Sanitizers map and unmap a large block each time, which is all that a fuzzer of texts
 * would do: a few are kept. */
enum { LARGE = 1 << 17, KEPT = 4 };
static struct {
    unsigned char *base;
    size_t bytes;
} kept[KEPT];

static void *take_kept(size_t bytes)
{
    for (int i = 0; i < KEPT; i++) {
        if (kept[i].base && kept[i].bytes == bytes) {
            unsigned char *base = kept[i].base;
            kept[i].base = NULL;
            return base;
        }
    }
    return NULL;
}

static bool keep(unsigned char *base, size_t bytes)
{
    for (int i = 0; i < KEPT && bytes >= LARGE && bytes < 8 * LARGE; i++) {
        if (!kept[i].base) {
            kept[i].base = base;
            kept[i].bytes = bytes;
            return true;
        }
    }
    return false;
}

static size_t now, most, mark;

static void *resize(void *p, size_t bytes)
{
    size_t old = 0;
    unsigned char *base = p ? (unsigned char *)p - ROOM : NULL;
    if (base)
        memcpy(&old, base, sizeof old);
    if (bytes == 0) {
        if (!keep(base, old))
            free(base);
        now -= old;
        return NULL;
    }
    unsigned char *block = base ? NULL : take_kept(bytes);
    if (!block)
        block = bytes < SIZE_MAX - ROOM ? realloc(base, bytes + ROOM) : NULL;
    if (!block)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    /* While it moves a block is there twice. */
    most = now + bytes > most ? now + bytes : most;
    now += bytes - old;
    return block + ROOM;
}

static void *allocate(void *user, void *p, size_t bytes)
{
    (void)user;
    return resize(p, bytes);
}

void heap_watch(void)
{
    ur_set_allocator(allocate, NULL);
}

size_t heap_now(void)
{
    return now;
}

void heap_mark(void)
{
    most = mark = now;
}

size_t heap_taken(void)
{
    return most - mark;
}

size_t heap_allowed(size_t file, size_t header)
{
    return 2 * file + 64 * header + ((size_t)1 << 20);
}

size_t heap_header(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t header = 0;
    if (n < 8)
        return 0;
    for (int i = 7; i >= 0; i--)
        header = header << 8 | at[i];
    return header <= n - 8 ? (size_t)header : 0;
}
