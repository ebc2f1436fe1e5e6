/* SPDX-License-Identifier: MIT */
#include "data/numbers.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"

#define SPOOL_AT ((size_t)64 << 20)
#define PIECE 4096                      /* numbers converted at a time, on the stack */

static size_t spool_at = SPOOL_AT;

void ur__numbers_set_spool_at(size_t bytes)
{
    spool_at = bytes ? bytes : SPOOL_AT;
}

void ur__numbers_free(struct ur__numbers *a)
{
    ur__free(a->data);
    ur__spool_free(a->spool);
    *a = (struct ur__numbers){0};
}

void ur__numbers_clear(struct ur__numbers *a)
{
    if (a->spool)
        ur__numbers_free(a);
    a->n = 0;
    a->size = 0;
    a->width = 0;
}

/* ---- widths ------------------------------------------------------------ */

static void narrow(int width, size_t n, const uint32_t *from, unsigned char *to)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t two = (uint16_t)from[i];
        if (width == 1)
            to[i] = (unsigned char)from[i];
        else if (width == 2)
            memcpy(to + 2 * i, &two, 2);
        else
            memcpy(to + 4 * i, from + i, 4);
    }
}

static void widen(int width, size_t n, const unsigned char *from, uint32_t *to)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t two;
        if (width == 1) {
            to[i] = from[i];
        } else if (width == 2) {
            memcpy(&two, from + 2 * i, 2);
            to[i] = two;
        } else {
            memcpy(to + i, from + 4 * i, 4);
        }
    }
}

/* ---- keeping ----------------------------------------------------------- */

static ur_status reserve(struct ur__numbers *a, size_t more)
{
    if (a->size + more <= a->capacity)
        return UR_OK;
    size_t capacity = 2 * a->capacity < spool_at ? 2 * a->capacity : spool_at;
    if (capacity < a->size + more)
        capacity = a->size + more;
    unsigned char *data = ur__realloc(a->data, capacity, 1);
    if (!data)
        return UR_ENOMEM;
    a->data = data;
    a->capacity = capacity;
    return UR_OK;
}

static ur_status put_bytes(struct ur__numbers *a, const void *bytes, size_t n)
{
    if (!a->spool && a->size + n > spool_at) {
        UR__TRY(ur__spool_new(&a->spool));
        if (a->size)
            UR__TRY(ur__spool_append(a->spool, a->data, a->size));
        ur__free(a->data);
        a->data = NULL;
        a->size = a->capacity = 0;
    }
    if (a->spool)
        return ur__spool_append(a->spool, bytes, n);
    UR__TRY(reserve(a, n));
    memcpy(a->data + a->size, bytes, n);
    a->size += n;
    return UR_OK;
}

static ur_status put(struct ur__numbers *a, size_t n, const uint32_t *number)
{
    for (size_t done = 0; done < n; done += PIECE) {
        unsigned char bytes[4 * PIECE];
        size_t m = n - done < PIECE ? n - done : PIECE;
        narrow(a->width, m, number + done, bytes);
        UR__TRY(put_bytes(a, bytes, m * (size_t)a->width));
        a->n += (int64_t)m;
    }
    return UR_OK;
}

/* Makes every number `width` bytes wide. */
static ur_status change_width(struct ur__numbers *a, int width)
{
    struct ur__numbers wide = {.width = width};
    ur_status status = UR_OK;
    for (int64_t at = 0; at < a->n && status == UR_OK; at += PIECE) {
        uint32_t number[PIECE];
        size_t n = a->n - at < PIECE ? (size_t)(a->n - at) : PIECE;
        status = ur__numbers_read(a, at, n, number);
        if (status == UR_OK)
            status = put(&wide, n, number);
    }
    if (status != UR_OK) {
        ur__numbers_free(&wide);
        return status;
    }
    ur__numbers_free(a);
    *a = wide;
    return UR_OK;
}

ur_status ur__numbers_put(struct ur__numbers *a, size_t n, const uint32_t *number, uint32_t most)
{
    int width = most < 256 ? 1 : most < 65536 ? 2 : 4;
    if (width > a->width)
        UR__TRY(change_width(a, width));
    return put(a, n, number);
}

ur_status ur__numbers_read(struct ur__numbers *a, int64_t begin, size_t n, uint32_t *number)
{
    size_t width = (size_t)a->width;
    for (size_t done = 0; done < n; done += PIECE) {
        unsigned char piece[4 * PIECE];
        const unsigned char *from = piece;
        size_t m = n - done < PIECE ? n - done : PIECE, at = ((size_t)begin + done) * width;
        if (a->spool)
            UR__TRY(ur__spool_read(a->spool, at, piece, m * width));
        else
            from = a->data + at;
        widen(a->width, m, from, number + done);
    }
    return UR_OK;
}
