/* SPDX-License-Identifier: MIT */
/* unroll/metric.h: from losses and series to the numbers that people read. */
#ifndef UNROLL_METRIC_H
#define UNROLL_METRIC_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UR_MAX_METRICS 24

/** A figure of how well a model does. */
typedef struct ur_metric {
    const char *name;           /* "loss", "accuracy": static */
    const char *unit;           /* "nats a character", "% of the words"; "%" at its start: value is
                                   a fraction that people read as per cent. "": a bare number */
    bool rising;                /* more is better */
    double value;               /* NaN: there is none */
} ur_metric;

/** Figures by name, the most telling first. ur_metrics_init: none. */
typedef struct ur_metrics {
    size_t size;                /* set by ur_metrics_init */
    int n;
    ur_metric at[UR_MAX_METRICS];
} ur_metrics;
UR_STRUCT_INIT(ur_metrics)

/** Adds one; of more than there is room for nothing is kept. */
UR_API void ur_metrics_add(ur_metrics *metrics, const char *name, const char *unit, bool rising,
                           double value);
/** The figure of a name; NULL: there is none. Borrowed. */
UR_API const ur_metric *ur_metrics_find(const ur_metrics *metrics, const char *name);
/** Its value; NaN: there is none. */
UR_API double ur_metrics_get(const ur_metrics *metrics, const char *name);

/** Pearson's correlation of two series of n numbers; 0 if either is constant. */
UR_API double ur_correlation(size_t n, const double *a, const double *b);

#ifdef __cplusplus
}
#endif
#endif
