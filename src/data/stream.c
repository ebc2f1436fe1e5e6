/* SPDX-License-Identifier: MIT */
/* Batches of a long text: B rows side by side, T tokens at a time. */
#include "data/stream.h"

#include "base/status.h"

#define PIECE 1024      /* tokens of a row read at a time, on the stack */

ur_status ur__stream_init(struct ur__stream *s, struct ur__corpus *corpus, int64_t begin,
                          int64_t tokens, int T, int B)
{
    if (T < 1 || B < 1)
        return ur__fail(UR_EINVAL, "a batch of %d rows of %d tokens is impossible", B, T);
    int64_t all = ur__corpus_tokens(corpus);
    if (begin < 0 || tokens < 0 || begin > all || tokens > all - begin)
        return ur__fail(UR_EINVAL, "stream: %lld tokens from %lld on, of %lld",
                        (long long)tokens, (long long)begin, (long long)all);
    if (tokens < 2)
        return ur__fail(UR_EDATA, "the text is too short: %lld token%s, and a prediction "
                        "needs 2", (long long)tokens, tokens == 1 ? "" : "s");
    if (tokens - 1 < B)
        return ur__fail(UR_EDATA, "the text is too short: its %lld tokens cannot be cut into "
                        "%d rows; a batch of at most %lld fits", (long long)tokens, B,
                        (long long)tokens - 1);
    int64_t row = (tokens - 1) / B;
    *s = (struct ur__stream){
        .corpus = corpus, .begin = begin, .tokens = tokens, .T = T, .B = B,
        .row = row, .steps = row / T + (row % T != 0)
    };
    return UR_OK;
}

ur_status ur__stream_batch(struct ur__stream *s, int64_t step, struct ur__stream_rows rows,
                           int32_t *inputs, int32_t *targets, int *t)
{
    *t = 0;
    if (step < 0 || step >= s->steps)
        return ur__fail(UR_EINVAL, "stream: batch %lld of %lld", (long long)step,
                        (long long)s->steps);
    int64_t first = step * s->T;
    int length = s->row - first < s->T ? (int)(s->row - first) : s->T;
    size_t B = (size_t)(rows.end - rows.begin);
    for (size_t b = 0; b < B; b++) {
        int64_t at = s->begin + ((int64_t)b + rows.begin) * s->row + first;
        for (int done = 0; done < length; done += PIECE) {
            int32_t token[PIECE + 1];
            int n = length - done < PIECE ? length - done : PIECE;
            UR__TRY(ur__corpus_read(s->corpus, at + done, n + 1, token));
            for (int i = 0; i < n; i++) {
                inputs[(size_t)(done + i) * B + b] = token[i];
                targets[(size_t)(done + i) * B + b] = token[i + 1];
            }
        }
    }
    *t = length;
    return UR_OK;
}
