/* SPDX-License-Identifier: MIT */
#include "task/calibration.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define PER_ONE 128             /* bins of a factor of 1 */
#define LEAST_VALUES 20         /* that tell a share of four fifths from others at all */

int ur__factor_bin(const struct ur__interval *i, double truth)
{
    double factor = fabs(truth - i->point) / (truth >= i->point ? i->above : i->below);
    return !(factor > 0)                      ? 0
           : factor * PER_ONE < UR__BINS - 1 ? (int)(factor * PER_ONE)
                                             : UR__BINS - 1;
}

double ur__factor_of(const double *count, double share)
{
    double n = 0, below = 0;
    int i = 0;
    for (int k = 0; k < UR__BINS; k++)
        n += count[k];
    const double due = ceil(share * (n + 1));
    for (; i < UR__BINS - 1 && (below += count[i]) < due; i++)
        ;
    return n > 0 ? (double)(i + 1) / PER_ONE : 0;
}

struct ur__calibration *ur__calibrations_place(const struct ur__forecast_net *net, int rows,
                                               struct ur__carve *carve)
{
    const size_t N = (size_t)net->targets, R = (size_t)rows, H = (size_t)net->horizon;
    struct ur__calibration *all = ur__carve(carve, N, sizeof *all);
    double *count = ur__carve(carve, UR__BINS, sizeof *count);      /* of one at a time */
    for (size_t k = 0; k < N; k++) {
        int64_t *origin = ur__carve(carve, R, sizeof *origin);
        int16_t *bin = ur__carve(carve, R * H, sizeof *bin);
        if (all)
            all[k] = (struct ur__calibration){rows, net->horizon, origin, bin, count};
    }
    return all;
}

void ur__calibration_begin(struct ur__calibration *c)
{
    for (int i = 0; i < c->rows; i++)
        c->origin[i] = -1;
}

void ur__calibration_note(struct ur__calibration *c, int64_t origin, int j,
                          const struct ur__interval *interval, double truth)
{
    if (c->rows == 0 || isnan(interval->below))
        return;
    const int64_t place = origin % c->rows;
    c->origin[place] = origin;
    c->bin[place * c->horizon + j] = isnan(truth) ? -1 : (int16_t)ur__factor_bin(interval, truth);
}

double ur__calibration_factor(const struct ur__calibration *c, int64_t origin, double share,
                              double otherwise)
{
    int64_t n = 0;
    memset(c->count, 0, UR__BINS * sizeof *c->count);
    for (int i = 0; i < c->rows; i++) {
        if (c->origin[i] < 0 || c->origin[i] < origin - c->rows)
            continue;
        for (int j = 0; j < c->horizon && c->origin[i] + j < origin; j++) {
            const int bin = c->bin[i * c->horizon + j];
            if (bin < 0)
                continue;
            c->count[bin]++;
            n++;
        }
    }
    return n >= LEAST_VALUES ? ur__factor_of(c->count, share) : otherwise;
}
