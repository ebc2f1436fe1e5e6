/* SPDX-License-Identifier: MIT */
/*
 * From options to a run that is ready for its next step: a new one, or one that goes on.
 * Whatever can be known to fail after hours of work is tried here first.
 */
#include "train/run.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "model/adopt.h"
#include "model/arch.h"
#include "tape/tape.h"
#include "train/average.h"
#include "train/guard.h"
#include "train/identity.h"
#include "train/keep.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "train/output.h"
#include "train/plan.h"
#include "train/reach.h"
#include "train/snapshot.h"
#include "train/summary.h"

#define MOST_STEPS 9e15     /* whole numbers are exact in a double up to here */

/* ---- parts ------------------------------------------------------------- */

static ur_status make_schedule(struct ur__run *r)
{
    const ur_train_options *o = r->options;
    double steps = o->epochs * (double)r->facts.epoch_steps;
    if (o->epochs > 0 && steps < 1)
        steps = 1;
    int64_t total = steps < MOST_STEPS ? (int64_t)floor(steps + 0.5) : -1;
    if (o->steps >= 0 && (total < 0 || o->steps < total))
        total = o->steps;
    if (total < 0 && o->seconds <= 0)
        return ur__fail(UR_EINVAL, "nothing ends the run: give it epochs, steps or a time");
    r->schedule = (ur_schedule){
        .size = sizeof r->schedule, .kind = o->schedule, .lr = o->lr, .warmup = o->warmup,
        .steps = total, .seconds = o->seconds, .epoch_steps = r->facts.epoch_steps,
    };
    if (r->facts.val_items == 0 && (o->patience > 0 || o->schedule == UR_SCHEDULE_PLATEAU))
        return ur__fail(UR_EINVAL, "%s needs a part held out for validation",
                        o->patience > 0 ? "patience" : "the plateau schedule");
    return ur__schedule_check(&r->schedule);
}

/* Whether a figure tells models apart: how much was measured, and what of it is unknown, do not. */
static bool ranks(const ur_metric *m)
{
    return strcmp(m->name, "n") != 0 && strcmp(m->name, "unk") != 0;
}

/* The figure that says which model is best: the one asked for, or that of the state, or the
 * task's first. */
static ur_status choose_best(struct ur__run *r)
{
    const char *name = r->own.best ? r->own.best : r->resumed_best[0] ? r->resumed_best : NULL;
    r->n_sums = r->task->n_sums(r->model);
    r->sums = ur__calloc((size_t)r->n_sums, sizeof *r->sums);
    if (!r->sums)
        return UR_ENOMEM;
    ur_metrics_init(&r->metrics);
    r->task->figures(r->model, r->sums, &r->metrics);
    const ur_metric *m = name ? ur_metrics_find(&r->metrics, name) : &r->metrics.at[0];
    if (!m || !ranks(m)) {
        struct ur__buf list = {0};
        ur_status status = UR_OK;
        for (int i = 0; i < r->metrics.n && status == UR_OK; i++)
            if (ranks(&r->metrics.at[i]))
                status = ur__buf_printf(&list, "%s%s", i ? ", " : "", r->metrics.at[i].name);
        if (status == UR_OK)
            status = ur__fail(UR_EINVAL, "best %.80s: task %s is ranked by %s", name,
                              r->task->name, list.data);
        ur__buf_free(&list);
        return status;
    }
    r->best = m->name;
    r->rising = m->rising;
    return UR_OK;
}

/* Vocabularies of another model for the data to be read with. */
static ur_status take_vocabs(struct ur__run *r, struct ur__job *job)
{
    if (!r->options->vocab_from)
        return UR_OK;
    UR__TRY(ur_model_load(&r->vocab_from, r->options->vocab_from));
    const struct ur__arch *arch = ur__arch_find(r->task->arch);
    for (int i = 0; arch->vocabs[i]; i++)
        job->vocab[i] = ur_model_vocab(r->vocab_from, arch->vocabs[i]);
    return UR_OK;
}

