/* SPDX-License-Identifier: MIT */
/* Edit distance, a row of the table at a time. */
#include "base/mem.h"
#include "base/status.h"
#include "unroll/metric.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* row [m+1]: in the end, the distances of all of a from each beginning of b. */
static void fill(size_t n, const int32_t *a, size_t m, const int32_t *b, size_t *row)
{
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t before = row[0];     /* of one token less on either side */
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            size_t replaced = before + (a[i] != b[j]);
            before = row[j + 1];
            row[j + 1] = least(replaced, 1 + least(row[j], before));
        }
    }
}

ur_status ur_edit_distance(size_t n, const int32_t *a, size_t m, const int32_t *b,
                           size_t *distance)
{
    UR__NEED(distance, "distance");
    *distance = 0;
    if (n > 0)
        UR__NEED(a, "a");
    if (m > 0)
        UR__NEED(b, "b");
    size_t *row = m < SIZE_MAX ? ur__alloc(m + 1, sizeof *row) : NULL;
    if (!row)
        return UR_ENOMEM;
    fill(n, a, m, b, row);
    *distance = row[m];
    ur__free(row);
    return UR_OK;
}
