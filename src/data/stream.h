/* SPDX-License-Identifier: MIT */
/* A run of text cut into B rows that are read side by side, T tokens at a time, so that
 * state can be carried from one batch to the next. */
#ifndef UR_DATA_STREAM_H
#define UR_DATA_STREAM_H

#include "data/corpus.h"

struct ur__stream {
    struct ur__corpus *corpus;  /* borrowed */
    int64_t begin, tokens;      /* the part of the corpus */
    int T, B;
    int64_t row;                /* predictions in a row: ⌊(tokens−1)/B⌋ */
    int64_t steps;              /* of an epoch: ⌈row/T⌉, the last one maybe shorter */
};

/* Rows [begin,end) of a batch. */
struct ur__stream_rows {
    int begin, end;
};

/* UR_EDATA if the part is too short for B rows of one prediction each (says how long it
 * is and what would fit). */
ur_status ur__stream_init(struct ur__stream *s, struct ur__corpus *corpus, int64_t begin,
                          int64_t tokens, int T, int B);
/* Batch `step` of an epoch: inputs and targets [t, rows asked for], *t <= T its length. Row b
 * starts at token begin + b·row; targets are the inputs one token later. */
ur_status ur__stream_batch(struct ur__stream *s, int64_t step, struct ur__stream_rows rows,
                           int32_t *inputs, int32_t *targets, int *t);

#endif
