/* SPDX-License-Identifier: MIT */
/* Figures of language models. They are read, never computed with, so libm is fine. */
#include "unroll/metric.h"

#include <math.h>

#include "base/status.h"

void ur_metrics_of(ur_metrics *out, double loss_sum, int64_t hits, int64_t n)
{
    UR__NEED_OR(out, "out", );
    const double ln2 = 0.69314718055994530942;
    *out = (ur_metrics){(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN,
                         n > 0 ? n : 0};
    if (n <= 0)
        return;
    out->loss = loss_sum / (double)n;
    out->bpc = out->loss / ln2;
    out->perplexity = exp(out->loss);
    out->accuracy = (double)hits / (double)n;
}
