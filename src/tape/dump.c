/* SPDX-License-Identifier: MIT */
/* A round of a tape as text or as a graph, a line at a time into the caller's hands. */
#include "tape/tape.h"

#include "base/fpmode.h"
#include "base/status.h"
#include "base/text.h"
#include "kernel/select.h"

#include <math.h>

struct summary {
    double least, most, mean, norm;     /* norm: of the gradient, -1 if there is none */
    size_t n_bad;                       /* values that are not finite */
};

static struct summary summarise(const struct ur__kernel *k, const ur_tensor *x)
{
    struct summary s = {.least = (double)x->data[0], .norm = -1};
    s.most = s.least;
    for (size_t i = 0; i < x->size; i++) {
        double v = (double)x->data[i];
        s.least = v < s.least || isnan(v) ? v : s.least;
        s.most = v > s.most || isnan(v) ? v : s.most;
        s.n_bad += !isfinite(v);
    }
    s.mean = k->sum(x->size, x->data) / (double)x->size;
    if (x->grad)
        s.norm = sqrt(k->sum_squares(x->size, x->grad));
    return s;
}

static ur_status put_number(struct ur__buf *b, const char *before, double v)
{
    return isnan(v) ? ur__buf_printf(b, "%snan", before) : ur__buf_printf(b, "%s%.4g", before, v);
}

/* Names of parameters are the user's: nothing in them may end a line or a string. */
static ur_status put_name(struct ur__buf *b, const char *name)
{
    for (const char *c = name; *c; c++) {
        char safe = (unsigned char)*c < ' ' || *c == '"' || *c == '\\' ? '_' : *c;
        UR__TRY(ur__buf_put(b, &safe, 1));
    }
    return UR_OK;
}

/* "slice(6, dim 1, begin 0, end 2)"; of many numbers the first ones. */
static ur_status put_attribute(struct ur__buf *b, const struct ur__attribute *a, bool there)
{
    const int most = 8;
    UR__TRY(ur__buf_printf(b, "%s", a->name));
    if (!a->whole)
        return ur__buf_printf(b, " %g", a->real);
    for (int i = 0; i < a->n && i < most && there; i++)
        UR__TRY(ur__buf_printf(b, " %d", a->whole[i]));
    return a->n > most || !there ? ur__buf_puts(b, " ...") : UR_OK;
}

static ur_status put_attributes(struct ur__buf *b, const ur_tensor *x, const char *before)
{
    for (const struct ur__attribute *a = x->attributes; a; a = a->next) {
        bool lent = a->whole && a->whole != a->few;
        UR__TRY(ur__buf_puts(b, before));
        UR__TRY(put_attribute(b, a, !lent || ur_data(x)));
    }
    return UR_OK;
}

static ur_status put_summary(struct ur__buf *b, const struct summary *s)
{
    UR__TRY(put_number(b, "min ", s->least));
    UR__TRY(put_number(b, " max ", s->most));
    UR__TRY(put_number(b, " mean ", s->mean));
    if (s->n_bad)
        UR__TRY(ur__buf_printf(b, " not finite %zu", s->n_bad));
    return s->norm == -1 ? UR_OK : put_number(b, " gradient norm ", s->norm);
}

/* "7 = matmul(5, 6) [2,4] grad min -1 max 1 mean 0 gradient norm 0.3" */
static ur_status text_line(struct ur__buf *b, const struct ur__kernel *k, const ur_tensor *x)
{
    UR__TRY(ur__buf_printf(b, "%d = ", x->ordinal));
    UR__TRY(put_name(b, x->name ? x->name : x->made_by));
    for (int i = 0; i < x->n_inputs; i++)
        UR__TRY(ur__buf_printf(b, i ? ", %d" : "(%d", x->inputs[i]->ordinal));
    UR__TRY(put_attributes(b, x, ", "));
    UR__TRY(ur__buf_printf(b, "%s %s%s", x->n_inputs ? ")" : "", ur__shape_text(x),
                           x->needs_grad ? " grad" : ""));
    if (ur_data(x)) {
        struct summary s = summarise(k, x);
        UR__TRY(ur__buf_puts(b, " "));
        UR__TRY(put_summary(b, &s));
    }
    return ur__buf_puts(b, "\n");
}

/* Leaves are boxes with round corners; grey: no gradient; red: not finite. */
static ur_status dot_line(struct ur__buf *b, const struct ur__kernel *k, const ur_tensor *x)
{
    const char *colour = x->needs_grad ? "black" : "gray";
    UR__TRY(ur__buf_printf(b, "  n%d [label=\"", x->ordinal));
    UR__TRY(put_name(b, x->name ? x->name : x->made_by));
    UR__TRY(put_attributes(b, x, "\\n"));
    UR__TRY(ur__buf_printf(b, "\\n%s\"", ur__shape_text(x)));
    if (ur_data(x)) {
        struct summary s = summarise(k, x);
        UR__TRY(ur__buf_printf(b, ", tooltip=\"%d: ", x->ordinal));
        UR__TRY(put_summary(b, &s));
        UR__TRY(ur__buf_puts(b, "\""));
        colour = s.n_bad || !isfinite(s.norm) ? "red" : colour;
    }
    UR__TRY(ur__buf_printf(b, ", color=%s%s];", colour, x->n_inputs ? "" : ", style=rounded"));
    for (int i = 0; i < x->n_inputs; i++)
        UR__TRY(ur__buf_printf(b, " n%d -> n%d;", x->inputs[i]->ordinal, x->ordinal));
    return ur__buf_puts(b, "\n");
}

static ur_status hand_over(const ur_tape *tape, struct ur__buf *line, ur_sink put, void *user)
{
    uint64_t round = ur__tape_round(tape);
    ur_status status = put(user, line->data, line->size);
    line->size = 0;
    if (status == UR_OK && ur__tape_round(tape) != round)
        return ur__fail(UR_EINVAL, "tape_dump: the function that takes the text reset the tape");
    return status;
}

static ur_status dump(const ur_tape *tape, ur_dump_format format, struct ur__buf *line,
                      ur_sink put, void *user)
{
    const struct ur__kernel *k = ur__kernel();
    bool dot = format == UR_DUMP_DOT;
    if (dot) {
        UR__TRY(ur__buf_puts(line, "digraph tape {\n  node [shape=box];\n"));
        UR__TRY(hand_over(tape, line, put, user));
    }
    for (const ur_tensor *x = ur__tape_first(tape); x; x = x->later) {
        UR__TRY((dot ? dot_line : text_line)(line, k, x));
        UR__TRY(hand_over(tape, line, put, user));
    }
    if (dot) {
        UR__TRY(ur__buf_puts(line, "}\n"));
        UR__TRY(hand_over(tape, line, put, user));
    }
    return UR_OK;
}

ur_status ur_tape_dump(const ur_tape *tape, ur_dump_format format, ur_sink put, void *user)
{
    UR__NEED(tape, "tape");
    if (format != UR_DUMP_TEXT && format != UR_DUMP_DOT)
        return ur__fail(UR_EINVAL, "tape_dump: there is no format %d", (int)format);
    if (!put)
        return ur__fail(UR_EINVAL, "tape_dump: the function that takes the text is NULL");
    struct ur__buf line = {0};
    unsigned mode = ur__fpmode_default();
    ur_status status = dump(tape, format, &line, put, user);
    ur__fpmode_restore(mode);
    ur__buf_free(&line);
    return status;
}
