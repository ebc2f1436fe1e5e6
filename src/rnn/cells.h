/* SPDX-License-Identifier: MIT */
/* Which fused cells there are. */
#ifndef UR_RNN_CELLS_H
#define UR_RNN_CELLS_H

#include "rnn/cell.h"

/* The plain cell of a kind; NULL for an unknown one. The i-th of all; NULL past the end. */
const struct ur__cell *ur__cell_of(ur_cell kind);
const struct ur__cell *ur__cell_at(int i);
/* The form of a cell that computes a layer with these options. */
const struct ur__cell *ur__cell_in_form(const struct ur__cell *cell,
                                        const struct ur__rnn_layer *d);
/* Whether the cell, or the form of it, has an option that not all cells have. */
bool ur__cell_has(const struct ur__cell *cell, const char *option);
/* Its extra parameters. */
int ur__cell_extras(const struct ur__rnn_layer *d, struct ur__cell_extra out[UR__CELL_EXTRAS]);

#endif
