/* SPDX-License-Identifier: MIT */
/* Writes the log-mel frames of a list of sounds to standard output, as floats:
 *     frames LIST BANDS */
#include <stdio.h>
#include <stdlib.h>

#include "data/formats.h"

static ur_status write_frames(struct ur__examples *x)
{
    ur_real *frames = malloc((size_t)x->longest * (size_t)x->width * sizeof *frames);
    ur_status status = frames ? UR_OK : UR_ENOMEM;
    for (int64_t i = 0; i < x->n && status == UR_OK; i++) {
        status = ur__examples_frames(x, i, 0, x->example[i].length, frames);
        for (uint64_t k = 0; k < x->example[i].size && status == UR_OK; k++) {
            float value = (float)frames[k];
            fwrite(&value, sizeof value, 1, stdout);
        }
    }
    free(frames);
    return status;
}

int main(int argc, char **argv)
{
    struct ur__examples *x;
    if (argc != 3)
        return 2;
    const char *path = argv[1];
    const struct ur__read_rule rule = {
        .format = "wav", .unlabelled = true, .mel.bands = (int)strtol(argv[2], NULL, 10)
    };
    ur_status status = ur__examples_open(&x, &path, 1, &rule, NULL);
    if (status == UR_OK)
        status = write_frames(x);
    if (status != UR_OK)
        fprintf(stderr, "%s\n", ur_errmsg());
    else
        ur__examples_free(x);
    return status != UR_OK || fflush(stdout) != 0;
}
