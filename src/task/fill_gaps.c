/* SPDX-License-Identifier: MIT */
/* The gaps of a line, which are runs of underscores: each gets the likeliest token, from left to
 * right, and text after the next gap is not seen: nothing is known of that gap yet. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "task/answer.h"
#include "task/list.h"

struct gaps {
    struct ur__predict_job job;
    const ur_vocab *vocab;
    ur_runner *runner;
    int32_t *before, *after;    /* tokens on either side of the gap at hand */
    size_t n_before, n_after, capacity;
};

static ur_status gaps_open(void *inside, const struct ur__predict_job *job)
{
    struct gaps *g = inside;
    g->job = *job;
    g->vocab = ur_model_vocab(job->model, NULL);
    return ur_runner_new(&g->runner, job->model, 1, job->team);
}

static void gaps_close(void *inside)
{
    struct gaps *g = inside;
    ur__free(g->before);
    ur__free(g->after);
    ur_runner_free(g->runner);
}

static ur_status reserve(struct gaps *g, size_t n)
{
    if (n <= g->capacity)
        return UR_OK;
    ur__free(g->before);
    ur__free(g->after);
    g->before = ur__alloc(2 * n, sizeof *g->before);
    g->after = ur__alloc(2 * n, sizeof *g->after);
    g->capacity = g->before && g->after ? 2 * n : 0;
    return g->capacity ? UR_OK : UR_ENOMEM;
}

/* The gap at hand. */
static ur_status fill(struct gaps *g, struct ur__answer *to)
{
    int32_t ids[UR_PREDICT_MOST];
    double p[UR_PREDICT_MOST];
    size_t length;
    ur_batch sides;
    ur_batch_init(&sides);
    if (g->n_before)
        UR__TRY(ur_batch_ids(&sides, "before", (int)g->n_before, 1, g->before, NULL));
    if (g->n_after)
        UR__TRY(ur_batch_ids(&sides, "after", (int)g->n_after, 1, g->after, NULL));
    UR__TRY(ur_runner_begin(g->runner, 0, &sides));
    int n = ur_runner_best(g->runner, 0, g->job.best, ids, p);
    if (n == 0)
        return ur__fail(UR_EDATA, "the vocabulary has no token that can fill a gap");
    UR__TRY(ur__answer_place(to));
    for (int i = 0; i < n; i++) {
        const char *text = ur_vocab_text(g->vocab, ids[i], &length);
        UR__TRY(ur__answer_candidate(to, text, length, p[i]));
    }
    const char *best = ur_vocab_text(g->vocab, ids[0], &length);
    g->before[g->n_before++] = ids[0];
    return ur__buf_put(&to->text, best, length);
}

/* What stands before the next gap, and where that is: end, if there is none. */
static const char *piece_end(const char *piece, const char *end)
{
    const char *gap = memchr(piece, '_', (size_t)(end - piece));
    return gap ? gap : end;
}

static ur_status gaps_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct gaps *g = inside;
    int32_t line_end = ur_vocab_line_end(g->vocab);
    const char *end = line + n, *gap = piece_end(line, end);
    UR__TRY(ur__buf_put(&to->text, line, (size_t)(gap - line)));
    if (gap == end)
        return UR_OK;
    UR__TRY(reserve(g, n + 2));
    g->before[0] = line_end;    /* a line begins after one */
    size_t first = line_end >= 0;
    UR__TRY(ur_encoder_put(g->job.encoder, line, (size_t)(gap - line), g->before + first,
                           &g->n_before));
    g->n_before += first;
    while (gap < end) {
        const char *piece = gap;
        while (piece < end && *piece == '_')
            piece++;
        gap = piece_end(piece, end);
        UR__TRY(ur_encoder_put(g->job.encoder, piece, (size_t)(gap - piece), g->after,
                               &g->n_after));
        size_t kept = g->n_after;
        if (gap == end && line_end >= 0)
            g->after[g->n_after++] = line_end;
        UR__TRY(fill(g, to));
        UR__TRY(ur__buf_put(&to->text, piece, (size_t)(gap - piece)));
        memcpy(g->before + g->n_before, g->after, kept * sizeof *g->before);
        g->n_before += kept;
    }
    return UR_OK;
}

const struct ur__predict_plug ur__fill_gaps = {
    .size = sizeof(struct gaps),
    .places = "gaps",
    .figure = "p",
    .open = gaps_open,
    .close = gaps_close,
    .line = gaps_line,
};
