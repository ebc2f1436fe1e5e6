/* SPDX-License-Identifier: MIT */
/* unroll plot: what other subcommands wrote as JSON, as a picture. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/fail.h"
#include "cli/picture.h"
#include "cli/plot.h"

extern const struct plot_kind plot_alignment, plot_forecast, plot_log, plot_matrix, plot_tokens;
static const struct plot_kind *const kinds[] = {&plot_matrix, &plot_alignment, &plot_tokens,
                                                &plot_forecast, &plot_log};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

#define AT(field) .at = offsetof(struct plot_options, field)

static const ur_option options[] = {
    {.group = "figure", .name = "output", .letter = 'o', .arg = "FILE", .shown = "standard output",
     .kind = UR_OPTION_TEXT, AT(output), .help = "the picture, as SVG"},
    {.name = "force", .kind = UR_OPTION_FLAG, AT(force), .help = "replace a picture that exists"},
    {.name = "title", .arg = "TEXT", .fallback = "", .shown = "none", .kind = UR_OPTION_TEXT,
     AT(title), .help = "above the figure"},
    {.group = "training logs", .name = "labels", .arg = "NAME,NAME", .shown = "the files' names",
     .kind = UR_OPTION_TEXT, AT(labels), .help = "what the logs are called, in their order"},
    {.name = "unit", .arg = "nats|bits", .fallback = "nats", .kind = UR_OPTION_WORD, AT(unit),
     .help = "of losses"},
    {.name = "metric", .arg = "NAME", .shown = "the losses", .kind = UR_OPTION_TEXT, AT(metric),
     .help = "draw this figure of the validations, such as accuracy or f1, or else of the steps, "
             "such as lr"},
    {.name = "log-x", .kind = UR_OPTION_FLAG, AT(log_x), .help = "a logarithmic scale of steps"},
    {.name = "log-y", .kind = UR_OPTION_FLAG, AT(log_y), .help = "and of what is drawn"},
    {.name = "gradients", .kind = UR_OPTION_FLAG, AT(gradients),
     .help = "draw how far back gradients reach (train --report-gradients)"},
    {.name = "steps", .arg = "S,S", .fallback = "first,last", .kind = UR_OPTION_TEXT, AT(steps),
     .help = "gradients: of these steps; first and last are words for two"},
    {.name = "layer", .arg = "N", .fallback = "0", .shown = "all", .kind = UR_OPTION_COUNT,
     .max = 1000, AT(layer), .help = "gradients: of this layer alone"},
    {.group = "confusion matrices", .name = "shares", .kind = UR_OPTION_FLAG, AT(shares),
     .help = "write per cent of the row into the cells, not how many"},
    {.group = "forecasts", .name = "series", .arg = "NAME", .shown = "the first",
     .kind = UR_OPTION_TEXT, AT(series), .help = "column whose forecast is drawn"},
    OPT_COMMON(struct plot_options),
};

static const char *const examples[] = {
    "unroll plot run.jsonl -o loss.svg",
    "unroll plot rnn.jsonl lstm.jsonl --labels rnn,lstm --unit bits -o both.svg",
    "unroll plot run.jsonl --metric f1 -o f1.svg",
    "unroll eval names.safetensors names.tsv --json | unroll plot - -o confusion.svg",
    "unroll predict spam.safetensors some.txt --explain --json | unroll plot - -o why.svg",
    "unroll predict load.safetensors load.csv --json | unroll plot - -o next.svg",
    NULL,
};

/* ---- reading ----------------------------------------------------------- */

/* A file's lines that are no JSON. */
struct file {
    struct plot *plot;
    bool found;                 /* a document */
    long long torn, first_torn;
    char why[160];              /* the first of them is none */
};

static const struct plot_kind *kind_of(const struct ur__json *j)
{
    for (int i = 0; i < N_KINDS; i++)
        if (kinds[i]->is(j))
            return kinds[i];
    return NULL;
}

/* The kind of the first document is that of the figure. */
static ur_status settle(struct plot *p, const struct plot_kind *kind)
{
    if (kind == NULL)
        return ur__fail(UR_EDATA, "%s is no line of a training log (train --log), no eval --json "
                        "with a confusion matrix and no answer of predict --explain --json or of a "
                        "forecast",
                        plot_place(p));
    if (p->kind != NULL && p->kind != kind)
        return ur__fail(UR_EDATA, "%s is %s, but what came before is %s: a figure has one kind",
                        plot_place(p), kind->name, p->kind->name);
    if (p->kind != NULL)
        return UR_OK;
    p->inside = ur__calloc(1, kind->size);
    if (p->inside == NULL)
        return UR_ENOMEM;
    p->kind = kind;
    return UR_OK;
}

