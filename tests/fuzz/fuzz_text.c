/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a text. The first three say how:
 *
 *   [0]  bits 0-1 the kind of token; 2 gzip the rest first; 3 spool at 16 bytes;
 *        4 damage the gzip at [2]; 5 two files
 *   [1]  reads give at most so many bytes; 0: all
 *   [2]  see there
 *
 * A text that is taken is read again with the vocabulary that it made: the same tokens,
 * whichever way it was cut into reads.
 */
#define _POSIX_C_SOURCE 200809L     /* setenv */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/corpus.h"
#include "data/numbers.h"
#include "support/memory_file.h"

enum { MAX = 1 << 16 };

static const char *const paths[] = {"mem:in", "mem:in"};

/* The size of the gzip member; it is damaged at a byte if `damage` is not 0. */
static size_t squeeze(const uint8_t *data, size_t size, uint8_t damage, uint8_t *to)
{
    z_stream z = {0};
    FUZZ_CHECK(deflateInit2(&z, 1, Z_DEFLATED, 9 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = MAX + 1024;
    FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t n = (size_t)z.total_out;
    deflateEnd(&z);
    if (damage)
        to[damage * 131u % n] ^= (uint8_t)(1u << damage % 8);
    return n;
}

static void check_again(struct ur__corpus *c, ur_token_kind kind, const ur_vocab *v, int n_paths)
{
    struct ur__corpus *again;
    memory_files_read_at_most(0);
    FUZZ_CHECK(ur__corpus_open(&again, paths, n_paths, kind, v, NULL) == UR_OK);
    int64_t n = ur__corpus_tokens(c), unknown, count = 0;
    FUZZ_CHECK(n > 0 && ur__corpus_tokens(again) == n);
    FUZZ_CHECK(ur__corpus_bytes(c) == ur__corpus_bytes(again));
    FUZZ_CHECK(ur__corpus_crc(c) == ur__corpus_crc(again));
    for (int64_t at = 0; at < n; ) {
        int32_t a[512], b[512];
        int64_t m = n - at < 512 ? n - at : 512;
        FUZZ_CHECK(ur__corpus_read(c, at, m, a) == UR_OK);
        FUZZ_CHECK(ur__corpus_read(again, at, m, b) == UR_OK);
        FUZZ_CHECK(memcmp(a, b, (size_t)m * sizeof *a) == 0);
        for (int64_t i = 0; i < m; i++) {
            FUZZ_CHECK(a[i] >= 0 && a[i] < ur_vocab_size(v));
            count += a[i] == ur_vocab_unknown(v);
        }
        at += m;
    }
    FUZZ_CHECK(ur__corpus_unknown(c, 0, n, &unknown) == UR_OK && unknown == count);
    FUZZ_CHECK(ur__corpus_read(c, n, 1, NULL) != UR_OK);
    ur__corpus_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packed[MAX + 1024];
    if (size < 3 || size > MAX)
        return 0;
    struct ur__corpus *c;
    ur_vocab *v = NULL;
    ur_token_kind kind = (ur_token_kind)(data[0] & 3);
    int n_paths = data[0] & 32 ? 2 : 1;
    /* Scratch files too. Not before the first input: libFuzzer makes files of its own. */
    setenv("TMPDIR", "mem:", 1);
    fuzz_begin();
    if (data[0] & 4)
        memory_file("mem:in", packed, squeeze(data + 3, size - 3, data[0] & 16 ? data[2] : 0,
                                              packed));
    else
        memory_file("mem:in", data + 3, size - 3);
    memory_files_read_at_most(data[1]);
    ur__numbers_set_spool_at(data[0] & 8 ? 16 : 0);
    ur_status status = ur__corpus_open(&c, paths, n_paths, kind, NULL, &v);
    FUZZ_CHECK((status == UR_OK) == (c != NULL) && (c != NULL) == (v != NULL));
    /* Words of the text and its tokens are held beside it: of that nothing was promised. */
    if (status == UR_OK)
        check_again(c, kind, v, n_paths);
    else
        fuzz_refused(status, size + MAX, MAX);
    memory_files_read_at_most(0);
    ur__numbers_set_spool_at(0);
    ur__corpus_free(c);
    ur__vocab_free(v);
    fuzz_end();
    return 0;
}
