/* SPDX-License-Identifier: MIT */
/* What a prediction costs that knows nothing. */
#ifndef UR_METRIC_UNIFORM_H
#define UR_METRIC_UNIFORM_H

/* Nats of a guess among n equally likely ones: ln n. */
double ur__uniform_loss(int n);

#endif
