/* SPDX-License-Identifier: MIT */
/* A run's options by name: those of any run, of its task and of its network. */
#include "task/options.h"

#include <string.h>

#include "base/sized.h"
#include "base/status.h"
#include "model/arch.h"
#include "train/options.h"

ur_status ur_train_options_init_size(ur_train_options *o, size_t size, const char *task)
{
    UR__NEED(o, "options");
    UR__NEED(task, "task");
    const struct ur__task *t;
    ur_train_options own = {0};
    UR__TRY(ur__sized_check(&size, "ur_train_options_init"));
    ur__sized_init(o, size, &own, sizeof own);
    UR__TRY(ur__task_find(task, &t));
    ur__options_defaults(&ur__train_table, &own);
    own.task = t->name;
    ur__options_init(&own.job, t->options);
    UR__TRY(ur_config_init(&own.net, t->arch));
    ur__sized_init(o, size, &own, sizeof own);
    return UR_OK;
}

ur_status ur__options_of_run(ur_train_options *o, const ur_train_options *theirs,
                             const struct ur__task **task)
{
    ur_train_options defaults = {0};
    ur__options_defaults(&ur__train_table, &defaults);
    UR__TRY(ur__sized_read(o, theirs, &defaults, sizeof defaults, "ur_train_options_init"));
    if (!o->task)
        return ur__fail(UR_EINVAL, "call ur_train_options_init first");
    UR__TRY(ur__task_find(o->task, task));
    UR__TRY(ur__options_check(&o->net, "network"));
    UR__TRY(ur__options_check(&o->job, "task"));
    if (o->job.table != (*task)->options || strcmp(o->net.table->name, (*task)->arch) != 0)
        return ur__fail(UR_EINVAL, "the options are not those of task %s", o->task);
    return UR_OK;
}

/* ---- by name ----------------------------------------------------------- */

/* A run's option that its task has a use for. */
static bool is_there(const struct ur__task *task, const ur_option *o)
{
    return (task->show || !(o->flags & UR__OPTION_SHOWS))
        && (task->carries || !(o->flags & UR__OPTION_CARRIES));
}

/* Rows stand in the order of their groups; a task's own come before those of any run. */
const ur_option *ur_train_option(const char *task, int i)
{
    const struct ur__task *t;
    if (i < 0 || ur__task_find(task, &t) != UR_OK)
        return NULL;
    const ur_option_table *const first[] = {ur__arch_find(t->arch)->options, t->options};
    for (int at = 0; at < 2; at++)
        for (int row = 0; row < first[at]->n; row++)
            if (!(first[at]->rows[row].flags & UR_OPTION_DATA) && i-- == 0)
                return &first[at]->rows[row];
    for (int row = 0; row < ur__train_table.n; row++)
        if (is_there(t, &ur__train_table.rows[row]) && i-- == 0)
            return &ur__train_table.rows[row];
    return NULL;
}

const char *ur_train_default(const char *task, const ur_option *option)
{
    const struct ur__task *t;
    UR__NEED_OR(option, "option", NULL);
    if (ur__task_find(task, &t) != UR_OK)
        return NULL;
    for (int i = 0; t->shown && t->shown[i][0]; i++)
        if (strcmp(t->shown[i][0], option->name) == 0)
            return t->shown[i][1];
    return option->shown ? option->shown : option->fallback;
}

static ur_status set_own(ur_train_options *o, int row, const char *text)
{
    const ur_option *rule = &ur__train_table.rows[row];
    const char *file = o->val_file;
    char must[UR__OPTION_MUST];
    if (!ur__option_read(rule, text, o))
        return ur__fail(UR_EINVAL, "%s %.200s: must be %s", rule->name, text,
                        ur__option_must(rule, must));
    ur_status status = ur__train_settle_val(o);
    if (status == UR_OK)
        o->given[row / 64] |= (uint64_t)1 << row % 64;
    else
        o->val_file = file;
    return status;
}

static ur_status set(ur_train_options *o, const struct ur__task *task, size_t room,
                     const char *name, const char *text)
{
    size_t n = strlen(name);
    int row = ur__option_find(&ur__train_table, name, n);
    if (row >= 0 && ur__train_table.rows[row].at >= room)
        return ur__fail(UR_EINVAL, "option %s is newer than the unroll.h that this program was "
                        "compiled with", ur__train_table.rows[row].name);
    if (row >= 0 && is_there(task, &ur__train_table.rows[row]))
        return set_own(o, row, text);
    ur_options *const own[] = {&o->job, &o->net};
    for (int i = 0; i < 2; i++) {
        row = ur__option_find(own[i]->table, name, n);
        if (row >= 0 && !(own[i]->table->rows[row].flags & UR_OPTION_DATA))
            return ur_options_set(own[i], name, text);
    }
    return ur__fail(UR_EINVAL, "task %s has no option %.80s", task->name, name);
}

ur_status ur_train_set(ur_train_options *o, const char *name, const char *text)
{
    UR__NEED(o, "options");
    UR__NEED(name, "name");
    UR__NEED(text, "text");
    const struct ur__task *task;
    ur_train_options own;
    UR__TRY(ur__options_of_run(&own, o, &task));
    UR__TRY(set(&own, task, o->size, name, text));
    ur__sized_write(o, &own, sizeof own);
    return UR_OK;
}
