/* SPDX-License-Identifier: MIT */
/* Translations of lines, the likeliest first. */
#include <math.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/translate.h"
#include "task/answer.h"
#include "task/label_input.h"
#include "task/list.h"
#include "task/translate.h"

enum { USUAL_BEAM = 4, USUAL_LENGTH = 64, MOST_LENGTH = 65536 };

struct lines {
    struct ur__predict_job job;
    const ur_vocab *source;
    struct ur__translator translator;
    ur_sample_options draw;
    struct ur__scratch ids, padded; /* of all lines one after the other; [S,B] */
    int lengths[UR_PREDICT_LINES];
};

static ur_status lines_open(void *inside, const struct ur__predict_job *job)
{
    struct lines *l = inside;
    const int beam = job->beam ? job->beam : USUAL_BEAM;   /* however many are listed */
    struct ur__translator_job search = {
        .model = job->model, .B = UR_PREDICT_LINES, .S = USUAL_LENGTH,
        .beam = beam, .best = beam < job->best ? beam : job->best,
        .length_power = job->length_power, .copy = job->copy, .team = job->team,
    };
    if (job->draw) {        /* as many as are wanted, and kept for a longer line */
        l->draw = *job->draw;
        search.draw = &l->draw;
        search.beam = search.best = job->best;
    }
    l->job = *job;
    l->source = ur_model_vocab(job->model, "source");
    return ur__translator_open(&l->translator, &search);
}

static void lines_close(void *inside)
{
    struct lines *l = inside;
    ur__translator_close(&l->translator);
    ur__free(l->ids.data);
    ur__free(l->padded.data);
}

/* ---- reading ----------------------------------------------------------- */

/* The tokens of a line, and its end. */
static ur_status read_line(struct lines *l, const char *line, size_t n, int32_t *to, int *length)
{
    size_t count;
    UR__TRY(ur_encoder_put(l->job.encoder, line, n, to, &count));
    if (count > MOST_LENGTH)
        return ur__fail(UR_EINVAL, "%zu tokens are too long a line: at most %d", count,
                        MOST_LENGTH);
    to[count] = ur_vocab_line_end(l->source);
    *length = (int)count + 1;
    return UR_OK;
}

/* Those that can be read, *n of them in one row; the first that cannot ends them, *status says why.
 * The longest is returned. */
static int read_lines(struct lines *l, int n, const char *const *line, const size_t *size,
                      int *done, ur_status *status)
{
    size_t room = 0, at = 0;
    int S = 0;
    *status = UR_OK;
    for (int i = 0; i < n; i++)
        room += size[i] + 1;
    int32_t *ids = ur__scratch_take(&l->ids, room, sizeof *ids, status);
    for (*done = 0; *status == UR_OK && *done < n; ++*done) {
        *status = read_line(l, line[*done], size[*done], ids + at, &l->lengths[*done]);
        if (*status != UR_OK)
            break;
        S = l->lengths[*done] > S ? l->lengths[*done] : S;
        at += (size_t)l->lengths[*done];
    }
    return S;
}

static const int32_t *pad(struct lines *l, int S, int B, ur_status *status)
{
    const int32_t *from = l->ids.data;
    int32_t *to = ur__scratch_take(&l->padded, (size_t)S * (size_t)B, sizeof *to, status);
    for (int b = 0; to && b < B; b++)
        for (int s = 0; s < l->lengths[b]; s++)
            to[s * B + b] = *from++;
    return to;
}

/* ---- answering --------------------------------------------------------- */

/* Where the text that was chosen looked, token by token. */
static ur_status explain(struct lines *l, const struct ur__source_text *source,
                         const ur_hypothesis *h, struct ur__answer *to)
{
    const ur_vocab *target = l->translator.target;
    const ur_real *weights, *p;
    size_t n;
    UR__TRY(ur__translator_looks(&l->translator, source, h, &weights, &p));
    for (int s = 0; s < source->S; s++) {
        double sum = 0;
        for (int t = 0; t < h->n; t++)
            sum += (double)weights[(ptrdiff_t)t * source->S + s];
        const bool end = source->ids[s] == ur_vocab_line_end(l->source);
        const char *text = ur_vocab_text(l->source, source->ids[s], &n);
        UR__TRY(ur__answer_token(to, end ? UR__LINE_END_TEXT : text,
                                 end ? sizeof UR__LINE_END_TEXT - 1 : n, sum / h->n));
    }
    for (int t = 0; t < h->n; t++) {
        const bool end = h->ids[t] == ur_vocab_line_end(target);
        const char *text = ur_vocab_text(target, h->ids[t], &n);
        UR__TRY(ur__answer_made(to, end ? UR__LINE_END_TEXT : text,
                                end ? sizeof UR__LINE_END_TEXT - 1 : n, (double)p[t]));
        UR__TRY(ur__answer_looks(to, source->S, weights + (ptrdiff_t)t * source->S));
    }
    return UR_OK;
}

static ur_status answer(struct lines *l, int b, const struct ur__source_text *source,
                        struct ur__answer *to)
{
    struct ur__translator *t = &l->translator;
    if (source->S == 1)         /* an empty line */
        return UR_OK;
    UR__TRY(ur__answer_place(to));
    for (int k = 0; k < t->n[b]; k++) {
        struct ur__buf text = {0};
        ur_status status = ur__translator_text(t, source, &t->found[b][k], &text);
        if (status == UR_OK)
            status = ur__answer_candidate(to, text.size ? text.data : "", text.size,
                                          t->found[b][k].log_p);
        if (status == UR_OK && k == 0 && text.size)
            status = ur__buf_put(&to->text, text.data, text.size);
        ur__buf_free(&text);
        UR__TRY(status);
    }
    return l->job.explain && t->n[b] ? explain(l, source, &t->found[b][0], to) : UR_OK;
}

static ur_status answer_lines(void *inside, int n, const char *const *line, const size_t *size,
                              struct ur__answer *to, int *done)
{
    struct lines *l = inside;
    ur_status unread, status = UR_OK;
    const int S = read_lines(l, n, line, size, done, &unread), B = *done;
    if (B == 0)
        return unread;
    *done = 0;
    const struct ur__sources sources = {S, B, pad(l, S, B, &status), l->lengths};
    UR__TRY(status);
    UR__TRY(ur__translator_run(&l->translator, &sources));
    const int32_t *ids = l->ids.data;
    for (int b = 0; b < B; b++) {
        const struct ur__source_text source = {l->lengths[b], ids, line[b], size[b]};
        UR__TRY(answer(l, b, &source, &to[b]));
        ids += l->lengths[b];
    }
    *done = B;
    if (B == n || unread == UR_OK)
        return UR_OK;
    /* What the last line has wrong may have been said over. */
    return read_line(l, line[B], size[B], l->ids.data, l->lengths);
}

static ur_status answer_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    int done;
    return answer_lines(inside, 1, &line, &n, to, &done);
}

const struct ur__predict_plug ur__translate_lines = {
    .size = sizeof(struct lines),
    .places = "targets",
    .figure = "log_p",
    .labels = true,
    .explains = ur__translate_attends,
    .explaining = "one that was trained with attention",
    .open = lines_open,
    .close = lines_close,
    .line = answer_line,
    .lines = answer_lines,
};
