/* SPDX-License-Identifier: MIT */
#include "cli/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/ui.h"

const char *const svg_color[SVG_COLORS] = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888",
};

/* Readers that know no media rule see the light colours. */
static const char style[] =
    "<style>\n"
    ".paper{fill:#fff}.ink{fill:#222}.dim{fill:#666}.heat{fill:#08519c}\n"
    ".low{fill:#222}.high{fill:#fff}.grid{stroke:#ddd}.frame{stroke:#888;fill:none}\n"
    "@media(prefers-color-scheme:dark){\n"
    ".paper{fill:#14181d}.ink{fill:#ddd}.dim{fill:#999}.heat{fill:#6baed6}\n"
    ".low{fill:#ddd}.high{fill:#000}.grid{stroke:#333a42}}\n"
    "</style>\n";

static void keep(struct svg *s, ur_status status)
{
    if (s->status == UR_OK)
        s->status = status;
}

void svg_put(struct svg *s, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = ur__vformat(text, sizeof text, format, args);
    va_end(args);
    if (s->status == UR_OK)
        keep(s, ur__buf_put(&s->out, text, n < 0 ? 0 : n < (int)sizeof text ? (size_t)n
                                                                           : sizeof text - 1));
}

static void puts_all(struct svg *s, const char *text)
{
    if (s->status == UR_OK)
        keep(s, ur__buf_puts(&s->out, text));
}

void svg_number(struct svg *s, double x)
{
    double tenths = floor(10 * x + 0.5);
    svg_put(s, "%.*f", fmod(tenths, 10) != 0 ? 1 : 0, tenths != 0 ? tenths / 10 : 0.0);
}

void svg_at(struct svg *s, const char *name, double x)
{
    svg_put(s, " %s=\"", name);
    svg_number(s, x);
    svg_put(s, "\"");
}

/* ---- text -------------------------------------------------------------- */

/* The next character as it is shown, and its columns. Returns how many bytes of text it was. */
static size_t next(const char *text, const char **shown, size_t *size, int *columns)
{
    uint32_t code;
    size_t used = ur__show_next(text, strlen(text), UR__SHOW_LINE, shown, size);
    ur__utf8_decode((const unsigned char *)*shown, *size, &code);
    *columns = ui_columns(code);
    return used;
}

int svg_columns(const char *text)
{
    int all = 0, columns;
    const char *shown;
    size_t size;
    for (; *text != '\0'; all += columns)
        text += next(text, &shown, &size, &columns);
    return all;
}

static void put_character(struct svg *s, const char *shown, size_t size)
{
    switch (*shown) {
    case '&': puts_all(s, "&amp;"); break;
    case '<': puts_all(s, "&lt;"); break;
    case '>': puts_all(s, "&gt;"); break;
    case '"': puts_all(s, "&quot;"); break;
    default:
        if (s->status == UR_OK)
            keep(s, ur__buf_put(&s->out, shown, size));
    }
}

void svg_escape(struct svg *s, const char *text, int columns)
{
    bool cut = columns > 0 && svg_columns(text) > columns;
    for (int left = cut ? columns - 1 : 0, wide; *text != '\0'; left -= wide) {
        const char *shown;
        size_t size, used = next(text, &shown, &size, &wide);
        if (cut && wide > left)
            break;
        put_character(s, shown, size);
        text += used;
    }
    if (cut)
        puts_all(s, "…");
}

static void begin_text(struct svg *s, const struct svg_text *at)
{
    svg_put(s, "<text");
    svg_at(s, "x", at->x);
    svg_at(s, "y", at->y);
    svg_put(s, " class=\"%s\"", at->class != NULL ? at->class : "ink");
    if (at->anchor != NULL)
        svg_put(s, " text-anchor=\"%s\"", at->anchor);
    if (at->size > 0)
        svg_at(s, "font-size", at->size);
    if (at->bold)
        svg_put(s, " font-weight=\"bold\"");
    if (at->mono)
        svg_put(s, " font-family=\"monospace\"");
    if (at->turn != 0) {
        svg_put(s, " transform=\"rotate(%g ", at->turn);
        svg_number(s, at->x);
        svg_put(s, " ");
        svg_number(s, at->y);
        svg_put(s, ")\"");
    }
    svg_put(s, ">");
}

void svg_text(struct svg *s, const struct svg_text *at, const char *text)
{
    begin_text(s, at);
    svg_escape(s, text, at->columns);
    svg_put(s, "</text>\n");
}

/* Without the zeros at the end of a fraction. */
static void trim(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '0')
        n--;
    text[n - (n > 0 && text[n - 1] == '.')] = '\0';
}

void svg_value(struct svg *s, const struct svg_text *at, double value)
{
    char text[64];
    begin_text(s, at);
    if (value == 0 || (fabs(value) >= 1e-3 && fabs(value) < 1e6)) {
        ur__format(text, sizeof text, "%.10f", value);
        trim(text);
        svg_put(s, "%s</text>\n", text);
        return;
    }
    ur__format(text, sizeof text, "%e", value);
    char *exponent = strchr(text, 'e');
    int64_t power = 0;
    *exponent = '\0';
    ur__parse_int(exponent + 1, &power);
    trim(text);
    svg_put(s, "%s%s10<tspan dy=\"-4\" font-size=\"9\">%lld</tspan></text>\n",
            strcmp(text, "1") == 0 ? "" : text, strcmp(text, "1") == 0 ? "" : "·",
            (long long)power);
}

/* A line of a path from (x,y), 'h' or 'v', so long. */
static void put_line(struct svg *s, double x, double y, char way, double length)
{
    svg_put(s, "M");
    svg_number(s, x);
    svg_put(s, " ");
    svg_number(s, y);
    svg_put(s, "%c", way);
    svg_number(s, length);
}

void svg_grid(struct svg *s, const struct svg_cells *c)
{
    const double width = c->columns * c->side, height = c->rows * c->side;
    svg_put(s, "<path class=\"grid\" d=\"");
    for (int i = 1; i < c->rows || i < c->columns; i++) {
        if (i < c->rows)
            put_line(s, c->left, c->top + i * c->side, 'h', width);
        if (i < c->columns)
            put_line(s, c->left + i * c->side, c->top, 'v', height);
    }
    svg_put(s, "\"/>\n<rect class=\"frame\"");
    svg_at(s, "x", c->left);
    svg_at(s, "y", c->top);
    svg_at(s, "width", width);
    svg_at(s, "height", height);
    svg_put(s, "/>\n");
}

/* ---- the file ---------------------------------------------------------- */

void svg_begin(struct svg *s, double width, double height)
{
    *s = (struct svg){.status = UR_OK};
    width = ceil(width);
    height = ceil(height);
    svg_put(s, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
            "width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"12\">\n",
            width, height, width, height);
    puts_all(s, style);
    svg_put(s, "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n");
}

void svg_end(struct svg *s)
{
    svg_put(s, "</svg>\n");
}
