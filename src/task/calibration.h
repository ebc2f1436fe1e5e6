/* SPDX-License-Identifier: MIT */
/*
 * How wide intervals must be, by the errors of the latest forecasts: a conformal calibration that
 * goes along with the series. Errors are told in bins of how many times as wide an interval would
 * have had to be to hold its value.
 */
#ifndef UR_TASK_CALIBRATION_H
#define UR_TASK_CALIBRATION_H

#include "task/signal.h"

enum { UR__BINS = 1024 };

/* The bin of a value that came, normalised as the network's interval is. */
int ur__factor_bin(const struct ur__interval *interval, double truth);
/* The least factor that so large a share of n values would have needed, one more value counted
 * among those outside. count [UR__BINS]; 0 for none. */
double ur__factor_of(const double *count, double share);

/* Forecasts of one target made from the latest rows. */
struct ur__calibration {
    int rows, horizon;          /* how many rows back, and steps of each forecast */
    int64_t *origin;            /* [rows] of the forecast at the place row % rows; -1: none */
    int16_t *bin;               /* [rows,horizon]; -1: no value */
    double *count;              /* [UR__BINS] scratch */
};
struct ur__carve;
/* Those of all targets of a network, `rows` back: [N]. */
struct ur__calibration *ur__calibrations_place(const struct ur__forecast_net *net, int rows,
                                               struct ur__carve *carve);
void ur__calibration_begin(struct ur__calibration *c);
/* Notes step j of the forecast from a row; truth NaN: missing. Rows come in order, and all steps of
 * each. */
void ur__calibration_note(struct ur__calibration *c, int64_t origin, int j,
                          const struct ur__interval *interval, double truth);
/* The factor for a forecast from that row: from what is known before it, of forecasts made at most
 * so many rows before. Of too few values `otherwise`. */
double ur__calibration_factor(const struct ur__calibration *c, int64_t origin, double share,
                              double otherwise);

#endif
