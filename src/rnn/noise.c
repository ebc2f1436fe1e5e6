/* SPDX-License-Identifier: MIT */
#include "rnn/noise.h"

#include <string.h>

#include "rnn/order.h"
#include "rnn/products.h"

/* n numbers, each 1 with probability p, else 0. */
static void draw_zone(const struct ur__sequence *s, size_t n, double p, uint32_t stream,
                      ptrdiff_t index, ur_real *mask)
{
    for (size_t i = 0; i < n; i++)
        mask[i] = (ur_real)(1 - p);     /* dropout makes it 1 with probability 1−p, exactly */
    s->k->dropout(n, p, s->noise.seed, stream, s->noise.step, (uint64_t)index, mask, mask);
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
        ur_real *mask = s->kept.drop + b * P;
        for (ptrdiff_t i = 0; i < P; i++)
            mask[i] = 1;
        s->k->dropout((size_t)P, s->d->recurrent_dropout, s->noise.seed, s->noise.drop,
                      s->noise.step, (uint64_t)(ur__batch_row(s, b) * P), mask, mask);
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

/* Which row's draw row b at step t gets: a sequence keeps its own, whatever its place. */
static ptrdiff_t drawn(const struct ur__sequence *s, int t, int b)
{
    return (ptrdiff_t)t * s->B + ur__batch_row(s, b);
}

void ur__zone(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b)
{
    const struct ur__rnn_layer *d = s->d;
    const struct ur__kept *kept = &s->kept;
    for (int r = 0; d->zoneout_h > 0 && r < c->rows; r++) {
        if (!ur__own_row(c->split, r))
            continue;
        ptrdiff_t at = ur__stored(s, t) + b + r;
        ur_real *mask = kept->zone_h ? kept->zone_h + at * d->P : NULL;
        ur_real *h = kept->h + at * kept->ld_h;
        if (mask)
            draw_zone(s, (size_t)d->P, d->zoneout_h, s->noise.zone_h, drawn(s, t, b + r) * d->P,
                      mask);
        stay(d->P, mask, d->zoneout_h, c->h_prev + r * c->ld_prev, h, h);
    }
    for (int r = 0; d->cell->c && d->zoneout_c > 0 && r < c->rows; r++) {
        if (!ur__own_row(c->split, r))
            continue;
        ptrdiff_t at = (ur__stored(s, t) + b + r) * d->H, row = (ptrdiff_t)r * d->H;
        ur_real *mask = kept->zone_c ? kept->zone_c + at : NULL;
        if (mask)
            draw_zone(s, (size_t)d->H, d->zoneout_c, s->noise.zone_c, drawn(s, t, b + r) * d->H,
                      mask);
        stay(d->H, mask, d->zoneout_c, c->c_prev + row, c->c + row, kept->c + at);
    }
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
    const struct ur__rnn_layer *d = s->d;
    size_t rows = (size_t)(end - b);
    ptrdiff_t at = ur__stored(s, t) + b, P = (ptrdiff_t)b * d->P, H = (ptrdiff_t)b * d->H;
    if (d->zoneout_h > 0)
        part(rows * (size_t)d->P, s->kept.zone_h ? s->kept.zone_h + at * d->P : NULL,
             d->zoneout_h, s->dh + P, s->stay_h + P);
    if (d->cell->c && d->zoneout_c > 0)
        part(rows * (size_t)d->H, s->kept.zone_c ? s->kept.zone_c + at * d->H : NULL,
             d->zoneout_c, s->dc + H, s->stay_c + H);
}

void ur__zone_back_close(const struct ur__sequence *s, int b, int end)
{
    const struct ur__rnn_layer *d = s->d;
    size_t rows = (size_t)(end - b), nP = rows * (size_t)d->P, nH = rows * (size_t)d->H;
    ptrdiff_t P = (ptrdiff_t)b * d->P, H = (ptrdiff_t)b * d->H;
    if (d->zoneout_h > 0 && d->cell->direct)
        s->k->add(nP, s->dh + P, s->stay_h + P, s->dh + P);
    else if (d->zoneout_h > 0)
        memcpy(s->dh + P, s->stay_h + P, nP * sizeof(ur_real));
    if (d->cell->c && d->zoneout_c > 0)
        s->k->add(nH, s->dc + H, s->stay_c + H, s->dc + H);
}
