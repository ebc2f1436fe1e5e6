/* SPDX-License-Identifier: MIT */
/* What a checkpoint keeps of an optimizer; the public half is unroll/train.h. */
#ifndef UR_TRAIN_OPTIMIZER_H
#define UR_TRAIN_OPTIMIZER_H

#include "unroll/train.h"

/* Counters of the updates made. The powers are running products in double, so that no
 * pow() of some libm enters the bits. */
struct ur__optimizer_clock {
    int64_t steps;
    double power1, power2;      /* beta1^steps, beta2^steps */
};

extern const char *const ur__optimizer_words[];    /* names by kind, ended by NULL */

/* Numbers kept for each parameter. */
int ur__optimizer_moments(const ur_optimizer_options *options);
/* UR_EINVAL with a sentence if the options are impossible. */
ur_status ur__optimizer_check(const ur_optimizer_options *options);

ur_params *ur__optimizer_params(const ur_optimizer *optimizer);
struct ur__optimizer_clock ur__optimizer_clock(const ur_optimizer *optimizer);
void ur__optimizer_set_clock(ur_optimizer *optimizer, struct ur__optimizer_clock clock);

/* A moment, laid out as the flat parameters; NULL if the kind has none. first: the mean
 * of gradients (momentum, with UR_OPTIMIZER_SGD), else the mean (sum, with UR_OPTIMIZER_ADAGRAD) of
 * squares. */
ur_real *ur__optimizer_moment(const ur_optimizer *optimizer, bool first);

/* UR_ENUMERIC, naming the first, if a parameter or a moment is NaN or Inf. Looks at all. */
ur_status ur__optimizer_check_numbers(const ur_optimizer *optimizer);
/* After UR_ENUMERIC: appends what ur__optimizer_check_numbers() finds, if anything, to the
 * message. Returns the status it is given, which may be any. */
ur_status ur__optimizer_blame(const ur_optimizer *optimizer, ur_status status);

/* The options with every default filled in. */
const ur_optimizer_options *ur__optimizer_options(const ur_optimizer *optimizer);

#endif
