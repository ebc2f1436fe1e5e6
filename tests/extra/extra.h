/* SPDX-License-Identifier: MIT */
/* What the tests add to the lists of the library, as somebody adds his own. */
#ifndef UR_TESTS_EXTRA_H
#define UR_TESTS_EXTRA_H

enum { UR_CELL_MGU = 100, UR_CELL_PEEK = 101 };
#define UR__EXTRA_CELLS(FUSED, TAPE) FUSED(mgu) TAPE(peek)

extern const struct ur__arch ur__arch_pair;
#define UR__EXTRA_ARCHS &ur__arch_pair,

extern const struct ur__task ur__task_pair;
#define UR__EXTRA_TASKS &ur__task_pair,

#endif
