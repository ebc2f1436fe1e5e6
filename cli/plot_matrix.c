/* SPDX-License-Identifier: MIT */
/*
 * A confusion matrix: a row for each true label, a column for each answer. A cell is shaded by its
 * share of the row, from the page's colour to a dark (on a dark page: light) blue: one hue, told
 * apart by its lightness alone. Cells say how many they are, and more under a pointer.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/plot.h"

enum { MOST_LABELS = 256, LABEL_COLUMNS = 24, MOST_TITLE = 80, ROOM = 16 };

struct matrix {
    struct ur__json *document;
    int n;
    const char *label[MOST_LABELS];
    double *count;                      /* [n,n] */
    double row[MOST_LABELS];            /* sums */
    double all, right;
    char place[128];
};

static bool is_matrix(const struct ur__json *j)
{
    return ur__json_get(j, "confusion") != NULL;
}

/* ---- reading ----------------------------------------------------------- */

static ur_status take_labels(struct matrix *m, const struct ur__json *labels)
{
    size_t n = ur__json_size(labels);
    if (!ur__json_is_array(labels) || n < 1 || n > MOST_LABELS)
        return ur__fail(UR_EDATA, "%s: \"labels\" is no list of 1 to %d texts", m->place,
                        MOST_LABELS);
    for (size_t i = 0; i < n; i++)
        if (!ur__json_string(ur__json_at(labels, i), &m->label[i]))
            return ur__fail(UR_EDATA, "%s: label %zu is no text", m->place, i + 1);
    m->n = (int)n;
    return UR_OK;
}

static ur_status take_row(struct matrix *m, int i, const struct ur__json *row)
{
    bool sound = ur__json_is_array(row) && ur__json_size(row) == (size_t)m->n;
    for (int k = 0; k < m->n && sound; k++) {
        double *count = &m->count[i * m->n + k];
        sound = ur__json_real(ur__json_at(row, (size_t)k), count) && *count >= 0 && *count <= 1e15;
        m->row[i] += sound ? *count : 0;
    }
    m->all += m->row[i];
    m->right += m->count[i * m->n + i];
    return sound ? UR_OK : ur__fail(UR_EDATA, "%s: row %d of \"confusion\" is no list of %d counts",
                                    m->place, i + 1, m->n);
}

static ur_status read_table(struct matrix *m)
{
    const struct ur__json *rows = ur__json_get(m->document, "confusion");
    UR__TRY(take_labels(m, ur__json_get(m->document, "labels")));
    if (!ur__json_is_array(rows) || ur__json_size(rows) != (size_t)m->n)
        return ur__fail(UR_EDATA, "%s: \"confusion\" has not a row for each of the %d labels",
                        m->place, m->n);
    m->count = ur__calloc((size_t)m->n * (size_t)m->n, sizeof *m->count);
    if (m->count == NULL)
        return UR_ENOMEM;
    for (int i = 0; i < m->n; i++)
        UR__TRY(take_row(m, i, ur__json_at(rows, (size_t)i)));
    return UR_OK;
}

static ur_status matrix_take(struct plot *p, struct ur__json *j)
{
    struct matrix *m = p->inside;
    if (m->document != NULL) {
        ur__json_free(j);
        return ur__fail(UR_EDATA, "%s is a second confusion matrix: draw one at a time",
                        plot_place(p));
    }
    m->document = j;
    snprintf(m->place, sizeof m->place, "%.120s", plot_place(p));
    return read_table(m);
}

static void matrix_close(void *inside)
{
    struct matrix *m = inside;
    ur__json_free(m->document);
    ur__free(m->count);
}

/* ---- drawing ----------------------------------------------------------- */

/* Sizes that follow from the labels, in pixels. */
struct layout {
    double cell, font;          /* of cells; of labels */
    double left, top, below;    /* what the cells leave free */
    double right;
    bool shares;
};

static struct layout lay_out(const struct matrix *m, bool title, bool shares)
{
    struct layout l = {.shares = shares};
    int most = 1;
    for (int i = 0; i < m->n; i++) {
        int columns = svg_columns(m->label[i]);
        most = columns > most ? columns : most;
    }
    most = most < LABEL_COLUMNS ? most : LABEL_COLUMNS;
    l.cell = floor(m->n <= 4 ? 56 : m->n <= 12 ? 40 : m->n <= 24 ? 32 : m->n <= 48 ? 22 : 12);
    l.font = l.cell >= 32 ? 12 : l.cell >= 22 ? 11 : 8;
    double words = l.font * SVG_LETTER * most;
    l.left = 34 + words + 6;
    l.top = title ? 54 : 34;
    l.below = words + 8 + 32;
    l.right = l.font * SVG_LETTER * 7 + 12;     /* for "123,456" */
    return l;
}

/* What a cell says of itself, and in how many columns. */
static int cell_text(char text[UI_NUMBER], double count, double share, bool shares)
{
    if (!shares)
        snprintf(text, UI_NUMBER, "%.0f", count);
    else if (share < 0.005)
        snprintf(text, UI_NUMBER, "<1");
    else
        snprintf(text, UI_NUMBER, "%.0f", 100 * share);
    return (int)strlen(text);
}

