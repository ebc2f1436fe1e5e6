/* SPDX-License-Identifier: MIT */
/* Pearson's correlation, by the means first: Σ(a−ā)(b−b̄) / √(Σ(a−ā)²·Σ(b−b̄)²). */
#include "unroll/metric.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/status.h"

/* Exactly: the rounding of a mean must not pass for variation. */
static bool is_constant(size_t n, const double *x)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0])
            return false;
    }
    return true;
}

static double mean(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double correlation(size_t n, const double *a, const double *b)
{
    if (n < 2 || is_constant(n, a) || is_constant(n, b))
        return 0;
    double mean_a = mean(n, a), mean_b = mean(n, b);
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        double da = a[i] - mean_a, db = b[i] - mean_b;
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    double below = sqrt(aa) * sqrt(bb);
    if (below == 0)
        return 0;
    double r = ab / below;
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

double ur_correlation(size_t n, const double *a, const double *b)
{
    if (n > 0)
        UR__NEED_OR(a, "a", (double)NAN);
    if (n > 0)
        UR__NEED_OR(b, "b", (double)NAN);
    unsigned mode = ur__fpmode_default();
    double r = correlation(n, a, b);
    ur__fpmode_restore(mode);
    return r;
}
