/* SPDX-License-Identifier: MIT */
#include "train/reach.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "train/carried.h"

/* What of the report is made once a run. */
struct ur__reach {
    ur_model_state *state;      /* stands for the one that training is in */
    int32_t *targets;           /* [T,B] */
    double *norms;              /* [layers,distances] */
    int distances;
};

/* Sees dh_t [B,H] of one layer and step; the last step has no distance. */
static void see(void *user, int layer, int64_t t, int B, int H, const ur_real *dh)
{
    struct ur__reach *reach = user;
    int64_t k = reach->distances - t;
    double sum = 0;
    for (size_t i = 0; i < (size_t)B * (size_t)H; i++)
        sum += (double)dh[i] * (double)dh[i];
    if (k > 0)
        reach->norms[layer * reach->distances + k - 1] = sqrt(sum);
}

static ur_status open_reach(struct ur__run *r, int layers, int T, int B)
{
    if (!r->reach && !(r->reach = ur__calloc(1, sizeof *r->reach)))
        return UR_ENOMEM;
    struct ur__reach *reach = r->reach;
    if (!reach->state)
        UR__TRY(ur_model_state_new(&reach->state, r->model, B, r->options->team));
    ur__free(reach->targets);
    ur__free(reach->norms);
    reach->distances = T - 1;
    reach->targets = ur__alloc((size_t)T, (size_t)B * sizeof *reach->targets);
    reach->norms = ur__calloc((size_t)layers, (size_t)reach->distances * sizeof *reach->norms);
    return reach->targets && reach->norms ? UR_OK : UR_ENOMEM;
}

void ur__reach_close(struct ur__run *r)
{
    if (!r->reach)
        return;
    ur_model_state_free(r->reach->state);
    ur__free(r->reach->targets);
    ur__free(r->reach->norms);
    ur__free(r->reach);
    r->reach = NULL;
}

/* The batch with the targets of its last step alone. */
static ur_status narrow(struct ur__run *r, int layers, const ur_batch *batch, ur_batch *last)
{
    ur_batch_init(last);
    for (int i = 0; i < batch->n; i++) {
        ur_field f = batch->field[i];
        if (strcmp(f.role, "target") == 0 && f.ids && f.rank == 2) {
            size_t all = (size_t)f.dim[0] * (size_t)f.dim[1], end = all - (size_t)f.dim[1];
            UR__TRY(open_reach(r, layers, f.dim[0], f.dim[1]));
            memcpy(r->reach->targets, f.ids, all * sizeof *f.ids);
            for (size_t at = 0; at < end; at++)
                r->reach->targets[at] = -1;
            f.ids = r->reach->targets;
        }
        last->field[last->n++] = f;
    }
    return r->reach ? UR_OK : ur__fail(UR_EINVAL, "task %s has no targets to look back from",
                                       r->task->name);
}

static ur_status look(struct ur__run *r, const ur_batch *batch, int layers)
{
    ur_batch last;
    UR__TRY(narrow(r, layers, batch, &last));
    const struct ur__carried now = ur__carried_of(r->state);
    const struct ur__carried copy = ur__carried_of(r->reach->state);
    ur_model_state_zero(r->reach->state);
    if (r->progress.step % r->facts.epoch_steps > 0)
        for (int i = 0; i < now.parts; i++)
            memcpy(copy.part[i], now.part[i], now.n[i] * sizeof *now.part[i]);
    ur_state_observe_gradients(ur_model_state_at(r->reach->state, 0), see, r->reach);
    ur_status status = ur_backward(r->tape, ur_model_loss(r->tape, r->model, &last,
                                                          r->reach->state));
    ur_model_state_detach(r->reach->state);
    return status;
}

ur_status ur__reach_report(struct ur__run *r)
{
    const struct ur__shard whole = {0, 1};
    ur_batch batch;
    ur_batch_init(&batch);
    int layers = ur_rnn_layers(ur_model_rnn(r->model, 0));
    UR__TRY(r->task->batch(r->job, r->progress.step % r->facts.epoch_steps, whole, &batch));
    ur_tape_reset(r->tape);
    ur_tape_set_training(r->tape, false, 0, 0);
    ur_status status = look(r, &batch, layers);
    ur_tape_reset(r->tape);
    if (status == UR_OK)
        ur__run_report_reach(r, r->reach->norms, layers, r->reach->distances);
    return status;
}
