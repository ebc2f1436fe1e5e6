/* SPDX-License-Identifier: MIT */
/*
 * An alignment (Bahdanau, Cho and Bengio 2015, figure 3): a row for each token that was made, a
 * column for each of the source. A cell is as dark as the share of it that the row looked at.
 */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/plot.h"

enum { MOST_TOKENS = 400, LABEL_COLUMNS = 24, ROOM = 16, FONT = 13 };

static bool is_alignment(const struct ur__json *j)
{
    return ur__json_get(j, "alignment") != NULL;
}

/* ---- reading ----------------------------------------------------------- */

/* Tokens, [rows] and [columns], and how much one looked at another. */
struct alignment {
    const struct ur__json *made, *tokens, *rows;
    int n_rows, n_columns;
};

static const char *token_at(const struct ur__json *tokens, int i)
{
    const char *text = NULL;
    ur__json_get_string(ur__json_at(tokens, (size_t)i), "text", &text);
    return text;
}

static double share_at(const struct alignment *a, int row, int column)
{
    double x = -1;
    ur__json_real(ur__json_at(ur__json_at(a->rows, (size_t)row), (size_t)column), &x);
    return x;
}

static ur_status check(const struct alignment *a, const char *place)
{
    bool sound = ur__json_is_array(a->made) && ur__json_is_array(a->tokens) &&
        ur__json_is_array(a->rows) && ur__json_size(a->rows) == ur__json_size(a->made) &&
        a->n_rows > 0 && a->n_columns > 0;
    for (int i = 0; i < a->n_rows && sound; i++)
        sound = token_at(a->made, i) != NULL;
    for (int k = 0; k < a->n_columns && sound; k++)
        sound = token_at(a->tokens, k) != NULL;
    for (int i = 0; i < a->n_rows && sound; i++)
        for (int k = 0; k < a->n_columns && sound; k++)
            sound = share_at(a, i, k) >= 0 && share_at(a, i, k) <= 1.001;
    return sound ? UR_OK : ur__fail(UR_EDATA, "%s: \"alignment\" is no list of shares in [0,1] of "
                                    "each of \"tokens\" for each of \"made\"", place);
}

static ur_status read_answer(struct alignment *a, const struct ur__json *j, const char *place)
{
    *a = (struct alignment){ur__json_get(j, "made"), ur__json_get(j, "tokens"),
                            ur__json_get(j, "alignment"), 0, 0};
    const size_t rows = ur__json_size(a->made), columns = ur__json_size(a->tokens);
    if (rows > MOST_TOKENS || columns > MOST_TOKENS)
        return ur__fail(UR_EDATA, "%s: %zu tokens of %zu are too many to be drawn: at most %d",
                        place, rows, columns, MOST_TOKENS);
    a->n_rows = (int)rows;
    a->n_columns = (int)columns;
    return check(a, place);
}

/* ---- drawing ----------------------------------------------------------- */

struct layout {
    double cell, left, top;
    bool turned;                /* the column's labels */
};

static int widest(const struct ur__json *tokens, int n)
{
    int most = 1;
    for (int i = 0; i < n; i++) {
        int columns = svg_columns(token_at(tokens, i));
        most = columns > most ? columns : most;
    }
    return most < LABEL_COLUMNS ? most : LABEL_COLUMNS;
}

static struct layout lay_out(const struct alignment *a, bool title)
{
    struct layout l = {.cell = a->n_rows > 60 || a->n_columns > 60 ? 14 : 24};
    const int above = widest(a->tokens, a->n_columns), beside = widest(a->made, a->n_rows);
    l.turned = widest(a->tokens, a->n_columns - 1) > 2;     /* the last is the end */
    l.left = ROOM + FONT * SVG_MONO * beside + 8;
    l.top = (title ? 34 : ROOM) + (l.turned ? FONT * SVG_MONO * above : FONT) + 8;
    return l;
}

