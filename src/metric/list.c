/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/sized.h"
#include "base/status.h"
#include "unroll/metric.h"

void ur_metrics_init_size(ur_metrics *metrics, size_t size)
{
    static const ur_metrics none = {.size = sizeof none};
    ur__sized_init(metrics, size, &none, sizeof none);
}

/* The figures are its end: a caller's struct may have room for fewer, or for more. */
static size_t room(const ur_metrics *metrics)
{
    size_t before = offsetof(ur_metrics, at);
    return metrics->size > before ? (metrics->size - before) / sizeof metrics->at[0] : 0;
}

void ur_metrics_add(ur_metrics *metrics, const char *name, const char *unit, bool rising,
                    double value)
{
    UR__NEED_OR(metrics, "metrics", );
    UR__NEED_OR(name, "name", );
    UR__NEED_OR(unit, "unit", );
    if (ur__sized_check(metrics, "ur_metrics_init") != UR_OK)
        return;
    if ((size_t)metrics->n < room(metrics))
        metrics->at[metrics->n++] = (ur_metric){name, unit, rising, value};
}

const ur_metric *ur_metrics_find(const ur_metrics *metrics, const char *name)
{
    UR__NEED_OR(metrics, "metrics", NULL);
    UR__NEED_OR(name, "name", NULL);
    if (ur__sized_check(metrics, "ur_metrics_init") != UR_OK)
        return NULL;
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
