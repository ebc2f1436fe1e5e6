/* SPDX-License-Identifier: MIT */
/* Numbers that are not finite: seen in the step that brings them, and what then becomes of
 * the step (ur_on_nan). Gradients, parameters and moments are the optimizer's to look at. */
#ifndef UR_TRAIN_GUARD_H
#define UR_TRAIN_GUARD_H

#include "unroll/base.h"

struct ur__run;

/* Takes the memory that the run's policy needs. */
ur_status ur__guard_open(struct ur__run *r);
void ur__guard_close(struct ur__run *r);

/* At the beginning of a step: keeps the carried numbers if the step may be left out. */
void ur__guard_begin(struct ur__run *r);
/* Are the carried numbers, and parameters that no optimizer steps, finite? UR_ENUMERIC. */
ur_status ur__guard_check(struct ur__run *r);
/* After UR_ENUMERIC: appends to the message which parameter or carried number was not finite,
 * if one was. Returns the status it is given, which may be any. */
ur_status ur__guard_blame(struct ur__run *r, ur_status status);

/* After UR_ENUMERIC of a step whose message names it: leaves the step out, if that is the
 * policy and helps. Else UR_ENUMERIC. */
ur_status ur__guard_skip(struct ur__run *r);
/* The same of a validation: it counts as one without a better loss. */
ur_status ur__guard_skip_validation(struct ur__run *r);
/* After UR_ENUMERIC anywhere: goes back, if that is the policy. Else UR_ENUMERIC with advice. */
ur_status ur__guard_recover(struct ur__run *r);

#endif
