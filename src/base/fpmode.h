/* SPDX-License-Identifier: MIT */
/* The floating-point mode of this thread. What computes or converts a number outside a region of
 * a team (base/team.h) does it between these two. */
#ifndef UR_BASE_FPMODE_H
#define UR_BASE_FPMODE_H

/* Sets the IEEE default (round to nearest, no flush to zero, no traps); returns the old mode. */
unsigned ur__fpmode_default(void);
void ur__fpmode_restore(unsigned mode);

#endif
