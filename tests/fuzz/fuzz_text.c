/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a text. The first three say how:
 *
 *   [0]  bits 0-1 the kind of token; 2 gzip the rest first; 3 spool at 16 bytes;
 *        4 damage the gzip at [2]; 5 two files; 6 gzip in two members and zeros after them;
 *        7 hold four different words
 *   [1]  reads give at most so many bytes; 0: all; from 128 on CRLF and CR are read as LF
 *   [2]  see there; else the rule for words: bits 0-2 the least count less 1, 3-7 the share
 *        held out in 32ths
 *
 * A text that is taken is read again with the vocabulary that it made: the same tokens,
 * whichever way it was cut into reads. So is the file as a whole.
 */
#define _POSIX_C_SOURCE 200809L     /* setenv */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/corpus.h"
#include "data/numbers.h"
#include "io/file.h"
#include "support/memory_file.h"

enum { HEAD = 3, MAX = 1 << 16, ZEROS = 3, PIECE = 512, WHOLE = 1 << 20 };

/* By its name the second is gzip: what is cut behind the first byte of it is damaged. */
static const char *const paths[] = {"mem:in", "mem:in.gz"};

struct how {
    int n_paths;
    struct ur__text_rule rule;
};

/* ---- files ------------------------------------------------------------- */

