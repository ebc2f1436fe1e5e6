/* SPDX-License-Identifier: MIT */
#include "train/average.h"

#include "base/mem.h"
#include "base/status.h"
#include "layer/params.h"

enum { UPDATES = 16 };      /* from one set of weights that counts to the next */

ur_status ur__average_open(struct ur__run *r)
{
    if (r->options->average <= 0)
        return UR_OK;
    r->average = ur__calloc(ur_params_size(r->model->params), sizeof *r->average);
    return r->average ? UR_OK : UR_ENOMEM;
}

void ur__average_close(struct ur__run *r)
{
    ur__free(r->average);
}

void ur__average_update(struct ur__run *r)
{
    const int64_t k = r->progress.step / UPDATES;
    if (!r->average || r->progress.step % UPDATES != 0)
        return;
    const double eta = r->options->average;
    const ur_real share = (ur_real)((eta + 1) / ((double)k + eta));
    const ur_real *w = ur_params_values(r->model->params);
    for (size_t i = 0, n = ur_params_size(r->model->params); i < n; i++)
        r->average[i] += share * (w[i] - r->average[i]);
}

/* The weights become the average, or again what they were; not before there is one. */
static ur_status swap(struct ur__run *r)
{
    if (!r->average || r->progress.step < UPDATES)
        return UR_OK;
    ur_params *params = r->model->params;
    ur__swap_values(ur_params_size(params), ur_params_values(params), r->average);
    ur__params_changed(params);
    return ur_model_prepare(r->model);
}

ur_status ur__average_with(struct ur__run *r, ur_status (*act)(struct ur__run *r))
{
    ur_status status = swap(r);
    if (status == UR_OK)
        status = act(r);
    ur_status back = swap(r);
    return status != UR_OK ? status : back;
}
