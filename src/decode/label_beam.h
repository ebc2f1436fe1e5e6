/* SPDX-License-Identifier: MIT */
/*
 * The likeliest labels of sequences whose labels are fed back, by a beam search: after each step
 * the `width` likeliest beginnings of a sequence go on, each with a state of its own. What a
 * sequence gets is a function of its steps and the width.
 */
#ifndef UR_DECODE_LABEL_BEAM_H
#define UR_DECODE_LABEL_BEAM_H

#include "model/feedback.h"
#include "unroll/decode.h"

struct ur__label_beam;

/* Width 1 always takes the likeliest label; UR__LABEL_BEAM is the usual one (docs/COOKBOOK.md). */
enum { UR__LABEL_BEAM = 4 };

/* For batches of up to B sequences; more than T steps take more memory when they come. feedback
 * and team are borrowed. Errors: UR_EINVAL (the width), UR_ENOMEM. */
struct ur__label_beam_size {
    int width, T, B;
};
ur_status ur__label_beam_new(struct ur__label_beam **out, const struct ur__feedback *feedback,
                             const struct ur__label_beam_size *size, ur_team *team);
/* Bytes that one takes; the model need not be built. */
ur_status ur__label_beam_measure(const struct ur__feedback *feedback,
                                 const struct ur__label_beam_size *size, ur_team *team,
                                 size_t *bytes);
void ur__label_beam_free(struct ur__label_beam *beam);

/* What is known of the steps of a batch. */
struct ur__steps {
    int T, B;
    const ur_real *h;           /* [T,B,I] */
    const int *lengths;         /* [B]; NULL: all T */
};
/* labels [T,B], −1 past the end of a sequence; log_p [B]: sums of the log probabilities of its
 * labels, or NULL. Allocates nothing but for more steps than there were before. */
ur_status ur__label_beam_run(struct ur__label_beam *beam, const struct ur__steps *steps,
                             int32_t *labels, double *log_p);

#endif
