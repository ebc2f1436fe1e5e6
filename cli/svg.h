/* SPDX-License-Identifier: MIT */
/*
 * Pictures as SVG: one file that needs no other. Colours that follow the reader's light or dark
 * background are classes:
 *
 *     paper   the background           ink    text             dim    text that matters less
 *     grid    lines behind a figure    frame  around it
 *     heat    an area whose fill-opacity is a share; low, high: text on little and on much of it
 *
 * Equal calls write equal bytes. What fails is remembered; nothing more is written then.
 */
#ifndef CLI_SVG_H
#define CLI_SVG_H

#include "base/text.h"

struct svg {
    struct ur__buf out;
    ur_status status;
};

/* Colours of curves: told apart by colour-blind eyes too (Okabe and Ito 2008), on both
 * backgrounds. */
enum { SVG_COLORS = 7 };
extern const char *const svg_color[SVG_COLORS];

/* Text from (x,y), its base line; sizes in pixels. Zeroed: 12 pixels, ink, from x on. */
struct svg_text {
    double x, y;
    const char *anchor;         /* "middle", "end" */
    const char *class;
    double size, turn;          /* degrees about (x,y) */
    bool bold, mono;            /* mono: each column SVG_MONO of its size wide */
    int columns;                /* more than so many are cut off; 0: any number */
};
/* Text on a heat of a larger share is of the class high. */
#define SVG_DEEP 0.66
#define SVG_MONO 0.602
/* The mean width of a letter of other text, of its size; a little too much. */
#define SVG_LETTER 0.62
/* The same of bold text, and of capitals rather than others: a title's. */
#define SVG_BOLD 0.75

void svg_begin(struct svg *s, double width, double height);
/* Bytes of our own. */
void svg_put(struct svg *s, const char *format, ...) UR_PRINTF(2, 3);
/* A length in pixels, to a tenth. */
void svg_number(struct svg *s, double x);
/* " NAME=\"NUMBER\"" */
void svg_at(struct svg *s, const char *name, double x);
/* Anybody's text, within an element: what is not printable is U+FFFD. */
void svg_escape(struct svg *s, const char *text, int columns);
void svg_text(struct svg *s, const struct svg_text *at, const char *text);
/* Square cells, the corner of the first at (left,top): lines between them and a frame around. */
struct svg_cells {
    double left, top, side;
    int rows, columns;
};
void svg_grid(struct svg *s, const struct svg_cells *cells);
/* A number as a tick has it: "0.25", "2·10⁻⁵". */
void svg_value(struct svg *s, const struct svg_text *at, double value);
void svg_end(struct svg *s);

/* Columns that a text takes when it is shown; of a terminal's, and nearly those of mono. */
int svg_columns(const char *text);

#endif
