/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of word vectors; the first says the kind of token. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>

#include "data/vectors.h"
#include "data/vocab.h"
#include "support/memory_file.h"

enum { MAX = 1 << 16, N = 4 };

static ur_status new_vocab(ur_vocab **out, ur_token_kind kind)
{
    static const char *const words[N] = {"<unk>", "</s>", "a", "b"};
    static const uint32_t codes[N] = {'a', 'b', 0xe9, 0x4e2d}, bytes[N] = {'a', 'b', 0xe9, 0xff};
    if (ur__is_words(kind))
        return ur__vocab_new_words(out, kind, N, words);
    return ur__vocab_new(out, kind, N, kind == UR_TOKEN_BYTE ? bytes : codes);
}

static ur_status fill(const ur_vocab *vocab)
{
    struct ur__vectors v;
    unsigned char found[N];
    int64_t count = 0;
    ur_real *rows = NULL;
    ur_status status = ur__vectors_open(&v, "mem:v");
    if (status == UR_OK) {
        FUZZ_CHECK(v.width >= 1);
        rows = calloc((size_t)v.width * N, sizeof *rows);
        FUZZ_CHECK(rows);
        status = ur__vectors_fill(&v, vocab, rows, found, &count);
    }
    for (int i = 0; i < N && status == UR_OK; i++) {
        FUZZ_CHECK(found[i] <= 1);
        count -= found[i];
        for (int k = 0; k < v.width; k++) {
            ur_real value = rows[i * v.width + k];
            FUZZ_CHECK(isfinite(value) && (found[i] || !(value > 0 || value < 0)));
        }
    }
    FUZZ_CHECK(status != UR_OK || count == 0);
    ur__vectors_close(&v);
    free(rows);
    return status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    ur_vocab *vocab = NULL;
    if (size < 1 || size > MAX)
        return UR_OK;
    memory_file("mem:v", data + 1, size - 1);
    ur_status status = new_vocab(&vocab, (ur_token_kind)(data[0] & 3));
    if (status == UR_OK)
        status = fill(vocab);
    ur_vocab_free(vocab);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = work(data, size);
    if (status != UR_OK)
        fuzz_refused(status, size + MAX, MAX);
    fuzz_end();
    return 0;
}
