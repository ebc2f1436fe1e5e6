/* SPDX-License-Identifier: MIT */
/*
 * The loop. Before each step whatever is due at the step just done is caught up on, in
 * this order: evaluation, sample, checkpoint. A run that stops between a step and its
 * evaluation, or within it, therefore makes it up when it goes on, and ends with the same
 * bits.
 *
 * Numbers that are not finite fail with UR_ENUMERIC wherever they are seen; guard.h says
 * what then becomes of the run.
 *
 * Invariant: nothing reaches a file before it has been seen to be finite; a failing run
 * leaves the files as they are.
 */
#include "train/loop.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/status.h"
#include "base/team.h"
#include "train/average.h"
#include "train/guard.h"
#include "train/keep.h"
#include "train/optimizer.h"
#include "train/reach.h"
#include "train/run.h"
#include "train/step.h"
#include "train/snapshot.h"

/* Puts the step before the message of what was not finite. */
static ur_status name_step(ur_status status, int64_t step)
{
    if (status != UR_ENUMERIC)
        return status;
    return ur__fail(status, "diverged at step %lld: %s", (long long)step, ur_errmsg());
}

/* ---- one step ---------------------------------------------------------- */

static ur_status find_gradients(struct ur__run *r, int64_t at, double *value, int64_t *items)
{
    UR__TRY(ur__guard_check(r));
    UR__TRY(ur__run_gradients(r, at, value, items));
    return ur__guard_check(r);
}

static ur_status update(struct ur__run *r, int64_t at, double *value, int64_t *items)
{
    struct ur__progress *p = &r->progress;
    ur_tape_reset(r->tape);
    ur_tape_set_training(r->tape, true, r->options->seed, (uint64_t)p->step);
    ur_params_zero_grads(r->model->params);
    UR__TRY(ur__guard_blame(r, find_gradients(r, at, value, items)));
    double elapsed = r->schedule.seconds > 0 ? ur__run_seconds(r) : 0;
    r->lr = p->lr_factor * ur__schedule_lr(&r->schedule, &p->plateau, p->step, elapsed);
    UR__TRY(ur_optimizer_step(r->optimizer, r->lr, &r->norm));
    return ur_model_prepare(r->model);
}

static ur_status train_step(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    int64_t at = p->step % r->facts.epoch_steps;
    double before = ur__clock(), value = 0;
    int64_t items = 0;
    UR__TRY(ur__run_begin_step(r, p->step));
    ur__guard_begin(r);
    ur_status status = name_step(update(r, at, &value, &items), p->step + 1);
    if (r->state)
        ur_model_state_detach(r->state);
    if (status == UR_ENUMERIC)
        return ur__guard_skip(r);
    UR__TRY(status);
    p->step++;
    ur__average_update(r);
    p->skipped_in_row = 0;
    p->loss_sum += value * (double)items;
    p->loss_items += items;
    r->window_loss += value * (double)items;
    r->window_items += items;
    r->window_seconds += ur__clock() - before;
    int64_t every = r->options->report_every;
    if (every <= 1 || p->step % every == 0) {
        ur__run_report(r, UR_REPORT_STEP);
        r->window_loss = r->window_seconds = 0;
        r->window_items = 0;
    }
    return UR_OK;
}

/* ---- what is due now and then ------------------------------------------ */

static bool evaluation_is_due(const struct ur__run *r)
{
    const struct ur__progress *p = &r->progress;
    int64_t every = r->options->eval_every ? r->options->eval_every : r->facts.epoch_steps;
    return p->step > 0 && p->step % every == 0 && p->evaluated != p->step;
}

static bool see_validation(void *user, double done)
{
    struct ur__run *r = user;
    ur__run_report_validating(r, done);
    return !r->canceled;
}

static void warn_if_worse_than_guessing(struct ur__run *r, double loss)
{
    if (r->told_worse || !ur__run_is_worse_than_guessing(r, loss))
        return;
    r->told_worse = true;
    ur__run_warn(r, "the validation loss, %.6g nats, is far above the %.3g of guessing: the "
                 "net is worse than none; a lower learning rate may help", loss,
                 r->facts.uniform);
}

/* The weights that are to be saved. */
static ur_status judge(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    const struct ur__watch watch = {see_validation, r};
    UR__TRY(ur__run_score(r, &watch));
    if (r->task->settle)
        r->task->settle(r->model, r->sums);
    double loss = ur_metrics_get(&r->metrics, "loss");
    if (!isfinite(loss))
        return ur__fail(UR_ENUMERIC, "the validation loss is %s",
                        isnan(loss) ? "nan" : "infinite");
    p->val_loss = loss;
    warn_if_worse_than_guessing(r, loss);
    p->figure = ur_metrics_get(&r->metrics, r->best);
    bool better = ur__run_is_better(r, p->figure, loss, p);
    p->worse = better ? 0 : p->worse + 1;
    ur__plateau_see(&p->plateau, better);
    if (!better)
        return UR_OK;
    p->best = p->figure;
    p->best_loss = loss;
    p->best_step = p->step;
    return ur__run_keep_best(r);
}

