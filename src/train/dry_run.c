/* SPDX-License-Identifier: MIT */
/* Opens a run as training does, so that it fails where training would, and takes a few steps
 * that are forgotten: nothing of it is ever written. */
#include "train/dry_run.h"

#include <math.h>
#include <stdlib.h>

#include "base/fpmode.h"
#include "base/status.h"
#include "base/team.h"
#include "train/snapshot.h"
#include "train/step.h"

#define MOST_STEPS 16

/* ---- time -------------------------------------------------------------- */

static ur_status update(struct ur__run *r, int64_t at)
{
    int64_t items;
    double loss;
    ur_tape_reset(r->tape);
    ur_tape_set_training(r->tape, true, r->options->seed, (uint64_t)at);
    ur_params_zero_grads(r->model->params);
    UR__TRY(ur__run_gradients(r, at, &loss, &items));
    UR__TRY(ur_optimizer_step(r->optimizer, r->options->lr, NULL));
    return ur_model_prepare(r->model);
}

/* Step i from where the run stands. */
static ur_status take_step(struct ur__run *r, int64_t i)
{
    int64_t step = r->progress.step + i, at = step % r->facts.epoch_steps;
    UR__TRY(ur__run_begin_step(r, step));
    ur_status status = update(r, at);
    if (r->state)
        ur_model_state_detach(r->state);
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the steps but the first, which touches the memory for the first time. A
 * run that diverges at once has no time. */
static ur_status measure(struct ur__run *r, double budget, double *seconds)
{
    double took[MOST_STEPS], spent = 0;
    int n = 0;
    *seconds = (double)NAN;
    while (n < MOST_STEPS && (n == 0 || spent + spent / n < budget)) {
        double before = ur__clock();
        ur_status status = take_step(r, n);
        if (status == UR_ENUMERIC)
            return UR_OK;
        UR__TRY(status);
        took[n] = ur__clock() - before;
        spent += took[n++];
    }
    double *from = n > 1 ? took + 1 : took;
    int rest = n > 1 ? n - 1 : 1;
    qsort(from, (size_t)rest, sizeof *from, compare);
    *seconds = from[rest / 2];
    return UR_OK;
}

/* Validations from step `from` on to the run's end. */
static double validations(const struct ur__run *r, int64_t from, int64_t steps)
{
    int64_t every = r->options->eval_every ? r->options->eval_every : r->facts.epoch_steps;
    if (r->facts.val_items == 0)
        return 0;
    return (double)(steps / every - from / every + (steps == 0 || steps % every != 0));
}

/* The way forward is a third of a step: of each token of the part held out. */
static double foresee(const struct ur__run *r, const ur_plan *p)
{
    double left = (double)NAN, limit = r->schedule.seconds - r->progress.seconds;
    double token = p->step_seconds * (double)p->epoch_steps / (double)p->train_tokens;
    if (p->steps >= 0)
        left = (double)(p->steps - p->step) * p->step_seconds
            + validations(r, p->step, p->steps) * (double)p->val_tokens * token / 3;
    if (r->schedule.seconds > 0)
        left = isnan(left) || limit < left ? limit : left;
    return left;
}

/* ---- the plan ---------------------------------------------------------- */

static ur_status plan(struct ur__run *r, double seconds, ur_on_param on, void *user)
{
    ur_plan *p = &r->plan;
    UR__TRY(ur__run_open(r, &p->finished));
    const ur_params *params = r->model->params;
    for (int i = 0; on && i < ur_params_count(params); i++)
        on(user, ur_params_at(params, i));
    p->step = r->progress.step;
    if (p->finished || seconds <= 0)
        return UR_OK;
    UR__TRY(measure(r, seconds, &p->step_seconds));
    p->seconds = foresee(r, p);
    return UR_OK;
}

ur_status ur__train_plan(const struct ur__task *task, const ur_train_options *options,
                         double seconds, ur_on_param on, void *user, ur_plan *out)
{
    struct ur__run r = {.own = *options, .task = task, .only_plans = true};
    unsigned mode = ur__fpmode_default();
    ur_status status = plan(&r, seconds, on, user);
    *out = r.plan;
    ur__run_close(&r);
    ur__fpmode_restore(mode);
    return status;
}
