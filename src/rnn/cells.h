/* SPDX-License-Identifier: MIT */
/* The list of cells. */
#ifndef UR_RNN_CELLS_H
#define UR_RNN_CELLS_H

#include "rnn/cell.h"

/* The plain cell of a kind; NULL for an unknown one. */
const struct ur__cell *ur__cell_of(ur_cell kind);

/* The cell that computes a kind in a form. The simple cell keeps f(…) apart where h is not
 * f(…) itself: residual, or under zoneout. */
const struct ur__cell *ur__cell_in_form(ur_cell kind, bool residual, bool zoneout, bool coupled,
                                        bool peepholes_or_clip);

#endif
