/* SPDX-License-Identifier: MIT */
/* The table for any machine, and the only one of the double build. */
#include "kernel/isa.h"

#include "kernel/vec_scalar.h"

#include "kernel/math.inc"

#include "kernel/sum.inc"

#include "kernel/elem.inc"

#include "kernel/gate.inc"

#include "kernel/optim.inc"

#include "kernel/gemm.inc"

#define TABLE ur__kernel_scalar
#define TABLE_NAME "scalar"
#include "kernel/table.inc"
