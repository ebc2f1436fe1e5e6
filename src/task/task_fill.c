/* SPDX-License-Identifier: MIT */
/*
 * Filling gaps: predict each token of a text from those on both sides of it.
 *
 *     train   tokens [0, n−h) in windows of T, B of them a step in an order that is drawn
 *             anew each epoch; each side of a gap ends where its window does
 *     valid   tokens [n−h, n), h = ⌊val·n⌋, or a file of its own, in the same windows
 *
 * Nothing is carried from step to step.
 */
#include <string.h>

#include "base/team.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/json.h"
#include "tape/tape.h"
#include "task/fill_score.h"
#include "task/list.h"
#include "task/text.h"

#define USUAL_WINDOW 64     /* of a model that does not say */
#define LONG_WINDOW 256     /* of UR_PROTOCOL_WINDOW */

struct fill {
    ur_team *team;
    struct ur__text text;
    ur_model *model;
    struct ur__windows train, valid;
    uint64_t seed;
    int64_t epoch;
    int B;
    int64_t *which;                 /* [B] windows */
    int *lengths;                   /* [B] */
    int32_t *ids, *targets;         /* [T,B] */
    struct ur__fill_score score;
};

/* ---- opening ----------------------------------------------------------- */

static ur_status init_windows(struct ur__windows *w, const struct ur__part *part, int T)
{
    return ur__windows_init(w, part->corpus, part->begin, part->tokens, T);
}

/* The largest batch, for a measuring tape. */
static ur_tensor *largest(ur_tape *tape, void *arg)
{
    const struct fill *f = arg;
    ur_ids ids = {UR__NOWHERE, f->train.T, f->B};
    return ur_model_fill_loss(tape, f->model, ids, UR__NOWHERE, ids);
}

static ur_status find_need(struct fill *f, struct ur__need *need)
{
    size_t B = (size_t)f->B, T = (size_t)f->train.T;
    need->state = B * (sizeof *f->which + sizeof *f->lengths + 2 * T * sizeof *f->ids);
    UR__TRY(ur__tape_measure_round(&need->step, largest, f, true, f->team));
    if (f->text.valid.tokens == 0)
        return UR_OK;
    return ur__fill_score_bytes(&need->valid, f->model, f->valid.T, f->team);
}

static ur_status open_parts(struct fill *f, const struct ur__job *job, struct ur__facts *facts)
{
    UR__TRY(ur__text_open(&f->text, job, &f->model));
    UR__TRY(init_windows(&f->train, &f->text.train, job->seq_length));
    f->B = f->train.n < job->batch ? (int)f->train.n : job->batch;
    UR__TRY(ur__text_check_step(f->train.T, f->B));
    if (f->text.valid.tokens > 0)
        UR__TRY(init_windows(&f->valid, &f->text.valid, job->seq_length));
    int64_t steps = f->train.n / f->B + (f->train.n % f->B != 0);
    UR__TRY(ur__text_facts(&f->text, f->model, steps, facts));
    return find_need(f, &facts->need);
}

static ur_status fill_build(void *run)
{
    struct fill *f = run;
    size_t B = (size_t)f->B, n = B * (size_t)f->train.T;
    UR__TRY(ur__model_build(f->model, f->seed));
    f->which = ur__alloc(B, sizeof *f->which);
    f->lengths = ur__alloc(B, sizeof *f->lengths);
    f->ids = ur__alloc(n, sizeof *f->ids);
    f->targets = ur__alloc(n, sizeof *f->targets);
    if (!f->which || !f->lengths || !f->ids || !f->targets)
        return UR_ENOMEM;
    if (f->text.valid.tokens == 0)
        return UR_OK;
    return ur__fill_score_open(&f->score, f->model, f->valid.T, f->team);
}

static void fill_close(void *run)
{
    struct fill *f = run;
    if (!f)
        return;
    ur__fill_score_close(&f->score);
    ur__free(f->which);
    ur__free(f->lengths);
    ur__free(f->ids);
    ur__free(f->targets);
    ur_model_free(f->model);
    ur__text_close(&f->text);
    ur__free(f);
}

static ur_status fill_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    struct fill *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    f->team = job->team;
    f->seed = job->seed;
    ur_status status = open_parts(f, job, facts);
    if (status != UR_OK) {
        fill_close(f);
        return status;
    }
    *run = f;
    return UR_OK;
}

