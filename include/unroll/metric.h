/* SPDX-License-Identifier: MIT */
/* unroll/metric.h: from losses and series to the numbers that people read. */
#ifndef UNROLL_METRIC_H
#define UNROLL_METRIC_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Fractions in 0..1; NaN where a task has no such figure. */
typedef struct ur_metrics {
    double loss;                /* nats a prediction */
    double bpc;                 /* bits a character or byte: loss/ln 2 */
    double perplexity;          /* e^loss */
    double accuracy;            /* share whose likeliest token was right */
    double unknown;             /* share of words that are not in the vocabulary */
    int64_t n;                  /* predictions */
} ur_metrics;

/** Completes bpc and perplexity from a sum of losses in nats, hits and n. */
UR_API void ur_metrics_of(ur_metrics *out, double loss_sum, int64_t hits, int64_t n);

/** Pearson's correlation of two series of n numbers; 0 if either is constant. */
UR_API double ur_correlation(size_t n, const double *a, const double *b);

#ifdef __cplusplus
}
#endif
#endif
