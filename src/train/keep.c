/* SPDX-License-Identifier: MIT */
/*
 * A disk that is full, read-only or gone costs no training: the run goes on, says so, and
 * tries again at each checkpoint.
 *
 * Invariant: a state that is on disk claims no more than what is on disk. Its best loss is
 * that of NAME.safetensors or of an older best model that going on finds again, in the same
 * bits. So while the best model waits in memory, no state is written; a kill then costs the
 * steps since the last one, and nothing else.
 */
#include "train/keep.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "layer/params.h"
#include "train/average.h"
#include "train/optimizer.h"
#include "train/output.h"
#include "train/snapshot.h"
#include "train/summary.h"

/* ---- models ------------------------------------------------------------ */

static ur_status save_model(struct ur__run *r, const char *path)
{
    r->text.size = 0;
    UR__TRY(ur__summary_text(r, &r->text));
    UR__TRY(ur__model_set_summary(r->model, r->text.data));
    UR__TRY(ur__run_begin_files(r));
    return ur_model_save(r->model, path);
}

size_t ur__count_values(const ur_params *params)
{
    size_t n = 0;
    for (int i = 0; i < ur_params_count(params); i++)
        n += ur_params_at(params, i)->size;
    return n;
}

/* Copies the parameters and the summary of save_model(). */
static ur_status hold(struct ur__run *r)
{
    struct ur__held *held = &r->held;
    ur_params *params = r->model->params;
    if (!held->values) {
        held->values = ur__alloc(ur__count_values(params), sizeof *held->values);
        if (!held->values)
            return UR_ENOMEM;
    }
    ur_real *to = held->values;
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        memcpy(to, ur_param_data(params, p), p->size * sizeof *to);
        to += p->size;
    }
    held->summary.size = 0;
    UR__TRY(ur__buf_put(&held->summary, r->text.data, r->text.size));
    held->waits = true;
    return UR_OK;
}

static void swap_held(struct ur__run *r)
{
    ur_params *params = r->model->params;
    ur_real *held = r->held.values;
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        ur__swap_values(p->size, ur_param_data(params, p), held);
        held += p->size;
    }
}

/* The parameters are back before anything computes with them. */
static ur_status save_held(struct ur__run *r)
{
    if (!r->held.waits)
        return UR_OK;
    UR__TRY(ur__run_begin_files(r));
    swap_held(r);
    ur_status status = ur__model_set_summary(r->model, r->held.summary.data);
    if (status == UR_OK)
        status = ur_model_save(r->model, r->options->model);
    swap_held(r);
    r->held.waits = status != UR_OK;
    return status;
}

ur_status ur__run_keep_best(struct ur__run *r)
{
    r->held.waits = false;  /* this one is better */
    ur_status status = save_model(r, r->options->model);
    if (status != UR_EOUTPUT)
        return status;
    r->troubled = true;
    ur__run_warn(r, "%s; the best model waits in memory for the next checkpoint", ur_errmsg());
    return hold(r);
}

/* ---- checkpoints ------------------------------------------------------- */

static ur_status save_state(struct ur__run *r)
{
    const struct ur__checkpoint c = ur__run_checkpoint(r);
    return ur__checkpoint_save(&c, r->state_path.data, r->previous.data, ur__snapshot_older(r));
}

/* No run starts over models that have no state (output.c), so one that is killed before its
 * first checkpoint needs a state too. */
ur_status ur__run_keep_first(struct ur__run *r)
{
    if (r->on_disk >= 0)
        return UR_OK;
    UR__TRY(ur__run_begin_files(r));
    ur_status status = save_state(r);
    if (status == UR_OK) {
        r->on_disk = r->progress.step;
        r->aside = r->progress.base != r->progress.step;
    }
    return status;
}

/* Without a part held out the latest is the best there is. */
static ur_status save_latest(struct ur__run *r)
{
    if (r->facts.val_items == 0)
        UR__TRY(save_model(r, r->options->model));
    return save_model(r, r->last.data);
}

/* The state comes last: it claims the others. But the first one already says all of that. */
static ur_status save_all(struct ur__run *r)
{
    bool is_first = r->on_disk < 0;
    if (r->schedule.seconds > 0)
        r->progress.seconds = ur__run_seconds(r);
    UR__TRY(save_held(r));
    UR__TRY(ur__run_keep_first(r));
    UR__TRY(ur__average_with(r, save_latest));
    return is_first ? UR_OK : save_state(r);
}

static ur_status say_what_is_left(const struct ur__run *r)
{
    if (r->on_disk < 0)
        return ur__fail(UR_EOUTPUT, "%s; no state is on disk, so training must start over",
                        ur_errmsg());
    return ur__fail(UR_EOUTPUT, "%s; the state of step %lld is on disk, and --resume continues "
                    "from it once files can be written", ur_errmsg(), (long long)r->on_disk);
}

ur_status ur__run_keep(struct ur__run *r, bool is_last)
{
    ur_status status = save_all(r);
    if (status == UR_EOUTPUT && is_last)
        return say_what_is_left(r);
    if (status == UR_EOUTPUT) {
        r->troubled = true;
        ur__run_warn(r, "%s; training goes on, and the next checkpoint tries again", ur_errmsg());
        return UR_OK;
    }
    UR__TRY(status);
    r->older = UR__OLDER_MOVE;
    r->aside = r->progress.base != r->progress.step;
    r->saved = r->on_disk = r->progress.step;
    if (r->troubled)
        ur__run_note(r, "files can be written again: all is saved as of step %lld",
                     (long long)r->saved);
    r->troubled = false;
    ur__run_report(r, UR_REPORT_CHECKPOINT);
    return UR_OK;
}

void ur__run_keep_free(struct ur__run *r)
{
    ur__free(r->held.values);
    ur__buf_free(&r->held.summary);
}
