/* SPDX-License-Identifier: MIT */
/*
 * BLEU (Papineni et al. 2002) of a whole set of texts, as sacreBLEU (Post 2018) computes it without
 * a tokenizer of its own: words between white space, up to four of them, exponential smoothing
 * (Chen and Cherry 2014, method 3). Figures are read, never computed with, so libm is fine.
 */
#include <math.h>

#include "base/fpmode.h"
#include "base/status.h"
#include "metric/ngrams.h"
#include "unroll/metric.h"

enum { ORDERS = 4, LENGTH = 0, REFERENCE, MATCHED, TOTAL = MATCHED + ORDERS };

/* The length nearest to the text's; of two as near the shorter. */
static size_t nearest(const struct ur__pieces *p)
{
    const size_t n = ur__pieces_length(p, 0);
    size_t best = 0, gap = SIZE_MAX;
    for (int i = 1; i < p->n; i++) {
        size_t m = ur__pieces_length(p, i), d = m > n ? m - n : n - m;
        if (d < gap || (d == gap && m < best)) {
            best = m;
            gap = d;
        }
    }
    return best;
}

static ur_status count(double *sums, const struct ur__pieces *p)
{
    struct ur__grams *g;
    UR__TRY(ur__grams_new(&g, p));
    sums[LENGTH] += (double)ur__pieces_length(p, 0);
    sums[REFERENCE] += (double)nearest(p);
    for (int order = 1; order <= ORDERS; order++) {
        ur__grams_sort(g, order);
        sums[MATCHED + order - 1] += (double)ur__grams_matched(g, 1, p->n);
        sums[TOTAL + order - 1] += (double)ur__grams_count(g, 0);
    }
    ur__grams_free(g);
    return UR_OK;
}

ur_status ur_bleu_count(double *sums, const char *text, int n, const char *const *references)
{
    UR__NEED(sums, "sums");
    UR__NEED(text, "text");
    UR__NEED(references, "references");
    struct ur__pieces p;
    ur_status status = ur__pieces_make(&p, true, text, n, references);
    if (status == UR_OK)
        status = count(sums, &p);
    ur__pieces_free(&p);
    return status;
}

static double bleu(const double *sums)
{
    double log_sum = 0, smooth = 1;
    if (sums[MATCHED] <= 0)     /* no longer ones either, then */
        return 0;
    for (int i = 0; i < ORDERS; i++) {
        double matched = sums[MATCHED + i], total = sums[TOTAL + i];
        if (total <= 0)         /* texts shorter than that */
            return 0;
        smooth *= matched > 0 ? 1 : 2;
        log_sum += log(100 * (matched > 0 ? matched / total : 1 / (smooth * total)));
    }
    double brief = sums[LENGTH] < sums[REFERENCE] ? exp(1 - sums[REFERENCE] / sums[LENGTH]) : 1;
    return brief * exp(log_sum / ORDERS);
}

double ur_bleu(const double *sums)
{
    UR__NEED_OR(sums, "sums", (double)NAN);
    unsigned mode = ur__fpmode_default();
    double score = bleu(sums);
    ur__fpmode_restore(mode);
    return score;
}
