/* SPDX-License-Identifier: MIT */
/* What makes a run the same run, as text: the options that must not change when it is
 * resumed, and the summary that a model keeps of how it was trained. Neither has
 * anything from clock, host, path, threads or instruction set. */
#ifndef UR_TRAIN_IDENTITY_H
#define UR_TRAIN_IDENTITY_H

#include "base/text.h"
#include "model/task.h"
#include "train/progress.h"
#include "unroll/train.h"

/* Appends the options as a JSON object. full: the optimizer's, defaults filled in. */
ur_status ur__identity_text(const ur_train_options *options, const ur_optimizer_options *full,
                            struct ur__buf *to);
/* May a run of options `then` go on with options `now`? Only its end may have moved, and
 * only to later. UR_EINVAL names the first other difference; UR_EFORMAT: `then` is
 * damaged. */
ur_status ur__identity_compare(const char *then, const char *now);

/* Appends the summary as a JSON object (docs/TRAINING.md). */
ur_status ur__summary_text(const ur_train_options *options, const ur_optimizer_options *full,
                           const struct ur__facts *facts, const struct ur__progress *progress,
                           struct ur__buf *to);

/* Mean loss since the last evaluation, or that at it if nothing came after. */
double ur__progress_train_loss(const struct ur__progress *p);

#endif
