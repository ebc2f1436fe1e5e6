/* SPDX-License-Identifier: MIT */
/* What the tests add to the lists of the library, as somebody adds parts of their own. */
#ifndef UR_TESTS_EXTRA_H
#define UR_TESTS_EXTRA_H

#include "unroll/base.h"

enum { UR_CELL_MGU = 100, UR_CELL_PEEK = 101 };
#define UR__EXTRA_CELLS(FUSED, TAPE) FUSED(mgu) TAPE(peek)

#define UR__EXTRA_ARCHS(ARCH) ARCH(pair)
#define UR__EXTRA_TASKS(TASK) TASK(pair)

/* The plug of its answers; and the number that a line of n bytes begins with, of which *used are it
 * and its tab. UR_EDATA: it begins with none. */
extern const struct ur__predict_plug ur__predict_pair;
ur_status ur__pair_number(const char *line, size_t n, double *number, size_t *used);

#endif
