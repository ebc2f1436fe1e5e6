/* SPDX-License-Identifier: MIT */
/* The roof of the floor: the calls that find their task. */
#include "task/list.h"

#include <math.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "base/text.h"
#include "data/labels.h"
#include "task/options.h"
#include "task/reading.h"
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
    ur_train_options own;
    UR__TRY(ur__options_of_run(&own, options, &task));
    if (!own.model)
        return ur__fail(UR_EINVAL, "no name is given for the model");
    UR__TRY(check_free(own.model));
    const struct under_way run = {own.model, runs};
    runs = &run;
    ur_status status = ur__train(task, &own, on, user);
    runs = run.outer;
    return status;
}

ur_status ur_train_plan(const ur_train_options *options, double seconds, ur_on_param on,
                        void *user, ur_plan *out)
{
    UR__NEED(out, "out");
    const struct ur__task *task;
    ur_plan plan = {0};
    ur_train_options own;
    UR__TRY(ur__sized_check(out, "ur_plan_init"));
    ur__sized_write(out, &plan, sizeof plan);
    UR__NEED(options, "options");
    UR__TRY(ur__options_of_run(&own, options, &task));
    ur_status status = ur__train_plan(task, &own, seconds, on, user, &plan);
    ur__sized_write(out, &plan, sizeof plan);
    return status;
}

/* ---- measuring --------------------------------------------------------- */

static const ur_eval_options eval_defaults = {.size = sizeof eval_defaults, .length_power = 1};

void ur_eval_options_init_size(ur_eval_options *options, size_t size)
{
    ur__sized_init(options, size, &eval_defaults, sizeof eval_defaults);
}

static bool go_on(void *user, double done)
{
    const ur_eval_options *o = user;
    return !o->on_progress || o->on_progress(o->user, done);
}

static ur_status tell_confusion(const ur_model *model, const double *count,
                                const ur_eval_options *o)
{
    const ur_vocab *labels = ur_model_vocab(model, "label");
    const int K = ur__label_count(labels);
    char *names = ur__alloc(ur__label_names_size(labels), 1);
    const char **label = ur__alloc((size_t)K, sizeof *label);
    ur_status status = names && label ? UR_OK : UR_ENOMEM;
    if (status == UR_OK) {
        ur__label_names(labels, names, label);
        o->on_confusion(o->user, &(ur_confusion){.n = K, .label = label, .count = count});
    }
    ur__free(names);
    ur__free(label);
    return status;
}

static ur_status measure(const struct ur__task *task, const ur_model *model,
                         const ur_eval_options *options, ur_metrics *out)
{
    void *run;
    const struct ur__shard whole = {0, 1};
    const struct ur__watch watch = {go_on, (void *)(uintptr_t)options};
    UR__TRY(task->measure(&run, model, options));
    double *sums = ur__calloc((size_t)task->n_sums(model), sizeof *sums);
    ur_status status = sums ? task->score(run, whole, &watch, sums) : UR_ENOMEM;
    if (status == UR_OK)
        task->figures(model, sums, out);
    if (status == UR_OK && !isfinite(ur_metrics_get(out, "loss")))
        status = ur__fail(UR_ENUMERIC, "the loss is not finite");
    const double *confusion = NULL;
    if (status == UR_OK && options->on_confusion && task->confusion)
        confusion = task->confusion(model, sums);
    if (confusion)
        status = tell_confusion(model, confusion, options);
    if (status != UR_OK)
        out->n = 0;
    ur__free(sums);
    task->close(run);
    return status;
}

static ur_status check_data(const ur_eval_options *o)
{
    if (o->n_data < 1 || !o->data)
        return ur__fail(UR_EINVAL, "no data to evaluate on");
    for (int i = 0; i < o->n_data; i++)
        if (!o->data[i])
            return ur__fail(UR_EINVAL, "the name of data file %d is NULL", i);
    return UR_OK;
}

ur_status ur_evaluate(const ur_model *model, const ur_eval_options *options, ur_metrics *out)
{
    UR__NEED(out, "out");
    const struct ur__task *task;
    ur_eval_options o;
    UR__TRY(ur__sized_check(out, "ur_metrics_init"));
    out->n = 0;
    UR__NEED(model, "model");
    UR__NEED(options, "options");
    UR__TRY(ur__sized_read(&o, options, &eval_defaults, sizeof eval_defaults,
                           "ur_eval_options_init"));
    UR__TRY(ur__task_of_model(model, &task));
    UR__TRY(ur__task_check_beam(task, model, o.beam));
    UR__TRY(ur__task_check_texts(task, o.length_power, o.copy_unknown, false));
    if (o.tested && !task->tests)
        return ur__fail(UR_EINVAL, "models of task %s have no part of their data left for a test",
                        task->name);
    ur_options reading;
    ur__options_init(&reading, task->options);
    UR__TRY(ur__options_set_measured(&reading, &o));
    UR__TRY(check_data(&o));
    unsigned mode = ur__fpmode_default();
    ur_status status = measure(task, model, &o, out);
    ur__fpmode_restore(mode);
    return status;
}
