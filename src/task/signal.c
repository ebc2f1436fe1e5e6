/* SPDX-License-Identifier: MIT */
#include "task/signal.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"

#define LEAST_SCALE 0.05        /* of a window, a share of the series' own */

static int columns(const struct ur__signal *s)
{
    return ur__series_columns(&s->series);
}

static double raw(const struct ur__signal *s, int64_t row, int column)
{
    return s->series.value[row * columns(s) + column];
}

/* ---- reading ----------------------------------------------------------- */

/* Logarithms of the targets. */
static ur_status transform(struct ur__signal *s)
{
    const int n = columns(s);
    char time[UR__TIME_TEXT];
    for (int64_t t = 0; t < s->series.n; t++)
        for (int k = 0; k < n; k++) {
            const double x = raw(s, t, k);
            ur_real log_of = (ur_real)x;
            s->z[t * n + k] = x;
            if (!s->o->log || k >= s->series.targets || isnan(x))
                continue;
            if (!(x > 0))
                return ur__fail(UR_EDATA, "column \"%s\" has %g at %s, of which there is no "
                                "logarithm (transform)", ur__series_name(&s->series, k), x,
                                ur__series_time(&s->series, t, time));
            ur__kernel()->log(1, &log_of, &log_of);
            s->z[t * n + k] = (double)log_of;
        }
    return UR_OK;
}

/* What is missing is what was last seen. */
static void fill_gaps(struct ur__signal *s)
{
    const int n = columns(s);
    for (int k = 0; k < n; k++) {
        int64_t t = 0;
        while (t < s->series.n && isnan(raw(s, t, k)))
            t++;
        if (k < s->series.targets && t > s->first)
            s->first = t;
        for (; t < s->series.n; t++)
            if (isnan(raw(s, t, k)))
                s->z[t * n + k] = s->z[(t - 1) * n + k];
    }
}

/* cos and sin of each cycle that is longer than a step. */
static void put_cycles(const struct ur__signal *s, int64_t row, ur_real *to)
{
    const ur_real turn = (ur_real)6.283185307179586;
    double phase[UR__TIME_CYCLES];
    struct ur__time t = ur__time_after(&s->series.first, &s->series.step, row);
    ur__time_phases(&t, &s->series.step, phase);
    for (int i = 0; i < UR__TIME_CYCLES; i++) {
        if (phase[i] < 0)
            continue;
        *to++ = turn * (ur_real)phase[i];
        *to++ = turn * (ur_real)(phase[i] - 0.25);      /* sin x = cos(x − π/2) */
    }
}

static ur_status make_calendar(struct ur__signal *s)
{
    double phase[UR__TIME_CYCLES];
    const int64_t rows = s->series.n + s->net->horizon;
    if (!s->o->calendar || !s->series.timed || s->series.n < 2)
        return UR_OK;
    ur__time_phases(&s->series.first, &s->series.step, phase);
    for (int i = 0; i < UR__TIME_CYCLES; i++)
        s->K += phase[i] >= 0 ? 2 : 0;
    s->calendar = s->K ? ur__alloc((size_t)rows * (size_t)s->K, sizeof *s->calendar) : NULL;
    if (s->K && !s->calendar)
        return UR_ENOMEM;
    for (int64_t t = 0; t < rows && s->K; t++)
        put_cycles(s, t, s->calendar + t * s->K);
    if (s->K)
        ur__kernel()->cos((size_t)(rows * s->K), s->calendar, s->calendar);
    return UR_OK;
}

ur_status ur__signal_open(struct ur__signal *s, const char *path)
{
    const struct ur__series_rule rule = {s->o->time, s->o->target, s->o->features};
    UR__TRY(ur__series_open(&s->series, path, &rule));
    if (s->o->back >= s->series.n)
        return ur__fail(UR_EDATA, "%s: of its %lld rows %d are left out (back)", path,
                        (long long)s->series.n, s->o->back);
    s->series.n -= s->o->back;
    return ur__signal_make(s);
}

ur_status ur__signal_make(struct ur__signal *s)
{
    s->z = ur__alloc((size_t)s->series.n * (size_t)columns(s), sizeof *s->z);
    if (!s->z)
        return UR_ENOMEM;
    UR__TRY(transform(s));
    fill_gaps(s);
    return make_calendar(s);
}

void ur__signal_close(struct ur__signal *s)
{
    ur__series_close(&s->series);
    ur__free(s->z);
    ur__free(s->calendar);
    s->z = NULL;
    s->calendar = NULL;
}

ur_status ur__signal_use(struct ur__signal *s, const ur_model *model)
{
    const struct ur__forecast_net *c = s->net;
    const struct ur__forecast_kept *kept = ur__forecast_kept(model);
    const struct ur__series *x = &s->series;
    if (x->targets != c->targets || x->features != c->features)
        return ur__fail(UR_EDATA, "the network reads %d targets and %d features, and here are %d "
                        "and %d", c->targets, c->features, x->targets, x->features);
    if (s->K != c->ahead)
        return ur__fail(UR_EDATA, "the rows have no times such as the network has learnt with");
    s->mean = ur_param_data(model->params, kept->mean);
    s->scale = ur_param_data(model->params, kept->scale);
    s->linear = ur_param_data(model->params, kept->linear);
    s->widen = ur_param_data(model->params, kept->widen);
    return UR_OK;
}

