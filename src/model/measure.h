/* SPDX-License-Identifier: MIT */
/* What a model will take, measured on a tape that computes nothing: it need not be built. */
#ifndef UR_MODEL_MEASURE_H
#define UR_MODEL_MEASURE_H

#include "model/model.h"
#include "tape/tape.h"

/* Bytes, but for `carried`. */
struct ur__model_room {
    struct ur__room tape;
    size_t state;               /* of a state for the batch's sequences */
    size_t carried;             /* numbers in it */
};

enum {
    UR__MEASURE_TRAIN = 1,      /* its loss and the way back; else its outputs, not recorded */
    UR__MEASURE_CARRIES = 2,    /* from a state, */
    UR__MEASURE_OBSERVED = 4    /* whose gradients are looked at */
};

/* Of a batch whose arrays may be nowhere. how: of these flags. */
ur_status ur__model_measure(struct ur__model_room *out, const ur_model *m, const ur_batch *batch,
                            unsigned how, ur_team *team);
/* The packed weights. */
size_t ur__model_packed_bytes(const ur_model *m);

#endif
