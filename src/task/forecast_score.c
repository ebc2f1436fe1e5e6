/* SPDX-License-Identifier: MIT */
/*
 * Measuring forecasts, beside those that take no network: the last value, the value one period
 * before, and a linear autoregression.
 *
 * Sums: the loss and how many values it is of; then, target by target, errors of the four, and how
 * often an interval would have had to be how many times as wide to hold its value. From these
 * numbers, of the part held out, follows what intervals are widened by (Romano, Patterson and
 * Candès 2019: conformalized quantile regression, here by a factor).
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
enum { ERRORS = sizeof(ur_forecast_sums) / sizeof(double), BINS = 1024, SCORED_ROWS = 64 };
#define PER_ONE 128     /* bins of a factor of 1 */

static int target_sums(void)
{
    return FORECASTERS * ERRORS + BINS;
}

int ur__forecast_sums(const ur_model *model)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    return TARGETS + c->targets * target_sums();
}

/* ---- opening ----------------------------------------------------------- */

ur_status ur__forecast_score_open(struct ur__forecast *f, const ur_model *model)
{
    struct ur__model_room room;
    ur_batch largest;
    ur_batch_init(&largest);
    f->model = model;
    if (f->measures) {
        f->scored.B = f->valid.n < SCORED_ROWS ? (int)f->valid.n : SCORED_ROWS;
        struct ur__carve count = {0}, c = {0};
        ur__windows_place(&f->scored, &f->net, &count);
        c.base = f->block = ur__alloc(count.used, 1);
        if (!f->block)
            return UR_ENOMEM;
        ur__windows_place(&f->scored, &f->net, &c);
    }
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
};

static double pinball(double q, double d)
{
    return d >= 0 ? q * d : (q - 1) * d;
}

/* As the network's loss has it (model/arch_forecast.c). */
static double loss_of(const struct ur__forecast_net *c, const ur_real *o, int k, double target)
{
    const int N = c->targets;
    const double d = target - (double)o[k];
    if (c->output == UR__FORECAST_POINT)
        return fabs(d);
    if (c->output == UR__FORECAST_QUANTILE)
        return pinball(0.5, d) + pinball((1 - c->interval) / 2, target - (double)o[N + k])
            + pinball((1 + c->interval) / 2, target - (double)o[2 * N + k]);
    ur_real precision = -o[N + k];
    ur__kernel()->exp(1, &precision, &precision);
    return 0.5 * ((double)o[N + k] + d * d * (double)precision + 1.8378770664093453);
}

/* By how much the interval must be stretched to reach the value, in bins. */
static int bin_of(const struct ur__forecast_step *s, double value)
{
    double side = value >= s->point ? s->upper - s->point : s->point - s->lower;
    double factor = fabs(value - s->point) / side;      /* NaN: 0 of 0 */
    return !(factor > 0) ? 0 : factor * PER_ONE < BINS - 1 ? (int)(factor * PER_ONE) : BINS - 1;
}

static void add_value(const struct scoring *a, int64_t origin, const int place[3])
{
    struct ur__forecast *f = a->f;
    const struct ur__signal *s = &f->signal;
    const int j = place[0], b = place[1], k = place[2], N = f->net.targets;
    const double value = s->series.value[(origin + j) * ur__series_columns(&s->series) + k];
    const ur_real *o = a->y + (ptrdiff_t)(j * f->scored.B + b) * N * ur__forecast_numbers(&f->net);
    const struct ur__normal own = {f->scored.level[b * N + k], f->scored.scale[b * N + k]};
    const struct ur__normal plain = {0, 1};
    double *sums = a->sums + TARGETS + k * target_sums();
    ur_forecast_sums *errors = (void *)sums;
    if (isnan(value))
        return;
    a->sums[LOSS] += loss_of(&f->net, o, k, (double)f->scored.target[2 * (j * f->scored.B + b) * N
                                                                     + k]);
    a->sums[VALUES]++;
    const struct ur__forecast_step step =
        ur__signal_step(s, a->y, &f->scored, place, f->measures ? (double)s->widen[k] : 1);
    ur_forecast_add(&errors[NETWORK], value, step.point, step.lower, step.upper);
    ur_forecast_add(&errors[LAST], value,
                    ur__signal_value(s, plain, (double)ur__signal_naive(s, origin, k, j, 1)),
                    (double)NAN, (double)NAN);
    ur_forecast_add(&errors[SEASONAL], value,
                    ur__signal_value(s, plain,
                                     (double)ur__signal_naive(s, origin, k, j, f->o.period)),
                    (double)NAN, (double)NAN);
    ur_forecast_add(&errors[LINEAR], value,
                    ur__signal_value(s, own, ur__signal_linear(s, k, j, f->scored.x)),
                    (double)NAN, (double)NAN);
    if (f->net.output != UR__FORECAST_POINT)
        sums[FORECASTERS * ERRORS + bin_of(&step, value)]++;
}

