/* SPDX-License-Identifier: MIT */
/*
 * Functions of one element: neg, square, abs, sqrt, clamp; and choices between
 * elements: maximum, minimum, where. At a kink the slope is 0; where two are equal,
 * the first is the larger (the smaller). NaN stays NaN.
 */
#include "tape/each.h"

#include "base/fpmode.h"
#include "base/status.h"

#define FORWARD(name)                                                         \
    static void name##_forward(const struct ur__kernel *k, size_t n, const ur_real *const *x, \
                               ur_real *y)
#define SLOPE(name)                                                           \
    static void name##_slope(const struct ur__kernel *k, size_t n, int side,  \
                             const ur_real *const *x, const ur_real *dy, ur_real *d)

/* ---- one operand ------------------------------------------------------- */

FORWARD(neg)
{
    k->affine(n, -1, x[0], 0, y);
}

SLOPE(neg)
{
    (void)side;
    (void)x;
    k->affine(n, -1, dy, 0, d);
}

FORWARD(square)
{
    k->mul(n, x[0], x[0], y);
}

SLOPE(square)
{
    (void)side;
    k->mul(n, x[0], dy, d);
    k->add(n, d, d, d);
}

FORWARD(abs)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        y[i] = x[0][i] < 0 ? -x[0][i] : x[0][i];
}

SLOPE(abs)
{
    (void)k;
    (void)side;
    for (size_t i = 0; i < n; i++)
        d[i] = x[0][i] < 0 ? -dy[i] : x[0][i] > 0 ? dy[i] : 0;
}

FORWARD(sqrt)
{
    k->sqrt(n, x[0], y);
}

/* dy/(2√x) */
SLOPE(sqrt)
{
    (void)side;
    k->sqrt(n, x[0], d);
    k->add(n, d, d, d);
    k->div(n, dy, d, d);
}

static ur_tensor *one(const struct ur__each *f, ur_tensor *x)
{
    return ur__each(f, &x);
}

ur_tensor *ur_neg(ur_tensor *x)
{
    static const struct ur__each f = {"neg", 1, neg_forward, neg_slope, 0};
    return one(&f, x);
}

ur_tensor *ur_square(ur_tensor *x)
{
    static const struct ur__each f = {"square", 1, square_forward, square_slope, 0};
    return one(&f, x);
}

ur_tensor *ur_abs(ur_tensor *x)
{
    static const struct ur__each f = {"abs", 1, abs_forward, abs_slope, 0};
    return one(&f, x);
}

ur_tensor *ur_sqrt(ur_tensor *x)
{
    static const struct ur__each f = {"sqrt", 1, sqrt_forward, sqrt_slope, 0};
    return one(&f, x);
}

/* ---- choices ----------------------------------------------------------- */

/* A comparison with NaN is false: where both fail, a or b is NaN. */
FORWARD(maximum)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        y[i] = x[0][i] >= x[1][i] || x[0][i] != x[0][i] ? x[0][i] : x[1][i];
}

SLOPE(maximum)
{
    (void)k;
    for (size_t i = 0; i < n; i++) {
        bool first = x[0][i] >= x[1][i] || x[0][i] != x[0][i];
        d[i] = first == (side == 0) ? dy[i] : 0;
    }
}

FORWARD(minimum)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        y[i] = x[0][i] <= x[1][i] || x[0][i] != x[0][i] ? x[0][i] : x[1][i];
}

SLOPE(minimum)
{
    (void)k;
    for (size_t i = 0; i < n; i++) {
        bool first = x[0][i] <= x[1][i] || x[0][i] != x[0][i];
        d[i] = first == (side == 0) ? dy[i] : 0;
    }
}

/* Operands: condition, a, b. */
FORWARD(where)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        y[i] = x[0][i] != 0 ? x[1][i] : x[2][i];
}

SLOPE(where)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        d[i] = (x[0][i] != 0) == (side == 1) ? dy[i] : 0;
}

/* Operands: x, lowest, highest. */
FORWARD(clamp)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        y[i] = x[0][i] < x[1][i] ? x[1][i] : x[0][i] > x[2][i] ? x[2][i] : x[0][i];
}

SLOPE(clamp)
{
    (void)k;
    (void)side;
    for (size_t i = 0; i < n; i++)
        d[i] = x[0][i] > x[1][i] && x[0][i] < x[2][i] ? dy[i] : 0;
}

ur_tensor *ur_maximum(ur_tensor *a, ur_tensor *b)
{
    static const struct ur__each f = {"maximum", 2, maximum_forward, maximum_slope, 0};
    return ur__each(&f, (ur_tensor *[]){a, b});
}

ur_tensor *ur_minimum(ur_tensor *a, ur_tensor *b)
{
    static const struct ur__each f = {"minimum", 2, minimum_forward, minimum_slope, 0};
    return ur__each(&f, (ur_tensor *[]){a, b});
}

ur_tensor *ur_where(ur_tensor *condition, ur_tensor *a, ur_tensor *b)
{
    static const struct ur__each f = {"where", 3, where_forward, where_slope, 1};
    return ur__each(&f, (ur_tensor *[]){condition, a, b});
}

ur_tensor *ur_clamp(ur_tensor *x, double low, double high)
{
    static const struct ur__each f = {"clamp", 3, clamp_forward, clamp_slope, 2 | 4};
    const int one_element = 1;
    if (!x)
        return NULL;
    if (!(low <= high))
        return ur__tape_fail(x->tape, UR_EINVAL, "clamp: %g to %g is not a range", low, high);
    /* volatile: compilers ignore the rounding mode and could round before it is set. */
    volatile double limits[] = {low, high};
    unsigned mode = ur__fpmode_default();
    const ur_real bounds[] = {(ur_real)limits[0], (ur_real)limits[1]};
    ur__fpmode_restore(mode);
    return ur__each(&f, (ur_tensor *[]){x, ur_copy_in(x->tape, 1, &one_element, bounds),
                                        ur_copy_in(x->tape, 1, &one_element, bounds + 1)});
}
