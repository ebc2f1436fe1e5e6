/* SPDX-License-Identifier: MIT */
/* Any bytes as a series in CSV; the first says which columns are read. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "data/series.h"
#include "support/memory_file.h"

enum { MAX = 1 << 16 };

static ur_status work(const uint8_t *data, size_t size)
{
    static const char *const times[] = {NULL, "none", "1", "date"}, *targets[] = {NULL, "2", "b,1"};
    struct ur__series s;
    char time[UR__TIME_TEXT];
    if (size < 1 || size > MAX)
        return UR_OK;
    const struct ur__series_rule rule = {times[data[0] & 3], targets[(data[0] >> 2) % 3],
                                         data[0] & 64 ? "all" : NULL};
    memory_file("mem:s", data + 1, size - 1);
    ur_status status = ur__series_open(&s, "mem:s", &rule);
    for (int64_t i = 0, n = s.n * ur__series_columns(&s); i < n && status == UR_OK; i++)
        FUZZ_CHECK(!isinf(s.value[i]));
    if (status == UR_OK) {
        FUZZ_CHECK(s.n > 0 && s.targets > 0);
        FUZZ_CHECK(strlen(ur__series_time(&s, s.n, time)) < sizeof time);
    }
    ur__series_close(&s);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = work(data, size);
    if (status != UR_OK)
        fuzz_refused(status, 4 * size + MAX, MAX);
    fuzz_end();
    return 0;
}
