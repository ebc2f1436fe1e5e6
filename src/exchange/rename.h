/* SPDX-License-Identifier: MIT */
/* From our names of parameters to a file's (ur_rename). */
#ifndef UR_EXCHANGE_RENAME_H
#define UR_EXCHANGE_RENAME_H

#include "base/text.h"
#include "unroll/exchange.h"

/* UR_EINVAL, naming the pair, unless each side has at most one star and both the same, and the
 * pair fits a parameter (NULL: not asked). */
ur_status ur__rename_check(int n, const ur_rename *map, const ur_params *params);
/* Replaces what is in `to` by the file's name of a parameter. *left_out: it has none. */
ur_status ur__rename(int n, const ur_rename *map, const char *name, struct ur__buf *to,
                     bool *left_out);

#endif