/* ---- training ---------------------------------------------------------- */

static ur_status fill_begin_epoch(void *run, int64_t epoch)
{
    struct fill *f = run;
    f->epoch = epoch;
    return UR_OK;
}

static ur_status fill_loss(void *run, ur_tape *tape, int64_t step, ur_tensor **loss,
                           int64_t *items)
{
    struct fill *f = run;
    int64_t first = step * f->B, left = f->train.n - first;
    int B = left < f->B ? (int)left : f->B, T;
    for (int b = 0; b < B; b++)
        f->which[b] = ur__shuffled(f->seed, (uint64_t)f->epoch, f->train.n, first + b);
    UR__TRY(ur__windows_read(&f->train, B, f->which, f->ids, f->lengths, &T));
    ur__fill_targets(T, B, f->lengths, f->ids, f->targets);
    ur_ids ids = {f->ids, T, B}, targets = {f->targets, T, B};
    *loss = ur_model_fill_loss(tape, f->model, ids, f->lengths, targets);
    *items = 0;
    for (int b = 0; b < B; b++)
        *items += f->lengths[b];
    return UR_OK;
}

/* ---- looking ----------------------------------------------------------- */

static ur_status fill_validate(void *run, const struct ur__watch *watch, double *loss)
{
    struct fill *f = run;
    double sum = 0;
    int64_t hits = 0;
    int done;
    for (int64_t first = 0; first < f->valid.n; first += done) {
        UR__TRY(ur__fill_score_run(&f->score, &f->valid, first, &done, &sum, &hits));
        if (!watch->go_on(watch->user, (double)(first + done) / (double)f->valid.n))
            return ur__fail(UR_ECANCELED, "validation stopped");
    }
    *loss = sum / (double)f->valid.tokens;
    return UR_OK;
}

struct measure {
    struct ur__corpus *corpus;
    struct ur__part part;
    struct ur__windows windows;
    struct ur__fill_score score;
};

/* The window that the model was trained with. */
static ur_status find_window(const ur_model *model, int *T)
{
    const char *text = ur_model_summary(model);
    struct ur__json *summary;
    int64_t length;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    bool known = ur__json_get_int(summary, "seq_length", &length) && length >= 1 &&
                 length <= 1 << 20;
    ur__json_free(summary);
    *T = known ? (int)length : USUAL_WINDOW;
    return UR_OK;
}

static ur_status measure(struct measure *m, const ur_model *model, const ur_eval_options *o,
                         ur_metrics *out)
{
    int T = LONG_WINDOW, done;
    double sum = 0;
    int64_t hits = 0;
    if (o->protocol != UR_PROTOCOL_STREAM && o->protocol != UR_PROTOCOL_WINDOW)
        return ur__fail(UR_EINVAL, "there is no protocol %d", (int)o->protocol);
    UR__TRY(ur__text_find_part(&m->corpus, &m->part, 2, model, o));
    if (o->protocol == UR_PROTOCOL_STREAM)
        UR__TRY(find_window(model, &T));
    UR__TRY(init_windows(&m->windows, &m->part, T));
    UR__TRY(ur__fill_score_open(&m->score, model, m->windows.T, o->team));
    for (int64_t first = 0; first < m->windows.n; first += done) {
        UR__TRY(ur__fill_score_run(&m->score, &m->windows, first, &done, &sum, &hits));
        double share = (double)(first + done) / (double)m->windows.n;
        if (o->on_progress && !o->on_progress(o->user, share))
            return ur__fail(UR_ECANCELED, "stopped after %lld of %lld windows",
                            (long long)(first + done), (long long)m->windows.n);
    }
    return ur__text_metrics(out, model, &m->part, sum, hits);
}

ur_status ur__fill_evaluate(const ur_model *model, const ur_eval_options *options,
                            ur_metrics *out)
{
    struct measure m = {0};
    unsigned mode = ur__fpmode_default();
    ur_status status = measure(&m, model, options, out);
    ur__fpmode_restore(mode);
    ur__fill_score_close(&m.score);
    ur__corpus_free(m.corpus);
    return status;
}

const struct ur__task ur__task_fill = {
    .name = "fill",
    .open = fill_open,
    .build = fill_build,
    .close = fill_close,
    .begin_epoch = fill_begin_epoch,
    .loss = fill_loss,
    .validate = fill_validate,
};
