/* SPDX-License-Identifier: MIT */
/* A run's memory is measured: its largest batches are put on tapes that compute nothing, and
 * objects count what they would take. test_plan.c compares that with what a run really takes. */
#include "train/plan.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "layer/params.h"
#include "model/measure.h"
#include "train/keep.h"
#include "train/optimizer.h"
#include "train/run.h"

enum {
    SUMMARY = 1000,     /* about, of a model's training, as it stands in its file */
    ASIDE = 32 << 10    /* texts, names and reports while something is saved */
};

/* Numbers kept beside each weight. */
static size_t beside(const ur_train_options *o)
{
    return (size_t)ur__optimizer_moments(&o->optimizer) + (o->average > 0);
}

/* ---- memory ------------------------------------------------------------ */

/* A model that is read for its values: those, gradients, the packed weights, its header. */
static size_t other_model(const ur_train_options *o, const ur_plan *p)
{
    return o->init_from ? p->weights + p->gradients + p->packed + p->passing : 0;
}

static ur_status measure_step(struct ur__run *r, struct ur__model_room *room)
{
    ur_batch batch;
    ur_batch_init(&batch);
    r->task->largest(r->job, &batch);
    bool looks = r->options->report_gradients;
    unsigned how = UR__MEASURE_TRAIN | (r->facts.carries ? UR__MEASURE_CARRIES : 0) |
                   (looks ? UR__MEASURE_OBSERVED : 0);
    UR__TRY(ur__model_measure(room, r->model, &batch, how, r->options->team));
    if (looks)
        room->state *= 2;
    r->step_room = room->tape;
    return UR_OK;
}

static ur_status measure_scoring(const struct ur__run *r, size_t *bytes)
{
    struct ur__model_room room;
    ur_batch batch;
    ur_batch_init(&batch);
    r->task->largest_scored(r->job, &batch);
    *bytes = 0;
    if (!batch.n)
        return UR_OK;
    UR__TRY(ur__model_measure(&room, r->model, &batch,
                              r->facts.carries_scored ? UR__MEASURE_CARRIES : 0,
                              r->options->team));
    if (r->task->search_memory)
        UR__TRY(r->task->search_memory(r->job, r->model, bytes));
    *bytes += room.tape.arena + room.tape.scratch + room.state;
    return UR_OK;
}

static ur_status plan_memory(struct ur__run *r, const struct ur__account *reading,
                             size_t *carried)
{
    const ur_train_options *o = r->options;
    struct ur__model_room step;
    ur_plan *p = &r->plan;
    UR__TRY(measure_step(r, &step));
    UR__TRY(measure_scoring(r, &p->validation));
    *carried = step.carried * sizeof(ur_real);
    p->parameters = ur_params_size(r->model->params);
    p->text = reading->held;
    p->reading = reading->peak;
    p->weights = ur__count_values(r->model->params) * sizeof(ur_real);
    p->gradients = p->parameters * sizeof(ur_real);
    p->moments = beside(o) * p->gradients;
    size_t typed = ur__params_typed(r->model->params)->bytes;
    if (o->on_nan == UR_ON_NAN_ROLLBACK)
        p->snapshot = p->weights + p->moments + *carried;
    else if (o->on_nan == UR_ON_NAN_SKIP)
        p->snapshot = *carried;
    p->packed = ur__model_packed_bytes(r->model);
    p->activations = step.tape.arena + step.tape.scratch;
    p->state = step.state + r->task->memory(r->job);
    p->passing += ASIDE;
    size_t other = other_model(o, p);
    /* Values are read before the first step, which the scratch is for. */
    if (other > p->passing + step.tape.scratch)
        p->passing = other - step.tape.scratch;
    p->memory = p->text + typed + p->weights + p->gradients + p->moments + p->snapshot + p->packed
        + p->activations + p->state + p->validation + p->passing;
    p->memory = p->reading > p->memory ? p->reading : p->memory;
    return UR_OK;
}

/* ---- files ------------------------------------------------------------- */

/* Names and shapes of the state's tensors, its options and its counters. */
static size_t state_header(const ur_train_options *o, const ur_params *params)
{
    size_t bytes = 1700, each = 1 + beside(o);
    for (int i = 0; i < ur_params_count(params); i++)
        bytes += each * (70 + strlen(ur_params_at(params, i)->name));
    for (int i = 0; i < ur_params_typed_count(params); i++)
        bytes += 70 + strlen(ur_params_typed_at(params, i)->name);
    return bytes;
}

static void plan_files(struct ur__run *r, size_t carried)
{
    ur_plan *p = &r->plan;
    p->scratch_file = r->facts.spooled;
    p->model_file += SUMMARY;
    const ur_params *params = r->model->params;
    p->state_file = p->weights + p->moments + ur__params_typed(params)->bytes + carried
        + state_header(r->options, params);
    p->disk = 2 * p->model_file + 3 * p->state_file;
}

/* ---- all of it --------------------------------------------------------- */

/* In words, largest part first: a batch that is too large, or a net. */
static ur_status too_large(const ur_train_options *o, const ur_plan *p)
{
    bool large = p->memory >= (size_t)1 << 30;
    double unit = large ? 0x1p30 : 0x1p20, limit = (double)o->memory_limit;
    double net = (double)(p->weights + p->gradients + p->moments + p->snapshot + p->packed);
    double step = (double)(p->activations + p->state);
    return ur__fail(UR_ENOMEM, "this run needs %.2f %s of memory (the net and its optimizer %.2f, "
                    "a step of batch %d %.2f, validation %.2f) and there are %.2f: %s",
                    (double)p->memory / unit, large ? "GiB" : "MiB", net / unit, o->batch,
                    step / unit, (double)p->validation / unit, limit / unit,
                    net > step ? "fewer or smaller layers"
                               : "a smaller batch or shorter sequences");
}

ur_status ur__plan_make(struct ur__run *r, const struct ur__account *reading)
{
    const struct ur__facts *f = &r->facts;
    const ur_train_options *o = r->options;
    size_t carried;
    uint64_t bytes = 0;
    for (int i = 0; i < f->n_sources; i++)
        bytes += strcmp(f->source[i].role, "val") != 0 ? f->source[i].bytes : 0;
    r->plan = (ur_plan){
        .data_bytes = bytes,
        .vocabulary = ur_vocab_size(r->model->vocab[0]),
        .train_tokens = f->train_items,
        .val_tokens = f->val_items,
        .train_unknown = f->train_unknown,
        .val_unknown = f->val_unknown,
        .words_cut = f->words_cut,
        .token = ur__model_token(r->model),
        .labels = f->labels,
        .unit = f->unit,
        .measure = f->measure,
        .batch = o->batch,
        .lr = o->lr,
        .epochs = o->epochs,
        .epoch_steps = f->epoch_steps,
        .steps = r->schedule.steps,
        .step_seconds = (double)NAN,
        .seconds = (double)NAN,
    };
    UR__TRY(ur__model_measure_save(r->model, &r->plan.model_file, &r->plan.passing));
    UR__TRY(plan_memory(r, reading, &carried));
    plan_files(r, carried);
    return o->memory_limit && r->plan.memory > o->memory_limit ? too_large(o, &r->plan) : UR_OK;
}

/* ---- for callers ------------------------------------------------------- */

void ur_plan_init_size(ur_plan *plan, size_t size)
{
    static const ur_plan none = {.size = sizeof none};
    ur__sized_init(plan, size, &none, sizeof none);
}
