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

ur_status ur_train(const ur_train_options *options, ur_on_report on, void *user)
{
    const struct entry *entry;
    UR__TRY(find(options->config.task, &entry));
    return ur__train(entry->task, options, on, user);
}

ur_status ur_train_plan(const ur_train_options *options, double seconds, ur_on_param on,
                        void *user, ur_plan *out)
{
    const struct entry *entry;
    *out = (ur_plan){0};
    UR__TRY(find(options->config.task, &entry));
    return ur__train_plan(entry->task, options, seconds, on, user, out);
}

ur_status ur_evaluate(const ur_model *model, const ur_eval_options *options, ur_metrics *out)
{
    const struct entry *entry;
    ur_metrics_of(out, 0, 0, 0);    /* all NaN until there is something to say */
    UR__TRY(find(ur_model_config(model)->task, &entry));
    return entry->evaluate(model, options, out);
}
