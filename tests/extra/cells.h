/* SPDX-License-Identifier: MIT */
/* Cells that only the tests have: what somebody adds to the list of src/rnn/cell_list.h. */
#ifndef UR_TESTS_EXTRA_CELLS_H
#define UR_TESTS_EXTRA_CELLS_H

enum { UR_CELL_MGU = 100, UR_CELL_PEEK = 101 };

#define UR__EXTRA_CELLS(FUSED, TAPE) FUSED(mgu) TAPE(peek)

#endif
