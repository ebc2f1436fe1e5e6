/* SPDX-License-Identifier: MIT */
/* Escapes in words of the command line, as C and JSON have them. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include "base/text.h"

/* Appends text with \n, \r, \t, \\, \xHH (a byte) and \uHHHH (a character, beyond U+FFFF two
 * of them as in JSON) replaced. UR_EINVAL names the first other escape, after `what`. */
ur_status escape_undo(struct ur__buf *to, const char *text, const char *what);

#endif
