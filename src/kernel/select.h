/* SPDX-License-Identifier: MIT */
/* The roof of the kernel floor: which table is in use. */
#ifndef UR_KERNEL_SELECT_H
#define UR_KERNEL_SELECT_H

#include "kernel/kernel.h"

/* The table in use: the best this CPU runs, or the one UNROLL_ISA names. Chosen at
 * the first call, from any thread. Never NULL. */
const struct ur__kernel *ur__kernel(void);

/* All tables that this CPU runs, best first, NULL-terminated; the scalar one last. */
const struct ur__kernel *const *ur__kernels_available(void);

/* Test hook: uses this table from now on (NULL: choose again). */
void ur__kernel_force(const struct ur__kernel *k);

#endif
