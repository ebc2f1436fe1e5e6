/* SPDX-License-Identifier: MIT */
/* A text with a number at each character: as colours behind it, or as a line of signs
 * below each of its lines. */
#ifndef CLI_PAINT_H
#define CLI_PAINT_H

#include <stdbool.h>

#include "base/text.h"

struct paint {
    int colors;                 /* 0: signs; 16, 256 or UI_TRUE_COLOR */
    double scale;               /* the number that gets the strongest colour */
    int level;                  /* colour now set; PAINT_NONE: none */
    struct ur__buf character;   /* bytes of a character that is not complete */
    struct ur__buf signs;       /* what stands below the line so far */
};

void paint_begin(struct paint *p, int colors, double scale);
/* Prints n more bytes of text, all with the same number. A character is printed when it is
 * complete, with the number of its last byte. */
ur_status paint_put(struct paint *p, const char *bytes, int n, double value);
/* Ends the last line and frees what it holds. */
void paint_end(struct paint *p);

#endif
