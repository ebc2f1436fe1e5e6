/* SPDX-License-Identifier: MIT */
/* What a network of forecasts and whoever feeds it agree on. */
#ifndef UR_MODEL_FORECAST_H
#define UR_MODEL_FORECAST_H

#include "model/block.h"

enum { UR__FORECAST_POINT, UR__FORECAST_GAUSSIAN, UR__FORECAST_QUANTILE };

struct ur__forecast_net {
    ur_rnn_options stack;
    int context, horizon;       /* steps read, C, and steps ahead, H */
    int output;                 /* one of the above */
    double interval;            /* share of the values that intervals are to hold */
    bool recursive;             /* each forecast is fed back for the next one */
    /* As the data have it. */
    int targets;                /* N */
    int features;               /* other columns that are read, F */
    bool gaps;                  /* values are missing: which are there is read, too */
    int ahead;                  /* numbers of a step that are known beforehand, K */
};

/* Numbers of a step, in this order: N targets, N + F that tell which are there (gaps alone), F
 * features, K. */
static inline int ur__forecast_input(const struct ur__forecast_net *c)
{
    return (c->targets + c->features) * (c->gaps ? 2 : 1) + c->ahead;
}
/* Numbers that a step ahead has for each target: point, lower and upper bound; mean and log
 * variance; a point. */
static inline int ur__forecast_numbers(const struct ur__forecast_net *c)
{
    return c->output == UR__FORECAST_QUANTILE ? 3 : c->output == UR__FORECAST_GAUSSIAN ? 2 : 1;
}

/* Numbers that are kept but not trained: what columns are normalised by [N+F], the error of the
 * seasonal naive forecast [N], the linear autoregression [N,H,C+1], whose last number of each row
 * is a constant, and what intervals are widened by [N]. */
struct ur__forecast_kept {
    const ur_param *mean, *scale, *naive, *linear, *widen;
};
/* Those of a model of that architecture. */
const struct ur__forecast_kept *ur__forecast_kept(const ur_model *m);

#endif
