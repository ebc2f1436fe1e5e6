/* SPDX-License-Identifier: MIT */
/* The smallest training run that has all that a state file keeps: a model of two units
 * over three bytes, an optimizer with moments, carried numbers. */
#ifndef UR_TESTS_SMALL_STATE_H
#define UR_TESTS_SMALL_STATE_H

#include "base/text.h"
#include "io/safetensors.h"
#include "train/checkpoint.h"
#include "unroll/train.h"

struct small_state {
    ur_train_options options;
    ur_model *model;
    struct ur__facts facts;
    ur_optimizer *optimizer;
    struct ur__buf identity;
    ur_real carried[4];
    struct ur__progress progress;
    struct ur__checkpoint checkpoint;
};

/* Ends the program if it cannot. */
void small_state_new(struct small_state *s);
void small_state_free(struct small_state *s);

/* Metadata that a state's checksum covers, and an optimizer's; each list ends with NULL. */
extern const char *const state_keys[], *const optimizer_keys[];
/* What the file's checksum must be; false: it has not what is summed. */
bool file_checksum(struct ur__st_file *f, const char *const *keys, char text[9]);

#endif