static ur_status take_line(void *user, const char *line, size_t n)
{
    struct file *f = user;
    struct plot *p = f->plot;
    struct ur__json *j;
    p->line++;
    if (strspn(line, " \t\r") == n)
        return UR_OK;
    ur_status status = ur__json_parse(&j, line, n);
    if (status == UR_EFORMAT) {     /* of a run that was killed: the last, or one inside */
        if (f->torn++ == 0) {
            f->first_torn = p->line;
            snprintf(f->why, sizeof f->why, "%s", ur_errmsg());
        }
        return UR_OK;
    }
    if (status != UR_OK)
        return status;
    status = settle(p, kind_of(j));
    if (status != UR_OK) {
        ur__json_free(j);
        return status;
    }
    f->found = true;
    return p->kind->take(p, j);
}

static ur_status read_file(struct plot *p, int i)
{
    struct file f = {.plot = p};
    p->file = i;
    p->line = 0;
    UR__TRY(plot_lines(p->name[i], take_line, &f));
    if (!f.found && f.torn > 0)
        return ur__fail(UR_EDATA, "%s: no line of it can be read: %s", plot_name(p, i), f.why);
    if (!f.found)
        return ur__fail(UR_EDATA, "nothing to draw: %s is empty", plot_name(p, i));
    p->line = f.first_torn;
    if (f.torn == 1)
        ui_say(&p->ui, "unroll: %s: not JSON, left out", plot_place(p));
    else if (f.torn > 1)
        ui_say(&p->ui, "unroll: %s: not JSON, left out, and so are %lld lines more", plot_place(p),
               f.torn - 1);
    return UR_OK;
}

/* ---- what the command line says ---------------------------------------- */

/* A group of options between the first and the last is of one kind of figure. */
static ur_status check_options(const struct plot *p, const struct opt_words *words)
{
    const char *group = options[0].group;
    for (int i = 0; i < words->command->n_options; i++) {
        const ur_option *o = &options[i];
        group = o->group != NULL ? o->group : group;
        if (strcmp(group, options[0].group) == 0 || strcmp(group, "all") == 0 ||
            (p->kind->group != NULL && strcmp(group, p->kind->group) == 0))
            continue;
        if (opt_given(words, o->name))
            return ur__fail(UR_EINVAL, "--%s is for %s, but %s is %s", o->name, group,
                            plot_name(p, 0), p->kind->name);
    }
    return UR_OK;
}

/* Of a training log three things can be drawn. */
static const char *const drawn[] = {"losses", "--metric", "--gradients"};
enum { LOSSES, FIGURE, GRADIENTS };
static const struct { const char *name; int of; } uses[] = {
    {"unit", LOSSES}, {"steps", GRADIENTS}, {"layer", GRADIENTS},
};

static ur_status check_uses(const struct plot *p, const struct opt_words *words)
{
    const int what = p->options->gradients ? GRADIENTS : p->options->metric ? FIGURE : LOSSES;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (opt_given(words, uses[i].name) && uses[i].of != what)
            return ur__fail(UR_EINVAL, "--%s belongs to %s, not to %s", uses[i].name,
                            drawn[uses[i].of], drawn[what]);
    return UR_OK;
}

/* "a,b" as so many labels, or the files' names. */
static ur_status make_labels(struct plot *p)
{
    const char *text = p->options->labels;
    int n = 1;
    for (const char *at = text; at != NULL && (at = strchr(at, ',')) != NULL; at++)
        n++;
    if (text != NULL && n != p->n_files)
        return ur__fail(UR_EINVAL, "--labels %s: %d label%s for %d file%s", text, n,
                        n > 1 ? "s" : "", p->n_files, p->n_files > 1 ? "s" : "");
    p->label = ur__calloc((size_t)p->n_files, sizeof *p->label);
    for (int i = 0; p->label != NULL && i < p->n_files; i++) {
        const char *from = text != NULL ? text : plot_name(p, i);
        size_t length = text != NULL ? strcspn(from, ",") : strlen(from);
        p->label[i] = ur__alloc(length + 1, 1);
        if (p->label[i] == NULL)
            return UR_ENOMEM;
        memcpy(p->label[i], from, length);
        p->label[i][length] = '\0';
        text = text != NULL ? text + length + 1 : NULL;
    }
    return p->label != NULL ? UR_OK : UR_ENOMEM;
}

