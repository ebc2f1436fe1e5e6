/* SPDX-License-Identifier: MIT */
#include "task/linear.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

/* Windows that are looked at, evenly spread: more tell little more. Where contexts are long they
 * are fewer, so that the products take no longer than so many additions. */
enum { MOST_FITTED = 20000, LEAST_FITTED = 1000, MOST_CHECKED = 2000 };
#define MOST_ADDED 4000000000

static const double strengths[] = {1e-5, 1e-3, 1e-2, 1e-1, 1};
enum { N_STRENGTHS = sizeof strengths / sizeof *strengths, USUAL = 2 };

/* One target's equations (G + λI) w_j = r_j, P = C + 1 numbers each. */
struct fit {
    const struct ur__signal *s;
    int k;
    ptrdiff_t P, H;
    double *gram;               /* [P,P] Σ x xᵀ */
    double *right;              /* [H,P] Σ y_j x */
    double *lower;              /* [P,P] Cholesky factor */
    double *w;                  /* [H,P] */
    double *x;                  /* [P] */
    int64_t n;
};

/* y of step j, normalised; NaN: missing. */
static double truth(const struct fit *f, int64_t origin, int j, struct ur__normal by)
{
    const struct ur__series *x = &f->s->series;
    const int64_t i = (origin + j) * ur__series_columns(x) + f->k;
    if (isnan(x->value[i]))
        return (double)NAN;
    return (f->s->z[i] - by.level) / by.scale;
}

static bool is_whole(const struct fit *f, int64_t origin, struct ur__normal by)
{
    for (int j = 0; j < f->H; j++)
        if (isnan(truth(f, origin, j, by)))
            return false;
    return true;
}

static void add_window(struct fit *f, int64_t origin)
{
    const struct ur__normal by = ur__signal_normal(f->s, origin, f->k);
    const ptrdiff_t P = f->P;
    if (!is_whole(f, origin, by))
        return;
    ur__signal_context(f->s, origin, f->k, by, f->x);
    f->n++;
    for (ptrdiff_t a = 0; a < P; a++)
        for (ptrdiff_t b = 0; b <= a; b++)
            f->gram[a * P + b] += f->x[a] * f->x[b];
    for (int j = 0; j < f->H; j++) {
        const double y = truth(f, origin, j, by);
        for (ptrdiff_t a = 0; a < P; a++)
            f->right[j * P + a] += y * f->x[a];
    }
}

/* The strength is a share of the mean square of what is read; the constant is not held back. */
static void factor(struct fit *f, double strength)
{
    const ptrdiff_t P = f->P;
    double trace = 0;
    for (ptrdiff_t a = 0; a < P - 1; a++)
        trace += f->gram[a * P + a];
    const double ridge = strength * trace / (double)(P - 1) + 1e-9 * (double)f->n;
    for (ptrdiff_t a = 0; a < P; a++)
        for (ptrdiff_t b = 0; b <= a; b++) {
            double sum = f->gram[a * P + b] + (a == b && a < P - 1 ? ridge : 0);
            for (ptrdiff_t i = 0; i < b; i++)
                sum -= f->lower[a * P + i] * f->lower[b * P + i];
            f->lower[a * P + b] = a > b ? sum / f->lower[b * P + b]
                                        : sqrt(fmax(sum, 1e-12 * (double)f->n));
        }
}

static void solve(struct fit *f)
{
    const ptrdiff_t P = f->P;
    for (int j = 0; j < f->H; j++) {
        double *w = f->w + j * P;
        memcpy(w, f->right + j * P, (size_t)P * sizeof *w);
        for (ptrdiff_t a = 0; a < P; a++) {
            for (ptrdiff_t i = 0; i < a; i++)
                w[a] -= f->lower[a * P + i] * w[i];
            w[a] /= f->lower[a * P + a];
        }
        for (ptrdiff_t a = P - 1; a >= 0; a--) {
            for (ptrdiff_t i = a + 1; i < P; i++)
                w[a] -= f->lower[i * P + a] * w[i];
            w[a] /= f->lower[a * P + a];
        }
    }
}

static int64_t stride(const struct ur__origins *o, int64_t most)
{
    return o->n > most ? (o->n + most - 1) / most : 1;
}

/* Sum of |y − w·x| over what is held out. */
static double error_of(struct fit *f, const struct ur__origins *valid)
{
    double sum = 0;
    for (int64_t i = 0; i < valid->n; i += stride(valid, MOST_CHECKED)) {
        const struct ur__normal by = ur__signal_normal(f->s, valid->at[i], f->k);
        ur__signal_context(f->s, valid->at[i], f->k, by, f->x);
        for (int j = 0; j < f->H; j++) {
            double e = truth(f, valid->at[i], j, by);
            for (ptrdiff_t a = 0; a < f->P; a++)
                e -= f->w[j * f->P + a] * f->x[a];
            sum += isnan(e) ? 0 : fabs(e);
        }
    }
    return sum;
}

static void fit_target(struct fit *f, const struct ur__origins *train,
                       const struct ur__origins *valid, ur_real *to)
{
    const size_t P = (size_t)f->P, H = (size_t)f->H;
    double least = (double)INFINITY;
    memset(f->gram, 0, P * P * sizeof *f->gram);
    memset(f->right, 0, H * P * sizeof *f->right);
    f->n = 0;
    int64_t most = MOST_ADDED / (f->P * f->P);
    most = most < LEAST_FITTED ? LEAST_FITTED : most > MOST_FITTED ? MOST_FITTED : most;
    for (int64_t i = 0; i < train->n; i += stride(train, most))
        add_window(f, train->at[i]);
    for (int i = 0; i < N_STRENGTHS && f->n > 0; i++) {
        if (valid->n == 0 && i != USUAL)
            continue;
        factor(f, strengths[i]);
        solve(f);
        double e = error_of(f, valid);
        if (!(e < least))
            continue;
        least = e;
        for (size_t a = 0; a < H * P; a++)
            to[a] = (ur_real)f->w[a];
    }
}

ur_status ur__linear_fit(const struct ur__signal *s, const struct ur__origins *train,
                         const struct ur__origins *valid, ur_real *to)
{
    const size_t P = (size_t)s->net->context + 1, H = (size_t)s->net->horizon;
    double *block = ur__alloc(2 * P * P + 2 * H * P + P, sizeof *block);
    struct fit f = {.s = s, .P = (ptrdiff_t)P, .H = (ptrdiff_t)H, .gram = block};
    if (!block)
        return UR_ENOMEM;
    f.lower = f.gram + P * P;
    f.right = f.lower + P * P;
    f.w = f.right + H * P;
    f.x = f.w + H * P;
    for (f.k = 0; f.k < s->net->targets; f.k++)
        fit_target(&f, train, valid, to + (size_t)f.k * H * P);
    ur__free(block);
    return UR_OK;
}
