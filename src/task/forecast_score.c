/* SPDX-License-Identifier: MIT */
/*
 * Measuring forecasts, beside those that take no network: the last value, the value one period
 * before, and a linear autoregression.
 *
 * Sums: the loss and how many values it is of; then, target by target, errors of the four, and how
 * often an interval would have had to be how many times as wide to hold its value
 * (task/calibration.h), from which follows what intervals are widened by.
 */
#include "task/forecast.h"

#include <math.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "model/arch.h"
#include "model/measure.h"

enum { LOSS, VALUES, TARGETS };
enum { NETWORK, LAST, SEASONAL, LINEAR, FORECASTERS };
enum { ERRORS = sizeof(ur_forecast_sums) / sizeof(double) };

static int target_sums(void)
{
    return FORECASTERS * ERRORS + UR__BINS;
}

int ur__forecast_sums(const ur_model *model)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    return TARGETS + c->targets * target_sums();
}

/* ---- opening ----------------------------------------------------------- */

static void place(struct ur__forecast *f, struct ur__carve *c)
{
    ur__windows_place(&f->scored, &f->net, c);
    f->recent = ur__calibrations_place(&f->net, f->o.recent, c);
}

static ur_status take_memory(struct ur__forecast *f)
{
    struct ur__carve count = {0}, c = {0};
    f->scored.B = f->valid.n < UR__FORECAST_ROWS ? (int)f->valid.n : UR__FORECAST_ROWS;
    place(f, &count);
    c.base = f->block = ur__alloc(count.used, 1);
    if (!f->block)
        return UR_ENOMEM;
    place(f, &c);
    return UR_OK;
}

ur_status ur__forecast_score_open(struct ur__forecast *f, const ur_model *model)
{
    struct ur__model_room room;
    ur_batch largest;
    ur_batch_init(&largest);
    f->model = model;
    if (f->measures)
        UR__TRY(take_memory(f));
    if (f->valid.n == 0)
        return UR_OK;
    UR__TRY(ur__windows_fields(&f->scored, &f->net, &largest));
    UR__TRY(ur__model_measure(&room, model, &largest,
                              f->net.recursive ? UR__MEASURE_CARRIES : 0, f->team));
    if (f->net.recursive)
        UR__TRY(ur_model_state_new(&f->state, model, f->scored.B, f->team));
    UR__TRY(ur_tape_new(&f->tape, f->team));
    ur_tape_set_recording(f->tape, false);
    return ur__tape_reserve(f->tape, room.tape.arena);
}

/* ---- one value --------------------------------------------------------- */

/* What is added for a value that is there. */
struct scoring {
    struct ur__forecast *f;
    const ur_real *y;           /* outputs */
    double *sums;
    double widen;               /* of the window and the target at hand */
};

static double pinball(double q, double d)
{
    return d >= 0 ? q * d : (q - 1) * d;
}

/* As the network's loss has it (model/arch_forecast.c); a Gaussian's deviation is told from its
 * interval. */
static double loss_of(const struct ur__forecast_net *c, const struct ur__interval *i, double truth)
{
    const double d = truth - i->point;
    if (c->output == UR__FORECAST_POINT)
        return fabs(d);
    if (c->output == UR__FORECAST_QUANTILE)
        return pinball(0.5, d) + pinball((1 - c->interval) / 2, d + i->below)
            + pinball((1 + c->interval) / 2, d - i->above);
    ur_real variance = (ur_real)(i->above / ur__normal_quantile((1 + c->interval) / 2)), log_of;
    variance *= variance;
    ur__kernel()->log(1, &variance, &log_of);
    return 0.5 * ((double)log_of + d * d / (double)variance + 1.8378770664093453);
}

/* A simple forecast: transformed, or normalised by some other numbers. */
static void add_point(const struct scoring *a, ur_forecast_sums *to, double value,
                      struct ur__normal by, double y)
{
    ur_forecast_add(to, value, ur__signal_value(&a->f->signal, by, y), (double)NAN, (double)NAN);
}

