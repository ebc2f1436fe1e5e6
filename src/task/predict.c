/* SPDX-License-Identifier: MIT */
/* Answers to lines, through the plug of the model's task. */
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "task/answer.h"
#include "task/list.h"

struct ur_predictor {
    const struct ur__predict_plug *plug;
    ur_encoder *encoder;
    void *inside;               /* the plug's */
    struct ur__answer answer;
};

/* What a failed call gives. */
static const ur_answer empty = {.text = ""};

static const ur_predict_options defaults = {.size = sizeof(ur_predict_options), .best = 1};

void ur_predict_options_init_size(ur_predict_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

static ur_status open(ur_predictor *p, const ur_model *model, const ur_predict_options *o)
{
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    if (!vocab)
        return ur__fail(UR_EINVAL, "the model reads numbers, not lines of text");
    UR__TRY(ur_encoder_new(&p->encoder, vocab, o->unknown));
    p->inside = ur__calloc(1, p->plug->size);
    if (!p->inside)
        return UR_ENOMEM;
    const struct ur__predict_job job = {
        .model = model, .encoder = p->encoder, .best = o->best, .beam = o->beam, .team = o->team,
        .explain = o->explain,
    };
    return p->plug->open(p->inside, &job);
}

ur_status ur_predictor_new(ur_predictor **out, const ur_model *model,
                           const ur_predict_options *options)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    UR__NEED(options, "options");
    const struct ur__task *task;
    ur_predict_options o;
    UR__TRY(ur__sized_read(&o, options, &defaults, sizeof defaults, "ur_predict_options_init"));
    if (o.best < 1 || o.best > UR_PREDICT_MOST)
        return ur__fail(UR_EINVAL, "a place has 1 to %d candidates, not %d", UR_PREDICT_MOST,
                        o.best);
    UR__TRY(ur__task_of_model(model, &task));
    if (!task->predict)
        return ur__fail(UR_EINVAL, "a model of task %s does not answer lines", task->name);
    UR__TRY(ur__task_check_beam(task, model, o.beam));
    if (o.explain && !(task->predict->explains && task->predict->explains(model)))
        return ur__fail(UR_EINVAL, "the model does not weigh its tokens, so its answers cannot be "
                        "explained: that takes one of task classify, trained with pool attention");
    ur_predictor *p = ur__calloc(1, sizeof *p);
    if (!p)
        return UR_ENOMEM;
    p->plug = task->predict;
    ur_status status = open(p, model, &o);
    if (status != UR_OK) {
        ur_predictor_free(p);
        return status;
    }
    *out = p;
    return UR_OK;
}

void ur_predictor_free(ur_predictor *p)
{
    if (!p)
        return;
    if (p->inside)
        p->plug->close(p->inside);
    ur__free(p->inside);
    ur_encoder_free(p->encoder);
    ur__answer_free(&p->answer);
    ur__free(p);
}

ur_status ur_predictor_line(ur_predictor *p, const char *line, size_t n,
                            const ur_answer **answer)
{
    UR__NEED(answer, "answer");
    *answer = &empty;
    UR__NEED(p, "predictor");
    if (n > 0)
        UR__NEED(line, "line");
    ur__answer_clear(&p->answer);
    unsigned mode = ur__fpmode_default();
    ur_status status = p->plug->line(p->inside, n ? line : "", n, &p->answer);
    ur__fpmode_restore(mode);
    if (status == UR_EINVAL)        /* a line is data, not a call */
        return ur__fail(UR_EDATA, "%s", ur_errmsg());
    if (status != UR_OK)
        return status;
    *answer = ur__answer_give(&p->answer, p->plug->places, p->plug->figure);
    return UR_OK;
}

const char *ur_predictor_note(ur_predictor *p)
{
    UR__NEED_OR(p, "predictor", NULL);
    return ur_encoder_note(p->encoder, "the input");
}
