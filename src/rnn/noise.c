/* SPDX-License-Identifier: MIT */
#include "rnn/noise.h"

#include <string.h>

#include "rnn/order.h"
#include "rnn/products.h"

static struct ur__draws draws_from(const struct ur__sequence *s, uint32_t stream, ptrdiff_t first)
{
    return (struct ur__draws){.seed = s->noise.seed, .stream = stream, .step = s->noise.step,
                              .first = (uint64_t)first};
}

/* n numbers, each 1 with probability p, else 0. */
static void draw_zone(const struct ur__sequence *s, size_t n, double p, uint32_t stream,
                      ptrdiff_t index, ur_real *mask)
{
    const struct ur__draws draws = draws_from(s, stream, index);
    for (size_t i = 0; i < n; i++)
        mask[i] = (ur_real)(1 - p);     /* dropout makes it 1 with probability 1−p, exactly */
    s->k->dropout(n, p, &draws, mask, mask);
    for (size_t i = 0; i < n; i++)
        mask[i] = 1 - mask[i];
}

/* ---- recurrent dropout ------------------------------------------------- */

void ur__draw_drop(const struct ur__sequence *s, int b0, int b1)
{
    if (!s->kept.drop)
        return;
    ptrdiff_t P = s->d->P;
    for (int b = b0; b < b1; b++) {
        const struct ur__draws draws = draws_from(s, s->noise.drop, ur__batch_row(s, b) * P);
        ur_real *mask = s->kept.drop + b * P;
        for (ptrdiff_t i = 0; i < P; i++)
            mask[i] = 1;
        s->k->dropout((size_t)P, s->d->recurrent_dropout, &draws, mask, mask);
    }
}

void ur__drop_read(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b)
{
    ptrdiff_t P = s->d->P;
    for (int r = 0; s->kept.drop && r < c->rows; r++)
        if (ur__own_row(c->split, r))
            s->k->mul((size_t)P, s->kept.drop + (b + r) * P, c->h_prev + r * c->ld_prev,
                      s->kept.h_read + (ur__stored(s, t) + b + r) * P);
}

void ur__drop_back(const struct ur__sequence *s, int b, int end)
{
    if (!s->kept.drop)
        return;
    ptrdiff_t at = (ptrdiff_t)b * s->d->P;
    size_t n = (size_t)(end - b) * (size_t)s->d->P;
    s->k->muladd(n, s->kept.drop + at, s->dh_read + at, s->dh + at);
    memset(s->dh_read + at, 0, n * sizeof(ur_real));
}

/* ---- zoneout ----------------------------------------------------------- */

/* now = m∘before + (1−m)∘now; the mask's numbers, or p for all of them. A mask is 0 or 1, so
 * that either number comes through unrounded. */
static void stay(int n, const ur_real *mask, double p, const ur_real *before, const ur_real *new,
                 ur_real *now)
{
    ur_real mean = (ur_real)p;
    for (int i = 0; i < n; i++) {
        ur_real m = mask ? mask[i] : mean;
        now[i] = m * before[i] + (1 - m) * new[i];
    }
}

double ur__zoneout(const struct ur__rnn_layer *d, int i)
{
    return i == 0 || d->cell->c ? d->zoneout[i] : 0;
}

size_t ur__buffer_size(const struct ur__rnn_layer *d, int i)
{
    return (size_t)(i == 0 ? d->P : d->H);
}

/* Which row's draw row b at step t gets: a sequence keeps its own, whatever its place. */
static ptrdiff_t drawn(const struct ur__sequence *s, int t, int b)
{
    return (ptrdiff_t)t * s->B + ur__batch_row(s, b);
}

/* Buffer i of row r of a step: row b + r of the batch's at t. */
static void zone_row(const struct ur__sequence *s, const struct ur__cell_step *c, int i, int t,
                     int b, int r)
{
    const struct ur__kept *kept = &s->kept;
    double p = s->d->zoneout[i];
    ptrdiff_t n = (ptrdiff_t)ur__buffer_size(s->d, i), at = ur__stored(s, t) + b + r;
    ur_real *mask = kept->zone[i] ? kept->zone[i] + at * n : NULL;
    if (mask)
        draw_zone(s, (size_t)n, p, s->noise.zone[i], drawn(s, t, b + r) * n, mask);
    ur_real *h = kept->h + at * kept->ld_h;
    if (i == 0)
        stay((int)n, mask, p, c->h_prev + r * c->ld_prev, h, h);
    else
        stay((int)n, mask, p, c->c_prev + r * n, c->c + r * n, kept->c + at * n);
}

void ur__zone(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b)
{
    for (int i = 0; i < UR__CELL_BUFFERS; i++)
        for (int r = 0; ur__zoneout(s->d, i) > 0 && r < c->rows; r++)
            if (ur__own_row(c->split, r))
                zone_row(s, c, i, t, b, r);
}

/* past = m∘d, d = (1−m)∘d */
static void part(size_t n, const ur_real *mask, double p, ur_real *d, ur_real *past)
{
    ur_real mean = (ur_real)p;
    for (size_t i = 0; i < n; i++) {
        ur_real m = mask ? mask[i] : mean;
        past[i] = m * d[i];
        d[i] = (1 - m) * d[i];
    }
}

void ur__zone_back_open(const struct ur__sequence *s, int t, int b, int end)
{
    for (int i = 0; i < UR__CELL_BUFFERS; i++) {
        double p = ur__zoneout(s->d, i);
        size_t size = ur__buffer_size(s->d, i), at = (size_t)b * size;
        const ur_real *mask = s->kept.zone[i];
        if (p > 0)
            part((size_t)(end - b) * size,
                 mask ? mask + (size_t)ur__stored(s, t) * size + at : NULL, p,
                 (i == 0 ? s->dh : s->dc) + at, s->stay[i] + at);
    }
}

void ur__zone_back_close(const struct ur__sequence *s, int b, int end)
{
    for (int i = 0; i < UR__CELL_BUFFERS; i++) {
        size_t size = ur__buffer_size(s->d, i), at = (size_t)b * size;
        size_t n = (size_t)(end - b) * size;
        if (!(ur__zoneout(s->d, i) > 0))
            continue;
        if (i == 0 && !s->d->cell->direct)      /* nothing else goes back to h */
            memcpy(s->dh + at, s->stay[i] + at, n * sizeof(ur_real));
        else {
            ur_real *d = (i == 0 ? s->dh : s->dc) + at;
            s->k->add(n, d, s->stay[i] + at, d);
        }
    }
}
