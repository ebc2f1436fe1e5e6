/* SPDX-License-Identifier: MIT */
#ifndef UR_TAPE_OP_ADDITIVE_H
#define UR_TAPE_OP_ADDITIVE_H

#include "unroll/tensor.h"

/* v·tanh(q + k) of each query with each key: q [B,T,Q], k [B,S,Q], v [1,Q] -> [B,T,S]. */
ur_tensor *ur__additive_score(ur_tensor *q, ur_tensor *k, ur_tensor *v);

#endif
