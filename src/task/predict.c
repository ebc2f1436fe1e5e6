/* SPDX-License-Identifier: MIT */
/* Answers to lines and other examples, through the plug of the model's task. */
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "data/encode.h"
#include "io/option_json.h"
#include "task/answer.h"
#include "task/list.h"
#include "task/reading.h"

struct ur_predictor {
    const struct ur__task *task;
    const struct ur__predict_plug *plug;    /* the task's */
    ur_encoder *encoder;        /* NULL: the model reads numbers */
    ur_options options;         /* the task's, as the model's training had them */
    struct ur__json *summary;   /* which their texts belong to */
    void *inside;               /* the plug's */
    struct ur__answer answer[UR_PREDICT_LINES];     /* the first of one alone */
    struct ur__buf note;
};

/* What a failed call gives. */
static const ur_answer empty = {.text = ""};

static const ur_predict_options defaults = {
    .size = sizeof(ur_predict_options), .best = 1, .length_power = 1,
};

void ur_predict_options_init_size(ur_predict_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

static ur_unknown policy(const ur_predictor *p, const ur_model *model, ur_unknown how)
{
    if (!p->plug->labels)
        return how;
    if (how == UR_UNKNOWN_SKIP && p->plug->keeps && p->plug->keeps(model))
        how = UR_UNKNOWN_USUAL;
    return ur__unknown_labelled(ur_model_vocab(model, NULL), how);
}

static ur_status open(ur_predictor *p, const ur_model *model, const ur_predict_options *o)
{
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    const char *summary = ur_model_summary(model);
    if (vocab)
        UR__TRY(ur_encoder_new(&p->encoder, vocab, policy(p, model, o->unknown)));
    UR__TRY(ur__json_parse(&p->summary, summary, strlen(summary)));
    ur__options_init(&p->options, p->task->options);
    ur__options_recall(p->task->options, p->summary, ur__options_values(&p->options));
    p->inside = ur__calloc(1, p->plug->size);
    if (!p->inside)
        return UR_ENOMEM;
    const struct ur__predict_job job = {
        .model = model, .encoder = p->encoder, .best = o->best, .beam = o->beam, .team = o->team,
        .explain = o->explain, .length_power = o->length_power, .copy = o->copy_unknown,
        .draw = o->draw,
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
        return ur__fail(UR_EINVAL, "a model of task %s gives no answers", task->name);
    UR__TRY(ur__task_check_beam(task, model, o.beam));
    UR__TRY(ur__task_check_texts(task, o.length_power, o.copy_unknown, o.draw));
    if (o.explain && !(task->predict->explains && task->predict->explains(model)))
        return ur__fail(UR_EINVAL, "the model does not weigh its tokens, so its answers cannot be "
                        "explained%s%s", task->predict->explaining ? ": that takes " : "",
                        task->predict->explaining ? task->predict->explaining : "");
    ur_predictor *p = ur__calloc(1, sizeof *p);
    if (!p)
        return UR_ENOMEM;
    p->task = task;
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
    ur__json_free(p->summary);
    for (int i = 0; i < UR_PREDICT_LINES; i++)
        ur__answer_free(&p->answer[i]);
    ur__buf_free(&p->note);
    ur__free(p);
}

/* ---- one answer -------------------------------------------------------- */

/* An empty answer to be filled in, in the usual mode of numbers. */
static unsigned begin(ur_predictor *p)
{
    ur__answer_clear(p->answer);
    return ur__fpmode_default();
}

/* Gives it, unless that failed. */
static ur_status end(ur_predictor *p, unsigned mode, ur_status status, const ur_answer **answer)
{
    ur__fpmode_restore(mode);
    if (status == UR_OK)
        *answer = ur__answer_give(p->answer, p->plug->places, p->plug->figure);
    return status;
}

static ur_status need_text(const ur_predictor *p)
{
    return p->encoder ? UR_OK
                      : ur__fail(UR_EINVAL, "the model reads numbers, not lines of text");
}

/* A line that a plug cannot read is data, not a call. */
static ur_status as_data(ur_status status)
{
    return status == UR_EINVAL ? ur__fail(UR_EDATA, "%s", ur_errmsg()) : status;
}

ur_status ur_predictor_line(ur_predictor *p, const char *line, size_t n,
                            const ur_answer **answer)
{
    UR__NEED(answer, "answer");
    *answer = &empty;
    UR__NEED(p, "predictor");
    if (n > 0)
        UR__NEED(line, "line");
    UR__TRY(need_text(p));
    unsigned mode = begin(p);
    return end(p, mode, as_data(p->plug->line(p->inside, n ? line : "", n, p->answer)), answer);
}

static ur_status answer_lines(ur_predictor *p, int n, const char *const *line, const size_t *size,
                              int *done)
{
    for (int i = 0; i < n; i++)
        ur__answer_clear(&p->answer[i]);
    if (p->plug->lines)
        return p->plug->lines(p->inside, n, line, size, p->answer, done);
    for (; *done < n; ++*done)
        UR__TRY(p->plug->line(p->inside, line[*done], size[*done], &p->answer[*done]));
    return UR_OK;
}

ur_status ur_predictor_lines(ur_predictor *p, int n, const char *const *line, const size_t *size,
                             const ur_answer **answer, int *done)
{
    UR__NEED(done, "done");
    *done = 0;
    UR__NEED(p, "predictor");
    UR__NEED(line, "line");
    UR__NEED(size, "size");
    UR__NEED(answer, "answer");
    if (n < 1 || n > UR_PREDICT_LINES)
        return ur__fail(UR_EINVAL, "1 to %d lines are answered at once, not %d", UR_PREDICT_LINES,
                        n);
    for (int i = 0; i < n; i++)
        if (!line[i])
            return ur__fail(UR_EINVAL, "line %d is NULL", i);
    UR__TRY(need_text(p));
    unsigned mode = ur__fpmode_default();
    ur_status status = as_data(answer_lines(p, n, line, size, done));
    ur__fpmode_restore(mode);
    for (int i = 0; i < *done; i++)
        answer[i] = ur__answer_give(&p->answer[i], p->plug->places, p->plug->figure);
    return status;
}

static ur_status need_examples(const ur_predictor *p)
{
    return p->plug->next ? UR_OK : ur__fail(UR_EINVAL, "a model of task %s answers lines of text "
                                            "alone", p->task->name);
}

ur_status ur_predictor_frames(ur_predictor *p, int T, int I, const ur_real *frames,
                              const ur_answer **answer)
{
    UR__NEED(answer, "answer");
    *answer = &empty;
    UR__NEED(p, "predictor");
    UR__NEED(frames, "frames");
    UR__TRY(need_examples(p));
    unsigned mode = begin(p);
    return end(p, mode, p->plug->frames(p->inside, T, I, frames, p->answer), answer);
}

/* ---- files ------------------------------------------------------------- */

ur_status ur_predictor_set(ur_predictor *p, const char *name, const char *text)
{
    UR__NEED(p, "predictor");
    UR__NEED(name, "name");
    UR__NEED(text, "text");
    return ur__options_set_reading(&p->options, p->plug->next ? UR_OPTION_READS : 0, name, text);
}

ur_status ur_predictor_open(ur_predictor *p, const char *const *paths, int n_paths)
{
    UR__NEED(p, "predictor");
    UR__NEED(paths, "paths");
    UR__TRY(need_examples(p));
    for (int i = 0; i < n_paths; i++)
        if (!paths[i])
            return ur__fail(UR_EINVAL, "the name of file %d is NULL", i);
    return p->plug->files(p->inside, &p->options, paths, n_paths);
}

ur_status ur_predictor_next(ur_predictor *p, const ur_answer **answer)
{
    UR__NEED(answer, "answer");
    *answer = NULL;
    UR__NEED(p, "predictor");
    UR__TRY(need_examples(p));
    bool more;
    unsigned mode = begin(p);
    ur_status status = end(p, mode, p->plug->next(p->inside, &more, p->answer), answer);
    if (status == UR_OK && !more)
        *answer = NULL;
    return status;
}

const char *ur_predictor_note(ur_predictor *p)
{
    UR__NEED_OR(p, "predictor", NULL);
    const char *unknown = p->encoder ? ur_encoder_note(p->encoder, "the input") : NULL;
    const char *own = p->plug->note ? p->plug->note(p->inside) : NULL;
    if (!unknown || !own)
        return own ? own : unknown;
    p->note.size = 0;
    return ur__buf_printf(&p->note, "%s; %s", own, unknown) == UR_OK ? p->note.data : own;
}