static void add_value(const struct scoring *a, int64_t origin, const int place[3])
{
    struct ur__forecast *f = a->f;
    const struct ur__signal *s = &f->signal;
    const struct ur__windows_of *w = &f->scored;
    const int j = place[0], b = place[1], k = place[2], N = f->net.targets;
    const double value = s->series.value[(origin + j) * ur__series_columns(&s->series) + k];
    const struct ur__interval interval = ur__signal_interval(s, a->y, w, place);
    const double truth = ur__signal_truth(s, w, place);
    const struct ur__normal own = {w->level[b * N + k], w->scale[b * N + k]}, plain = {0, 1};
    double *sums = a->sums + TARGETS + k * target_sums();
    ur_forecast_sums *errors = (void *)sums;
    if (isnan(truth))
        return;
    a->sums[LOSS] += loss_of(&f->net, &interval, truth);
    a->sums[VALUES]++;
    const struct ur__forecast_step step = ur__signal_step(s, w, place, &interval, a->widen);
    ur_forecast_add(&errors[NETWORK], value, step.point, step.lower, step.upper);
    add_point(a, &errors[LAST], value, plain, (double)ur__signal_naive(s, origin, k, j, 1));
    add_point(a, &errors[SEASONAL], value, plain,
              (double)ur__signal_naive(s, origin, k, j, f->o.period));
    add_point(a, &errors[LINEAR], value, own, ur__signal_linear(s, k, j, w->x));
    if (!isnan(interval.below))
        sums[FORECASTERS * ERRORS + ur__factor_bin(&interval, truth)]++;
}

/* ---- scoring ----------------------------------------------------------- */

/* How wide the intervals of a window are to be; in training as the network has them. */
static double factor(const struct ur__forecast *f, int64_t origin, int k)
{
    return f->measures ? ur__calibration_factor(&f->recent[k], origin, f->net.interval,
                                                (double)f->signal.widen[k]) : 1;
}

static void note_window(const struct scoring *a, int64_t origin, int b, int k)
{
    struct ur__forecast *f = a->f;
    for (int j = 0; j < f->net.horizon && f->measures; j++) {
        const int place[] = {j, b, k};
        const struct ur__interval i = ur__signal_interval(&f->signal, a->y, &f->scored, place);
        ur__calibration_note(&f->recent[k], origin, j, &i,
                             ur__signal_truth(&f->signal, &f->scored, place));
    }
}

/* sums NULL: the window is before those that are measured. */
static void add_window(struct scoring *a, int64_t origin, int b)
{
    struct ur__forecast *f = a->f;
    const int N = f->net.targets;
    for (int k = 0; k < N; k++) {
        const struct ur__normal by = {f->scored.level[b * N + k], f->scored.scale[b * N + k]};
        ur__signal_context(&f->signal, origin, k, by, f->scored.x);
        a->widen = a->sums ? factor(f, origin, k) : 1;
        for (int j = 0; j < f->net.horizon && a->sums; j++)
            add_value(a, origin, (int[]){j, b, k});
        note_window(a, origin, b, k);
    }
}

/* The windows at some origins; rows after the last are that one again, and are not counted. */
static ur_status score_batch(struct ur__forecast *f, const int64_t *origins, int n, double *sums)
{
    ur_batch batch;
    ur_batch_init(&batch);
    for (int b = 0; b < f->scored.B; b++)
        ur__signal_fill(&f->signal, origins[b < n ? b : n - 1], &f->scored, b);
    UR__TRY(ur__windows_fields(&f->scored, &f->net, &batch));
    ur_tape_reset(f->tape);
    if (f->state)
        ur_model_state_zero(f->state);
    const ur_tensor *y = ur_model_outputs(f->tape, f->model, &batch, f->state);
    if (f->state)
        ur_model_state_detach(f->state);
    UR__TRY(ur_tape_status(f->tape));
    struct scoring a = {f, ur_data(y), sums, 1};
    for (int b = 0; b < n; b++)
        add_window(&a, origins[b], b);
    return UR_OK;
}

