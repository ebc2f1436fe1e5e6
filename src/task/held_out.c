/* SPDX-License-Identifier: MIT */
#include "task/held_out.h"

#include "base/status.h"
#include "io/option_json.h"
#include "train/options.h"

ur_status ur__held_out_again(const struct ur__json *summary, const struct ur__tally *data,
                             uint64_t *seed, double *share)
{
    int64_t bytes, crc, other;
    ur_train_options run;
    if (ur__json_get_int(summary, "val_bytes", &other))
        return ur__fail(UR_EDATA, "the model was validated on a file of its own, and nothing of "
                        "this data was held out: evaluate that file, all of it");
    if (!ur__json_get_int(summary, "data_bytes", &bytes) ||
        !ur__json_get_int(summary, "data_crc32", &crc) ||
        !ur__json_get_real(summary, "val", share) || !(*share >= 0 && *share < 1))
        return ur__fail(UR_EDATA, "the model does not say what it was trained on, so nothing is "
                        "known to be held out");
    if ((uint64_t)bytes != data->bytes || crc != (int64_t)data->crc)
        return ur__fail(UR_EDATA, "this is not the data that the model was trained on, so nothing "
                        "of it was held out");
    ur__options_recall(&ur__train_table, summary, &run);
    *seed = run.seed;
    return UR_OK;
}
