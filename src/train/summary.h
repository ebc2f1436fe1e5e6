/* SPDX-License-Identifier: MIT */
/* A run's options and results as JSON. Neither has anything from clock, host, path, threads or
 * instruction set. */
#ifndef UR_TRAIN_SUMMARY_H
#define UR_TRAIN_SUMMARY_H

#include "base/text.h"

struct ur__run;

/* Appends the run's options as an object; nothing in them is left open. */
ur_status ur__identity_text(const struct ur__run *r, struct ur__buf *to);
/* Appends what a model keeps of how it was trained (docs/TRAINING.md). */
ur_status ur__summary_text(const struct ur__run *r, struct ur__buf *to);

#endif
