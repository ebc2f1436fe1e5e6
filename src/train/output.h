/* SPDX-License-Identifier: MIT */
/* The files that a run writes: their names, and the run's claim on them. */
#ifndef UR_TRAIN_OUTPUT_H
#define UR_TRAIN_OUTPUT_H

#include "train/run.h"

/* Names the files, sees that they may and can be written and are none that the run reads,
 * claims them against a second run and removes what killed ones left. Errors: UR_EEXIST,
 * UR_EOUTPUT. */
ur_status ur__run_claim(struct ur__run *r);
/* Before the first file of a run that starts over is written, the states of the one before
 * go: they must not outlive its models. */
ur_status ur__run_begin_files(struct ur__run *r);
void ur__run_release(struct ur__run *r);

#endif
