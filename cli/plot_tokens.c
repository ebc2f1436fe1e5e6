/* SPDX-License-Identifier: MIT */
/*
 * Explained answers: each line's answer, and its tokens shaded by their weights. Weights add up to
 * 1 over a line, so those of a long line are small: the shade is the weight beside the largest of
 * its line.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/plot.h"

enum {
    MOST_ANSWERS = 100,
    WIDTH = 760, SIDE = 16,             /* of the figure; left free at both sides */
    SIZE = 13, ROW = 24, BOX = 20, GAP = 4,
    BETWEEN = 14,                       /* answers */
    MOST_COLUMNS = 90                   /* of a token */
};
#define COLUMN (SIZE * SVG_MONO)

struct answers {
    struct ur__json *at[MOST_ANSWERS];
    int n;
    long long more;                     /* which are not drawn */
};

static bool is_answer(const struct ur__json *j)
{
    return ur__json_get(j, "line") != NULL || ur__json_is_array(ur__json_get(j, "tokens"));
}

/* ---- reading ----------------------------------------------------------- */

static bool token_of(const struct ur__json *tokens, size_t i, const char **text, double *weight)
{
    const struct ur__json *one = ur__json_at(tokens, i);
    return ur__json_get_string(one, "text", text) && ur__json_get_real(one, "weight", weight) &&
           *weight >= 0 && *weight <= 1e100;
}

static ur_status check(const struct plot *p, const struct ur__json *j)
{
    const struct ur__json *tokens = ur__json_get(j, "tokens");
    const char *text;
    double weight;
    for (size_t i = 0; i < ur__json_size(tokens); i++) {
        if (i == 0 && ur__json_get(ur__json_at(tokens, i), "weight") == NULL)
            tokens = NULL;      /* those of a tagger */
        else if (!token_of(tokens, i, &text, &weight))
            return ur__fail(UR_EDATA, "%s: token %zu is no \"text\" with a \"weight\" of at least "
                            "0", plot_place(p), i + 1);
    }
    return ur__json_size(tokens) > 0 ? UR_OK
        : ur__fail(UR_EDATA, "%s: the answer has no tokens with weights: use unroll predict "
                   "--explain --json", plot_place(p));
}

static ur_status tokens_take(struct plot *p, struct ur__json *j)
{
    struct answers *a = p->inside;
    ur_status status = check(p, j);
    if (status != UR_OK || a->n == MOST_ANSWERS) {
        a->more += status == UR_OK;
        ur__json_free(j);
        return status;
    }
    a->at[a->n++] = j;
    return UR_OK;
}

static void tokens_close(void *inside)
{
    struct answers *a = inside;
    for (int i = 0; i < a->n; i++)
        ur__json_free(a->at[i]);
}

/* ---- where tokens stand ------------------------------------------------ */

/* Tokens one after the other, in rows. */
struct flow {
    const struct ur__json *tokens;
    bool letters;               /* no space between */
    double largest;
    double x, y;                /* of the next one's box */
};

