/* SPDX-License-Identifier: MIT */
/* Numbers in time: the next steps of a series, with intervals (docs/MATH.md, section Forecast). */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "data/window.h"
#include "task/forecast.h"
#include "task/list.h"
#include "train/options.h"

/* ---- what a model keeps ------------------------------------------------ */

static void forecast_shape(void *run, ur_options *net, ur_options *job)
{
    const struct ur__forecast *f = run;
    struct ur__forecast_net *c = ur__options_values(net);
    struct ur__forecast_options *o = ur__options_values(job);
    c->context = f->net.context;
    c->targets = f->net.targets;
    c->features = f->net.features;
    c->gaps = f->net.gaps;
    c->ahead = f->net.ahead;
    o->period = f->o.period;
    o->recent = f->o.recent;
    /* Other files may have further columns. */
    const char *last = ur__series_name(&f->signal.series, 0);
    if (!o->target && !strchr(last, ','))
        o->target = last;
}

/* Mean and deviation of a column over the rows to learn from; where values are told from the last
 * one, by how much they differ from one a horizon before. */
static void find_normal(const struct ur__forecast *f, int k, ur_real *mean, ur_real *scale)
{
    const struct ur__signal *s = &f->signal;
    const int n = ur__series_columns(&s->series);
    const bool last = f->o.normalise == UR__NORMALISE_LAST && k < s->series.targets;
    const int64_t lag = last && f->train_end - s->first > f->net.horizon ? f->net.horizon : 0;
    int64_t first = s->first;
    double sum = 0, square = 0, count = 0;
    while (first < f->train_end && isnan(s->z[first * n + k]))
        first++;
    for (int64_t t = first; t < f->train_end; t++) {
        sum += s->z[t * n + k];
        count++;
    }
    double m = count > 0 ? sum / count : 0;
    for (int64_t t = first + lag; t < f->train_end; t++) {
        double d = s->z[t * n + k] - (lag ? s->z[(t - lag) * n + k] : m);
        square += d * d;
    }
    double deviation = count > (double)lag ? sqrt(square / (count - (double)lag)) : 0;
    *mean = (ur_real)m;
    *scale = deviation > 1e-12 * fabs(m) && deviation > 0 ? (ur_real)deviation : 1;
}

static ur_status forecast_start(void *run, ur_model *model)
{
    struct ur__forecast *f = run;
    const struct ur__series *s = &f->signal.series;
    const struct ur__forecast_kept *kept = ur__forecast_kept(model);
    const int n = ur__series_columns(s);
    ur_real *mean = ur_param_data(model->params, kept->mean);
    ur_real *scale = ur_param_data(model->params, kept->scale);
    ur_real *naive = ur_param_data(model->params, kept->naive);
    double *column = ur__alloc((size_t)f->train_end, sizeof *column);
    if (!column)
        return UR_ENOMEM;
    for (int k = 0; k < n; k++)
        find_normal(f, k, &mean[k], &scale[k]);
    for (int k = 0; k < s->targets; k++) {
        for (int64_t t = 0; t < f->train_end; t++)
            column[t] = s->value[t * n + k];
        double error = ur_seasonal_error((size_t)f->train_end, column, f->o.period);
        naive[k] = isfinite((ur_real)error) ? (ur_real)error : 0;
    }
    ur__free(column);
    UR__TRY(ur__signal_use(&f->signal, model));
    return ur__linear_fit(&f->signal, &f->train, &f->valid,
                          ur_param_data(model->params, kept->linear));
}

/* ---- batches ----------------------------------------------------------- */

static ur_status forecast_cut(void *run, int batch, struct ur__facts *facts)
{
    struct ur__forecast *f = run;
    f->batch.B = f->train.n < batch ? (int)f->train.n : batch;
    f->scored.B = f->valid.n < UR__FORECAST_ROWS ? (int)f->valid.n : UR__FORECAST_ROWS;
    facts->epoch_steps = (f->train.n + f->batch.B - 1) / f->batch.B;
    facts->rows = f->batch.B;
    return UR_OK;
}