/* Appends a gzip member; returns where it ends. */
static uint8_t *squeeze(const uint8_t *data, size_t size, uint8_t *to, size_t room)
{
    z_stream z = {0};
    FUZZ_CHECK(deflateInit2(&z, 1, Z_DEFLATED, 9 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return z.next_out;
}

static void put_files(const uint8_t *data, size_t size)
{
    static uint8_t packed[MAX + 4096];
    const uint8_t *text = data + HEAD, *file = text;
    size_t n = size - HEAD;
    if (data[0] & 4) {
        size_t first = data[0] & 64 ? n / 2 : n;
        uint8_t *end = squeeze(text, first, packed, sizeof packed);
        if (data[0] & 64) {
            end = squeeze(text + first, n - first, end, (size_t)(packed + sizeof packed - end));
            end = (uint8_t *)memset(end, 0, ZEROS) + ZEROS;
        }
        file = packed;
        n = (size_t)(end - packed);
        if (data[0] & 16 && data[2])
            packed[data[2] * 131u % n] ^= (uint8_t)(1u << data[2] % 8);
    }
    memory_file(paths[0], file, n);
    memory_file(paths[1], file, n);
}

/* Files and limits as the first bytes have them. */
static struct how set_up(const uint8_t *data, size_t size)
{
    struct how how = {
        .n_paths = data[0] & 32 ? 2 : 1,
        .rule = {.kind = (ur_token_kind)(data[0] & 3), .words = {.min_count = 1},
                 .unix_newlines = data[1] >= 128},
    };
    if (!(data[0] & 16))
        how.rule.words = (struct ur__word_rule){.held_out = (data[2] >> 3) / 32.0, .min_count = 1 + (data[2] & 7)};
    put_files(data, size);
    memory_files_read_at_most(data[1]);
    ur__numbers_set_spool_at(data[0] & 8 ? 16 : 0);
    ur__corpus_set_most_words(data[0] & 128 ? 4 : 0);
    return how;
}

static void set_down(void)
{
    memory_files_read_at_most(0);
    ur__numbers_set_spool_at(0);
    ur__corpus_set_most_words(0);
}

/* ---- with failures ----------------------------------------------------- */

static ur_status read_all(struct ur__corpus *c)
{
    int32_t ids[PIECE];
    int64_t n = ur__corpus_tokens(c), unknown;
    ur_status status = ur__corpus_unknown(c, 0, n, &unknown);
    for (int64_t at = 0; at < n && status == UR_OK; at += PIECE)
        status = ur__corpus_read(c, at, n - at < PIECE ? n - at : PIECE, ids);
    return status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    struct ur__corpus *c;
    ur_vocab *v;
    char *whole = NULL;
    size_t n;
    if (size < HEAD || size > MAX)
        return UR_OK;
    struct how how = set_up(data, size);
    ur_status status = ur__corpus_open_rule(&c, paths, how.n_paths, &how.rule, &v);
    if (status == UR_OK)
        status = read_all(c);
    if (status == UR_OK)
        status = ur__file_slurp(paths[0], WHOLE, &whole, &n);
    set_down();
    ur__free(whole);
    ur__corpus_free(c);
    ur_vocab_free(v);
    return status;
}

/* ---- without ----------------------------------------------------------- */

static void check_again(struct ur__corpus *c, const struct how *how, const ur_vocab *v)
{
    struct ur__corpus *again;
    struct ur__text_rule rule = how->rule;
    rule.vocab = v;
    memory_files_read_at_most(0);
    FUZZ_CHECK(ur__corpus_open_rule(&again, paths, how->n_paths, &rule, NULL) == UR_OK);
    int64_t n = ur__corpus_tokens(c), unknown, count = 0;
    FUZZ_CHECK(n > 0 && ur__corpus_tokens(again) == n);
    FUZZ_CHECK(ur__corpus_bytes(c) == ur__corpus_bytes(again));
    FUZZ_CHECK(ur__corpus_crc(c) == ur__corpus_crc(again));
    for (int64_t at = 0; at < n; ) {
        int32_t a[PIECE], b[PIECE];
        int64_t m = n - at < PIECE ? n - at : PIECE;
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
    FUZZ_CHECK(ur__corpus_cut(c) == 0 && ur__corpus_cut(again) == 0);
    uint64_t spooled = ur__corpus_spooled(c);
    FUZZ_CHECK(spooled == 0 || (spooled > 16 && spooled <= 4 * (uint64_t)n));
    ur__corpus_free(again);
}

/* The file as one piece: the text's bytes, and one too many for less room. */
static void check_whole(const struct ur__corpus *c, int n_paths, size_t size)
{
    char *whole;
    size_t n;
    ur_status status = ur__file_slurp(paths[0], WHOLE, &whole, &n);
    FUZZ_CHECK((status == UR_OK) == (whole != NULL));
    if (status != UR_OK) {
        fuzz_refused(status, size + WHOLE, MAX);
        return;
    }
    FUZZ_CHECK(whole[n] == 0);
    if (c && n_paths == 1)
        FUZZ_CHECK(n == ur__corpus_bytes(c) && ur__crc32(0, whole, n) == ur__corpus_crc(c));
    ur__free(whole);
    if (n == 0)
        return;
    FUZZ_CHECK(ur__file_slurp(paths[0], n - 1, &whole, &n) == UR_EDATA && !whole && n == 0);
}

/* Other bytes, those of the input itself, by the text's vocabulary: what it has not, or no
 * UTF-8, is refused. */
static void check_other(const struct how *how, const ur_vocab *v, const uint8_t *data, size_t size)
{
    static const char *const other = "mem:other";
    struct ur__corpus *c;
    memory_file(other, data, size);
    ur_status status = ur__corpus_open(&c, &other, 1, how->rule.kind, v, NULL);
    FUZZ_CHECK((status == UR_OK) == (c != NULL));
    if (status != UR_OK)
        fuzz_refused(status, size + WHOLE, MAX);
    ur__corpus_free(c);
    memory_file_remove(other);
}

/* A vocabulary of another kind, and no file at all, are impossible. */
static void check_misuse(const struct how *how, const ur_vocab *v)
{
    struct ur__corpus *c;
    ur_token_kind other = (ur_token_kind)(((int)how->rule.kind + 1) & 3);
    FUZZ_CHECK(ur__corpus_open(&c, paths, 1, other, v, NULL) == UR_EINVAL && !c);
    FUZZ_CHECK(ur__corpus_open(&c, paths, 0, how->rule.kind, v, NULL) == UR_EINVAL && !c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ur__corpus *c;
    ur_vocab *v = NULL;
    /* Scratch files too. Not before the first input: libFuzzer makes files of its own. */
    setenv("TMPDIR", "mem:", 1);
    fuzz_plan(&data, &size, work);
    if (size < HEAD || size > MAX)
        return 0;
    fuzz_begin();
    struct how how = set_up(data, size);
    ur_status status = ur__corpus_open_rule(&c, paths, how.n_paths, &how.rule, &v);
    FUZZ_CHECK((status == UR_OK) == (c != NULL) && (c != NULL) == (v != NULL));
    /* Words of the text and its tokens are held beside it: of that nothing was promised. */
    if (status == UR_OK) {
        check_again(c, &how, v);
        check_other(&how, v, data, size);
        check_misuse(&how, v);
    } else {
        fuzz_refused(status, size + MAX, MAX);
    }
    check_whole(c, how.n_paths, size);
    set_down();
    ur__corpus_free(c);
    ur_vocab_free(v);
    fuzz_end();
    return 0;
}
