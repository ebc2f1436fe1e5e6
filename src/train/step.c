/* SPDX-License-Identifier: MIT */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/status.h"

static struct ur__shard shard_of(const struct ur__run *r)
{
    return (struct ur__shard){r->options->shard, r->options->shards};
}

/* A shard's loss is scaled by its share of the predictions, so that losses and gradients add up to
 * those of the whole batch. Which share that is only the sum over all shards tells. */
static ur_status reduce(struct ur__run *r, double *value, int64_t *items)
{
    const ur_train_options *o = r->options;
    ur_params *params = r->model->params;
    double sums[2] = {*value * (double)*items, (double)*items};
    if (!o->reduce)
        return UR_OK;
    size_t n = ur_params_size(params);
    ur_real *g = ur_params_grads(params);
    for (size_t i = 0; i < n; i++)
        g[i] *= (ur_real)*items;
    UR__TRY(o->reduce(o->reduce_user, n, g, 2, sums));
    if (!(sums[1] > 0))
        return ur__fail(UR_EINVAL, "the shards have no predictions to add up");
    for (size_t i = 0; i < n; i++)
        g[i] /= (ur_real)sums[1];
    *value = sums[0] / sums[1];
    *items = (int64_t)sums[1];
    return UR_OK;
}

ur_status ur__run_gradients(struct ur__run *r, int64_t at, double *value, int64_t *items)
{
    ur_batch batch;
    ur_batch_init(&batch);
    UR__TRY(r->task->batch(r->job, at, shard_of(r), &batch));
    ur_tensor *loss = ur_model_loss(r->tape, r->model, &batch, r->state);
    UR__TRY(ur_tape_status(r->tape));
    *value = ur_scalar(loss);
    *items = batch.items;
    if (!isfinite(*value))
        return ur__fail(UR_ENUMERIC, "the loss is %s", isnan(*value) ? "nan" : "infinite");
    UR__TRY(ur_backward(r->tape, loss));
    return reduce(r, value, items);
}

ur_status ur__run_score(struct ur__run *r, const struct ur__watch *watch)
{
    const ur_train_options *o = r->options;
    memset(r->sums, 0, (size_t)r->n_sums * sizeof *r->sums);
    UR__TRY(r->task->score(r->job, shard_of(r), watch, r->sums));
    if (o->reduce)
        UR__TRY(o->reduce(o->reduce_user, 0, NULL, r->n_sums, r->sums));
    r->task->figures(r->model, r->sums, &r->metrics);
    return UR_OK;
}