/* ---- windows ----------------------------------------------------------- */

void ur__windows_place(struct ur__windows_of *w, const struct ur__forecast_net *net,
                       struct ur__carve *c)
{
    const size_t B = (size_t)w->B, N = (size_t)net->targets, H = (size_t)net->horizon;
    const size_t C = (size_t)net->context, K = (size_t)net->ahead;
    w->input = ur__carve(c, B * C * (size_t)ur__forecast_input(net), sizeof *w->input);
    w->ahead = ur__carve(c, B * H * K, sizeof *w->ahead);
    w->base = ur__carve(c, B * H * N, sizeof *w->base);
    w->target = ur__carve(c, 2 * B * H * N, sizeof *w->target);
    w->level = ur__carve(c, B * N, sizeof *w->level);
    w->scale = ur__carve(c, B * N, sizeof *w->scale);
    w->x = ur__carve(c, C + 1, sizeof *w->x);
}

ur_status ur__windows_fields(const struct ur__windows_of *w, const struct ur__forecast_net *net,
                             ur_batch *batch)
{
    const int H = net->horizon, B = w->B, N = net->targets;
    UR__TRY(ur_batch_reals(batch, "input", 3,
                           (int[]){net->context, B, ur__forecast_input(net)}, w->input, NULL));
    if (net->ahead)
        UR__TRY(ur_batch_reals(batch, "ahead", 3, (int[]){H, B, net->ahead}, w->ahead, NULL));
    UR__TRY(ur_batch_reals(batch, "base", 3, (int[]){H, B, N}, w->base, NULL));
    return ur_batch_reals(batch, "target", 3, (int[]){H, B, 2 * N}, w->target, NULL);
}

static double at(const struct ur__signal *s, int64_t row, int column)
{
    return s->z[row * columns(s) + column];
}

struct ur__normal ur__signal_normal(const struct ur__signal *s, int64_t origin, int k)
{
    const int C = s->net->context;
    struct ur__normal by = {(double)s->mean[k], (double)s->scale[k]};
    double sum = 0, square = 0;
    if (s->o->normalise == UR__NORMALISE_LAST)
        by.level = at(s, origin - 1, k);
    if (s->o->normalise != UR__NORMALISE_WINDOW)
        return by;
    for (int t = 0; t < C; t++)
        sum += at(s, origin - C + t, k);
    for (int t = 0; t < C; t++) {
        double d = at(s, origin - C + t, k) - sum / C;
        square += d * d;
    }
    double own = sqrt(square / C), least = LEAST_SCALE * (double)s->scale[k];
    return (struct ur__normal){sum / C, own > least ? own : least};
}

void ur__signal_context(const struct ur__signal *s, int64_t origin, int k, struct ur__normal by,
                        double *x)
{
    const int C = s->net->context;
    for (int t = 0; t < C; t++)
        x[t] = (at(s, origin - C + t, k) - by.level) / by.scale;
    x[C] = 1;
}

double ur__signal_linear(const struct ur__signal *s, int k, int j, const double *x)
{
    const int C = s->net->context;
    const ur_real *w = s->linear + ((size_t)k * (size_t)s->net->horizon + (size_t)j)
        * (size_t)(C + 1);
    double y = 0;
    for (int t = 0; t <= C; t++)
        y += (double)w[t] * x[t];
    return y;
}

double ur__signal_value(const struct ur__signal *s, struct ur__normal by, double y)
{
    const double z = by.level + by.scale * y;
    ur_real exp_of = (ur_real)z;
    if (!s->o->log)
        return z;
    ur__kernel()->exp(1, &exp_of, &exp_of);
    return (double)exp_of;
}

double ur__signal_naive(const struct ur__signal *s, int64_t origin, int k, int j, int period)
{
    const int64_t m = period > 0 ? period : 1, row = origin + j - m * (j / m + 1);
    return at(s, row >= s->first ? row : origin - 1, k);
}

static struct ur__normal normal_of(const struct ur__signal *s, const struct ur__windows_of *w,
                                   int b, int k)
{
    const int i = b * s->net->targets + k;
    return (struct ur__normal){w->level[i], w->scale[i]};
}

static void fill_base(const struct ur__signal *s, int64_t origin, const struct ur__windows_of *w,
                      int b)
{
    const int N = s->net->targets, base = s->o->base;
    for (int k = 0; k < N; k++) {
        const struct ur__normal by = normal_of(s, w, b, k);
        const int period = base == UR__BASE_LAST ? 1 : s->o->period;
        if (base == UR__BASE_LINEAR)
            ur__signal_context(s, origin, k, by, w->x);
        for (int j = 0; j < s->net->horizon; j++) {
            ur_real y = 0;
            if (base == UR__BASE_LINEAR)
                y = (ur_real)ur__signal_linear(s, k, j, w->x);
            else if (base != UR__BASE_NONE)
                y = (ur_real)((ur__signal_naive(s, origin, k, j, period) - by.level) / by.scale);
            w->base[(j * w->B + b) * N + k] = y;
        }
    }
}

