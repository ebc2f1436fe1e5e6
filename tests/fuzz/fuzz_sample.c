/* SPDX-License-Identifier: MIT */
/* Any options and any tokens: a session refuses what cannot be and draws only tokens that
 * the model has, of the k likeliest if that was asked for. Input: temperature (8 bytes),
 * top-p (8), top-k (4), seed (8), then tokens, a byte each. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/vocab.h"
#include "support/settings.h"

enum { V = 7, HEAD = 28 };

static ur_model *model_of(ur_token_kind kind)
{
    static const uint32_t codes[V] = {10, 32, 97, 98, 99, 228, 255};
    static const char *const words[V] = {"<unk>", "</s>", "a", "b", "c", "d", "e"};
    const ur_options c = net_of("lm", "cell=gru layers=1 hidden=3");
    ur_vocab *v;
    ur_model *m;
    FUZZ_CHECK((kind == UR_TOKEN_WORD ? ur__vocab_new_words(&v, kind, V, words)
                                      : ur__vocab_new(&v, kind, V, codes)) == UR_OK);
    FUZZ_CHECK(ur_model_new(&m, &c, 1, &v, 1) == UR_OK);
    return m;
}

/* So many tokens have a larger logit. */
static int rank_of(const ur_real *logits, int32_t id, int first)
{
    int rank = 0;
    for (int i = first; i < V; i++)
        rank += logits[i] > logits[id];
    return rank;
}

static void draw(ur_session *s, const ur_sample_options *o, int first)
{
    int32_t id = -1;
    ur_status status = ur_session_draw(s, o, &id);
    bool possible = o->temperature >= 0 && isfinite(o->temperature) && o->top_k >= 0 &&
                    o->top_p > 0 && o->top_p <= 1 && o->min_p >= 0 && o->min_p <= 1 &&
                    o->repetition_penalty > 0;
    FUZZ_CHECK(possible == (status == UR_OK));
    FUZZ_CHECK(possible == (ur_sample_options_check(o) == UR_OK));
    if (status != UR_OK) {
        FUZZ_CHECK(status == UR_EINVAL);
        return;
    }
    FUZZ_CHECK(id >= first && id < V);
    if (o->repetition_penalty != 1)     /* another order of the tokens */
        return;
    if (o->temperature == 0)
        FUZZ_CHECK(rank_of(ur_session_logits(s), id, first) == 0);
    else if (o->top_k > 0)
        FUZZ_CHECK(rank_of(ur_session_logits(s), id, first) < o->top_k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ur_model *chars, *words;
    fuzz_start();
    if (!chars) {
        chars = model_of(UR_TOKEN_CHAR);
        words = model_of(UR_TOKEN_WORD);
    }
    if (size < HEAD)
        return 0;
    ur_sample_options o;
    ur_sample_options_init(&o);
    memcpy(&o.temperature, data, 8);
    memcpy(&o.top_p, data + 8, 8);
    memcpy(&o.top_k, data + 16, 4);
    memcpy(&o.seed, data + 20, 8);
    if (o.seed & 2) {
        o.min_p = (double)(o.seed >> 8 & 0xff) / 200;
        o.repetition_penalty = (double)(o.seed >> 16 & 0xff) / 64;
    }
    fuzz_begin();
    ur_session *s;
    bool of_words = o.seed & 1;
    FUZZ_CHECK(ur_session_new(&s, of_words ? words : chars, NULL) == UR_OK);
    draw(s, &o, of_words);
    for (size_t i = HEAD; i < size && i < HEAD + 8; i++) {
        int32_t id = (int8_t)data[i];
        ur_status status = ur_session_feed(s, id);
        FUZZ_CHECK(status == (id >= 0 && id < V ? UR_OK : UR_EINVAL));
        draw(s, &o, of_words);
        if (data[i] == 200)
            FUZZ_CHECK(ur_session_reset(s) == UR_OK);
    }
    ur_session_free(s);
    fuzz_end();
    return 0;
}
