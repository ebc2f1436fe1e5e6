/* SPDX-License-Identifier: MIT */
/* CoNLL's columns: a token a line, its columns separated by tabs or else by blanks, the token first
 * and the label last; a blank line between sentences. Lines that begin with -DOCSTART- are no
 * sentences and are left out. */
#include <string.h>

#include "base/status.h"
#include "data/cells.h"
#include "data/formats.h"

struct reading {
    struct ur__intake *in;
    struct ur__cells row;
    int columns, token, label;  /* places; label -1: none */
    int64_t first;              /* line of the sentence at hand */
};

static bool is_conll(const char *head, size_t n, bool tagged)
{
    (void)n;
    (void)tagged;
    head += strspn(head, "\n");
    size_t word = strcspn(head, " \t\n");
    return word && (head[word] == ' ' || head[word] == '\t');
}

static ur_status find_columns(struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    const struct ur__lines *l = &r->in->lines;
    r->columns = r->row.n;
    const bool alone = r->columns == 1;     /* it is the token, whatever it was in training */
    r->label = rule->unlabelled ? -1 : r->columns - 1;
    if (alone && !rule->unlabelled)
        return ur__lines_fail(l, "there is no label beside the token");
    if (rule->text && !alone)
        UR__TRY(ur__cells_column(NULL, r->columns, rule->text, l, &r->token));
    if (rule->column && !rule->unlabelled)
        UR__TRY(ur__cells_column(NULL, r->columns, rule->column, l, &r->label));
    if (r->label == r->token)
        return ur__lines_fail(l, "there is no label beside the token");
    return ur__take_kind(r->in, UR_CONTENT_TOKENS, 1);
}

static ur_status take_line(struct reading *r)
{
    struct ur__intake *in = r->in;
    struct ur__lines *l = &in->lines;
    r->row.separator = strchr(l->text, '\t') ? '\t' : UR__BLANKS;
    UR__TRY(ur__cells_split(&r->row, l, false));
    if (!r->columns)
        UR__TRY(find_columns(r));
    if (r->row.n != r->columns)
        return ur__lines_fail(l, "%d columns where the first token has %d", r->row.n, r->columns);
    const struct ur__cell *token = &r->row.cell[r->token];
    if (in->steps == 0)
        r->first = l->number;
    UR__TRY(ur__take_token(in, token->text, token->n));
    const struct ur__cell *label = r->label < 0 ? NULL : &r->row.cell[r->label];
    return label ? ur__take_named_tag(in, label->text, label->n) : UR_OK;
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    ((struct reading *)reader)->in = in;
    return UR_OK;
}

static ur_status next(void *reader, bool *more)
{
    static const char docstart[] = "-DOCSTART-";
    struct reading *r = reader;
    struct ur__lines *l = &r->in->lines;
    for (;;) {
        UR__TRY(ur__lines_next(l, more));
        bool skip = *more && strncmp(l->text, docstart, sizeof docstart - 1) == 0;
        if (*more && !skip && !ur__lines_blank(l)) {
            UR__TRY(take_line(r));
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
    ur__cells_free(&((struct reading *)reader)->row);
}

static const char *const own_options[] = {"column", "text-column", NULL};
static const char *const endings[] = {".conll", ".iob", ".bio", NULL};
const struct ur__format ur__format_conll = {
    .name = "conll", .what = "a token and its label a line, blank lines between sentences",
    .endings = endings, .options = own_options, .tagged = true, .is = is_conll,
    .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
