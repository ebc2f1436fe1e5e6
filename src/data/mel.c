/* SPDX-License-Identifier: MIT */
/*
 * The transform is computed in double: of what lies 60 dB and more below the loudest bin, as
 * much of speech does, a transform in float leaves three digits. Cosines, the spacing of mel and
 * all else are made of operations that IEEE 754 rounds exactly; the logarithm is the kernel's. So
 * the bits are the same everywhere.
 */
#include "data/mel.h"

#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"

#define MOST_POINTS (1 << 16)
#define MOST_BANDS 1024
#define MOST_RATE 768000
#define FLOOR 1e-6

static const double pi = 3.14159265358979323846;

struct ur__mel {
    int window, hop, fft, bands, rate;
    double *taper;          /* [window] */
    double *turn;           /* [fft/2, 2] cos and -sin of the parts of a turn */
    double *edge;           /* [bands + 2] Hz: where triangles begin, peak and end */
    double *z;              /* [fft, 2] */
    ur_real *power;         /* [bands] */
    int *order;             /* [fft] bits of the index reversed */
};

/* ---- cosines ----------------------------------------------------------- */

/* Taylor's series on |x| <= pi/4: the next term is below 2^-56. */
static double series(double x, double first, int odd)
{
    double term = first, sum = first;
    for (int k = 1; k <= 9; k++) {
        term *= -x * x / ((2 * k - 1 + odd) * (2 * k + odd));
        sum += term;
    }
    return sum;
}

/* cos(2 pi n/m), 0 <= n < m. */
static double cosine(int n, int m)
{
    int64_t eighth = (int64_t)8 * n;    /* of m: which eighth of the circle it lies in */
    if (eighth > (int64_t)4 * m)
        eighth = (int64_t)8 * m - eighth;
    bool negative = eighth > (int64_t)2 * m;
    if (negative)
        eighth = (int64_t)4 * m - eighth;
    double angle, value;
    if (eighth <= m) {
        angle = pi / 4 * (double)eighth / m;
        value = series(angle, 1, 0);
    } else {
        angle = pi / 4 * (double)((int64_t)2 * m - eighth) / m;
        value = series(angle, angle, 1);
    }
    return negative ? -value : value;
}

/* ---- mel --------------------------------------------------------------- */

/* The n-th root of a > 1, by Newton's steps down from above. */
static double root(double a, int n)
{
    double x, next = 1 + (a - 1) / n;   /* not below it, by Bernoulli's inequality */
    do {
        double power = 1;
        x = next;
        for (int i = 1; i < n; i++)
            power *= x;
        next = x - (power * x - a) / (n * power);
    } while (next < x);
    return x;
}

/* Even steps of log(1 + f/700) are even ratios of 1 + f/700. */
static void space_bands(struct ur__mel *m, double f_min, double f_max)
{
    double low = 1 + f_min / 700, ratio = root((1 + f_max / 700) / low, m->bands + 1);
    for (int i = 0; i < m->bands + 2; i++) {
        m->edge[i] = 700 * (low - 1);
        low *= ratio;
    }
}

static ur_status settle(struct ur__mel *m, const struct ur__mel_rule *rule, double *f_max)
{
    m->window = rule->window ? rule->window : m->rate / 40;
    m->hop = rule->hop ? rule->hop : m->rate / 100;
    m->bands = rule->bands ? rule->bands : 40;
    *f_max = rule->f_max > 0 ? rule->f_max : m->rate / 2.0;
    if (m->rate > MOST_RATE || m->window < 2 || m->window > MOST_POINTS || m->hop < 1
        || m->bands < 1 || m->bands > MOST_BANDS)
        return ur__fail(UR_EINVAL, "%d bands of windows of %d samples, %d apart, at %d samples a "
                        "second are impossible", m->bands, m->window, m->hop, m->rate);
    for (m->fft = rule->fft ? rule->fft : 2; !rule->fft && m->fft < m->window; )
        m->fft *= 2;
    if (m->fft < m->window || m->fft > MOST_POINTS || (m->fft & (m->fft - 1)) != 0)
        return ur__fail(UR_EINVAL, "a transform of %d points is impossible: a power of two, at "
                        "least the window's %d", m->fft, m->window);
    if (!(rule->f_min >= 0 && rule->f_min < *f_max && *f_max <= m->rate / 2.0))
        return ur__fail(UR_EINVAL, "bands from %g to %g Hz are impossible at %d samples a second",
                        rule->f_min, *f_max, m->rate);
    return UR_OK;
}

