/* SPDX-License-Identifier: MIT */
/* The roof of the floor: the calls that find their task. */
#include "task/list.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "base/text.h"
#include "task/options.h"
#include "train/dry_run.h"
#include "train/loop.h"

/* Runs under way in this thread, the innermost first: a report may start another run, but none
 * that writes the same files. */
struct under_way {
    const char *model;
    const struct under_way *outer;
};
static _Thread_local const struct under_way *runs;

/* Length of a model's name without the ending: what all its files begin with. */
static size_t stem(const char *model)
{
    return ur__without(model, strlen(model), ".safetensors");
}

static ur_status check_free(const char *model)
{
    for (const struct under_way *r = runs; r; r = r->outer) {
        size_t n = stem(model);
        if (n == stem(r->model) && memcmp(model, r->model, n) == 0)
            return ur__fail(UR_EINVAL, "%s is being trained by the run whose report this call "
                            "comes from", model);
    }
    return UR_OK;
}

ur_status ur_train(const ur_train_options *options, ur_on_report on, void *user)
{
    UR__NEED(options, "options");
    const struct ur__task *task;
    UR__TRY(ur__options_of_run(options, &task));
    if (!options->model)
        return ur__fail(UR_EINVAL, "no name is given for the model");
    UR__TRY(check_free(options->model));
    const struct under_way run = {options->model, runs};
    runs = &run;
    ur_status status = ur__train(task, options, on, user);
    runs = run.outer;
    return status;
}

ur_status ur_train_plan(const ur_train_options *options, double seconds, ur_on_param on,
                        void *user, ur_plan *out)
{
    UR__NEED(out, "out");
    const struct ur__task *task;
    *out = (ur_plan){0};
    UR__NEED(options, "options");
    UR__TRY(ur__options_of_run(options, &task));
    return ur__train_plan(task, options, seconds, on, user, out);
}

/* ---- measuring --------------------------------------------------------- */

static bool go_on(void *user, double done)
{
    const ur_eval_options *o = user;
    return !o->on_progress || o->on_progress(o->user, done);
}

static ur_status measure(const struct ur__task *task, const ur_model *model,
                         const ur_eval_options *options, ur_metrics *out)
{
    void *run;
    const struct ur__shard whole = {0, 1};
    const struct ur__watch watch = {go_on, (void *)(uintptr_t)options};
    UR__TRY(task->measure(&run, model, options));
    double *sums = ur__calloc((size_t)task->n_sums, sizeof *sums);
    ur_status status = sums ? task->score(run, whole, &watch, sums) : UR_ENOMEM;
    if (status == UR_OK)
        task->figures(model, sums, out);
    if (status == UR_OK && !isfinite(ur_metrics_get(out, "loss"))) {
        out->n = 0;
        status = ur__fail(UR_ENUMERIC, "the loss is not finite");
    }
    ur__free(sums);
    task->close(run);
    return status;
}

ur_status ur_evaluate(const ur_model *model, const ur_eval_options *options, ur_metrics *out)
{
    UR__NEED(out, "out");
    const struct ur__task *task;
    out->n = 0;
    UR__NEED(model, "model");
    UR__NEED(options, "options");
    UR__TRY(ur__task_find(ur_model_task(model), &task));
    if (strcmp(task->arch, ur_model_arch(model)) != 0)
        return ur__fail(UR_EINVAL, "task %s has models of architecture %s, not %s", task->name,
                        task->arch, ur_model_arch(model));
    unsigned mode = ur__fpmode_default();
    ur_status status = measure(task, model, options, out);
    ur__fpmode_restore(mode);
    return status;
}
