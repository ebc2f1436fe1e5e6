/* SPDX-License-Identifier: MIT */
/*
 * How far forecasts f are from the values y, and intervals [l,u] from holding them (docs/MATH.md,
 * section Figures of forecasts):
 *
 *     MAE    mean |y − f|           RMSE      √ mean (y − f)²
 *     MASE   MAE / scale            coverage  share of l <= y <= u
 *     sMAPE  mean 2|y − f| / (|y| + |f|), of 0 and 0 nothing
 */
#include "unroll/metric.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/status.h"

void ur_forecast_add(ur_forecast_sums *s, double truth, double point, double lower, double upper)
{
    UR__NEED_OR(s, "sums", );
    if (!isfinite(truth))
        return;
    unsigned mode = ur__fpmode_default();
    double e = fabs(truth - point), all = fabs(truth) + fabs(point);
    s->n++;
    s->absolute += e;
    s->squared += e * e;
    s->symmetric += all > 0 ? 2 * e / all : 0;
    if (isfinite(lower) && isfinite(upper) && lower <= upper) {
        s->intervals++;
        s->covered += lower <= truth && truth <= upper;
        s->width += upper - lower;
    }
    ur__fpmode_restore(mode);
}

static double mean(double sum, double n)
{
    return n > 0 ? sum / n : (double)NAN;
}

void ur_forecast_figures(const ur_forecast_sums *s, double scale, ur_metrics *out)
{
    UR__NEED_OR(s, "sums", );
    UR__NEED_OR(out, "out", );
    unsigned mode = ur__fpmode_default();
    double mae = mean(s->absolute, s->n);
    ur_metrics_add(out, "mase", "", false, scale > 0 ? mae / scale : (double)NAN);
    ur_metrics_add(out, "mae", "", false, mae);
    ur_metrics_add(out, "rmse", "", false, sqrt(mean(s->squared, s->n)));
    ur_metrics_add(out, "smape", "%", false, mean(s->symmetric, s->n));
    ur_metrics_add(out, "coverage", "% of the values", true, mean(s->covered, s->intervals));
    ur_metrics_add(out, "width", "", false, mean(s->width, s->intervals));
    ur__fpmode_restore(mode);
}

double ur_seasonal_error(size_t n, const double *x, int period)
{
    double sum = 0, pairs = 0;
    if (n > 0)
        UR__NEED_OR(x, "x", (double)NAN);
    unsigned mode = ur__fpmode_default();
    for (size_t t = period > 0 ? (size_t)period : n; t < n; t++) {
        double e = fabs(x[t] - x[t - (size_t)period]);
        if (!isfinite(e))
            continue;
        sum += e;
        pairs++;
    }
    ur__fpmode_restore(mode);
    return mean(sum, pairs);
}
