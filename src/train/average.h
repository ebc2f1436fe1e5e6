/* SPDX-License-Identifier: MIT */
/*
 * The average of the weights that a run goes through, which is what it validates and saves:
 * late ones count for more (polynomial-decay averaging; Shamir and Zhang 2013, section 4).
 *
 *     a_k = a_{k−1} + (η+1)/(k+η) · (w_k − a_{k−1}),  w_k the weights after 16·k updates
 *
 * η is the option "average"; 0: the run has none, and nothing here does anything.
 */
#ifndef UR_TRAIN_AVERAGE_H
#define UR_TRAIN_AVERAGE_H

#include "train/run.h"

ur_status ur__average_open(struct ur__run *r);
void ur__average_close(struct ur__run *r);
/* After each update. */
void ur__average_update(struct ur__run *r);
/* `act` with the average for weights, which then are again what they were, whatever it returns. */
ur_status ur__average_with(struct ur__run *r, ur_status (*act)(struct ur__run *r));

#endif