static ur_status make(struct ur__mel *m, const struct ur__mel_rule *rule)
{
    double f_max;
    UR__TRY(settle(m, rule, &f_max));
    size_t fft = (size_t)m->fft, bands = (size_t)m->bands;
    m->taper = ur__alloc((size_t)m->window, sizeof *m->taper);
    m->turn = ur__alloc(fft, sizeof *m->turn);
    m->edge = ur__alloc(bands + 2, sizeof *m->edge);
    m->z = ur__alloc(2 * fft, sizeof *m->z);
    m->power = ur__alloc(bands, sizeof *m->power);
    m->order = ur__calloc(fft, sizeof *m->order);
    if (!m->taper || !m->turn || !m->edge || !m->z || !m->power || !m->order)
        return UR_ENOMEM;
    for (int i = 0; i < m->window; i++)
        m->taper[i] = 0.5 - 0.5 * cosine(i, m->window);
    for (int i = 0; i < m->fft / 2; i++) {
        m->turn[2 * i] = cosine(i, m->fft);
        /* -sin x = cos(x + a quarter turn) */
        m->turn[2 * i + 1] = cosine((i * 4 + m->fft) % (4 * m->fft), 4 * m->fft);
    }
    for (int i = 1; i < m->fft; i++)
        m->order[i] = m->order[i / 2] / 2 + (i & 1 ? m->fft / 2 : 0);
    space_bands(m, rule->f_min, f_max);
    return UR_OK;
}

ur_status ur__mel_new(struct ur__mel **out, const struct ur__mel_rule *rule, int rate)
{
    *out = NULL;
    struct ur__mel *m = ur__calloc(1, sizeof *m);
    if (!m)
        return UR_ENOMEM;
    m->rate = rate;
    ur_status status = make(m, rule);
    if (status != UR_OK) {
        ur__mel_free(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

void ur__mel_free(struct ur__mel *m)
{
    if (!m)
        return;
    ur__free(m->taper);
    ur__free(m->turn);
    ur__free(m->edge);
    ur__free(m->z);
    ur__free(m->power);
    ur__free(m->order);
    ur__free(m);
}

int ur__mel_samples(const struct ur__mel *m)
{
    return m->fft;
}

int ur__mel_hop(const struct ur__mel *m)
{
    return m->hop;
}

int ur__mel_bands(const struct ur__mel *m)
{
    return m->bands;
}

/* ---- a frame ----------------------------------------------------------- */

/* Cooley and Tukey's, radix 2, decimation in time; z is in the order of reversed bits. */
static void transform(int n, const double *turn, double *z)
{
    for (int half = 1; half < n; half *= 2) {
        for (int at = 0; at < n; at += 2 * half) {
            for (int k = 0; k < half; k++) {
                double *a = z + 2 * (at + k), *b = a + 2 * half;
                const double *w = turn + 2 * (k * (n / (2 * half)));
                double re = b[0] * w[0] - b[1] * w[1], im = b[0] * w[1] + b[1] * w[0];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

/* The power of the bins under a triangle. */
static double band(const struct ur__mel *m, int i)
{
    double low = m->edge[i], peak = m->edge[i + 1], high = m->edge[i + 2], sum = 0;
    for (int k = (int)(low * m->fft / m->rate); k <= m->fft / 2; k++) {
        double f = (double)k * m->rate / m->fft;
        double up = (f - low) / (peak - low), down = (high - f) / (high - peak);
        double weight = up < down ? up : down;
        if (f >= high)
            break;
        if (weight > 0)
            sum += weight * (m->z[2 * k] * m->z[2 * k] + m->z[2 * k + 1] * m->z[2 * k + 1]);
    }
    return sum;
}

void ur__mel_frame(struct ur__mel *m, const float *samples, float *frame)
{
    int before = (m->fft - m->window) / 2;
    for (int i = 0; i < m->fft; i++) {
        int at = i - before;
        double *z = m->z + 2 * m->order[i];
        z[0] = at >= 0 && at < m->window ? m->taper[at] * (double)samples[i] : 0;
        z[1] = 0;
    }
    transform(m->fft, m->turn, m->z);
    for (int i = 0; i < m->bands; i++) {
        double power = band(m, i);
        m->power[i] = (ur_real)(power > FLOOR ? power : FLOOR);
    }
    ur__kernel()->log((size_t)m->bands, m->power, m->power);
    for (int i = 0; i < m->bands; i++)
        frame[i] = (float)m->power[i];
}
