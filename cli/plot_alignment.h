/* SPDX-License-Identifier: MIT */
/* Where a translation looked, as a picture. */
#ifndef CLI_PLOT_ALIGNMENT_H
#define CLI_PLOT_ALIGNMENT_H

#include "cli/svg.h"
#include "io/json.h"

/* Draws an answer of predict --explain --json; place: what messages call it. UR_EDATA: it has no
 * alignment. */
ur_status alignment_draw(const struct ur__json *answer, const char *place, const char *title,
                         struct svg *s);

#endif
