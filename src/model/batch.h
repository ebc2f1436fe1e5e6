/* SPDX-License-Identifier: MIT */
#ifndef UR_MODEL_BATCH_H
#define UR_MODEL_BATCH_H

#include "unroll/model.h"

/* May it be read? It was initialised, this library knows all that is in it, and each field is
 * of one kind and a possible shape. */
ur_status ur__batch_check(const ur_batch *batch);
/* UR_ESHAPE: of a field that passed, a length that its steps do not allow. It is apart, as no
 * lengths are read where a tape only measures. */
ur_status ur__batch_check_lengths(const ur_field *field);

#endif
