/* SPDX-License-Identifier: MIT */
/* Answers of the task pair: a line "number<TAB>source" gives the likeliest targets, by a beam. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "extra/extra.h"
#include "task/answer.h"
#include "train/task.h"

enum { USUAL_WIDTH = 8, MOST_TARGET = 200 };

struct pairs {
    struct ur__predict_job job;
    const ur_vocab *target;
    ur_beam *beam;
    struct ur__buf text, ids;   /* a source line with its end, and its tokens */
};

static ur_status pairs_open(void *inside, const struct ur__predict_job *job)
{
    struct pairs *p = inside;
    ur_beam_options o;
    p->job = *job;
    p->target = ur_model_vocab(job->model, "target");
    ur_beam_options_init(&o);
    o.width = job->best > USUAL_WIDTH ? job->best : USUAL_WIDTH;
    o.best = job->best;
    o.most = MOST_TARGET;
    o.begin = o.end = ur_vocab_line_end(p->target);
    return ur_beam_new(&p->beam, job->model, &o, job->team);
}

static void pairs_close(void *inside)
{
    struct pairs *p = inside;
    ur_beam_free(p->beam);
    ur__buf_free(&p->text);
    ur__buf_free(&p->ids);
}

static ur_status add_target(struct pairs *p, const ur_hypothesis *h, struct ur__answer *to)
{
    size_t n, end = h->ids[h->n - 1] == ur_vocab_line_end(p->target);
    p->text.size = 0;
    for (int t = 0; t < h->n - (int)end; t++) {
        const char *token = ur_vocab_text(p->target, h->ids[t], &n);
        UR__TRY(ur__buf_put(&p->text, token, n));
    }
    return ur__answer_candidate(to, p->text.data, p->text.size, h->log_p);
}

static ur_status add_targets(struct pairs *p, const ur_batch *given, struct ur__answer *to)
{
    const ur_hypothesis *found;
    int n;
    UR__TRY(ur_beam_search(p->beam, given, &found, &n));
    UR__TRY(ur__answer_place(to));
    for (int i = 0; i < n; i++) {
        UR__TRY(add_target(p, &found[i], to));
        if (i == 0)
            UR__TRY(ur__buf_put(&to->text, p->text.data, p->text.size));
    }
    return UR_OK;
}

static ur_status pairs_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct pairs *p = inside;
    static const int one[] = {1, 1};
    double number;
    ur_real real;
    ur_batch given;
    ur_batch_init(&given);
    size_t count;
    UR__TRY(ur__pair_number(line, n, &number, &count));
    p->text.size = p->ids.size = 0;
    UR__TRY(ur__buf_put(&p->text, line + count, n - count));
    UR__TRY(ur__buf_put(&p->text, "\n", 1));
    while (p->ids.size < p->text.size * sizeof(int32_t))
        UR__TRY(ur__buf_put(&p->ids, &(int32_t){0}, sizeof(int32_t)));
    int32_t *ids = (void *)p->ids.data;
    UR__TRY(ur_encoder_put(p->job.encoder, p->text.data, p->text.size, ids, &count));
    real = (ur_real)number;
    UR__TRY(ur_batch_ids(&given, "source", (int)count, 1, ids, NULL));
    UR__TRY(ur_batch_reals(&given, "numbers", 2, one, &real, NULL));
    return add_targets(p, &given, to);
}

const struct ur__predict_plug ur__predict_pair = {
    .size = sizeof(struct pairs),
    .places = "targets",
    .figure = "log_p",
    .open = pairs_open,
    .close = pairs_close,
    .line = pairs_line,
};
