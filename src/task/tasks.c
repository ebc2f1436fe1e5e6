/* SPDX-License-Identifier: MIT */
/* The roof of the floor: which tasks there are, and the two calls that find theirs. */
#include "task/list.h"

#include <string.h>

#include "base/status.h"
#include "train/dry_run.h"
#include "train/loop.h"

struct entry {
    const struct ur__task *task;
    ur_status (*evaluate)(const ur_model *model, const ur_eval_options *options, ur_metrics *out);
};

static const struct entry tasks[] = {
    {&ur__task_lm, ur__lm_evaluate},
    {&ur__task_fill, ur__fill_evaluate},
};
#define N_TASKS ((int)(sizeof tasks / sizeof tasks[0]))

const char *const *ur_task_names(void)
{
    static const char *const names[N_TASKS + 1] = {"lm", "fill", NULL};
    return names;
}

static ur_status find(const char *name, const struct entry **out)
{
    for (int i = 0; i < N_TASKS && name; i++) {
        *out = &tasks[i];
        if (strcmp(tasks[i].task->name, name) == 0)
            return UR_OK;
    }
    return ur__fail(UR_EINVAL, "there is no task called \"%.80s\"", name ? name : "");
}

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
    size_t n = strlen(model), ending = strlen(".safetensors");
    return n > ending && strcmp(model + n - ending, ".safetensors") == 0 ? n - ending : n;
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
    const struct entry *entry;
    UR__TRY(find(options->config.task, &entry));
    if (!options->model)
        return ur__fail(UR_EINVAL, "no name is given for the model");
    UR__TRY(check_free(options->model));
    const struct under_way run = {options->model, runs};
    runs = &run;
    ur_status status = ur__train(entry->task, options, on, user);
    runs = run.outer;
    return status;
}

ur_status ur_train_plan(const ur_train_options *options, double seconds, ur_on_param on,
                        void *user, ur_plan *out)
{
    UR__NEED(out, "out");
    const struct entry *entry;
    *out = (ur_plan){0};
    UR__NEED(options, "options");
    UR__TRY(find(options->config.task, &entry));
    return ur__train_plan(entry->task, options, seconds, on, user, out);
}

ur_status ur_evaluate(const ur_model *model, const ur_eval_options *options, ur_metrics *out)
{
    UR__NEED(out, "out");
    const struct entry *entry;
    ur_metrics_of(out, 0, 0, 0);    /* all NaN until there is something to say */
    UR__NEED(model, "model");
    UR__NEED(options, "options");
    UR__TRY(find(ur_model_config(model)->task, &entry));
    return entry->evaluate(model, options, out);
}
