/* SPDX-License-Identifier: MIT */
#include "cli/classes.h"

#include <string.h>

#include "base/status.h"
#include "cli/ui.h"

enum { LEAST_COLUMNS = 12, MOST_COLUMNS = 32 };     /* of a label */

/* A label as a terminal may be given it. */
static ur_status show(struct ur__buf *to, const char *label)
{
    to->size = 0;
    return ur__buf_show(to, label, strlen(label), UR__SHOW_LINE);
}

static int columns_of(const struct ur__buf *text)
{
    int columns = 0;
    for (size_t at = 0; at < text->size; ) {
        uint32_t code;
        at += (size_t)ur__utf8_decode((unsigned char *)text->data + at, text->size - at, &code);
        columns += ui_columns(code);
    }
    return columns;
}

static ur_status put_line(struct ur__buf *to, int blanks, const ur_class_score *s)
{
    char n[UI_NUMBER];
    return ur__buf_printf(to, "%*s %9.2f %9.2f %9.2f %9s\n", blanks, "", 100 * s->precision,
                          100 * s->recall, 100 * s->f1, ui_count(n, s->n));
}

/* Adds a label's score, which counts so much. */
static void add(ur_class_score *sum, const ur_class_score *s, double weight)
{
    sum->precision += weight * s->precision;
    sum->recall += weight * s->recall;
    sum->f1 += weight * s->f1;
    sum->n += weight;
}

static ur_status put_mean(struct ur__buf *to, const char *name, const ur_class_score *sum,
                          double n, int width)
{
    const double all = sum->n > 0 ? sum->n : 1;
    const ur_class_score mean = {.n = n, .precision = sum->precision / all,
                                 .recall = sum->recall / all, .f1 = sum->f1 / all};
    UR__TRY(ur__buf_puts(to, name));
    return put_line(to, width - (int)strlen(name), &mean);
}

static ur_status put_table(struct ur__buf *to, const ur_confusion *c, struct ur__buf *name)
{
    ur_class_score macro = {0}, weighted = {0};
    int width = LEAST_COLUMNS;
    for (int k = 0; k < c->n; k++) {
        UR__TRY(show(name, c->label[k]));
        int columns = columns_of(name);
        width = columns > width && columns <= MOST_COLUMNS ? columns : width;
    }
    UR__TRY(ur__buf_printf(to, "\n%-*s %9s %9s %9s %9s\n", width, "label", "precision", "recall",
                           "f1", "support"));
    for (int k = 0; k < c->n; k++) {
        const ur_class_score s = ur_class_score_of(c->count, c->n, k);
        UR__TRY(show(name, c->label[k]));
        int columns = columns_of(name);
        UR__TRY(ur__buf_put(to, name->data, name->size));
        UR__TRY(put_line(to, columns < width ? width - columns : 0, &s));
        add(&macro, &s, s.n + s.found > 0);     /* as ur_class_figures has it */
        add(&weighted, &s, s.n);
    }
    UR__TRY(put_mean(to, "macro", &macro, weighted.n, width));
    return put_mean(to, "weighted", &weighted, weighted.n, width);
}

ur_status classes_put(struct ur__buf *to, const ur_confusion *c)
{
    struct ur__buf name = {0};
    ur_status status = put_table(to, c, &name);
    ur__buf_free(&name);
    return status;
}
