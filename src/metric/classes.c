/* SPDX-License-Identifier: MIT */
/* Figures of classes, all from the table of what was taken for what. */
#include "unroll/metric.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/status.h"

ur_status ur_confusion_count(double *confusion, int V, size_t n, const int32_t *truth,
                             const int32_t *guess)
{
    UR__NEED(confusion, "confusion");
    UR__NEED(truth, "truth");
    UR__NEED(guess, "guess");
    for (size_t i = 0; i < n; i++)
        if (truth[i] >= V || (truth[i] >= 0 && (guess[i] < 0 || guess[i] >= V)))
            return ur__fail(UR_EINVAL, "prediction %zu is %d of class %d, not 0 to %d", i,
                            (int)guess[i], (int)truth[i], V - 1);
    for (size_t i = 0; i < n; i++)
        if (truth[i] >= 0)
            confusion[(ptrdiff_t)truth[i] * V + guess[i]]++;
    return UR_OK;
}

static double share(double part, double all)
{
    return all > 0 ? part / all : 0;
}

static ur_class_score score_of(const double *confusion, int V, int c)
{
    ur_class_score s = {0};
    for (int i = 0; c >= 0 && c < V && i < V; i++) {
        s.n += confusion[(ptrdiff_t)c * V + i];
        s.found += confusion[(ptrdiff_t)i * V + c];
    }
    double right = s.n > 0 ? confusion[(ptrdiff_t)c * V + c] : 0;
    s.precision = share(right, s.found);
    s.recall = share(right, s.n);
    s.f1 = share(2 * right, s.n + s.found);
    return s;
}

ur_class_score ur_class_score_of(const double *confusion, int V, int c)
{
    UR__NEED_OR(confusion, "confusion", ((ur_class_score){0}));
    unsigned mode = ur__fpmode_default();
    ur_class_score s = score_of(confusion, V, c);
    ur__fpmode_restore(mode);
    return s;
}

void ur_class_figures(const double *confusion, int V, ur_metrics *out)
{
    UR__NEED_OR(confusion, "confusion", );
    UR__NEED_OR(out, "out", );
    unsigned mode = ur__fpmode_default();
    double n = 0, right = 0, classes = 0, precision = 0, recall = 0, f1 = 0;
    for (int c = 0; c < V; c++) {
        ur_class_score s = score_of(confusion, V, c);
        n += s.n;
        right += confusion[(ptrdiff_t)c * V + c];
        classes += s.n + s.found > 0;
        precision += s.precision;
        recall += s.recall;
        f1 += s.f1;
    }
    double none = (double)NAN;
    ur_metrics_add(out, "accuracy", "%", true, n > 0 ? right / n : none);
    ur_metrics_add(out, "f1", "%", true, classes > 0 ? f1 / classes : none);
    ur_metrics_add(out, "precision", "%", true, classes > 0 ? precision / classes : none);
    ur_metrics_add(out, "recall", "%", true, classes > 0 ? recall / classes : none);
    ur__fpmode_restore(mode);
}
