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
#include "tape/tape.h"
#include "train/guard.h"
#include "train/identity.h"
#include "train/keep.h"
#include "train/optimizer.h"
#include "train/output.h"
#include "train/snapshot.h"

#define MOST_STEPS 9e15     /* whole numbers are exact in a double up to here */

/* ---- options ----------------------------------------------------------- */

static ur_status check_end(const ur_train_options *o)
{
    if (!(o->epochs >= 0))
        return ur__fail(UR_EINVAL, "%g epochs are impossible", o->epochs);
    if (o->steps < -1)
        return ur__fail(UR_EINVAL, "%lld steps are impossible", (long long)o->steps);
    if (!(o->seconds >= 0) || !isfinite(o->seconds))
        return ur__fail(UR_EINVAL, "a time of %g seconds is impossible", o->seconds);
    return UR_OK;
}

static ur_status check_options(const ur_train_options *o)
{
    if (!o->model || !*o->model)
        return ur__fail(UR_EINVAL, "no name is given for the model");
    if (o->n_data < 1 || !o->data)
        return ur__fail(UR_EINVAL, "no data to train on");
    for (int i = 0; i < o->n_data; i++) {
        if (!o->data[i])
            return ur__fail(UR_EINVAL, "the name of file %d of the data is NULL", i);
    }
    if (!(o->val >= 0 && o->val < 1))
        return ur__fail(UR_EINVAL, "a share of %g held out is not in [0,1)", o->val);
    if (o->seq_length < 1 || o->seq_length > (1 << 20))
        return ur__fail(UR_EINVAL, "a sequence length of %d is not in 1..1048576", o->seq_length);
    if (o->batch < 1 || o->batch > (1 << 20))
        return ur__fail(UR_EINVAL, "a batch of %d is not in 1..1048576", o->batch);
    if (o->min_count < 1)
        return ur__fail(UR_EINVAL, "a least count of %d is not at least 1", o->min_count);
    if (o->patience < 0)
        return ur__fail(UR_EINVAL, "a patience of %d is impossible", o->patience);
    if (o->checkpoint_every < 0 || o->eval_every < 0 || o->sample_every < 0
        || o->report_every < 0 || o->sample_length < 0)
        return ur__fail(UR_EINVAL, "a cadence or length is negative");
    if (!ur_on_nan_name(o->on_nan))
        return ur__fail(UR_EINVAL, "there is no policy %d for numbers that are not finite",
                        (int)o->on_nan);
    UR__TRY(check_end(o));
    UR__TRY(ur__optimizer_check(&o->optimizer));
    return ur_config_check(&o->config);
}

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
    r->schedule = (struct ur__schedule){
        .kind = o->schedule, .lr = o->lr, .warmup = o->warmup, .steps = total,
        .seconds = o->seconds, .epoch_steps = r->facts.epoch_steps,
    };
    if (r->facts.val_items == 0 && (o->patience > 0 || o->schedule == UR_SCHEDULE_PLATEAU))
        return ur__fail(UR_EINVAL, "%s needs a part held out for validation",
                        o->patience > 0 ? "patience" : "the plateau schedule");
    return ur__schedule_check(&r->schedule);
}

static ur_status make_parts(struct ur__run *r)
{
    const ur_train_options *o = r->options;
    const struct ur__job job = {
        .config = &o->config, .data = o->data, .n_data = o->n_data, .val = o->val,
        .val_file = o->val_file, .seq_length = o->seq_length, .batch = o->batch,
        .seed = o->seed, .team = o->team, .min_count = o->min_count,
        .report_gradients = o->report_gradients,
    };
    struct ur__account text;
    ur__account_open(&text);
    ur_status status = r->task->open(&r->job, &job, &r->facts);
    ur__account_close(&text);
    UR__TRY(status);
    UR__TRY(make_schedule(r));
    UR__TRY(ur__plan_make(o, &r->facts, r->schedule.steps, &text, &r->plan));
    UR__TRY(r->task->build(r->job));
    UR__TRY(ur_tape_new(&r->tape, o->team));
    UR__TRY(ur__tape_reserve(r->tape, r->facts.need.step.arena));
    UR__TRY(ur_optimizer_new(&r->optimizer, ur_model_params(r->facts.model), &o->optimizer,
                             o->team));
    r->progress = (struct ur__progress){
        .evaluated = -1, .train_loss = (double)NAN, .val_loss = (double)NAN,
        .best_loss = (double)NAN, .best_step = -1, .plateau = {1, 0}, .lr_factor = 1,
        .drawn = true,
    };
    UR__TRY(ur__guard_open(r));
    return ur__identity_text(o, ur__optimizer_options(r->optimizer), &r->identity);
}

