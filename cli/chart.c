/* SPDX-License-Identifier: MIT */
#include "cli/chart.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/axis.h"

enum {
    WIDTH = 720, HEIGHT = 400,          /* of a figure whose legend is short */
    LEFT = 74, RIGHT = 16, TOP = 34, BOTTOM = 52,       /* what the frame leaves free */
    SHORT_NAME = 10,                    /* columns of names that each tick along x has room for */
    ENTRY = 19, LINE = 24, BEFORE_LABEL = 42,           /* of the legend */
    LABEL_COLUMNS = 34
};

struct frame {
    struct axis x, y;
    double right, bottom;
};

static double x_of(const struct frame *f, double x)
{
    return LEFT + axis_place(&f->x, x) * (f->right - LEFT);
}

static double y_of(const struct frame *f, double y)
{
    return f->bottom - axis_place(&f->y, y) * (f->bottom - TOP);
}

static void find_axes(const struct chart *c, struct frame *f)
{
    struct point low = c->curve[0].at[0], high = low;
    for (int i = 0; i < c->n; i++)
        for (int k = 0; k < c->curve[i].n; k++) {
            struct point p = c->curve[i].at[k];
            low = (struct point){p.x < low.x ? p.x : low.x, p.y < low.y ? p.y : low.y};
            high = (struct point){p.x > high.x ? p.x : high.x, p.y > high.y ? p.y : high.y};
        }
    axis_init(&f->x, low.x, high.x, c->log_x);
    axis_init(&f->y, low.y, high.y, c->log_y);
}

/* The legend is as wide as its longest entry. */
static double legend_width(const struct chart *c)
{
    int most = 0;
    for (int i = 0; i < c->n; i++) {
        int columns = svg_columns(c->curve[i].label);
        most = columns > most ? columns : most;
    }
    most = most < LABEL_COLUMNS ? most : LABEL_COLUMNS;
    return BEFORE_LABEL + 12 * SVG_LETTER * most;
}

/* ---- parts ------------------------------------------------------------- */

/* A tick's number, or the name of a whole one; names are longer, so that not each has room. */
static void put_x_tick(struct svg *s, const struct chart *c, const struct frame *f, int i)
{
    const double tick = f->x.tick[i];
    const struct svg_text at = {.x = x_of(f, tick), .y = f->bottom + 17, .anchor = "middle"};
    if (c->x_name == NULL)
        svg_value(s, &at, tick);
    else if (tick >= floor(tick) && svg_columns(c->x_name(c->x_user, (int)tick)) <= SHORT_NAME)
        svg_text(s, &at, c->x_name(c->x_user, (int)tick));
    else if (tick >= floor(tick) && i % 2 == 0)
        svg_text(s, &at, c->x_name(c->x_user, (int)tick));
}

static void put_grid(struct svg *s, const struct chart *c, const struct frame *f)
{
    for (int i = 0; i < f->x.n; i++) {
        svg_put(s, "<path class=\"grid\" d=\"M");
        svg_number(s, x_of(f, f->x.tick[i]));
        svg_put(s, " %dV", TOP);
        svg_number(s, f->bottom);
        svg_put(s, "\"/>\n");
        put_x_tick(s, c, f, i);
    }
    for (int i = 0; i < f->y.n; i++) {
        double y = y_of(f, f->y.tick[i]);
        svg_put(s, "<path class=\"grid\" d=\"M%d ", LEFT);
        svg_number(s, y);
        svg_put(s, "H");
        svg_number(s, f->right);
        svg_put(s, "\"/>\n");
        svg_value(s, &(struct svg_text){.x = LEFT - 7, .y = y + 4, .anchor = "end"}, f->y.tick[i]);
    }
    svg_put(s, "<rect class=\"frame\" x=\"%d\" y=\"%d\"", LEFT, TOP);
    svg_at(s, "width", f->right - LEFT);
    svg_at(s, "height", f->bottom - TOP);
    svg_put(s, "/>\n");
}

