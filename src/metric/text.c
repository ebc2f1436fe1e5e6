/* SPDX-License-Identifier: MIT */
/* Figures are read, never computed with, so libm is fine. */
#include "metric/text.h"

#include <math.h>
#include <string.h>

/* Names a unit: one of a few, so that the text is static. */
static const char *a(const char *what, const char *unit)
{
    static const char *const list[][3] = {
        {"nats", "byte", "nats a byte"}, {"nats", "character", "nats a character"},
        {"nats", "word", "nats a word"}, {"bits", "byte", "bits a byte"},
        {"bits", "character", "bits a character"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i][0], what) == 0 && strcmp(list[i][1], unit) == 0)
            return list[i][2];
    return what;
}

void ur__text_figures(const double sums[UR__TEXT_SUMS], const char *unit, bool words,
                      ur_metrics *out)
{
    const double ln2 = 0.69314718055994530942, n = sums[UR__TEXT_N];
    double loss = n > 0 ? sums[UR__TEXT_LOSS] / n : (double)NAN;
    out->n = 0;
    ur_metrics_add(out, "loss", a("nats", unit), false, loss);
    /* Words are of no one length, so bits a word are no bits a character. */
    ur_metrics_add(out, "bpc", a("bits", unit), false, words ? (double)NAN : loss / ln2);
    ur_metrics_add(out, "perplexity", "", false, exp(loss));
    ur_metrics_add(out, "accuracy", "%", true, n > 0 ? sums[UR__TEXT_HITS] / n : (double)NAN);
    if (words)
        ur_metrics_add(out, "unk", "% of the words", false,
                       n > 0 ? sums[UR__TEXT_UNKNOWN] / n : (double)NAN);
    ur_metrics_add(out, "n", "predictions", false, n);
}

double ur__text_uniform(int n)
{
    return log((double)n);
}
