/* SPDX-License-Identifier: MIT */
/* label<TAB>text, an example a line; all after the first tab is text. */
#include <string.h>

#include "base/status.h"
#include "data/cells.h"
#include "data/formats.h"

static bool is_text(const char *head, size_t n, bool tagged)
{
    (void)n;
    (void)tagged;
    return ur__cells_separator(head) == '\t';
}

struct reading {
    struct ur__intake *in;
};

static ur_status begin(void *reader, struct ur__intake *in)
{
    bool more;
    ((struct reading *)reader)->in = in;
    if (in->rule->header == UR_HEADER_YES)
        UR__TRY(ur__lines_next(&in->lines, &more));     /* the names: there is nothing to choose */
    return ur__take_kind(in, UR_CONTENT_TEXTS, 1);
}

static ur_status take_line(struct ur__intake *in)
{
    const struct ur__lines *l = &in->lines;
    const char *tab = strchr(l->text, '\t'), *text = tab ? tab + 1 : l->text;
    bool labelled = !in->rule->unlabelled;
    int32_t label = -1;
    if (labelled && !tab)
        return ur__lines_fail(l, "there is no tab between a label and a text");
    if (labelled)
        UR__TRY(ur__take_label(in, l->text, (size_t)(tab - l->text), &label));
    UR__TRY(ur__take_text(in, text, l->n - (size_t)(text - l->text)));
    return ur__take_end(in, l->number, label, -1);
}

static ur_status next(void *reader, bool *more)
{
    struct ur__intake *in = ((struct reading *)reader)->in;
    UR__TRY(ur__lines_next_filled(&in->lines, more));
    return *more ? take_line(in) : UR_OK;
}

static void end(void *reader)
{
    (void)reader;
}

static const char *const own_options[] = {"header", NULL};
static const char *const endings[] = {".tsv", NULL};
const struct ur__format ur__format_text = {
    .name = "text", .what = "label<TAB>text, one a line", .endings = endings,
    .options = own_options, .one = true, .is = is_text,
    .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
