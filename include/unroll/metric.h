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

/** What was taken for what: adds n predictions to confusion [V,V], whose row is the true class and
 *  whose column the guess. Tables of parts of the data add up. A truth < 0 is left out. Errors:
 *  UR_EINVAL (a class outside [0,V)), and then nothing is added. */
UR_API ur_status ur_confusion_count(double *confusion, int V, size_t n, const int32_t *truth,
                                    const int32_t *guess);

/** Such a table with the names of its classes. Made by the library; it may grow at its end. */
typedef struct ur_confusion {
    int n;                      /* classes */
    const char *const *label;   /* [n] */
    const double *count;        /* [n,n]: row the true class, column the guess */
} ur_confusion;

/** One class against all others; a share of nothing is 0. */
typedef struct ur_class_score {
    double n, found;            /* how many there are, how many were taken for it */
    double precision, recall, f1;
} ur_class_score;

/** The score of class c of a table of ur_confusion_count; zeros if there is no such class. */
UR_API ur_class_score ur_class_score_of(const double *confusion, int V, int c);
/** Adds "accuracy" and the means over the classes that are there or were found: "f1" (macro-F1),
 *  "precision", "recall". NaN of an empty table. */
UR_API void ur_class_figures(const double *confusion, int V, ur_metrics *out);

/** Entities in labelled sequences; counts of parts of the data add up. */
typedef struct ur_entity_counts {
    double right, found, present;       /* of those found, of the guesses, of the truth */
} ur_entity_counts;

/** Adds those of one sequence of n labels, as conlleval counts. A label is a prefix, a dash and a
 *  type: B- I- O, with E- S- (or L- U-) in schemes that mark ends; one without a known prefix is
 *  a type in itself. An entity begins at B-, S-, after O, E- and S-, and where the type changes: so
 *  an I- that follows nothing begins one. It is right if begin, end and type agree. */
UR_API void ur_entities_count(ur_entity_counts *counts, size_t n, const char *const *truth,
                              const char *const *guess);
/** Adds "f1", "precision" and "recall"; NaN where there is nothing to find. */
UR_API void ur_entity_figures(const ur_entity_counts *counts, ur_metrics *out);

/** Forecasts of a series beside what came: sums, so that those of parts of the data add up.
 *  Zeroed: none. */
typedef struct ur_forecast_sums {
    double n, absolute, squared, symmetric;         /* values, errors |e|, e², 2|e|/(|y| + |f|) */
    double intervals, covered, width;       /* intervals, those that hold the value, their widths */
} ur_forecast_sums;

/** Adds the forecast `point` of the value `truth` and its interval [lower,upper], which both bounds
 *  belong to. A truth that is not finite is missing: nothing is added. Bounds that are not finite,
 *  or cross, are no interval. */
UR_API void ur_forecast_add(ur_forecast_sums *sums, double truth, double point, double lower,
                            double upper);
/** Adds "mase", "mae", "rmse", "smape", "coverage" and "width" (docs/MATH.md); NaN of none. scale:
 *  what "mase" divides by, as ur_seasonal_error has it of what was learnt from; where that is not
 *  above 0, "mase" is NaN. */
UR_API void ur_forecast_figures(const ur_forecast_sums *sums, double scale, ur_metrics *out);
/** Mean of |x[t] − x[t−period]| over a series of n values, in which NaN are missing: the error of
 *  the seasonal naive forecast. NaN: there is no such pair, or the period is below 1. */
UR_API double ur_seasonal_error(size_t n, const double *x, int period);

#define UR_BLEU_SUMS 10
#define UR_CHRF_SUMS 18

/** Texts beside their references, as sacreBLEU compares them. Adds what one text and its n
 *  references say to sums [UR_BLEU_SUMS], zeros at first; those of parts of a set of texts add up.
 *  Texts are UTF-8 and end with a zero. BLEU counts up to four words in a row, which white space
 *  parts (sacreBLEU's tokenize "none"), with exponential smoothing. Errors: UR_EINVAL (n below 1),
 *  UR_EDATA (no UTF-8), UR_ENOMEM; then nothing is added. */
UR_API ur_status ur_bleu_count(double *sums, const char *text, int n,
                               const char *const *references);
/** The score of all of them, 0 to 100; 0 of no texts. */
UR_API double ur_bleu(const double *sums);
/** The same of chrF2, sums [UR_CHRF_SUMS]: up to six characters in a row, white space left out; of
 *  several references the one that a text agrees with best. */
UR_API ur_status ur_chrf_count(double *sums, const char *text, int n,
                               const char *const *references);
/** The score of all of them, 0 to 100; 0 of no texts. */
UR_API double ur_chrf(const double *sums);

/** The fewest tokens to put in, take out or replace to make b [m] of a [n] (Levenshtein 1966).
 *  Errors: UR_ENOMEM. */
UR_API ur_status ur_edit_distance(size_t n, const int32_t *a, size_t m, const int32_t *b,
                                  size_t *distance);

/** Pearson's correlation of two series of n numbers; 0 if either is constant. */
UR_API double ur_correlation(size_t n, const double *a, const double *b);

#ifdef __cplusplus
}
#endif
#endif
