/* SPDX-License-Identifier: MIT */
/* Drawing one token from logits. */
#ifndef UR_DECODE_SAMPLE_H
#define UR_DECODE_SAMPLE_H

#include "unroll/decode.h"

/* A caller's options over the defaults. UR_EINVAL: one is impossible. */
ur_status ur__sample_options_read(ur_sample_options *to, const ur_sample_options *options);

/* [V] each. */
struct ur__sample_work {
    ur_real *weight;
    int32_t *order;
};

/* The largest logit's token; ties go to the lower number. */
int32_t ur__likeliest(int V, const ur_real *logits);
/* The token that `uniform` in [0,1) falls on when the kept tokens' probabilities are
 * laid end to end in ascending order. UR_ENUMERIC: a logit is NaN or Inf. options are
 * checked. */
ur_status ur__sample(int V, const ur_real *logits, const ur_sample_options *options,
                     double uniform, struct ur__sample_work work, int32_t *id);

/* out [V]: the logits after the penalty on tokens that were seen. */
void ur__penalize(int V, const ur_real *logits, double penalty, const unsigned char *seen,
                  ur_real *out);

#endif
