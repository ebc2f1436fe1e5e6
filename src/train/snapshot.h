/* SPDX-License-Identifier: MIT */
/* All that a checkpoint keeps, in memory: where a run goes back to when its numbers are no
 * longer finite. */
#ifndef UR_TRAIN_SNAPSHOT_H
#define UR_TRAIN_SNAPSHOT_H

#include "train/checkpoint.h"

struct ur__run;

/* Takes its memory, once a run; snapshots and ways back then need none. */
ur_status ur__snapshot_open(struct ur__run *r);
void ur__snapshot_close(struct ur__run *r);
/* Keeps where the run stands, unless it is there already. Does nothing in a run that keeps no
 * snapshot. */
void ur__snapshot_take(struct ur__run *r);
/* After a state was loaded, the snapshot being of the values drawn: that which the run had
 * when it stopped. If its state is lost, the one just loaded takes its place. */
ur_status ur__snapshot_find(struct ur__run *r, enum ur__loaded from);
/* What the next save does with the states on disk: one saved between two checkpoints does not
 * displace the checkpoint before it. */
enum ur__older ur__snapshot_older(const struct ur__run *r);
/* Makes the run stand where the snapshot was taken, but for what it knows of its best model,
 * which is on disk and stays there. */
ur_status ur__snapshot_restore(struct ur__run *r);

/* What a training state on disk is made of. */
struct ur__checkpoint ur__run_checkpoint(struct ur__run *r);
/* Before each step: opens the epoch that begins with it, and forgets what was carried where its
 * sequences begin. */
ur_status ur__run_begin_step(struct ur__run *r, int64_t step);
/* Opens the epoch that the run is in with carried numbers, as if it had got there step by step. */
ur_status ur__run_reenter(struct ur__run *r, const ur_real *carried);

#endif