/* ---- scoring ----------------------------------------------------------- */

static void add_window(const struct scoring *a, int64_t origin, int b)
{
    struct ur__forecast *f = a->f;
    const int N = f->net.targets;
    for (int k = 0; k < N; k++) {
        const struct ur__normal by = {f->scored.level[b * N + k], f->scored.scale[b * N + k]};
        ur__signal_context(&f->signal, origin, k, by, f->scored.x);
        for (int j = 0; j < f->net.horizon; j++)
            add_value(a, origin, (int[]){j, b, k});
    }
}

/* Rows after the last origin are that one again, and are not counted. */
static ur_status score_batch(struct ur__forecast *f, int64_t first, int64_t end, double *sums)
{
    ur_batch batch;
    ur_batch_init(&batch);
    for (int b = 0; b < f->scored.B; b++) {
        int64_t i = first + b < end ? first + b : end - 1;
        ur__signal_fill(&f->signal, f->valid.at[i], &f->scored, b);
    }
    UR__TRY(ur__windows_fields(&f->scored, &f->net, &batch));
    ur_tape_reset(f->tape);
    if (f->state)
        ur_model_state_zero(f->state);
    const ur_tensor *y = ur_model_outputs(f->tape, f->model, &batch, f->state);
    if (f->state)
        ur_model_state_detach(f->state);
    UR__TRY(ur_tape_status(f->tape));
    const struct scoring a = {f, ur_data(y), sums};
    for (int b = 0; b < f->scored.B && first + b < end; b++)
        add_window(&a, f->valid.at[first + b], b);
    return UR_OK;
}

ur_status ur__forecast_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                             double *sums)
{
    struct ur__forecast *f = run;
    const int64_t n = f->valid.n, begin = n * shard.index / shard.of,
                  end = n * (shard.index + 1) / shard.of;
    if (!f->measures)
        UR__TRY(ur__signal_use(&f->signal, f->model));
    for (int64_t first = begin; first < end; first += f->scored.B) {
        const int64_t done = first + f->scored.B < end ? first + f->scored.B : end;
        UR__TRY(score_batch(f, first, end, sums));
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

/* Means over the targets. */
static ur_metrics mean_figures(const ur_model *model, const double *sums, int forecaster)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    const ur_real *naive = ur_param_data(model->params, ur__forecast_kept(model)->naive);
    ur_metrics all, one;
    ur_metrics_init(&all);
    for (int k = 0; k < c->targets; k++) {
        ur_metrics_init(&one);
        ur_forecast_figures(errors_of(sums, k, forecaster),
                            sums[VALUES] > 0 ? (double)naive[k] : 0, &one);
        if (k == 0)
            all = one;
        for (int i = 0; i < all.n && k > 0; i++)
            all.at[i].value += one.at[i].value;
    }
    for (int i = 0; i < all.n; i++)
        all.at[i].value /= c->targets;
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

/* The least factor that so large a share of the values would have needed, one more value counted
 * among those outside. */
static double factor_of(const double *count, double share)
{
    double n = 0, below = 0;
    for (int i = 0; i < BINS; i++)
        n += count[i];
    const double due = ceil(share * (n + 1));
    int i = 0;
    for (; i < BINS - 1 && (below += count[i]) < due; i++)
        ;
    return n > 0 ? (double)(i + 1) / PER_ONE : 1;
}

void ur__forecast_settle(ur_model *model, const double *sums)
{
    const struct ur__forecast_net *c = ur__model_values(model);
    ur_real *widen = ur_param_data(model->params, ur__forecast_kept(model)->widen);
    for (int k = 0; k < c->targets; k++)
        widen[k] = (ur_real)factor_of(sums + TARGETS + k * target_sums() + FORECASTERS * ERRORS,
                                      c->interval);
}
