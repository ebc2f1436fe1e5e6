/* SPDX-License-Identifier: MIT */
/* The options that every run has, by name. Values lie in ur_train_options. */
#ifndef UR_TRAIN_OPTIONS_H
#define UR_TRAIN_OPTIONS_H

#include "base/option.h"
#include "train/task.h"

extern const ur_option_table ur__train_table;

/* Flags of its rows, beside those of unroll/options.h: only tasks that show what they make, or
 * whose state goes on from step to step, have the option. */
enum { UR__OPTION_SHOWS = 1 << 16, UR__OPTION_CARRIES = 1 << 17 };

/* --val is a share or a file: settles which, after its row was read. */
ur_status ur__train_settle_val(ur_train_options *o);

/* Fills in batch, lr and epochs where they were left to the data: as the task has it, or by a rule
 * of the number of items to train on (docs/TRAINING.md). */
void ur__train_by_data(ur_train_options *o, const struct ur__facts *facts);

/* What suits a task that learns from n examples, and what its help shows then (train/task.h). */
void ur__suit_examples(struct ur__facts *facts, int64_t n);
#define UR__SHOWN_OF_EXAMPLES                                                                     \
    {"batch", "8 to 32 by the data"}, {"epochs", "60 to 8 by the data"}, {"lr", "3e-3"}

/* Has ur_train_set set the row of that name? */
bool ur__train_given(const ur_train_options *o, const char *name);
/* UR_EINVAL with a sentence if a member is impossible. */
ur_status ur__train_check(const ur_train_options *o);

#endif