static void put_cell(struct svg *s, const struct alignment *a, const struct layout *l, int i, int k)
{
    const double share = share_at(a, i, k);
    if (share < 0.0005)
        return;
    svg_put(s, "<g><title>");
    svg_escape(s, token_at(a->made, i), 0);
    svg_put(s, " looked at ");
    svg_escape(s, token_at(a->tokens, k), 0);
    svg_put(s, ": %.1f %%</title><rect class=\"heat\"", 100 * share);
    svg_at(s, "x", l->left + k * l->cell);
    svg_at(s, "y", l->top + i * l->cell);
    svg_at(s, "width", l->cell);
    svg_at(s, "height", l->cell);
    svg_put(s, " fill-opacity=\"%.3f\"/></g>\n", share < 1 ? share : 1);
}

static void put_labels(struct svg *s, const struct alignment *a, const struct layout *l)
{
    const double size = l->cell < FONT + 2 ? l->cell - 3 : FONT;
    for (int i = 0; i < a->n_rows; i++)
        svg_text(s, &(struct svg_text){.x = l->left - 6,
                                       .y = l->top + (i + 0.5) * l->cell + 0.36 * size,
                                       .anchor = "end", .size = size, .mono = true,
                                       .columns = LABEL_COLUMNS}, token_at(a->made, i));
    for (int k = 0; k < a->n_columns; k++) {
        const double middle = l->left + (k + 0.5) * l->cell;
        struct svg_text t = {.x = middle, .y = l->top - 8, .anchor = "middle", .size = size,
                             .mono = true, .columns = LABEL_COLUMNS};
        if (l->turned)
            t = (struct svg_text){.x = middle + 0.36 * size, .y = l->top - 6, .size = size,
                                  .mono = true, .turn = -90, .columns = LABEL_COLUMNS};
        svg_text(s, &t, token_at(a->tokens, k));
    }
}

static ur_status draw_answer(const struct ur__json *answer, const char *place, const char *title,
                             struct svg *s)
{
    struct alignment a;
    UR__TRY(read_answer(&a, answer, place));
    const struct layout l = lay_out(&a, title[0] != '\0');
    double width = l.left + a.n_columns * l.cell + ROOM;
    const double words = 2 * ROOM + 12 * SVG_LETTER * svg_columns(title);
    svg_begin(s, width > words ? width : words, l.top + a.n_rows * l.cell + ROOM);
    if (title[0] != '\0')
        svg_text(s, &(struct svg_text){.x = ROOM, .y = 20, .bold = true}, title);
    for (int i = 0; i < a.n_rows; i++)
        for (int k = 0; k < a.n_columns; k++)
            put_cell(s, &a, &l, i, k);
    svg_grid(s, &(struct svg_cells){l.left, l.top, l.cell, a.n_rows, a.n_columns});
    put_labels(s, &a, &l);
    svg_end(s);
    return s->status;
}

/* ---- as a kind of figure ----------------------------------------------- */

struct inside {
    struct ur__json *answer;
    char place[128];
    long long more;
};

static ur_status alignment_take(struct plot *p, struct ur__json *j)
{
    struct inside *in = p->inside;
    if (in->answer != NULL) {
        in->more++;
        ur__json_free(j);
        return UR_OK;
    }
    in->answer = j;
    snprintf(in->place, sizeof in->place, "%.120s", plot_place(p));
    return UR_OK;
}

static ur_status alignment_plot(struct plot *p, struct svg *s)
{
    const struct inside *in = p->inside;
    UR__TRY(draw_answer(in->answer, in->place, p->options->title, s));
    if (in->more > 0)
        ui_say(&p->ui, "unroll: the first of %lld alignments is drawn", 1 + in->more);
    return UR_OK;
}

static void alignment_close(void *inside)
{
    ur__json_free(((struct inside *)inside)->answer);
}

const struct plot_kind plot_alignment = {
    .name = "a translation with its alignment",
    .size = sizeof(struct inside),
    .is = is_alignment,
    .take = alignment_take,
    .draw = alignment_plot,
    .close = alignment_close,
};
