/* SPDX-License-Identifier: MIT */
/* Any text as a vocabulary. Of one that is possible each token is found by its text, any
 * text is encoded or refused, and it is written and read back the same. */
#include "fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "data/vocab.h"
#include "model/vocab_text.h"

static ur_status parse(ur_vocab **v, const char *text, size_t n)
{
    struct ur__json *j;
    *v = NULL;
    ur_status status = ur__json_parse(&j, text, n);
    if (status == UR_OK)
        status = ur__vocab_parse(v, j);
    ur__json_free(j);
    return status;
}

static void encode(const ur_vocab *v, int32_t id)
{
    size_t n, count;
    const char *text = ur_vocab_text(v, id, &n);
    int32_t ids[UR__WORD_MAX + 1];
    FUZZ_CHECK(text && n > 0 && n <= UR__WORD_MAX);
    ur_status status = ur_vocab_encode(v, text, n, ids, &count);
    FUZZ_CHECK(status == UR_OK);
    if (ur_vocab_kind(v) != UR_TOKEN_WORDPUNCT)     /* which parts words that it never made */
        FUZZ_CHECK(count == 1 && ids[0] == id);
}

/* The text that the vocabulary stands in, in pieces that may end within a character. */
static void encode_all(const ur_vocab *v, const char *text, size_t n)
{
    enum { PIECES = 8 };
    for (size_t i = 0; i < PIECES; i++) {
        size_t from = n * i / PIECES, m = n * (i + 1) / PIECES - from, count;
        int32_t *ids = ur__alloc(m, sizeof *ids);
        FUZZ_CHECK(ids != NULL);
        ur_status status = ur_vocab_encode(v, text + from, m, ids, &count);
        if (status != UR_OK)
            FUZZ_CHECK(status == UR_EINVAL && count == 0);
        for (size_t t = 0; t < count; t++)
            FUZZ_CHECK(count <= m && ids[t] >= 0 && ids[t] < ur_vocab_size(v));
        ur__free(ids);
    }
}

static ur_status work(const uint8_t *data, size_t size)
{
    ur_vocab *v;
    struct ur__buf text = {0};
    ur_status status = parse(&v, (const char *)data, size);
    if (status == UR_OK)
        status = ur__vocab_text(v, &text);
    ur_vocab_free(v);
    ur__buf_free(&text);
    return status;
}

static void look(const ur_vocab *v)
{
    struct ur__buf text = {0}, again = {0};
    ur_join join = {0};
    ur_vocab *back;
    size_t n;
    int V = ur_vocab_size(v);
    for (int32_t id = 0; id < V; id++) {
        encode(v, id);
        FUZZ_CHECK(ur_vocab_join(v, &join, id, &n) != NULL);
    }
    FUZZ_CHECK(!ur_vocab_text(v, -1, &n) && !ur_vocab_text(v, V, &n));
    FUZZ_CHECK(ur_vocab_line_end(v) < V && ur_vocab_unknown(v) < V);
    FUZZ_CHECK(ur__vocab_text(v, &text) == UR_OK);
    FUZZ_CHECK(parse(&back, text.data, text.size) == UR_OK);
    FUZZ_CHECK(ur__vocab_text(back, &again) == UR_OK);
    FUZZ_CHECK(strcmp(text.data, again.data) == 0);
    ur_vocab_free(back);
    ur__buf_free(&text);
    ur__buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ur_vocab *v;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = parse(&v, (const char *)data, size);
    FUZZ_CHECK((status == UR_OK) == (v != NULL));
    if (status == UR_OK) {
        look(v);
        encode_all(v, (const char *)data, size);
    } else {
        fuzz_refused(status, size, size);
    }
    ur_vocab_free(v);
    fuzz_end();
    return 0;
}
