/* SPDX-License-Identifier: MIT */
/*
 * chrF2 (Popović 2015, 2016) of a whole set of texts, as sacreBLEU (Post 2018) computes it:
 * characters without white space, up to six of them, recall twice as weighty as precision; of
 * several references that which a text agrees with best.
 */
#include <math.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "metric/ngrams.h"
#include "unroll/metric.h"

enum { ORDERS = 6, FOUND = 0, PRESENT, MATCHED, EACH };

/* Means of precision and recall over the orders that both sides have, then F with β = 2. */
static double chrf(const double *sums)
{
    double precision = 0, recall = 0, orders = 0;
    for (int i = 0; i < ORDERS; i++) {
        const double *s = sums + EACH * i;
        if (s[FOUND] <= 0 || s[PRESENT] <= 0)
            continue;
        precision += s[MATCHED] / s[FOUND];
        recall += s[MATCHED] / s[PRESENT];
        orders++;
    }
    if (precision + recall <= 0)
        return 0;
    precision /= orders;
    recall /= orders;
    return 100 * 5 * precision * recall / (4 * precision + recall);
}

/* Counts [n][UR_CHRF_SUMS] of a text beside each of its references. */
static void compare(struct ur__grams *g, int n, double (*each)[UR_CHRF_SUMS])
{
    for (int order = 1; order <= ORDERS; order++) {
        ur__grams_sort(g, order);
        for (int i = 0; i < n; i++) {
            double *s = each[i] + (ptrdiff_t)EACH * (order - 1);
            s[PRESENT] = (double)ur__grams_count(g, i + 1);
            s[FOUND] = s[PRESENT] > 0 ? (double)ur__grams_count(g, 0) : 0;
            s[MATCHED] = (double)ur__grams_matched(g, i + 1, i + 2);
        }
    }
}

static ur_status count(double *sums, const struct ur__pieces *p)
{
    const int n = p->n - 1;
    struct ur__grams *g;
    UR__TRY(ur__grams_new(&g, p));
    double (*each)[UR_CHRF_SUMS] = ur__calloc((size_t)n, sizeof *each);
    if (!each) {
        ur__grams_free(g);
        return UR_ENOMEM;
    }
    compare(g, n, each);
    int best = 0;
    for (int i = 1; i < n; i++)
        best = chrf(each[i]) > chrf(each[best]) ? i : best;
    for (int i = 0; i < UR_CHRF_SUMS; i++)
        sums[i] += each[best][i];
    ur__free(each);
    ur__grams_free(g);
    return UR_OK;
}

ur_status ur_chrf_count(double *sums, const char *text, int n, const char *const *references)
{
    UR__NEED(sums, "sums");
    UR__NEED(text, "text");
    UR__NEED(references, "references");
    struct ur__pieces p;
    unsigned mode = ur__fpmode_default();
    ur_status status = ur__pieces_make(&p, false, text, n, references);
    if (status == UR_OK)
        status = count(sums, &p);
    ur__pieces_free(&p);
    ur__fpmode_restore(mode);
    return status;
}

double ur_chrf(const double *sums)
{
    UR__NEED_OR(sums, "sums", (double)NAN);
    unsigned mode = ur__fpmode_default();
    double score = chrf(sums);
    ur__fpmode_restore(mode);
    return score;
}
