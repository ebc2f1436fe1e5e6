/* SPDX-License-Identifier: MIT */
/* What makes a run the same run: the options, as the text that ur__identity_text() made, which
 * must not change when it is resumed. */
#ifndef UR_TRAIN_IDENTITY_H
#define UR_TRAIN_IDENTITY_H

#include "io/json.h"
#include "unroll/train.h"

/* May a run of options `then` go on with options `now`? Only its end may have moved, and
 * only to later. UR_EINVAL names the first other difference; UR_EFORMAT: `then` is
 * damaged. */
ur_status ur__identity_compare(const char *then, const char *now);
/* Sets what the options leave at its default to what the run had; texts are those of `then`.
 * UR_EFORMAT: `then` is damaged. */
ur_status ur__identity_apply(const struct ur__json *then, ur_train_options *options);
/* The figure that said which model was best; "" if it says none. */
enum { UR__BEST_NAME = 64 };
void ur__identity_best(const struct ur__json *then, char best[UR__BEST_NAME]);

#endif
