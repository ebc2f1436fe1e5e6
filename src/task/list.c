/* SPDX-License-Identifier: MIT */
/* The one list of tasks. A build adds its own with -DUR_EXTRA='"list.h"', a header that defines
 * UR__EXTRA_TASKS(TASK). */
#include "task/list.h"

#include <string.h>

#include "base/status.h"

#ifdef UR_EXTRA
#include UR_EXTRA
#endif

#ifndef UR__EXTRA_TASKS
#define UR__EXTRA_TASKS(TASK)
#endif

/* TASK(x): ur__task_x, of task_x.c. */
#define TASKS(TASK)     \
    TASK(lm)            \
    TASK(fill)          \
    TASK(classify)      \
    TASK(tag)           \
    TASK(translate)     \
    TASK(forecast)      \
    UR__EXTRA_TASKS(TASK)

#define DECLARE(x) extern const struct ur__task ur__task_##x;
#define ENTRY(x) &ur__task_##x,
TASKS(DECLARE)
static const struct ur__task *const tasks[] = {TASKS(ENTRY)};
enum { N_TASKS = sizeof tasks / sizeof *tasks };

ur_status ur__task_find(const char *name, const struct ur__task **out)
{
    for (int i = 0; i < N_TASKS && name; i++) {
        *out = tasks[i];
        if (strcmp(tasks[i]->name, name) == 0)
            return UR_OK;
    }
    *out = NULL;
    return ur__fail(UR_EINVAL, "there is no task called \"%.80s\"", name ? name : "");
}

ur_status ur__task_of_model(const ur_model *model, const struct ur__task **out)
{
    if (ur__task_find(ur_model_task(model), out) != UR_OK)
        return ur__fail(UR_EDATA, "the model: %s", ur_errmsg());
    if (strcmp((*out)->arch, ur_model_arch(model)) == 0)
        return UR_OK;
    return ur__fail(UR_EDATA, "task %s has models of architecture %s, not %s", (*out)->name,
                    (*out)->arch, ur_model_arch(model));
}

ur_status ur__task_check_beam(const struct ur__task *task, const ur_model *model, int beam)
{
    if (beam < 0 || beam > UR_BEAM_MOST)
        return ur__fail(UR_EINVAL, "a beam is 1 to %d wide, not %d", UR_BEAM_MOST, beam);
    if (beam && !(task->searches && task->searches(model)))
        return ur__fail(UR_EINVAL, "a beam is for models that search for what they say, and this "
                        "one of task %s does not", task->name);
    return UR_OK;
}

ur_status ur__task_check_texts(const struct ur__task *task, double length_power, bool copy,
                               bool draws)
{
    if (task->makes_texts || (length_power == 1 && !copy && !draws))
        return UR_OK;
    return ur__fail(UR_EINVAL, "%s is for models that make texts, and this one is of task %s",
                    draws ? "drawing" : copy ? "copy-unknown" : "length-power", task->name);
}

const char *const *ur_task_names(void)
{
    static _Thread_local const char *names[N_TASKS + 1];
    for (int i = 0; i < N_TASKS; i++)
        names[i] = tasks[i]->name;
    return names;
}

const char *ur_task_brief(const char *task)
{
    const struct ur__task *t;
    return ur__task_find(task, &t) == UR_OK ? t->brief : NULL;
}

const char *ur_task_verb(const char *task)
{
    const struct ur__task *t;
    if (ur__task_find(task, &t) != UR_OK)
        return NULL;
    return t->predict ? "predict" : t->show ? "sample" : "eval";
}
