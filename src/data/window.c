/* SPDX-License-Identifier: MIT */
#include "data/window.h"

#include "base/random.h"
#include "base/status.h"

#define PIECE 1024      /* tokens of a window read at a time, on the stack */

ur_status ur__windows_init(struct ur__windows *w, struct ur__corpus *corpus, int64_t begin,
                           int64_t tokens, int T)
{
    int64_t all = ur__corpus_tokens(corpus);
    if (T < 1)
        return ur__fail(UR_EINVAL, "windows of %d tokens are impossible", T);
    if (begin < 0 || tokens < 0 || begin > all || tokens > all - begin)
        return ur__fail(UR_EINVAL, "windows: %lld tokens from %lld on, of %lld",
                        (long long)tokens, (long long)begin, (long long)all);
    if (tokens < 2)
        return ur__fail(UR_EDATA, "the text is too short: %lld token%s, and a gap needs another "
                        "beside it", (long long)tokens, tokens == 1 ? "" : "s");
    if (T > tokens)
        T = (int)tokens;
    *w = (struct ur__windows){
        .corpus = corpus, .begin = begin, .tokens = tokens, .T = T,
        .n = tokens / T + (tokens % T != 0)
    };
    return UR_OK;
}

static int length_of(const struct ur__windows *w, int64_t which)
{
    int64_t left = w->tokens - which * w->T;
    return left < w->T ? (int)left : w->T;
}

ur_status ur__windows_read(struct ur__windows *w, int B, const int64_t *which, int32_t *ids,
                           int *lengths, int *t)
{
    int longest = 0;
    for (int b = 0; b < B; b++) {
        if (which[b] < 0 || which[b] >= w->n)
            return ur__fail(UR_EINVAL, "window %lld of %lld", (long long)which[b],
                            (long long)w->n);
        lengths[b] = length_of(w, which[b]);
        longest = lengths[b] > longest ? lengths[b] : longest;
    }
    for (int b = 0; b < B; b++) {
        int64_t from = w->begin + which[b] * w->T;
        for (int done = 0; done < lengths[b]; done += PIECE) {
            int32_t token[PIECE];
            int n = lengths[b] - done < PIECE ? lengths[b] - done : PIECE;
            UR__TRY(ur__corpus_read(w->corpus, from + done, n, token));
            for (int i = 0; i < n; i++)
                ids[(size_t)(done + i) * (size_t)B + (size_t)b] = token[i];
        }
        for (int i = lengths[b]; i < longest; i++)
            ids[(size_t)i * (size_t)B + (size_t)b] = 0;
    }
    *t = longest;
    return UR_OK;
}

/* ---- order ------------------------------------------------------------- */

/* A Feistel network of four rounds permutes the numbers of 2·half bits (Luby and Rackoff
 * 1988); a number of n or more goes through it again until it is less (Black and Rogaway
 * 2002). n is at least a quarter of them, so that takes four tries on average at most. */
int64_t ur__shuffled(uint64_t seed, uint64_t round, int64_t n, int64_t i)
{
    int half = 1;
    while (half < 31 && (int64_t)1 << 2 * half < n)
        half++;
    uint64_t mask = ((uint64_t)1 << half) - 1, x = (uint64_t)i;
    do {
        uint64_t left = x >> half, right = x & mask;
        for (uint64_t k = 0; k < 4; k++) {
            uint32_t out[4];
            ur_random(seed, UR__STREAM_SHUFFLE, 4 * round + k, (uint32_t)right, out);
            uint64_t next = left ^ (out[0] & mask);
            left = right;
            right = next;
        }
        x = left << half | right;
    } while (x >= (uint64_t)n);
    return (int64_t)x;
}
