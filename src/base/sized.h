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

/* Was it ever initialised? UR_EINVAL. For structs whose members are read and written in place.
 * init: what to call. */
ur_status ur__sized_check(const void *p, const char *init);
/* Writes ours, of `ours` bytes, to a caller's struct that ur__sized_check let pass: what both
 * know; what only the caller knows becomes 0. */
void ur__sized_write(void *to, const void *from, size_t ours);

#endif