/* Forecasts from the rows before the first that is measured, as far as they may be looked at. */
static ur_status look_back(struct ur__forecast *f)
{
    int64_t at[UR__FORECAST_ROWS];
    for (int k = 0; k < f->net.targets; k++)
        ur__calibration_begin(&f->recent[k]);
    for (int64_t t = f->look_back, n; t < f->valid.at[0]; t += n) {
        for (n = 0; n < f->scored.B && t + n < f->valid.at[0]; n++)
            at[n] = t + n;
        UR__TRY(score_batch(f, at, (int)n, NULL));
    }
    return UR_OK;
}

ur_status ur__forecast_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                             double *sums)
{
    struct ur__forecast *f = run;
    const int64_t n = f->valid.n, begin = n * shard.index / shard.of,
                  end = n * (shard.index + 1) / shard.of;
    UR__TRY(f->measures ? look_back(f) : ur__signal_use(&f->signal, f->model));
    for (int64_t first = begin; first < end; first += f->scored.B) {
        const int64_t done = first + f->scored.B < end ? first + f->scored.B : end;
        UR__TRY(score_batch(f, f->valid.at + first, (int)(done - first), sums));
        if (!watch->go_on(watch->user, (double)(done - begin) / (double)(end - begin)))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    return UR_OK;
}

/* ---- figures ----------------------------------------------------------- */

static const ur_forecast_sums *errors_of(const double *sums, int k, int forecaster)
{
    return (const void *)(sums + TARGETS + k * target_sums() + forecaster * ERRORS);
}

/* Means over the targets that have values. */
static ur_metrics mean_figures(const ur_model *model, const double *sums, int forecaster)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    const ur_real *naive = ur_param_data(model->params, ur__forecast_kept(model)->naive);
    ur_metrics all, one;
    int measured = 0;
    ur_metrics_init(&all);
    for (int k = 0; k < c->targets; k++) {
        const ur_forecast_sums *errors = errors_of(sums, k, forecaster);
        ur_metrics_init(&one);
        ur_forecast_figures(errors, sums[VALUES] > 0 ? (double)naive[k] : 0, &one);
        for (int i = 0; i < all.n && errors->n > 0 && measured; i++)
            all.at[i].value += one.at[i].value;
        if (!measured)
            all = one;
        measured += errors->n > 0;
    }
    for (int i = 0; i < all.n && measured; i++)
        all.at[i].value /= measured;
    return all;
}

void ur__forecast_figures(const ur_model *model, const double *sums, ur_metrics *out)
{
    static const char *const names[FORECASTERS][2] = {
        [LAST] = {"mase_last", "mae_last"},
        [SEASONAL] = {"mase_seasonal", "mae_seasonal"},
        [LINEAR] = {"mase_linear", "mae_linear"},
    };
    out->n = 0;
    ur_metrics_add(out, "loss", "", false,
                   sums[VALUES] > 0 ? sums[LOSS] / sums[VALUES] : (double)NAN);
    const ur_metrics own = mean_figures(model, sums, NETWORK);
    for (int i = 0; i < own.n; i++)
        ur_metrics_add(out, own.at[i].name, own.at[i].unit, own.at[i].rising, own.at[i].value);
    for (int i = LAST; i < FORECASTERS; i++) {
        const ur_metrics m = mean_figures(model, sums, i);
        ur_metrics_add(out, names[i][0], "", false, ur_metrics_get(&m, "mase"));
        ur_metrics_add(out, names[i][1], "", false, ur_metrics_get(&m, "mae"));
    }
    ur_metrics_add(out, "n", "values", false, sums[VALUES]);
}

void ur__forecast_settle(ur_model *model, const double *sums)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    ur_real *widen = ur_param_data(model->params, ur__forecast_kept(model)->widen);
    for (int k = 0; k < c->targets; k++) {
        const double *count = sums + TARGETS + k * target_sums() + FORECASTERS * ERRORS;
        const double factor = ur__factor_of(count, c->interval);
        widen[k] = factor > 0 ? (ur_real)factor : 1;
    }
}