static ur_status take_values(struct ur__run *r)
{
    ur_model *from;
    UR__TRY(ur_model_load(&from, r->options->init_from));
    ur_status status = ur__model_copy_values(r->facts.model, from);
    ur_model_free(from);
    if (status == UR_EDATA)
        return ur__fail(status, "cannot start from %s: %s", r->options->init_from, ur_errmsg());
    UR__TRY(status);
    ur__run_note(r, "starting from the weights of %s alone: steps, optimizer and learning rate "
                 "begin anew", r->options->init_from);
    return UR_OK;
}

static ur_status begin(struct ur__run *r)
{
    r->progress.drawn = !r->options->init_from;
    if (!r->progress.drawn)
        UR__TRY(take_values(r));
    ur__snapshot_take(r);
    return UR_OK;
}

/* ---- going on ---------------------------------------------------------- */

bool ur__run_at_limit(const struct ur__run *r)
{
    const struct ur__schedule *s = &r->schedule;
    return (s->steps >= 0 && r->progress.step >= s->steps)
        || (s->seconds > 0 && ur__run_seconds(r) >= s->seconds);
}

bool ur__run_out_of_patience(const struct ur__run *r)
{
    return r->options->patience > 0 && r->progress.worse >= r->options->patience;
}

/* Goes on inside an epoch: opens it without losing the carried numbers. */
static ur_status reenter_epoch(struct ur__run *r, ur_real *carried, size_t n)
{
    int64_t step = r->progress.step, epoch_steps = r->facts.epoch_steps;
    if (step % epoch_steps == 0)
        return UR_OK;   /* the next step begins one */
    ur_real *kept = ur__alloc(n, sizeof *kept);
    if (!kept)
        return UR_ENOMEM;
    if (n)
        memcpy(kept, carried, n * sizeof *kept);
    ur_status status = ur__run_reenter(r, kept, n);
    ur__free(kept);
    return status;
}

static ur_status load_state(struct ur__run *r, enum ur__loaded *from)
{
    const struct ur__checkpoint c = ur__run_checkpoint(r);
    ur__snapshot_take(r);
    UR__TRY(ur__checkpoint_load(&c, r->state.data, r->previous.data, from));
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
    return reenter_epoch(r, c.carried, c.n_carried);
}

static ur_status go_on(struct ur__run *r, bool *finished)
{
    enum ur__loaded from = UR__LOADED_NONE;
    UR__TRY(load_state(r, &from));
    if (from == UR__LOADED_NONE) {
        ur__run_note(r, "%s: no training state; starting anew", r->state.data);
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
                     impatient ? ", its patience being at an end" : "");
    else
        ur__run_note(r, "going on after step %lld", step);
    return UR_OK;
}

ur_status ur__run_open(struct ur__run *r, bool *finished)
{
    *finished = false;
    r->older = UR__OLDER_MOVE;
    r->saved = r->sampled = r->on_disk = -1;
    r->start = ur__clock();
    UR__TRY(check_options(r->options));
    if (r->options->report_gradients && !r->task->reach)
        return ur__fail(UR_EINVAL, "the task %s does not report gradients", r->task->name);
    UR__TRY(ur__run_claim(r));
    UR__TRY(make_parts(r));
    UR__TRY(r->options->resume ? go_on(r, finished) : begin(r));
    r->sampled = r->progress.step;
    return ur_model_prepare(r->facts.model);
}

void ur__run_close(struct ur__run *r)
{
    ur__guard_close(r);
    ur_tape_free(r->tape);
    ur_optimizer_free(r->optimizer);
    if (r->task)
        r->task->close(r->job);
    ur__run_keep_free(r);
    ur__run_release(r);
    ur__buf_free(&r->identity);
    ur__buf_free(&r->text);
    ur__buf_free(&r->last);
    ur__buf_free(&r->state);
    ur__buf_free(&r->previous);
}
