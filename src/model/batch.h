/* SPDX-License-Identifier: MIT */
#ifndef UR_MODEL_BATCH_H
#define UR_MODEL_BATCH_H

#include "unroll/model.h"

/* Was it initialised, and is all in it known here? UR_EINVAL. */
ur_status ur__batch_check(const ur_batch *batch);

#endif
