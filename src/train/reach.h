/* SPDX-License-Identifier: MIT */
/* How far back in time gradients reach, in a run whose model carries state. */
#ifndef UR_TRAIN_REACH_H
#define UR_TRAIN_REACH_H

#include "train/run.h"

/* Reports the norms of the gradient that the loss of a window's last step alone has at each
 * layer's state k = 1 ... steps before, of the batch that comes next. Dropout is off; parameters,
 * carried numbers and order stay as they are, the parameters' gradients do not. */
ur_status ur__reach_report(struct ur__run *r);
void ur__reach_close(struct ur__run *r);

#endif