static void put_cell(struct svg *s, const struct matrix *m, const struct layout *l, int i, int k)
{
    char text[UI_NUMBER], told[64], n[UI_NUMBER];
    double count = m->count[i * m->n + k], share = m->row[i] > 0 ? count / m->row[i] : 0;
    double x = l->left + k * l->cell, y = l->top + i * l->cell;
    if (!(count > 0))
        return;
    svg_put(s, "<g>");
    svg_put(s, "<title>");
    svg_escape(s, m->label[i], 0);
    svg_put(s, " taken for ");
    svg_escape(s, m->label[k], 0);
    snprintf(told, sizeof told, ": %s, %.1f %% of the row", ui_count(n, count), 100 * share);
    svg_escape(s, told, 0);
    svg_put(s, "</title><rect class=\"heat\"");
    svg_at(s, "x", x);
    svg_at(s, "y", y);
    svg_at(s, "width", l->cell);
    svg_at(s, "height", l->cell);
    svg_put(s, " fill-opacity=\"%.3f\"/>", share);
    int columns = cell_text(text, count, share, l->shares);
    double size = (l->cell - 3) / (SVG_LETTER * columns);
    size = size < l->font ? size : l->font;
    svg_text(s, &(struct svg_text){.x = x + l->cell / 2, .y = y + l->cell / 2 + 0.36 * size,
                                   .anchor = "middle", .size = size,
                                   .class = share > SVG_DEEP ? "high" : "low"}, text);
    svg_put(s, "</g>\n");
}

/* Names of rows and columns, and how many each row has. */
static void put_labels(struct svg *s, const struct matrix *m, const struct layout *l)
{
    const double side = l->cell * m->n;
    char n[UI_NUMBER];
    for (int i = 0; i < m->n; i++) {
        double at = (i + 0.5) * l->cell;
        struct svg_text t = {.x = l->left - 6, .y = l->top + at + 0.36 * l->font, .anchor = "end",
                             .size = l->font, .columns = LABEL_COLUMNS};
        svg_text(s, &t, m->label[i]);
        t = (struct svg_text){.x = l->left + side + 6, .y = t.y, .size = l->font, .class = "dim"};
        svg_text(s, &t, ui_count(n, m->row[i]));
        t = (struct svg_text){.x = l->left + at + 0.36 * l->font, .y = l->top + side + 8,
                              .anchor = "end", .size = l->font, .turn = -90,
                              .columns = LABEL_COLUMNS};
        svg_text(s, &t, m->label[i]);
    }
}

static void put_words(struct svg *s, const struct matrix *m, const struct layout *l,
                      const char *title)
{
    char text[128], right[UI_NUMBER], all[UI_NUMBER];
    const double middle = l->cell * m->n / 2;
    if (title[0] != '\0')
        svg_text(s, &(struct svg_text){.x = ROOM, .y = 20, .bold = true, .columns = MOST_TITLE},
                 title);
    snprintf(text, sizeof text, "%s of %s right, %.2f %%; shade: share of the row",
             ui_count(right, m->right), ui_count(all, m->all),
             m->all > 0 ? 100 * m->right / m->all : 0.0);
    svg_text(s, &(struct svg_text){.x = ROOM, .y = l->top - 14, .class = "dim"}, text);
    svg_text(s, &(struct svg_text){.x = l->left + middle, .y = l->top + 2 * middle + l->below - 10,
                                   .anchor = "middle"}, "answer");
    svg_text(s, &(struct svg_text){.x = 18, .y = l->top + middle, .anchor = "middle",
                                   .turn = -90}, "truth");
}

static ur_status matrix_draw(struct plot *p, struct svg *s)
{
    const struct matrix *m = p->inside;
    const char *title = p->options->title;
    struct layout l = lay_out(m, title[0] != '\0', p->options->shares);
    int columns = svg_columns(title);
    columns = columns < MOST_TITLE ? columns : MOST_TITLE;
    double width = l.left + l.cell * m->n + l.right, words = 12 * SVG_BOLD * columns;
    words = words > 350 ? words : 350;
    width = width > words + 2 * ROOM ? width : words + 2 * ROOM;
    svg_begin(s, width, l.top + l.cell * m->n + l.below);
    for (int i = 0; i < m->n; i++)
        for (int k = 0; k < m->n; k++)
            put_cell(s, m, &l, i, k);
    svg_grid(s, &(struct svg_cells){l.left, l.top, l.cell, m->n, m->n});
    put_labels(s, m, &l);
    put_words(s, m, &l, title);
    svg_end(s);
    return UR_OK;
}

const struct plot_kind plot_matrix = {
    .name = "a confusion matrix",
    .group = "confusion matrices",
    .size = sizeof(struct matrix),
    .is = is_matrix,
    .take = matrix_take,
    .draw = matrix_draw,
    .close = matrix_close,
};
