/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "support/faults.h"
#include "support/heap.h"
#include "support/memory_file.h"
#include "support/small_state.h"

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
    FUZZ_CHECK(memory_files_open() == 0);
}

static bool is_refusal(ur_status status)
{
    return status == UR_EFORMAT || status == UR_EDATA || status == UR_EVERSION ||
           status == UR_ENUMERIC || status == UR_EINVAL || status == UR_ESHAPE;
}

static void check_message(void)
{
    const char *message = ur_errmsg();
    FUZZ_CHECK(*message && ur__is_utf8(message) && ur__is_plain(message));
}

void fuzz_refused(ur_status status, size_t size, size_t header)
{
    FUZZ_CHECK(is_refusal(status));
    FUZZ_CHECK(heap_taken() <= heap_allowed(size, header));
    check_message();
}

/* ---- planned failures -------------------------------------------------- */

enum { PLAN_MARK = 0xff, PLAN_SIZE = 4 };

/* The first two are of memory: an allocation, and all after it. */
static const enum memory_fault faults[] = {
    MEMORY_SOUND, MEMORY_SOUND, MEMORY_EIO, MEMORY_EIO_ALL, MEMORY_EINTR, MEMORY_EINTR_ALL,
    MEMORY_SHORT, MEMORY_PIPE, MEMORY_SHRINKS, MEMORY_GROWS,
};

size_t fuzz_plan_size(const uint8_t *data, size_t size)
{
    return size >= PLAN_SIZE && data[0] == PLAN_MARK ? PLAN_SIZE : 0;
}

/* Is the status one that the failure explains? */
static bool is_explained(enum memory_fault fault, ur_status status)
{
    switch (fault) {
    case MEMORY_SOUND:
        return status == UR_ENOMEM;
    case MEMORY_EINTR:
    case MEMORY_SHORT:
        return false;
    case MEMORY_SHRINKS:
    case MEMORY_GROWS:      /* perhaps it was opened as another file */
        return status == UR_OK || status == UR_EINPUT || is_refusal(status);
    default:
        return status == UR_EINPUT || status == UR_EOUTPUT;
    }
}

/* Among them what could not be removed when that failed. */
static void forget_files(void)
{
    memory_files_off();
    memory_files_on();
}

static ur_status once(fuzz_work work, const uint8_t *data, size_t size)
{
    fuzz_begin();
    ur_status status = work(data, size);
    forget_files();
    fuzz_end();
    return status;
}

void fuzz_plan(const uint8_t **data, size_t *size, fuzz_work work)
{
    size_t n = fuzz_plan_size(*data, *size);
    const uint8_t *plan = *data;
    *data += n;
    *size -= n;
    if (n == 0)
        return;
    int what = plan[1] % (int)(sizeof faults / sizeof *faults);
    long at = 1 + plan[2] + 256L * plan[3];
    ur_status sound = once(work, *data, *size);
    fuzz_begin();
    ur__clear_error();
    long refusals = ur__mem_refusals();
    if (faults[what] == MEMORY_SOUND)
        ur__mem_fail_at(at, what == 1);
    memory_files_fail(faults[what], at);
    ur_status status = work(*data, *size);
    bool struck = ur__mem_refusals() > refusals || memory_files_failed() > 0;
    ur__mem_fail_at(0, false);
    forget_files();
    FUZZ_CHECK(status == sound || (struck && is_explained(faults[what], status)));
    if (status != UR_OK)
        check_message();
    fuzz_end();
}

/* ---- checksums --------------------------------------------------------- */

void fuzz_repair(uint8_t *data, size_t size, const char *const *keys)
{
    static const char mark[] = "\"checksum\":\"";
    char sum[9];
    struct ur__st_file *f;
    bool known = ur__st_open_memory(&f, data, size, NULL) == UR_OK && file_checksum(f, keys, sum);
    ur__st_close(f);
    for (size_t i = 8; known && i + sizeof mark + 8 < size; i++) {
        if (memcmp(data + i, mark, sizeof mark - 1) == 0) {
            memcpy(data + i + sizeof mark - 1, sum, 8);
            break;
        }
    }
}
