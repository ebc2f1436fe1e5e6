/* SPDX-License-Identifier: MIT */
/* The tables that isa_*.c define; the build decides which of them there are. */
#ifndef UR_KERNEL_ISA_H
#define UR_KERNEL_ISA_H

#include "kernel/kernel.h"

extern const struct ur__kernel ur__kernel_scalar;
extern const struct ur__kernel ur__kernel_avx2;
extern const struct ur__kernel ur__kernel_avx512;
extern const struct ur__kernel ur__kernel_neon;

#endif
