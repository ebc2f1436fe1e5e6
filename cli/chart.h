/* SPDX-License-Identifier: MIT */
/* Curves over two axes, with a legend beside them. */
#ifndef CLI_CHART_H
#define CLI_CHART_H

#include "cli/svg.h"

struct point {
    double x, y;
};

struct curve {
    char label[256];            /* cut, if need be */
    struct point *at;           /* [n] rising in x; memory of mem.h */
    int n;
    const char *color, *dash;   /* "7 4"; "": a whole line */
    double width, opacity;
    bool dots;
    bool area;                  /* what it encloses is filled, and no line is drawn */
};

enum { CHART_MOST = 64 };       /* curves */

struct chart {
    const char *title, *x_label, *y_label;
    bool log_x, log_y;
    /* What whole numbers along x are called; NULL: numbers. */
    const char *(*x_name)(const void *user, int x);
    const void *x_user;
    struct curve curve[CHART_MOST];
    int n;
};

/* Room for one more curve; it counts once c->n does. UR_EDATA: these are too many. */
ur_status chart_next(struct chart *c, struct curve **out);
/* At least one curve, and each of at least one point, that its axes have (axis_has). */
void chart_draw(struct svg *s, const struct chart *c);
void chart_free(struct chart *c);

#endif
