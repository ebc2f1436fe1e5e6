/* SPDX-License-Identifier: MIT */
/* CoNLL-U: ten columns separated by tabs. Comments (#), the ranges of tokens that are written as
 * one (3-4) and empty nodes (8.1) are no tokens of the sentence and are left out. */
#include <string.h>

#include "base/status.h"
#include "data/cells.h"
#include "data/formats.h"

enum { COLUMNS = 10, FORM = 1, UPOS = 3 };
static const char *const columns[COLUMNS] = {
    "id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc",
};

struct reading {
    struct ur__intake *in;
    struct ur__cells row;
    int label;              /* place; -1: none */
    int64_t first, tokens;  /* of the sentence at hand: its line, its tokens so far */
};

static bool is_conllu(const char *head, size_t n, bool tagged)
{
    int tabs = 0;
    (void)n;
    (void)tagged;
    while (*head == '#') {
        head += strcspn(head, "\n");
        head += *head == '\n';
    }
    for (const char *s = head; *s && *s != '\n'; s++)
        tabs += *s == '\t';
    return tabs == COLUMNS - 1 && head[0] == '1' && (head[1] == '\t' || head[1] == '-');
}

static ur_status find_column(struct reading *r)
{
    const struct ur__read_rule *rule = r->in->rule;
    r->label = rule->unlabelled ? -1 : UPOS;
    if (rule->unlabelled || !rule->column)
        return UR_OK;
    r->label = ur__find_name(columns, COLUMNS, rule->column);
    return r->label >= 0 ? UR_OK : ur__cells_column(NULL, COLUMNS, rule->column, &r->in->lines,
                                                    &r->label);
}

/* "3": token 3; "3-4", "8.1": none. */
static ur_status look_at_id(struct reading *r, bool *is_token)
{
    const char *id = r->row.cell[0].text;
    size_t digits = strspn(id, "0123456789");
    const char *rest = id + digits + (id[digits] == '-' || id[digits] == '.');
    int64_t number;
    *is_token = !id[digits];
    if (digits && *rest && rest > id + digits && !rest[strspn(rest, "0123456789")])
        return UR_OK;
    if (!*is_token || !ur__parse_int(id, &number) || number != r->tokens + 1)
        return ur__lines_fail(&r->in->lines, "token \"%.20s\" where number %lld is due", id,
                              (long long)r->tokens + 1);
    r->tokens = number;
    return UR_OK;
}

static ur_status take_line(struct reading *r)
{
    struct ur__intake *in = r->in;
    struct ur__lines *l = &in->lines;
    bool is_token;
    UR__TRY(ur__cells_split(&r->row, l, false));
    if (r->row.n != COLUMNS)
        return ur__lines_fail(l, "%d columns, not %d separated by tabs", r->row.n, COLUMNS);
    UR__TRY(look_at_id(r, &is_token));
    if (!is_token)
        return UR_OK;
    const struct ur__cell *form = &r->row.cell[FORM];
    if (in->steps == 0)
        r->first = l->number;
    UR__TRY(ur__take_token(in, form->text, form->n));
    const struct ur__cell *label = r->label < 0 ? NULL : &r->row.cell[r->label];
    return label ? ur__take_named_tag(in, label->text, label->n) : UR_OK;
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    r->in = in;
    r->row.separator = '\t';
    UR__TRY(find_column(r));
    return ur__take_kind(in, UR_CONTENT_TOKENS, 1);
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    struct ur__lines *l = &r->in->lines;
    for (;;) {
        UR__TRY(ur__lines_next(l, more));
        if (*more && *l->text == '#')
            continue;
        if (*more && !ur__lines_blank(l)) {
            UR__TRY(take_line(r));
            continue;
        }
        r->tokens = 0;
        if (r->in->steps > 0) {
            *more = true;       /* this one; the next call says whether there is another */
            return ur__take_end(r->in, r->first, -1, -1);
        }
        if (!*more)
            return UR_OK;
    }
}

static void end(void *reader)
{
    ur__cells_free(&((struct reading *)reader)->row);
}

static const char *const own_options[] = {"column", NULL};
static const char *const endings[] = {".conllu", NULL};
const struct ur__format ur__format_conllu = {
    .name = "conllu", .what = "CoNLL-U: ten columns a token", .endings = endings,
    .options = own_options, .tagged = true,
    .is = is_conllu, .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
