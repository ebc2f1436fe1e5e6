/* SPDX-License-Identifier: MIT */
/* What searches with a beam share: the likeliest steps of several hypotheses. */
#ifndef UR_DECODE_BEAM_H
#define UR_DECODE_BEAM_H

#include "unroll/decode.h"

/* A row's hypothesis with one more token. */
struct ur__step {
    int row;
    int32_t id;
    double log_p;
};

/* share: log p of the token, which rounding may leave above 0. */
static inline struct ur__step ur__step_of(int row, int32_t id, double log_p, ur_real share)
{
    return (struct ur__step){row, id, log_p + (share < 0 ? (double)share : 0)};
}

/* Bytes that a search takes which begins with fields as large as these (their arrays may be
 * nowhere); the model need not be built. */
ur_status ur__beam_measure(const ur_model *model, const ur_beam_options *o, const ur_batch *given,
                           ur_team *team, size_t *bytes);

/* Takes that, so that a search takes nothing more. */
ur_status ur__beam_reserve(ur_beam *b, const ur_batch *given);

/* Puts a step among the *n likeliest that came before, the likeliest first, of which at most `most`
 * are kept. Equal ones stay in the order in which they came. */
void ur__keep_step(struct ur__step *step, int most, int *n, struct ur__step s);

#endif
