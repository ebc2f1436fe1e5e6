/* SPDX-License-Identifier: MIT */
#include "layer/init.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/random.h"
#include "kernel/select.h"

static double uniform(uint64_t seed, uint64_t ordinal, size_t index)
{
    return ur_random_uniform(seed, UR__STREAM_INIT, ordinal, (uint32_t)index);
}

/* Box and Muller 1958: two uniform numbers make a normal one. The kernel's log, sqrt and
 * cos, not libm's, so that every machine draws the same. */
static ur_real normal(uint64_t seed, uint64_t ordinal, size_t index)
{
    const struct ur__kernel *k = ur__kernel();
    ur_real u = (ur_real)(1.0 - uniform(seed, ordinal, 2 * index));
    ur_real angle = (ur_real)(6.283185307179586 * uniform(seed, ordinal, 2 * index + 1));
    ur_real r;
    u = u > 0 ? u : 1;
    k->log(1, &u, &r);
    r *= -2;
    r = r > 0 ? r : 0;
    k->sqrt(1, &r, &r);
    k->cos(1, &angle, &angle);
    return r * angle;
}

/* Rows of q [n,n] made orthonormal, twice over so that rounding does not show (Giraud et
 * al. 2005). sqrt is exact to the last bit by IEEE 754. */
static void orthonormalise(double *q, int n)
{
    for (int i = 0; i < n; i++) {
        double *row = q + (ptrdiff_t)i * n, squares = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int j = 0; j < i; j++) {
                const double *other = q + (ptrdiff_t)j * n;
                double dot = 0;
                for (int c = 0; c < n; c++)
                    dot += row[c] * other[c];
                for (int c = 0; c < n; c++)
                    row[c] -= dot * other[c];
            }
        for (int c = 0; c < n; c++)
            squares += row[c] * row[c];
        double scale = squares > 0 ? 1 / sqrt(squares) : 0;
        for (int c = 0; c < n; c++)
            row[c] *= scale;
    }
}

/* Each [n,n] block of an [m·n,n] matrix: a random orthogonal matrix times gain. */
static ur_status orthogonal(ur_real *x, size_t size, int n, double gain, uint64_t seed,
                            uint64_t ordinal)
{
    size_t block = (size_t)n * (size_t)n;
    double *q = ur__alloc(block, sizeof *q);
    if (!q)
        return UR_ENOMEM;
    for (size_t at = 0; at < size; at += block) {
        for (size_t i = 0; i < block; i++)
            q[i] = (double)normal(seed, ordinal, at + i);
        orthonormalise(q, n);
        for (size_t i = 0; i < block; i++)
            x[at + i] = (ur_real)(gain * q[i]);
    }
    ur__free(q);
    return UR_OK;
}

/* volatile: compilers ignore the rounding mode and could move the computation out of it. */
double ur__init_bound(int n)
{
    volatile double x = (double)n, bound;
    unsigned mode = ur__fpmode_default();
    bound = 1 / sqrt(x);
    ur__fpmode_restore(mode);
    return bound;
}

ur_status ur__init_fill(ur_real *x, const ur_param *p, ur_start start, uint64_t seed,
                        uint64_t ordinal)
{
    size_t n = p->size;
    double scale = start.scale;
    switch (start.init) {
    case UR_INIT_CONSTANT:
        for (size_t i = 0; i < n; i++)
            x[i] = (ur_real)scale;
        return UR_OK;
    case UR_INIT_UNIFORM:
        for (size_t i = 0; i < n; i++)
            x[i] = (ur_real)(scale * (2 * uniform(seed, ordinal, i) - 1));
        return UR_OK;
    case UR_INIT_NORMAL:
        for (size_t i = 0; i < n; i++)
            x[i] = (ur_real)scale * normal(seed, ordinal, i);
        return UR_OK;
    case UR_INIT_ORTHOGONAL:
        return orthogonal(x, n, p->dim[p->rank - 1], scale, seed, ordinal);
    }
    return UR_OK;
}
