/* SPDX-License-Identifier: MIT */
/* Sums, from above, of what is taken elsewhere; test_plan.c compares them with what a run
 * really takes. */
#include "train/plan.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/model.h"
#include "train/optimizer.h"

enum {
    SUMMARY = 1000,     /* about, of a model's training, as it stands in its file */
    ASIDE = 32 << 10    /* texts, names and reports while something is saved */
};

/* ---- memory ------------------------------------------------------------ */

/* A model that is read for its values: those, gradients, the packed weights, its header. */
static size_t other_model(const ur_train_options *o, const ur_plan *p)
{
    return o->init_from ? p->weights + p->gradients + p->packed + p->passing : 0;
}

static void plan_memory(const ur_train_options *o, const struct ur__facts *f,
                        const struct ur__account *text, ur_plan *p)
{
    size_t n = ur_params_size(ur_model_params(f->model));
    const struct ur__need *need = &f->need;
    p->parameters = n;
    p->text = text->held;
    p->reading = text->peak;
    p->weights = p->gradients = n * sizeof(ur_real);
    p->moments = (size_t)ur__optimizer_moments(&o->optimizer) * p->weights;
    size_t carried = f->need.carried * sizeof(ur_real);
    if (o->on_nan == UR_ON_NAN_ROLLBACK)
        p->snapshot = p->weights + p->moments + carried;
    else if (o->on_nan == UR_ON_NAN_SKIP)
        p->snapshot = carried;
    p->packed = ur__model_packed_bytes(f->model);
    p->activations = need->step.arena + need->step.scratch;
    p->state = need->state;
    p->validation = need->valid;
    size_t other = other_model(o, p);
    /* Values are read before the first step, which the scratch is for. */
    if (other > p->passing + need->step.scratch)
        p->passing = other - need->step.scratch;
    p->memory = p->text + p->weights + p->gradients + p->moments + p->snapshot + p->packed
        + p->activations + p->state + p->validation + p->passing;
    p->memory = p->reading > p->memory ? p->reading : p->memory;
}

/* ---- files ------------------------------------------------------------- */

/* Names and shapes of the state's tensors, its options and its counters. */
static size_t state_header(const ur_train_options *o, const ur_params *params)
{
    size_t bytes = 1700, each = 1 + (size_t)ur__optimizer_moments(&o->optimizer);
    for (int i = 0; i < ur_params_count(params); i++)
        bytes += each * (70 + strlen(ur_params_at(params, i)->name));
    return bytes;
}

static void plan_files(const ur_train_options *o, const struct ur__facts *f, ur_plan *p)
{
    p->scratch_file = f->spooled;
    p->state_file = p->weights + p->moments + f->need.carried * sizeof(ur_real)
        + state_header(o, ur_model_params(f->model));
    p->disk = 2 * p->model_file + 3 * p->state_file;
}

/* ---- all of it --------------------------------------------------------- */

/* In words, largest part first: a batch that is too large, or a net. */
static ur_status too_large(const ur_train_options *o, const ur_plan *p)
{
    double GiB = 0x1p30, limit = (double)o->memory_limit;
    double net = (double)(p->weights + p->gradients + p->moments + p->snapshot + p->packed);
    double step = (double)(p->activations + p->state);
    return ur__fail(UR_ENOMEM, "this run needs %.2f GiB of memory (the net and its optimizer %.2f, "
                    "a step of %d by %d tokens %.2f, validation %.2f) and %.2f are there: %s",
                    (double)p->memory / GiB, net / GiB, o->seq_length, o->batch, step / GiB,
                    (double)p->validation / GiB, limit / GiB,
                    net > step ? "fewer or smaller layers"
                               : "a smaller batch or shorter sequences");
}

ur_status ur__plan_make(const ur_train_options *o, const struct ur__facts *f, int64_t steps,
                        const struct ur__account *text, ur_plan *p)
{
    *p = (ur_plan){
        .data_bytes = f->data_bytes,
        .vocabulary = ur_vocab_size(ur_model_vocab(f->model)),
        .train_tokens = f->train_items,
        .val_tokens = f->val_items,
        .train_unknown = f->train_unknown,
        .val_unknown = f->val_unknown,
        .words_cut = f->words_cut,
        .epoch_steps = f->epoch_steps,
        .steps = steps,
        .step_seconds = (double)NAN,
        .seconds = (double)NAN,
    };
    UR__TRY(ur__model_measure_save(f->model, &p->model_file, &p->passing));
    p->model_file += SUMMARY;
    p->passing += ASIDE;
    plan_memory(o, f, text, p);
    plan_files(o, f, p);
    return o->memory_limit && p->memory > o->memory_limit ? too_large(o, p) : UR_OK;
}