static ur_status open_data(struct ur__run *r)
{
    const ur_train_options *o = r->options;
    struct ur__job job = {
        .options = &o->job, .net = &o->net, .data = o->data, .n_data = o->n_data, .val = o->val,
        .val_file = o->val_file, .val_given = ur__train_given(o, "val"), .seed = o->seed,
        .team = o->team,
    };
    r->facts.carries = r->facts.carries_scored = r->task->carries;
    UR__TRY(take_vocabs(r, &job));
    UR__TRY(r->task->open(&r->job, &job, &r->facts));
    UR__TRY(ur__options_check_with(&o->net));
    UR__TRY(ur__options_check_with(&o->job));
    for (int i = 0; i < r->facts.n_sources; i++)
        if (r->facts.note[i])
            ur__run_note(r, "%s", r->facts.note[i]);
    if (r->task->shape)
        r->task->shape(r->job, &r->own.net, &r->own.job);
    int roles = ur__arch_roles(ur__arch_find(r->task->arch));
    UR__TRY(ur__model_declare(&r->model, &o->net, roles, r->facts.vocab));
    memset(r->facts.vocab, 0, sizeof r->facts.vocab);
    ur__train_by_data(&r->own, &r->facts);
    UR__TRY(ur__model_set_task(r->model, r->task->name));
    return r->task->cut(r->job, o->batch, &r->facts);
}

static ur_status make_parts(struct ur__run *r)
{
    const ur_train_options *o = r->options;
    struct ur__account reading = {0};
    ur__account_open(&reading);
    ur_status status = open_data(r);
    ur__account_close(&reading);
    UR__TRY(status);
    UR__TRY(choose_best(r));
    UR__TRY(make_schedule(r));
    UR__TRY(ur__plan_make(r, &reading));
    UR__TRY(ur__model_build(r->model, o->seed));
    if (r->facts.carries)
        UR__TRY(ur_model_state_new(&r->state, r->model, r->facts.rows, o->team));
    UR__TRY(r->task->build(r->job, r->model));
    UR__TRY(ur_tape_new(&r->tape, o->team));
    UR__TRY(ur__tape_reserve(r->tape, r->step_room.arena));
    UR__TRY(ur_optimizer_new(&r->optimizer, r->model->params, &o->optimizer, o->team));
    UR__TRY(ur__average_open(r));
    r->progress = (struct ur__progress){
        .evaluated = -1, .train_loss = (double)NAN, .val_loss = (double)NAN,
        .figure = (double)NAN, .best = (double)NAN, .best_loss = (double)NAN, .best_step = -1,
        .plateau = {1, 0},
        .lr_factor = 1, .drawn = true,
    };
    UR__TRY(ur__guard_open(r));
    return ur__identity_text(r, &r->identity);
}

static ur_status take_values(struct ur__run *r)
{
    ur_model *from;
    struct ur__adopted counts;
    UR__TRY(ur_model_load(&from, r->options->init_from));
    ur_status status = ur__model_adopt(r->model, from, &counts);
    ur_model_free(from);
    if (status == UR_EDATA)
        return ur__fail(status, "cannot start from %s: %s", r->options->init_from, ur_errmsg());
    UR__TRY(status);
    if (counts.fresh || counts.dropped)
        ur__run_note(r, "%s knows %d of the %d tokens; %d %s new, and %d of its own %s not occur "
                     "here", r->options->init_from, counts.kept, counts.kept + counts.fresh,
                     counts.fresh, counts.fresh == 1 ? "is" : "are", counts.dropped,
                     counts.dropped == 1 ? "does" : "do");
    ur__run_note(r, "starting from the weights of %s alone: steps, optimizer and learning rate "
                 "begin anew", r->options->init_from);
    return UR_OK;
}

static ur_status begin(struct ur__run *r)
{
    if (r->task->start)
        UR__TRY(r->task->start(r->job, r->model));
    r->progress.drawn = !r->options->init_from;
    if (!r->progress.drawn)
        UR__TRY(take_values(r));
    ur__snapshot_take(r);
    return UR_OK;
}

/* ---- going on ---------------------------------------------------------- */

bool ur__run_at_limit(const struct ur__run *r)
{
    const ur_schedule *s = &r->schedule;
    return (s->steps >= 0 && r->progress.step >= s->steps)
        || (s->seconds > 0 && ur__run_seconds(r) >= s->seconds);
}

bool ur__run_out_of_patience(const struct ur__run *r)
{
    return r->options->patience > 0 && r->progress.worse >= r->options->patience;
}

/* Goes on inside an epoch: opens it without losing the carried numbers. */
static ur_status reenter_epoch(struct ur__run *r)
{
    const struct ur__carried c = ur__carried_of(r->state);
    if (r->progress.step % r->facts.epoch_steps == 0)
        return UR_OK;   /* the next step begins one */
    ur_real *kept = ur__alloc(ur__carried_size(&c), sizeof *kept);
    if (!kept)
        return UR_ENOMEM;
    ur__carried_keep(&c, kept);
    ur_status status = ur__run_reenter(r, kept);
    ur__free(kept);
    return status;
}