/* UR_ECANCELED: nothing has changed. A state that cannot be written is the checkpoint's trouble. */
static ur_status validate(struct ur__run *r)
{
    ur_status status = ur__run_keep_first(r);
    UR__TRY(status == UR_EOUTPUT ? UR_OK : status);
    return ur__average_with(r, judge);
}

/* Looks at the batch that comes next. The update after it starts from gradients of zero. */
static ur_status report_reach(struct ur__run *r)
{
    if (!r->options->report_gradients)
        return UR_OK;
    return name_step(ur__reach_report(r), r->progress.step);
}

static ur_status evaluate(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    ur_status status = UR_OK;
    if (r->facts.val_items > 0)
        status = name_step(ur__guard_blame(r, validate(r)), p->step);
    if (status == UR_ECANCELED && r->canceled)
        return UR_OK;   /* it is made up for when the run goes on */
    UR__TRY(status == UR_ENUMERIC ? ur__guard_skip_validation(r) : status);
    p->train_loss = ur__progress_train_loss(p);
    p->loss_sum = 0;
    p->loss_items = 0;
    p->evaluated = p->step;
    r->saved = -1;
    if (r->facts.val_items > 0)
        ur__run_report(r, UR_REPORT_VALID);
    return report_reach(r);
}

static ur_status show(struct ur__run *r)
{
    r->text.size = 0;
    return r->task->show(r->job, r->options->seed, r->options->sample_length, &r->text);
}

static ur_status sample(struct ur__run *r)
{
    int64_t every = r->options->sample_every, step = r->progress.step;
    if (!r->task->show || every == 0 || step % every != 0 || r->sampled == step)
        return UR_OK;
    UR__TRY(ur__average_with(r, show));
    r->sampled = step;
    ur__run_report_text(r, UR_REPORT_SAMPLE, r->text.size ? r->text.data : "", r->text.size);
    return UR_OK;
}

static bool checkpoint_is_due(const struct ur__run *r)
{
    const struct ur__progress *p = &r->progress;
    int64_t every = r->options->checkpoint_every;
    return p->step > 0 && (every ? p->step % every == 0 : p->evaluated == p->step);
}

/* ---- the run ----------------------------------------------------------- */

/* All that is due at this step. *over: the run has come to its end. */
static ur_status catch_up(struct ur__run *r, bool *over)
{
    struct ur__progress *p = &r->progress;
    bool at_limit = ur__run_at_limit(r) || ur__run_out_of_patience(r);
    bool owes = (at_limit && p->evaluated != p->step) || evaluation_is_due(r);
    if (owes && !r->canceled)
        UR__TRY(evaluate(r));
    *over = p->evaluated == p->step && (at_limit || ur__run_out_of_patience(r));
    if (!r->canceled)
        UR__TRY(name_step(sample(r), p->step));
    /* One to go back to is the same whether or not the run is stopped before its evaluation. */
    bool is_base = checkpoint_is_due(r) && (!owes || p->evaluated == p->step);
    if (is_base)
        p->base = p->step;
    if (r->saved != p->step && (*over || r->canceled || checkpoint_is_due(r)))
        UR__TRY(name_step(ur__run_keep(r, *over || r->canceled), p->step));
    if (is_base)
        ur__snapshot_take(r);
    return UR_OK;
}

static ur_status drive(struct ur__run *r)
{
    bool over = false;
    ur__run_report(r, UR_REPORT_START);
    if (r->progress.step == 0 && !ur__run_at_limit(r))
        UR__TRY(report_reach(r));
    for (;;) {
        ur_status status = catch_up(r, &over);
        if (status == UR_OK && (over || r->canceled))
            break;
        if (status == UR_OK)
            status = train_step(r);
        UR__TRY(status == UR_ENUMERIC ? ur__guard_recover(r) : status);
    }
    if (!over) {
        if (r->saved != r->progress.step)
            UR__TRY(name_step(ur__run_keep(r, true), r->progress.step));
        return ur__fail(UR_ECANCELED, "stopped after step %lld; the state is saved and --resume "
                        "goes on from it", (long long)r->progress.step);
    }
    ur__run_report(r, UR_REPORT_END);
    return UR_OK;
}

ur_status ur__train_run(struct ur__run *r)
{
    bool finished;
    unsigned mode = ur__fpmode_default();
    ur_status status = ur__run_open(r, &finished);
    if (status == UR_OK && !finished)
        status = drive(r);
    ur__run_close(r);
    ur__fpmode_restore(mode);
    return status;
}

ur_status ur__train(const struct ur__task *task, const ur_train_options *options,
                    ur_on_report on, void *user)
{
    struct ur__run r = {.own = *options, .task = task, .on = on, .user = user};
    return ur__train_run(&r);
}
