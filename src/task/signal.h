/* SPDX-License-Identifier: MIT */
/*
 * A series as a network of forecasts reads it: values transformed, gaps filled with the last value
 * before, windows of context and horizon normalised (docs/MATH.md, section Forecast).
 */
#ifndef UR_TASK_SIGNAL_H
#define UR_TASK_SIGNAL_H

#include "base/option.h"
#include "data/series.h"
#include "model/forecast.h"

enum { UR__NORMALISE_LAST, UR__NORMALISE_WINDOW, UR__NORMALISE_SERIES };
enum { UR__BASE_NONE, UR__BASE_LAST, UR__BASE_SEASONAL, UR__BASE_LINEAR };

/* Options of such a task: its struct of values. */
struct ur__forecast_options {
    const char *target, *features, *time, *split;
    int period, normalise, base, back, recent;
    bool log, calendar;
};
extern const ur_option_table ur__forecast_table;

struct ur__signal {
    const struct ur__forecast_options *o;       /* borrowed */
    const struct ur__forecast_net *net;         /* borrowed; of it the horizon alone before shape */
    struct ur__series series;
    double *z;                  /* [n,N+F] without gaps; NaN before the first value */
    ur_real *calendar;          /* [n+H,K] what is known of each row */
    int K;
    int64_t first;              /* row from which on each target has been seen */
    /* What a model keeps; set by ur__signal_use. */
    const ur_real *mean, *scale, *linear, *widen;
};

/* Reads a file for forecasts H steps long; close it whatever the outcome. UR_EDATA: also a value
 * that has no logarithm, or rows of which all are to be left out. What is left out lies behind the
 * n rows of the series. */
ur_status ur__signal_open(struct ur__signal *s, const char *path);
/* The same of a series that is there already. */
ur_status ur__signal_make(struct ur__signal *s);
void ur__signal_close(struct ur__signal *s);
/* Of a model whose data are like these; UR_EDATA: they have other columns, or steps of another
 * kind. */
ur_status ur__signal_use(struct ur__signal *s, const ur_model *model);

/* Columns [B] of a batch. */
struct ur__windows_of {
    int B;
    ur_real *input, *ahead, *base, *target;     /* fields of the network (unroll/model.h) */
    double *level, *scale;                      /* [B,N] value = level + scale·y */
    double *x;                                  /* [C+1] scratch */
};
struct ur__carve;
void ur__windows_place(struct ur__windows_of *w, const struct ur__forecast_net *net,
                       struct ur__carve *c);
ur_status ur__windows_fields(const struct ur__windows_of *w, const struct ur__forecast_net *net,
                             ur_batch *batch);
/* Column b: the forecast whose first row is `origin`. Rows that the series does not have, and gaps,
 * are no targets. Returns how many there are. */
int ur__signal_fill(const struct ur__signal *s, int64_t origin, const struct ur__windows_of *w,
                    int b);
/* What a window of a target is normalised by. */
struct ur__normal {
    double level, scale;
};
struct ur__normal ur__signal_normal(const struct ur__signal *s, int64_t origin, int k);
/* A target's context before that row, normalised so, and 1 behind it: x [C+1]. */
void ur__signal_context(const struct ur__signal *s, int64_t origin, int k, struct ur__normal by,
                        double *x);
/* What the linear autoregression says of step j, normalised, of x from the function above. */
double ur__signal_linear(const struct ur__signal *s, int k, int j, const double *x);
/* Forecasts of row origin + j, transformed: the same season of the latest period before the origin;
 * with a period of 1 the last value. */
double ur__signal_naive(const struct ur__signal *s, int64_t origin, int k, int j, int period);
/* A normalised number as the file would have it. */
double ur__signal_value(const struct ur__signal *s, struct ur__normal by, double y);

/* Step j of target k of column b, at = {j,b,k}, of outputs y [H,B,N·numbers], normalised: the point
 * and how far the bounds are from it; NaN: it has none. */
struct ur__interval {
    double point, below, above;
};
struct ur__interval ur__signal_interval(const struct ur__signal *s, const ur_real *y,
                                        const struct ur__windows_of *w, const int at[3]);
/* The value that came, normalised as the point is; NaN: missing, or not there yet. */
double ur__signal_truth(const struct ur__signal *s, const struct ur__windows_of *w,
                        const int at[3]);
/* The interval as the file would have it, `widen` times as wide. */
struct ur__forecast_step {
    double point, lower, upper;
};
struct ur__forecast_step ur__signal_step(const struct ur__signal *s, const struct ur__windows_of *w,
                                         const int at[3], const struct ur__interval *interval,
                                         double widen);
/* The q-quantile of the standard normal distribution. */
double ur__normal_quantile(double q);

#endif
