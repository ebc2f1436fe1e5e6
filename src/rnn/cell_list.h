/* SPDX-License-Identifier: MIT */
/* The one list of cells. FUSED(x) is a cell on raw pointers, ur__cell_x (rnn/cell.h); TAPE(x) is
 * one written on the tape, ur__tape_cell_x (layer/tape_cell.h). A build adds its own with
 * -DUR_EXTRA='"list.h"', a header that defines UR__EXTRA_CELLS(FUSED, TAPE). */
#ifndef UR_RNN_CELL_LIST_H
#define UR_RNN_CELL_LIST_H

#ifdef UR_EXTRA
#include UR_EXTRA
#endif
#ifndef UR__EXTRA_CELLS
#define UR__EXTRA_CELLS(FUSED, TAPE)
#endif

#define UR__CELLS(FUSED, TAPE)      \
    FUSED(rnn)                      \
    FUSED(lstm)                     \
    FUSED(gru)                      \
    TAPE(norm_lstm)                 \
    TAPE(norm_gru)                  \
    TAPE(none)                      \
    UR__EXTRA_CELLS(FUSED, TAPE)

#endif
