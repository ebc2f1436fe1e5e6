/* SPDX-License-Identifier: MIT */
#include "train/checksum.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "io/file.h"

#define SUM_SIZE 9

static void sum_text(uint32_t crc, int n, const char *const *keys, const char *const *values,
                     char text[SUM_SIZE])
{
    for (int i = 0; i < n; i++) {
        crc = ur__crc32(crc, keys[i], strlen(keys[i]) + 1);
        crc = ur__crc32(crc, values[i], strlen(values[i]) + 1);
    }
    snprintf(text, SUM_SIZE, "%08x", (unsigned)crc);
}

ur_status ur__checksum_put(struct ur__st_out *out, int n, const char *const *keys,
                           const char *const *values)
{
    char sum[SUM_SIZE];
    for (int i = 0; i < n; i++)
        UR__TRY(ur__st_out_meta(out, keys[i], values[i]));
    sum_text(ur__st_out_crc(out), n, keys, values, sum);
    return ur__st_out_meta(out, "checksum", sum);
}

ur_status ur__checksum_verify(struct ur__st_file *f, const char *path, int n,
                              const char *const *keys, const char *const *values)
{
    uint32_t crc;
    char sum[SUM_SIZE];
    UR__TRY(ur__st_data_crc(f, &crc));
    sum_text(crc, n, keys, values, sum);
    const char *kept = ur__st_meta(f, "checksum");
    if (kept && strcmp(kept, sum) == 0)
        return UR_OK;
    return ur__fail(UR_EFORMAT, "%s: damaged: its checksum is %s, its content's %s", path,
                    kept ? kept : "missing", sum);
}