static void largest(const struct ur__forecast *f, int B, ur_batch *batch)
{
    const struct ur__windows_of nowhere = {.B = B, .input = UR__NOWHERE, .ahead = UR__NOWHERE,
                                           .base = UR__NOWHERE, .target = UR__NOWHERE};
    if (B > 0)
        ur__windows_fields(&nowhere, &f->net, batch);
}

static void forecast_largest(void *run, ur_batch *batch)
{
    const struct ur__forecast *f = run;
    largest(f, f->batch.B, batch);
}

static void forecast_largest_scored(void *run, ur_batch *batch)
{
    const struct ur__forecast *f = run;
    largest(f, f->scored.B, batch);
}

static void place(struct ur__forecast *f, struct ur__carve *c)
{
    ur__windows_place(&f->batch, &f->net, c);
    if (f->scored.B)
        ur__windows_place(&f->scored, &f->net, c);
}

static size_t forecast_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

static ur_status forecast_build(void *run, const ur_model *model)
{
    struct ur__forecast *f = run;
    struct ur__carve c = {.base = f->block = ur__alloc(forecast_memory(f), 1)};
    if (!f->block)
        return UR_ENOMEM;
    place(f, &c);
    return ur__forecast_score_open(f, model);
}

static ur_status forecast_begin_epoch(void *run, int64_t epoch)
{
    struct ur__forecast *f = run;
    f->epoch = epoch;
    return ur__signal_use(&f->signal, f->model);
}

/* Windows do not go on from one another. */
static bool forecast_begins(void *run, int64_t step)
{
    (void)run;
    (void)step;
    return true;
}

/* A state has as many rows as the largest batch: those that are left over are no targets. */
static ur_status forecast_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct ur__forecast *f = run;
    const int64_t first = step * f->batch.B, left = f->train.n - first;
    const int most = f->batch.B, B = left < most ? (int)left : most, N = f->net.targets;
    int b0, b1;
    ur__share(B, 1, shard.index, shard.of, &b0, &b1);
    struct ur__windows_of w = f->batch;
    w.B = f->net.recursive ? most : b1 - b0;
    for (int b = 0; b < w.B; b++) {
        const int64_t i = first + (b0 + b < b1 ? b0 + b : b0);
        const int64_t at = ur__shuffled(f->seed, (uint64_t)f->epoch, f->train.n, i);
        int count = ur__signal_fill(&f->signal, f->train.at[at], &w, b);
        if (b0 + b < b1)
            batch->items += count;
        for (int j = 0; j < f->net.horizon && b0 + b >= b1; j++)
            memset(w.target + 2 * (j * w.B + b) * N, 0, 2 * (size_t)N * sizeof *w.target);
    }
    return ur__windows_fields(&w, &f->net, batch);
}

static const char *const shown[][2] = {
    UR__SHOWN_OF_EXAMPLES, {NULL, NULL},
};

const struct ur__task ur__task_forecast = {
    .name = "forecast",
    .brief = "the next steps of a series, with intervals",
    .arch = "forecast",
    .options = &ur__forecast_table,
    .shown = shown,
    .n_sums = ur__forecast_sums,
    .open = ur__forecast_open,
    .shape = forecast_shape,
    .start = forecast_start,
    .cut = forecast_cut,
    .largest = forecast_largest,
    .build = forecast_build,
    .close = ur__forecast_close,
    .begin_epoch = forecast_begin_epoch,
    .begins = forecast_begins,
    .batch = forecast_batch,
    .score = ur__forecast_score,
    .figures = ur__forecast_figures,
    .settle = ur__forecast_settle,
    .measure = ur__forecast_measure,
    .memory = forecast_memory,
    .largest_scored = forecast_largest_scored,
    .tests = true,
    .predict = &ur__forecast_series,
};