static int code_points(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static struct flow flow_of(const struct ur__json *tokens, double y)
{
    struct flow f = {.tokens = tokens, .letters = true, .x = SIDE, .y = y};
    const char *text = "";
    double weight = 0;
    for (size_t i = 0; token_of(tokens, i, &text, &weight); i++) {
        f.letters &= code_points(text) <= 1;
        f.largest = weight > f.largest ? weight : f.largest;
    }
    return f;
}

/* Gives a token its box and goes on. Returns the box's width; *x and *y: its corner. */
static double place(struct flow *f, const char *text, double *x, double *y)
{
    int columns = svg_columns(text);
    columns = columns < 1 ? 1 : columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
    double width = COLUMN * columns + (f->letters ? 0 : 6);
    if (f->x > SIDE && f->x + width > WIDTH - SIDE) {
        f->x = SIDE;
        f->y += ROW;
    }
    *x = f->x;
    *y = f->y;
    f->x += width + (f->letters ? 0 : GAP);
    return width;
}

static void put_token(struct svg *s, struct flow *f, const char *text, double weight)
{
    double x, y, width = place(f, text, &x, &y);
    double shade = f->largest > 0 ? weight / f->largest : 0;
    svg_put(s, "<g><title>weight %.4g</title><rect class=\"heat\"", weight);
    svg_at(s, "x", x);
    svg_at(s, "y", y);
    svg_at(s, "width", width);
    svg_at(s, "height", BOX);
    svg_put(s, "%s fill-opacity=\"%.3f\"/>", f->letters ? "" : " rx=\"3\"", shade);
    svg_text(s, &(struct svg_text){.x = x + width / 2, .y = y + 14.5, .anchor = "middle",
                                   .size = SIZE, .mono = true, .columns = MOST_COLUMNS,
                                   .class = shade > SVG_DEEP ? "high" : "low"}, text);
    svg_put(s, "</g>\n");
}

/* ---- the figure -------------------------------------------------------- */

/* The likeliest label and its probability, as "pos  93 %"; "" if it has none. */
static void answer_text(const struct ur__json *j, char *text, size_t n)
{
    const struct ur__json *best =
        ur__json_at(ur__json_get(ur__json_at(ur__json_get(j, "labels"), 0), "best"), 0);
    const char *label = "";
    double p = -1;
    text[0] = '\0';
    if (!ur__json_get_string(best, "text", &label) && !ur__json_get_string(j, "line", &label))
        return;
    bool share = ur__json_get_real(best, "p", &p) && p >= 0 && p <= 1;
    if (share)
        snprintf(text, n, "%.200s  %.1f %%", label, 100 * p);
    else
        snprintf(text, n, "%.200s", label);
}

/* Draws an answer from y on, or (s NULL) only measures it. Returns where it ends. */
static double put_answer(struct svg *s, const struct ur__json *j, double y)
{
    char label[256];
    const char *text;
    double weight, x, at;
    answer_text(j, label, sizeof label);
    if (s != NULL)
        svg_text(s, &(struct svg_text){.x = SIDE, .y = y + 14, .bold = true, .columns = 90}, label);
    struct flow f = flow_of(ur__json_get(j, "tokens"), y + (label[0] != '\0' ? ROW - 2 : 0));
    for (size_t i = 0; token_of(f.tokens, i, &text, &weight); i++)
        if (s != NULL)
            put_token(s, &f, text, weight);
        else
            place(&f, text, &x, &at);
    return f.y + ROW;
}

static ur_status tokens_draw(struct plot *p, struct svg *s)
{
    const struct answers *a = p->inside;
    const char *title = p->options->title;
    double top = title[0] != '\0' ? 40 : SIDE, y = top;
    for (int i = 0; i < a->n; i++)
        y = put_answer(NULL, a->at[i], y) + BETWEEN;
    svg_begin(s, WIDTH, y + 18);
    if (title[0] != '\0')
        svg_text(s, &(struct svg_text){.x = SIDE, .y = 22, .size = 13, .bold = true,
                                       .columns = (int)((WIDTH - 2 * SIDE) / (13 * SVG_BOLD))},
                 title);
    y = top;
    for (int i = 0; i < a->n; i++)
        y = put_answer(s, a->at[i], y) + BETWEEN;
    svg_text(s, &(struct svg_text){.x = SIDE, .y = y + 4, .size = 11, .class = "dim"},
             "shade: a token's weight beside the largest of its line");
    svg_end(s);
    if (a->more > 0)
        ui_say(&p->ui, "unroll: the first %d of %lld answers are drawn", MOST_ANSWERS,
               MOST_ANSWERS + a->more);
    return UR_OK;
}

const struct plot_kind plot_tokens = {
    .name = "an answer with weights",
    .size = sizeof(struct answers),
    .is = is_answer,
    .take = tokens_take,
    .draw = tokens_draw,
    .close = tokens_close,
};
