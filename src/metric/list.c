/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "unroll/metric.h"

void ur_metrics_add(ur_metrics *metrics, const char *name, const char *unit, bool rising,
                    double value)
{
    UR__NEED_OR(metrics, "metrics", );
    UR__NEED_OR(name, "name", );
    UR__NEED_OR(unit, "unit", );
    if (metrics->n < UR_MAX_METRICS)
        metrics->at[metrics->n++] = (ur_metric){name, unit, rising, value};
}

const ur_metric *ur_metrics_find(const ur_metrics *metrics, const char *name)
{
    UR__NEED_OR(metrics, "metrics", NULL);
    UR__NEED_OR(name, "name", NULL);
    for (int i = 0; i < metrics->n; i++)
        if (strcmp(metrics->at[i].name, name) == 0)
            return &metrics->at[i];
    return NULL;
}

double ur_metrics_get(const ur_metrics *metrics, const char *name)
{
    const ur_metric *m = ur_metrics_find(metrics, name);
    return m ? m->value : (double)NAN;
}
