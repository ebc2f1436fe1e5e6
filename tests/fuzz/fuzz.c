/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/heap.h"
#include "support/memory_file.h"

static long blocks;
static size_t held;

void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s does not hold (last message: %s)\n", file, line, what, ur_errmsg());
    abort();
}

void fuzz_start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    heap_watch();
    memory_files_on();
}

void fuzz_begin(void)
{
    fuzz_start();
    blocks = ur__mem_blocks();
    held = heap_now();
    heap_mark();
}

void fuzz_end(void)
{
    FUZZ_CHECK(ur__mem_blocks() == blocks);
    FUZZ_CHECK(heap_now() == held);
}

void fuzz_refused(ur_status status, size_t size, size_t header)
{
    const char *message = ur_errmsg();
    FUZZ_CHECK(status == UR_EFORMAT || status == UR_EDATA || status == UR_EVERSION ||
               status == UR_ENUMERIC || status == UR_EINVAL || status == UR_ESHAPE);
    FUZZ_CHECK(heap_taken() <= heap_allowed(size, header));
    FUZZ_CHECK(*message && ur__is_utf8(message) && !ur__has_control(message));
}
