/* SPDX-License-Identifier: MIT */
/*
 * Losses of predictions against targets, element by element and as means
 * (docs/MATH.md, section Operations of the tape).
 *
 *   Gaussian    y = ½(s + (t−m)²e^−s + log 2π), s = log σ²
 *   Bernoulli   y = log(1 + e^z) − zt, with no large number taken from another
 *   quantile    y = max(q(t−x), (q−1)(t−x))
 */
#include "tape/each.h"

#include "base/status.h"

/* ½ log 2π */
static const ur_real half_log_two_pi = (ur_real)0.918938533204672741780;

/* ---- Gaussian ---------------------------------------------------------- */

/* Operands m, s, t: r = (t−m)e^−s/2, so that r² stays in range as long as it can. */
static void scaled_residual(const struct ur__kernel *k, size_t n, const ur_real *const *x,
                            ur_real *root, ur_real *r)
{
    k->affine(n, (ur_real)-0.5, x[1], 0, root);
    k->exp(n, root, root);
    k->sub(n, x[2], x[0], r);
    k->mul(n, r, root, r);
}

static void gaussian_forward(const struct ur__kernel *k, size_t n, const ur_real *const *x,
                             ur_real *y)
{
    ur_real r[UR__OP_CHUNK];
    scaled_residual(k, n, x, y, r);
    k->mul(n, r, r, r);
    k->add(n, r, x[1], r);
    k->affine(n, (ur_real)0.5, r, half_log_two_pi, y);
}

/* dm = −r e^−s/2, ds = ½(1 − r²), dt = −dm */
static void gaussian_slope(const struct ur__kernel *k, size_t n, int side,
                           const ur_real *const *x, const ur_real *dy, ur_real *d)
{
    ur_real root[UR__OP_CHUNK];
    scaled_residual(k, n, x, root, d);
    if (side == 1) {
        k->mul(n, d, d, d);
        k->affine(n, (ur_real)-0.5, d, (ur_real)0.5, d);
    } else {
        k->mul(n, d, root, d);
        k->affine(n, side == 0 ? -1 : 1, d, 0, d);
    }
    k->mul(n, d, dy, d);
}

ur_tensor *ur_gaussian_nll_each(ur_tensor *mean, ur_tensor *log_variance, ur_tensor *target)
{
    static const struct ur__each f = {"gaussian_nll", 3, gaussian_forward, gaussian_slope, 0};
    return ur__each(&f, (ur_tensor *[]){mean, log_variance, target});
}

/* ---- Bernoulli --------------------------------------------------------- */

/* Operands z, t. y = z(1−t) for z > 0, else −zt; plus log(1+u), u = e^−|z|, which is
 * log(w)·u/(w−1) with w = 1+u rounded: exact where log(w) alone would lose u. */
static void bernoulli_forward(const struct ur__kernel *k, size_t n, const ur_real *const *x,
                              ur_real *y)
{
    ur_real u[UR__OP_CHUNK], w[UR__OP_CHUNK];
    const ur_real *z = x[0], *t = x[1];
    for (size_t i = 0; i < n; i++)
        y[i] = z[i] > 0 ? -z[i] : z[i];
    k->exp(n, y, u);
    k->affine(n, 1, u, 1, w);
    k->log(n, w, y);
    for (size_t i = 0; i < n; i++) {
        ur_real far = z[i] > 0 ? z[i] * (1 - t[i]) : -(z[i] * t[i]);
        y[i] = far + (w[i] == 1 ? u[i] : y[i] * (u[i] / (w[i] - 1)));
    }
}

/* dz = σ(z) − t, dt = −z */
static void bernoulli_slope(const struct ur__kernel *k, size_t n, int side,
                            const ur_real *const *x, const ur_real *dy, ur_real *d)
{
    if (side == 0) {
        k->sigmoid(n, x[0], d);
        k->sub(n, d, x[1], d);
    } else {
        k->affine(n, -1, x[0], 0, d);
    }
    k->mul(n, d, dy, d);
}

ur_tensor *ur_bernoulli_nll_each(ur_tensor *logits, ur_tensor *target)
{
    static const struct ur__each f = {"bernoulli_nll", 2, bernoulli_forward, bernoulli_slope, 0};
    return ur__each(&f, (ur_tensor *[]){logits, target});
}

/* ---- quantiles --------------------------------------------------------- */

ur_tensor *ur_quantile_loss_each(ur_tensor *x, ur_tensor *levels, ur_tensor *target)
{
    ur_tensor *d = ur_sub(target, x);
    return ur_maximum(ur_mul(levels, d), ur_mul(ur_affine(levels, 1, -1), d));
}

/* ---- means ------------------------------------------------------------- */

ur_tensor *ur_squared_error(ur_tensor *x, ur_tensor *target)
{
    return ur_mean(ur_square(ur_sub(x, target)));
}

ur_tensor *ur_absolute_error(ur_tensor *x, ur_tensor *target)
{
    return ur_mean(ur_abs(ur_sub(x, target)));
}

ur_tensor *ur_gaussian_nll(ur_tensor *mean, ur_tensor *log_variance, ur_tensor *target)
{
    return ur_mean(ur_gaussian_nll_each(mean, log_variance, target));
}

ur_tensor *ur_bernoulli_nll(ur_tensor *logits, ur_tensor *target)
{
    return ur_mean(ur_bernoulli_nll_each(logits, target));
}

ur_tensor *ur_quantile_loss(ur_tensor *x, ur_tensor *levels, ur_tensor *target)
{
    return ur_mean(ur_quantile_loss_each(x, levels, target));
}
