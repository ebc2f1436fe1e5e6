/* SPDX-License-Identifier: MIT */
/* What a file is by its first bytes, for the message about one that is not what was wanted. */
#ifndef UR_IO_SNIFF_H
#define UR_IO_SNIFF_H

#include "unroll/base.h"

#define UR__SNIFF_BYTES 512     /* more are not looked at */

/* "a GGUF file; ...": what the n first bytes of a file (all of it, if it has fewer) look like
 * and what to do to have safetensors; NULL: like nothing known. */
const char *ur__sniff(const unsigned char *head, size_t n);

#endif