static void fill_input(const struct ur__signal *s, int64_t origin, const struct ur__windows_of *w,
                       int b)
{
    const struct ur__forecast_net *c = s->net;
    const int n = columns(s), N = c->targets, I = ur__forecast_input(c);
    for (int t = 0; t < c->context; t++) {
        const int64_t row = origin - c->context + t;
        ur_real *to = w->input + (t * w->B + b) * I;
        for (int k = 0; k < N; k++)
            *to++ = (ur_real)((at(s, row, k) - w->level[b * N + k]) / w->scale[b * N + k]);
        for (int k = 0; k < n && c->gaps; k++)
            *to++ = !isnan(raw(s, row, k));
        for (int k = N; k < n; k++) {
            const double x = at(s, row, k);     /* NaN: not seen yet */
            *to++ = isnan(x) ? 0 : (ur_real)((x - (double)s->mean[k]) / (double)s->scale[k]);
        }
        for (int k = 0; k < c->ahead; k++)
            *to++ = s->calendar[row * c->ahead + k];
    }
}

int ur__signal_fill(const struct ur__signal *s, int64_t origin, const struct ur__windows_of *w,
                    int b)
{
    const struct ur__forecast_net *c = s->net;
    const int N = c->targets, H = c->horizon;
    int count = 0;
    for (int k = 0; k < N; k++) {
        const struct ur__normal by = ur__signal_normal(s, origin, k);
        w->level[b * N + k] = by.level;
        w->scale[b * N + k] = by.scale;
    }
    fill_input(s, origin, w, b);
    fill_base(s, origin, w, b);
    for (int j = 0; j < H; j++) {
        const int64_t row = origin + j;
        ur_real *to = w->target + 2 * (j * w->B + b) * N;
        for (int k = 0; k < N; k++) {
            bool known = row < s->series.n && !isnan(raw(s, row, k));
            to[k] = known ? (ur_real)((at(s, row, k) - w->level[b * N + k]) / w->scale[b * N + k])
                          : 0;
            to[N + k] = known;
            count += known;
        }
        for (int k = 0; k < c->ahead; k++)
            w->ahead[(j * w->B + b) * c->ahead + k] = s->calendar[row * c->ahead + k];
    }
    return count;
}

/* ---- forecasts --------------------------------------------------------- */

/* Wichura 1988, algorithm AS 241, PPND7: to seven digits. */
double ur__normal_quantile(double q)
{
    const double d = q - 0.5;
    if (fabs(d) <= 0.425) {
        double r = 0.180625 - d * d;
        return d * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)
            / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1);
    }
    ur_real tail = (ur_real)(d < 0 ? q : 1 - q);
    ur__kernel()->log(1, &tail, &tail);
    double r = sqrt(-(double)tail), x;
    if (r <= 5) {
        r -= 1.6;
        x = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777)
            / ((0.12021132975 * r + 0.73700164250) * r + 1);
    } else {
        r -= 5;
        x = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150)
            / ((0.012258202635 * r + 0.24197894225) * r + 1);
    }
    return d < 0 ? -x : x;
}

struct ur__interval ur__signal_interval(const struct ur__signal *s, const ur_real *y,
                                        const struct ur__windows_of *w, const int place[3])
{
    const struct ur__forecast_net *c = s->net;
    const int k = place[2], N = c->targets, numbers = ur__forecast_numbers(c);
    const ur_real *o = y + (size_t)(place[0] * w->B + place[1]) * (size_t)(N * numbers);
    struct ur__interval i = {(double)o[k], (double)NAN, (double)NAN};
    if (c->output == UR__FORECAST_QUANTILE) {
        i.below = i.point - (double)o[N + k];
        i.above = (double)o[2 * N + k] - i.point;
    } else if (c->output == UR__FORECAST_GAUSSIAN) {
        ur_real deviation = o[N + k] / 2;
        ur__kernel()->exp(1, &deviation, &deviation);
        i.below = i.above = ur__normal_quantile((1 + c->interval) / 2) * (double)deviation;
    }
    return i;
}

double ur__signal_truth(const struct ur__signal *s, const struct ur__windows_of *w,
                        const int place[3])
{
    const int N = s->net->targets;
    const ur_real *target = w->target + 2 * (size_t)(place[0] * w->B + place[1]) * (size_t)N;
    return target[N + place[2]] > 0 ? (double)target[place[2]] : (double)NAN;
}

struct ur__forecast_step ur__signal_step(const struct ur__signal *s, const struct ur__windows_of *w,
                                         const int place[3], const struct ur__interval *i,
                                         double widen)
{
    const struct ur__normal by = normal_of(s, w, place[1], place[2]);
    struct ur__forecast_step step = {ur__signal_value(s, by, i->point), (double)NAN, (double)NAN};
    if (isnan(i->below))
        return step;
    step.lower = ur__signal_value(s, by, i->point - widen * i->below);
    step.upper = ur__signal_value(s, by, i->point + widen * i->above);
    return step;
}