static void put_words(struct svg *s, const struct chart *c, const struct frame *f)
{
    const double middle = (TOP + f->bottom) / 2;
    if (c->title[0] != '\0')
        svg_text(s, &(struct svg_text){.x = LEFT, .y = TOP - 12, .bold = true,
                                       .columns = (int)((WIDTH - LEFT) / (12 * SVG_BOLD))},
                 c->title);
    svg_text(s, &(struct svg_text){.x = (LEFT + f->right) / 2, .y = f->bottom + 38,
                                   .anchor = "middle"}, c->x_label);
    svg_text(s, &(struct svg_text){.x = 16, .y = middle, .anchor = "middle", .turn = -90,
                                   .columns = 48}, c->y_label);
}

static void put_stroke(struct svg *s, const struct curve *c)
{
    if (c->area) {
        svg_put(s, " fill=\"%s\" fill-opacity=\"%g\"/>\n", c->color, c->opacity);
        return;
    }
    svg_put(s, " fill=\"none\" stroke=\"%s\" stroke-width=\"%g\"", c->color, c->width);
    if (c->dash[0] != '\0')
        svg_put(s, " stroke-dasharray=\"%s\"", c->dash);
    if (c->opacity < 1)
        svg_put(s, " stroke-opacity=\"%g\"", c->opacity);
    svg_put(s, "/>\n");
}

static void put_curve(struct svg *s, const struct curve *c, const struct frame *f)
{
    if (c->n > 1) {
        svg_put(s, c->area ? "<polygon points=\"" : "<polyline points=\"");
        for (int i = 0; i < c->n; i++) {
            svg_put(s, "%s", i > 0 ? " " : "");
            svg_number(s, x_of(f, c->at[i].x));
            svg_put(s, ",");
            svg_number(s, y_of(f, c->at[i].y));
        }
        svg_put(s, "\"");
        put_stroke(s, c);
    }
    for (int i = 0; i < c->n && (c->dots || c->n == 1); i++) {
        svg_put(s, "<circle");
        svg_at(s, "cx", x_of(f, c->at[i].x));
        svg_at(s, "cy", y_of(f, c->at[i].y));
        svg_put(s, " r=\"2.6\" fill=\"%s\"/>\n", c->color);
    }
}

static void put_entry(struct svg *s, const struct curve *c, double x, double y)
{
    svg_put(s, "<path d=\"M");
    svg_number(s, x);
    svg_put(s, " ");
    svg_number(s, c->area ? y - 5 : y);
    svg_put(s, c->area ? "h%dv10h-%dz\"" : "h%d\"", LINE, LINE);
    put_stroke(s, c);
    if (c->dots || c->n == 1) {
        svg_put(s, "<circle");
        svg_at(s, "cx", x + LINE / 2.0);
        svg_at(s, "cy", y);
        svg_put(s, " r=\"2.6\" fill=\"%s\"/>\n", c->color);
    }
    svg_text(s, &(struct svg_text){.x = x + LINE + 6, .y = y + 4, .columns = LABEL_COLUMNS},
             c->label);
}

/* ---- the figure -------------------------------------------------------- */

void chart_draw(struct svg *s, const struct chart *c)
{
    struct frame f;
    double legend = TOP + 20 + ENTRY * c->n;
    double height = legend + 8 > HEIGHT ? legend + 8 : HEIGHT;
    find_axes(c, &f);
    f.right = WIDTH - RIGHT - legend_width(c);
    f.bottom = height - BOTTOM;
    svg_begin(s, WIDTH, height);
    put_grid(s, c, &f);
    put_words(s, c, &f);
    for (int i = 0; i < c->n; i++)
        put_curve(s, &c->curve[i], &f);
    for (int i = 0; i < c->n; i++)
        put_entry(s, &c->curve[i], f.right + 12, TOP + 10 + ENTRY * i);
    svg_end(s);
}

ur_status chart_next(struct chart *c, struct curve **out)
{
    *out = &c->curve[c->n];
    return c->n < CHART_MOST ? UR_OK : ur__fail(UR_EDATA, "these are more than %d curves: draw "
                                                "fewer at a time", CHART_MOST);
}

void chart_free(struct chart *c)
{
    for (int i = 0; i < c->n; i++)
        ur__free(c->curve[i].at);
    c->n = 0;
}
