/* SPDX-License-Identifier: MIT */
/* What makes a run the same run: the options, as the text that ur__identity_text() made. When it
 * is resumed they must not change, but for its end and for what UR__IDENTITY_FREE has. */
#ifndef UR_TRAIN_IDENTITY_H
#define UR_TRAIN_IDENTITY_H

#include "io/json.h"
#include "unroll/train.h"

/* The member of cadences and policies, which a resumed run takes up unless it is given others. */
#define UR__IDENTITY_FREE "may_change"

/* May a run of options `then` go on with options `now`? Its end may have moved, but only to
 * later. UR_EINVAL names the first other difference; UR_EFORMAT: `then` is
 * damaged. */
ur_status ur__identity_compare(const char *then, const char *now);
/* Sets what the options leave at its default to what the run had; texts are those of `then`.
 * UR_EFORMAT: `then` is damaged. */
ur_status ur__identity_apply(const struct ur__json *then, ur_train_options *options);
/* The figure that said which model was best; "" if it says none. */
enum { UR__BEST_NAME = 64 };
void ur__identity_best(const struct ur__json *then, char best[UR__BEST_NAME]);

#endif