static ur_status load_state(struct ur__run *r, enum ur__loaded *from)
{
    const struct ur__checkpoint c = ur__run_checkpoint(r);
    ur__snapshot_take(r);
    UR__TRY(ur__checkpoint_load(&c, r->state_path.data, r->previous.data, from));
    if (*from == UR__LOADED_NONE)
        return UR_OK;
    r->older = *from == UR__LOADED_PREVIOUS ? UR__OLDER_KEEP : UR__OLDER_MOVE;
    r->saved = r->on_disk = r->progress.step;
    r->began = true;
    r->start_step = r->progress.step;
    if (r->schedule.seconds <= 0)
        r->progress.seconds = 0;
    r->seconds_before = r->progress.seconds;
    UR__TRY(ur__snapshot_find(r, *from));
    return reenter_epoch(r);
}

static ur_status go_on(struct ur__run *r, bool *finished)
{
    enum ur__loaded from = UR__LOADED_NONE;
    UR__TRY(load_state(r, &from));
    if (from == UR__LOADED_NONE) {
        ur__run_note(r, "%s: no training state; starting anew", r->state_path.data);
        return begin(r);
    }
    long long step = (long long)r->progress.step;
    bool impatient = ur__run_out_of_patience(r);
    *finished = r->progress.evaluated == r->progress.step
        && (impatient || ur__run_at_limit(r));
    if (from == UR__LOADED_PREVIOUS)
        ur__run_warn(r, "%s; going on from the state before it", ur_errmsg());
    if (r->options->init_from)
        ur__run_note(r, "the weights of %s are not read again: the run goes on from its own",
                     r->options->init_from);
    if (*finished)
        ur__run_note(r, "the run was finished after step %lld%s; more epochs, steps or time "
                    "continue it", step,
                     impatient ? ", out of patience" : "");
    else
        ur__run_note(r, "going on after step %lld", step);
    return UR_OK;
}

/* Options that were not set are those of the run that goes on. */
static ur_status take_up_options(struct ur__run *r)
{
    char *then = NULL;
    const char *from;
    if (!r->own.resume)
        return UR_OK;
    UR__TRY(ur__checkpoint_options(r->state_path.data, r->previous.data, &then, &from));
    ur_status status = then ? ur__json_parse(&r->resumed, then, strlen(then)) : UR_OK;
    ur__free(then);
    if (r->resumed) {
        ur__identity_best(r->resumed, r->resumed_best);
        status = ur__identity_apply(r->resumed, &r->own);
    }
    if (status == UR_EFORMAT)
        ur__fail(status, "%s: damaged: %s", from, ur_errmsg());
    return status;
}

ur_status ur__run_open(struct ur__run *r, bool *finished)
{
    *finished = false;
    r->older = UR__OLDER_MOVE;
    r->saved = r->sampled = r->on_disk = -1;
    r->start = ur__clock();
    r->options = &r->own;
    UR__TRY(ur__train_check(r->options));
    if (r->options->report_gradients && !r->task->carries)
        return ur__fail(UR_EINVAL, "the task %s does not report gradients", r->task->name);
    UR__TRY(ur__run_claim(r));
    UR__TRY(take_up_options(r));
    UR__TRY(make_parts(r));
    UR__TRY(r->options->resume ? go_on(r, finished) : begin(r));
    r->sampled = r->progress.step;
    return ur_model_prepare(r->model);
}

void ur__run_close(struct ur__run *r)
{
    ur__guard_close(r);
    ur_tape_free(r->tape);
    ur_optimizer_free(r->optimizer);
    ur__average_close(r);
    ur__reach_close(r);
    if (r->task)
        r->task->close(r->job);
    ur_model_state_free(r->state);
    for (int i = 0; i < UR__MAX_VOCABS; i++)
        ur_vocab_free(r->facts.vocab[i]);
    ur_model_free(r->model);
    ur_model_free(r->vocab_from);
    ur__free(r->sums);
    ur__run_keep_free(r);
    ur__run_release(r);
    ur__json_free(r->resumed);
    ur__buf_free(&r->identity);
    ur__buf_free(&r->text);
    ur__buf_free(&r->last);
    ur__buf_free(&r->state_path);
    ur__buf_free(&r->previous);
}
