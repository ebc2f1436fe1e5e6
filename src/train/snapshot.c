/* SPDX-License-Identifier: MIT */
/*
 * The snapshot of a run, and where it comes from.
 *
 * Invariant: which steps have snapshots depends on the run alone, never on where it was
 * interrupted: its start and the steps at which a checkpoint is due. So a run that goes on
 * after a kill goes back to where the undisturbed run would have. One that was stopped on
 * request has its state between two checkpoints in PATH and the checkpoint in PREVIOUS.
 */
#include "train/snapshot.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"
#include "layer/params.h"
#include "train/run.h"

struct ur__checkpoint ur__run_checkpoint(struct ur__run *r)
{
    return (struct ur__checkpoint){
        .identity = r->identity.data, .facts = &r->facts, .params = r->model->params,
        .optimizer = r->optimizer, .average = r->average,
        .carried = ur__carried_of(r->state), .progress = &r->progress,
    };
}

static ur_status begin_epoch(struct ur__run *r, int64_t step)
{
    if (r->state)
        ur_model_state_zero(r->state);
    return r->task->begin_epoch(r->job, step / r->facts.epoch_steps);
}

ur_status ur__run_begin_step(struct ur__run *r, int64_t step)
{
    int64_t at = step % r->facts.epoch_steps;
    if (at == 0)
        return begin_epoch(r, step);
    if (r->state && r->task->begins && r->task->begins(r->job, at))
        ur_model_state_zero(r->state);
    return UR_OK;
}

ur_status ur__run_reenter(struct ur__run *r, const ur_real *carried)
{
    const struct ur__carried c = ur__carried_of(r->state);
    UR__TRY(begin_epoch(r, r->progress.step));
    ur__carried_give_back(&c, carried);
    return UR_OK;
}

/* ---- the numbers ------------------------------------------------------- */

/* Called with each run of numbers and its place in the snapshot, NULL if there is none. */
typedef void (*move_function)(ur_real *live, ur_real *kept, size_t n);

static void count(ur_real *live, ur_real *kept, size_t n)
{
    (void)live;
    (void)kept;
    (void)n;
}

static void keep(ur_real *live, ur_real *kept, size_t n)
{
    memcpy(kept, live, n * sizeof *kept);
}

static void give_back(ur_real *live, ur_real *kept, size_t n)
{
    memcpy(live, kept, n * sizeof *live);
}

static size_t move_one(ur_real *live, ur_real *kept, size_t at, size_t n, move_function move)
{
    if (live && n)
        move(live, kept ? kept + at : NULL, n);
    return live ? at + n : at;
}

/* Parameters, those that are not trained, moments, the average, carried numbers. Returns how
 * many. */
static size_t move_all(struct ur__run *r, ur_real *kept, move_function move)
{
    ur_params *params = r->model->params;
    size_t n = ur_params_size(params), at = 0;
    at = move_one(ur_params_values(params), kept, at, n, move);
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        if (!p->trained)
            at = move_one(ur_param_data(params, p), kept, at, p->size, move);
    }
    at = move_one(ur__optimizer_moment(r->optimizer, true), kept, at, n, move);
    at = move_one(ur__optimizer_moment(r->optimizer, false), kept, at, n, move);
    at = move_one(r->average, kept, at, n, move);
    const struct ur__carried c = ur__carried_of(r->state);
    for (int i = 0; i < c.parts; i++)
        at = move_one(c.part[i], kept, at, c.n[i], move);
    return at;
}

/* ---- taking and going back --------------------------------------------- */

bool ur__run_is_better(const struct ur__run *r, double figure, double loss,
                       const struct ur__progress *so_far)
{
    const double best = so_far->best;
    if (!isfinite(figure))      /* until it is, the loss says */
        return isnan(best) && isfinite(loss) && !(loss >= so_far->best_loss);
    if (figure >= best && figure <= best)       /* many are, where few examples are held out */
        return loss < so_far->best_loss;
    return isnan(best) || (r->rising ? figure > best : figure < best);
}

ur_status ur__snapshot_open(struct ur__run *r)
{
    r->snapshot.numbers = ur__alloc(move_all(r, NULL, count), sizeof *r->snapshot.numbers);
    r->snapshot.progress.step = -1;
    return r->snapshot.numbers ? UR_OK : UR_ENOMEM;
}

void ur__snapshot_close(struct ur__run *r)
{
    ur__free(r->snapshot.numbers);
    r->snapshot.numbers = NULL;
}

void ur__snapshot_take(struct ur__run *r)
{
    struct ur__snapshot *s = &r->snapshot;
    const struct ur__progress *p = &r->progress;
    if (!s->numbers || (s->progress.step == p->step && s->progress.evaluated == p->evaluated))
        return;
    move_all(r, s->numbers, keep);
    s->clock = ur__optimizer_clock(r->optimizer);
    s->progress = r->progress;
    s->saved = r->saved;
}

ur_status ur__snapshot_restore(struct ur__run *r)
{
    const struct ur__snapshot *s = &r->snapshot;
    struct ur__progress now = r->progress;
    const struct ur__carried c = ur__carried_of(r->state);
    size_t all = move_all(r, s->numbers, give_back);
    ur__optimizer_set_clock(r->optimizer, s->clock);
    r->progress = s->progress;
    r->progress.best = now.best;
    r->progress.best_loss = now.best_loss;
    /* Counted as found by now: no state knows of a later step than its own. */
    if (ur__run_is_better(r, now.best, now.best_loss, &s->progress))
        r->progress.best_step = s->progress.step;
    r->progress.rollbacks = now.rollbacks;
    r->progress.lr_factor = now.lr_factor;
    r->saved = s->saved;
    r->sampled = r->progress.step;
    UR__TRY(ur__run_reenter(r, s->numbers + (all - ur__carried_size(&c))));
    ur__params_changed(r->model->params);
    return ur_model_prepare(r->model);
}

/* ---- after an interruption --------------------------------------------- */

enum ur__older ur__snapshot_older(const struct ur__run *r)
{
    bool between = r->progress.base > 0 && r->progress.base != r->progress.step;
    return r->older == UR__OLDER_MOVE && r->aside && between ? UR__OLDER_KEEP : r->older;
}

/* From PREVIOUS, if that is it; then all is again as it was. */
static ur_status find_previous(struct ur__run *r)
{
    const struct ur__progress now = r->progress;
    const struct ur__checkpoint c = ur__run_checkpoint(r);
    const char *previous = r->previous.data;
    enum ur__loaded from;
    int64_t saved = r->saved;
    if (!ur__file_exists(previous))
        return UR_OK;
    if (ur__checkpoint_load(&c, previous, previous, &from) == UR_OK
        && r->progress.step == now.base) {
        r->saved = -1;
        ur__snapshot_take(r);
        r->saved = saved;
    }
    /* And nothing else than it: these numbers belong to `now`. */
    UR__TRY(ur__checkpoint_load(&c, r->state_path.data, r->state_path.data, &from));
    r->progress = now;
    return UR_OK;
}

ur_status ur__snapshot_find(struct ur__run *r, enum ur__loaded from)
{
    struct ur__progress *p = &r->progress;
    r->aside = p->base != p->step;
    if (!r->snapshot.numbers || (r->aside && p->base == 0 && p->drawn))
        return UR_OK;
    r->snapshot.progress.step = -1;     /* not the values drawn */
    if (r->aside && from == UR__LOADED_LATEST)
        UR__TRY(find_previous(r));
    if (r->snapshot.progress.step >= 0)
        return UR_OK;
    p->base = p->step;
    r->aside = false;
    ur__snapshot_take(r);
    return UR_OK;
}
