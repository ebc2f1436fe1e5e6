/* SPDX-License-Identifier: MIT */
/* A step a line: numbers and a label, separated by commas, semicolons, tabs or blanks; a blank line
 * between sequences. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/formats.h"
#include "data/table.h"

struct reading {
    struct ur__intake *in;
    struct ur__table table;
    int label;              /* column; -1: none */
    int64_t first;          /* line of the sequence at hand */
    float *frame;
};

/* Are all fields of a line but one numbers, of two or more? */
static bool is_row(const char *line)
{
    char separator = ur__cells_separator(line);
    int fields = 0, numbers = 0;
    for (const char *s = line; *s && *s != '\n'; fields++) {
        char field[64];
        size_t n = 0;
        float value;
        for (; *s && *s != '\n' && *s != separator; s++) {
            if (n < sizeof field - 1)
                field[n++] = *s;
        }
        field[n] = '\0';
        numbers += ur__cell_is_number((struct ur__cell){field, n}, &value);
        s += *s == separator;
        while (separator == UR__BLANKS && *s == ' ')
            s++;
    }
    return fields >= 2 && numbers >= fields - 1;
}

/* The first line may have names. */
static bool is_frames(const char *head, size_t n, bool tagged)
{
    (void)n;
    (void)tagged;
    for (int i = 0; i < 2; i++) {
        if (is_row(head))
            return true;
        head += strcspn(head, "\n");
        head += *head == '\n';
    }
    return false;
}

/* Where labels are not wanted, a column more than the numbers that are has them. */
static bool has_labels(const struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    if (!rule->unlabelled)
        return true;
    if (ur__is_no_column(rule->column))
        return false;
    return rule->features > 0 ? r->table.columns == rule->features + 1 : rule->column != NULL;
}

static ur_status find_columns(struct reading *r)
{
    const struct ur__table *t = &r->table;
    r->label = -1;
    if (has_labels(r))
        UR__TRY(ur__table_column(t, r->in->rule->column, t->columns - 1, &r->label));
    int width = t->columns - (r->label >= 0);
    if (width < 1)
        return ur__lines_fail(t->lines, "there is nothing beside the label");
    r->frame = ur__alloc((size_t)width, sizeof *r->frame);
    if (!r->frame)
        return UR_ENOMEM;
    return ur__take_kind(r->in, UR_CONTENT_FRAMES, width);
}

static ur_status take_row(struct reading *r)
{
    struct ur__intake *in = r->in;
    const struct ur__cells *row = r->table.row;
    int n = 0;
    if (in->steps == 0)
        r->first = in->lines.number;
    for (int i = 0; i < row->n; i++) {
        if (i != r->label)
            UR__TRY(ur__cells_number(row, &in->lines, i, &r->frame[n++]));
    }
    UR__TRY(ur__take_frames(in, 1, r->frame));
    const struct ur__cell *label = r->label < 0 ? NULL : &row->cell[r->label];
    return label ? ur__take_named_tag(in, label->text, label->n) : UR_OK;
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    r->in = in;
    return ur__table_open(&r->table, in, false, true);
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    for (bool blank; ; ) {
        UR__TRY(ur__table_next(&r->table, more, &blank));
        if (*more && !blank) {
            if (!r->frame)
                UR__TRY(find_columns(r));
            UR__TRY(take_row(r));
        } else if (r->in->steps > 0) {
            *more = true;       /* this one; the next call says whether there is another */
            return ur__take_end(r->in, r->first, -1, -1);
        } else if (!*more) {
            return UR_OK;
        }
    }
}

static void end(void *reader)
{
    struct reading *r = reader;
    ur__table_close(&r->table);
    ur__free(r->frame);
}

static const char *const own_options[] = {"column", "header", NULL};
static const char *const endings[] = {".csv", NULL};
const struct ur__format ur__format_frames = {
    .name = "frames", .what = "numbers and a label a line, blank lines between sequences",
    .endings = endings, .options = own_options, .tagged = true, .is = is_frames,
    .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
