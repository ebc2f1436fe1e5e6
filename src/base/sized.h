/* SPDX-License-Identifier: MIT */
/* Public structs that can grow: they begin with size_t size (UR_STRUCT_INIT). */
#ifndef UR_BASE_SIZED_H
#define UR_BASE_SIZED_H

#include "unroll/base.h"

/* NAME_init_size: writes our defaults, of `ours` bytes, to a caller's struct of `size` bytes. */
void ur__sized_init(void *to, size_t size, const void *defaults, size_t ours);
/* Reads a caller's struct over our defaults. UR_EINVAL: it was never initialised, or holds
 * something that this library does not know. init: what to call. */
ur_status ur__sized_read(void *to, const void *from, const void *defaults, size_t ours,
                         const char *init);

#endif
