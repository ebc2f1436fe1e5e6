/* SPDX-License-Identifier: MIT */
/* Reals are written in the shortest form that reads back to the same double, so that equal texts
 * mean equal options. */
#include "train/summary.h"

#include <stdio.h>
#include <string.h>

#include "io/option_json.h"
#include "model/arch.h"
#include "train/identity.h"
#include "train/options.h"
#include "train/run.h"

/* Of an optimizer what no row of the options says, defaults filled in. */
static void set_optimizer(struct ur__json *j, const ur_optimizer_options *o)
{
    if (o->kind == UR_OPTIMIZER_ADAMW || o->kind == UR_OPTIMIZER_ADAM)
        ur__json_set_real(j, "beta1", o->beta1);
    if (o->kind == UR_OPTIMIZER_ADAMW || o->kind == UR_OPTIMIZER_ADAM ||
        o->kind == UR_OPTIMIZER_RMSPROP)
        ur__json_set_real(j, "beta2", o->beta2);
    if (o->kind == UR_OPTIMIZER_SGD)
        ur__json_set_real(j, "momentum", o->momentum);
    else
        ur__json_set_real(j, "eps", o->eps);
}

/* What options and summary have in common: rows of the task and of any run. */
static void set_common(struct ur__json *j, const struct ur__run *r)
{
    ur_train_options o = *r->options;
    o.optimizer = *ur__optimizer_options(r->optimizer);
    ur__json_set_real(j, "val", o.val_file ? 0 : o.val);
    ur__options_to_json(o.job.table, ur__options_read(&o.job), UR_OPTION_FREE, j);
    ur__options_to_json(&ur__train_table, &o, UR_OPTION_FREE, j);
    set_optimizer(j, &o.optimizer);
}

static ur_status dump_and_free(struct ur__json *j, struct ur__buf *to)
{
    ur_status status = ur__json_dump(j, to);
    ur__json_free(j);
    return status;
}

/* ---- options ----------------------------------------------------------- */

/* Flags and names of files are of one session. */
static struct ur__json *free_rows(const ur_train_options *o)
{
    struct ur__json *j = ur__json_new_object();
    for (int i = 0; i < ur__train_table.n; i++) {
        const ur_option *row = &ur__train_table.rows[i];
        if (row->flags & UR_OPTION_FREE &&
            (row->kind == UR_OPTION_COUNT || row->kind == UR_OPTION_CHOICE))
            ur__option_to_json(row, o, j);
    }
    return j;
}

ur_status ur__identity_text(const struct ur__run *r, struct ur__buf *to)
{
    const ur_train_options *o = r->options;
    struct ur__json *j = ur__json_new_object(), *end = ur__json_new_object();
    struct ur__json *net = ur__json_new_object();
    ur__json_set_string(j, "task", o->task);
    ur__options_to_json(r->model->arch->options, ur__model_values(r->model), UR_OPTION_FREE, net);
    ur__json_set(j, "net", net);
    set_common(j, r);
    ur__json_set_bool(j, "val_file", o->val_file != NULL);
    ur__json_set_string(j, "best", r->best);
    ur__json_set_real(end, "epochs", o->epochs);     /* null: no limit */
    ur__json_set_int(end, "steps", o->steps);
    ur__json_set_real(end, "time", o->seconds);
    ur__json_set(j, "end", end);
    ur__json_set(j, UR__IDENTITY_FREE, free_rows(o));
    return dump_and_free(j, to);
}

/* ---- the summary ------------------------------------------------------- */

ur_status ur__summary_text(const struct ur__run *r, struct ur__buf *to)
{
    const struct ur__progress *p = &r->progress;
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "version", ur_version());
    ur__json_set_int(j, "step", p->step);
    ur__json_set_real(j, "epoch", (double)p->step / (double)r->facts.epoch_steps);
    ur__json_set_real(j, "train_loss", ur__progress_train_loss(p));
    ur__json_set_real(j, "val_loss", p->val_loss);
    if (strcmp(r->best, "loss") != 0) {
        char key[64];
        snprintf(key, sizeof key, "val_%s", r->best);
        ur__json_set_real(j, key, p->figure);
    }
    for (int i = 0; i < r->facts.n_sources; i++) {
        const struct ur__source *s = &r->facts.source[i];
        char key[64];
        snprintf(key, sizeof key, "%s_bytes", s->role);
        ur__json_set_int(j, key, (int64_t)s->bytes);
        snprintf(key, sizeof key, "%s_crc32", s->role);
        ur__json_set_int(j, key, s->crc);
    }
    set_common(j, r);
    return dump_and_free(j, to);
}
