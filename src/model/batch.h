/* SPDX-License-Identifier: MIT */
#ifndef UR_MODEL_BATCH_H
#define UR_MODEL_BATCH_H

#include "unroll/model.h"

/* UR_EINVAL unless it was initialised and this library knows all that is in it. */
ur_status ur__batch_check(const ur_batch *batch);

#endif