static ur_status write_out(const struct plot *p, const struct svg *s)
{
    if (p->options->output != NULL)
        return picture_write(p->options->output, s);
    out_put(s->out.data, s->out.size);
    return UR_OK;
}

/* ---- the command ------------------------------------------------------- */

static ur_status make(struct plot *p, const struct opt_words *words)
{
    struct svg s = {.status = UR_OK};
    if (p->options->output != NULL)
        UR__TRY(picture_check(p->options->output, p->options->force, p->name, p->n_files));
    UR__TRY(make_labels(p));
    for (int i = 0; i < p->n_files; i++)
        UR__TRY(read_file(p, i));
    UR__TRY(check_options(p, words));
    UR__TRY(check_uses(p, words));
    ur_status status = p->kind->draw(p, &s);
    if (status == UR_OK)
        status = s.status;
    if (status == UR_OK)
        status = write_out(p, &s);
    ur__buf_free(&s.out);
    return status;
}

static struct plot plot_of(const struct plot_options *o, const struct opt_words *words)
{
    return (struct plot){.options = o, .n_files = words->n, .name = words->word};
}

static ur_status draw_lines(struct plot *p, const struct ur__buf *lines)
{
    struct file f = {.plot = p};
    struct svg s = {.status = UR_OK};
    for (size_t at = 0, n; at < lines->size; at += n + 1) {
        const char *end = memchr(lines->data + at, '\n', lines->size - at);
        n = end != NULL ? (size_t)(end - lines->data) - at : lines->size - at;
        UR__TRY(take_line(&f, lines->data + at, n));
    }
    if (p->kind == NULL)
        return ur__fail(UR_EDATA, "there is no answer to be drawn");
    ur_status status = p->kind->draw(p, &s);
    if (status == UR_OK)
        status = s.status != UR_OK ? s.status : write_out(p, &s);
    ur__buf_free(&s.out);
    return status;
}

ur_status plot_answers(const char *output, bool force, const struct opt_words *words,
                       const struct ur__buf *lines)
{
    const struct plot_options o = {.output = output, .force = force, .title = ""};
    struct plot p = plot_of(&o, words);
    ui_init(&p.ui, &o.common);
    ur_status status = draw_lines(&p, lines);
    if (p.kind != NULL)
        p.kind->close(p.inside);
    ur__free(p.inside);
    return status;
}

static int report(const struct plot *p)
{
    struct ur__json *j = ur__json_new_object();
    ui_json_name(j, "output", p->options->output);
    ur__json_set_string(j, "drawn", p->kind->name);
    return ui_json(j);
}

static int plot(void *values, const struct opt_words *words)
{
    struct plot_options *a = values;
    struct plot p = plot_of(a, words);
    a->has_layer = opt_given(words, "layer");
    if (a->output != NULL && strcmp(a->output, "-") == 0)
        a->output = NULL;
    if (a->common.json && a->output == NULL)
        return fail(EXIT_USAGE, "--json needs --output FILE: the picture goes to standard output");
    if (a->gradients && a->metric != NULL)
        return fail(EXIT_USAGE, "--gradients cannot be combined with --metric");
    ui_init(&p.ui, &a->common);
    ur_status status = make(&p, words);
    int code = status != UR_OK ? fail_status(status) : a->common.json ? report(&p) : EXIT_DONE;
    if (p.kind != NULL)
        p.kind->close(p.inside);
    ur__free(p.inside);
    for (int i = 0; p.label != NULL && i < p.n_files; i++)
        ur__free(p.label[i]);
    ur__free(p.label);
    return code;
}

const struct command cmd_plot = {
    .name = "plot",
    .words = "FILE...",
    .brief = "draw a training log, a confusion matrix, attention or a forecast",
    .examples = examples,
    .notes = "What a FILE (- is standard input) holds is told by its content. The log of train "
             "--log: losses against steps, several logs in one figure. What eval --json says of a "
             "model that chooses among labels: which label was taken for which. What predict "
             "--explain --json says: the lines' tokens, shaded by their weight, or, of a "
             "translation, where each of its tokens looked. Pictures suit light and dark pages.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = -1,
    .size = sizeof(struct plot_options),
    .act = plot,
};
