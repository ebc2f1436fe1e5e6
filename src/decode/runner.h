/* SPDX-License-Identifier: MIT */
#ifndef UR_DECODE_RUNNER_H
#define UR_DECODE_RUNNER_H

#include "unroll/decode.h"

/* Takes all memory that rows need to begin with fields as large as these, whose arrays may be
 * nowhere, if the architecture can. */
ur_status ur__runner_reserve(ur_runner *r, const ur_batch *given);

#endif
