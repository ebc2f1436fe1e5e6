/* SPDX-License-Identifier: MIT */
/* What a file tells of a net against the options that the net has. */
#ifndef UR_TESTS_TOLD_H
#define UR_TESTS_TOLD_H

#include "testing.h"

#include "unroll/exchange.h"

/* Size l of a list that may be NULL: 0. */
static inline int told_size(const int *list, int l)
{
    return list ? list[l] : 0;
}

/* Everything that shapes and names tell. */
static inline void expect_told(const ur_rnn_options *got, const ur_rnn_options *want,
                               const char *which)
{
    bool same = got->cell == want->cell && got->input == want->input &&
                got->layers == want->layers && got->biases == want->biases &&
                got->bidirectional == want->bidirectional && got->peepholes == want->peepholes &&
                got->learned_state == want->learned_state;
    for (int l = 0; same && l < want->layers; l++)
        same = got->hidden[l] == want->hidden[l] &&
               told_size(got->projection, l) == told_size(want->projection, l) &&
               told_size(got->output, l) == told_size(want->output, l);
    if (!same)
        fail_msg("%s: told are cell %s, input %d, layers %d, hidden %d, projection %d, output %d, "
                 "biases %d, directions %d", which, ur_cell_name(got->cell), got->input,
                 got->layers, got->hidden[0], told_size(got->projection, 0),
                 told_size(got->output, 0), got->biases, 1 + got->bidirectional);
}

#endif
