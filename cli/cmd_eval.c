/* SPDX-License-Identifier: MIT */
/* unroll eval: how well a model does on data. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/classes.h"
#include "cli/fail.h"
#include "cli/reads.h"
#include "cli/ui.h"
#include "io/json.h"
#include "unroll.h"

struct eval {
    struct opt_common common;
    const char *part, *protocol, *newlines, *unknown;
    int64_t beam, threads;
    struct reads reads;
    double length_power;
    bool copy_unknown;
};

#define AT(field) .at = offsetof(struct eval, field)

static const ur_option options[] = {
    {.group = "measuring", .name = "part", .arg = "all|val|test", .fallback = "all",
     .kind = UR_OPTION_WORD, AT(part),
     .help = "all of DATA, or only what training held out of it, or what it left for a test "
             "by --split of forecast"},
    {.name = "protocol", .arg = "stream|window", .fallback = "stream", .kind = UR_OPTION_WORD,
     AT(protocol),
     .help = "one stream from the zero state (fill: windows as in training), or windows of 256 "
             "predictions, each from it"},
    {.name = "newlines", .arg = "unix", .shown = "as in training", .kind = UR_OPTION_WORD,
     AT(newlines), .help = "unix: CRLF and CR are read as LF"},
    {.name = "unknown", .arg = OPT_UNKNOWN, .shown = OPT_UNKNOWN_LABELS, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens of DATA that the model does not know; replace: "
                          "read as <unk>, or as U+FFFD, ? or a space"},
    OPT_BEAM(struct eval),
    OPT_TEXTS(struct eval),
    {.name = "threads", .arg = "N", .fallback = "0", .shown = "the cores available",
     .kind = UR_OPTION_COUNT, .max = 1024, AT(threads), .help = "changes speed, never the result"},
    OPT_COMMON(struct eval),
};
enum {
    N_FIRST = sizeof options / sizeof *options - OPT_N_COMMON,
    READS = UR_OPTION_READS | UR_OPTION_READS_LABELS
};

static const ur_option *more(int i)
{
    return reads_row(READS, i);
}

static ur_status set(void *values, const char *name, const char *text)
{
    return reads_set(&((struct eval *)values)->reads, name, text);
}

static const char *const examples[] = {
    "unroll eval shakespeare.safetensors other-plays.txt",
    "unroll eval shakespeare.safetensors shakespeare.txt --part val --json",
    "unroll eval names.safetensors names.tsv --part val --verbose",
    "unroll eval names.safetensors others.csv --format csv --column who --text-column name",
    "unroll eval names.safetensors names.tsv --json | unroll plot - -o confusion.svg",
    NULL,
};

/* What comes of an evaluation on the way. */
struct found {
    struct ui ui;
    bool json, table;                       /* table: there is one */
    struct ur__json *labels, *confusion;    /* of it */
    struct ur__buf classes;                 /* lines of the labels, if they are wanted */
    ur_status status;                       /* of making these */
};

static bool on_progress(void *user, double done)
{
    struct found *f = user;
    ui_busy(&f->ui, done, "measuring");
    return true;
}

static void on_note(void *user, const char *text)
{
    struct found *f = user;
    ui_say(&f->ui, "unroll: %s", text);
}

/* A table of so many labels can be read, and drawn. JSON that memory ran out for is NULL, which the
 * object that it is put into remembers. */
static void keep_table(struct found *f, const ur_confusion *c)
{
    if (c->n > UR_CONFUSION_MOST)
        return;
    f->table = true;
    f->labels = ur__json_new_array();
    f->confusion = ur__json_new_array();
    for (int i = 0; i < c->n; i++) {
        struct ur__json *row = ur__json_new_array();
        for (int k = 0; k < c->n; k++)
            ur__json_add_int(row, (int64_t)c->count[i * c->n + k]);
        ur__json_add_string(f->labels, c->label[i]);
        ur__json_add(f->confusion, row);
    }
}

static void on_confusion(void *user, const ur_confusion *c)
{
    struct found *f = user;
    if (f->json)
        keep_table(f, c);
    else if (f->ui.verbose)
        f->status = classes_put(&f->classes, c);
}

static int print_json(const ur_metrics *m, struct found *f)
{
    struct ur__json *j = ur__json_new_object();
    for (int i = 0; i < m->n; i++) {
        double value = m->at[i].value;
        if (strcmp(m->at[i].name, "n") == 0)
            ur__json_set_int(j, "n", (int64_t)value);
        else
            ur__json_set_real(j, m->at[i].name, value);
    }
    if (f->table) {
        ur__json_set(j, "labels", f->labels);
        ur__json_set(j, "confusion", f->confusion);
        f->labels = f->confusion = NULL;
    }
    return ui_json(j);
}

/* A count is called by its unit. */
static void print_line(const ur_metric *m)
{
    char n[UI_NUMBER];
    bool share = m->unit[0] == '%';
    const char *name = strcmp(m->name, "unk") == 0 ? "unknown" : m->name;
    if (strcmp(m->name, "n") == 0)
        printf("%-12s %s\n", m->unit, ui_count(n, m->value));
    else
        printf("%-12s %.*f%s%s\n", name, share ? 2 : 4, share ? 100.0 * m->value : m->value,
               m->unit[0] != '\0' ? " " : "", m->unit);
}

static int print_lines(const ur_metrics *m, const struct found *f)
{
    for (int i = 0; i < m->n; i++)
        if (!isnan(m->at[i].value))
            print_line(&m->at[i]);
    if (f->classes.size > 0)
        out_put(f->classes.data, f->classes.size);
    return EXIT_DONE;
}

static int evaluate(void *values, const struct opt_words *words)
{
    const struct eval *a = values;
    ur_model *model = NULL;
    ur_team *team = NULL;
    ur_metrics metrics;
    ur_eval_options o;
    struct found found = {.json = a->common.json};
    int code = reads_spare(&a->reads, READS);
    if (code != EXIT_DONE)
        return code;
    ur_metrics_init(&metrics);
    ur_eval_options_init(&o);
    ui_init(&found.ui, &a->common);
    ur_status status = ur_model_load(&model, words->word[0]);
    if (status == UR_OK)
        status = ur_team_new(&team, (int)a->threads);
    if (status == UR_OK) {
        o.data = words->word + 1;
        o.n_data = words->n - 1;
        o.held_out = strcmp(a->part, "val") == 0;
        o.tested = strcmp(a->part, "test") == 0;
        o.protocol = strcmp(a->protocol, "window") == 0 ? UR_PROTOCOL_WINDOW : UR_PROTOCOL_STREAM;
        o.unix_newlines = a->newlines != NULL;
        o.beam = (int)a->beam;
        o.set = a->reads.set;
        o.n_set = a->reads.n;
        o.length_power = a->length_power;
        o.copy_unknown = a->copy_unknown;
        o.team = team;
        o.on_progress = on_progress;
        o.on_note = on_note;
        o.on_confusion = on_confusion;
        o.user = &found;
        ur_unknown_find(a->unknown, &o.unknown);
        status = ur_evaluate(model, &o, &metrics);
    }
    if (status == UR_OK)
        status = found.status;
    ui_clear(&found.ui);
    if (status != UR_OK)
        code = fail_reading(opt_say(words->command, status));
    else if (a->common.json)
        code = print_json(&metrics, &found);
    else
        code = print_lines(&metrics, &found);
    ur__json_free(found.labels);
    ur__json_free(found.confusion);
    ur__buf_free(&found.classes);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

const struct command cmd_eval = {
    .name = "eval",
    .words = "MODEL DATA...",
    .brief = "how well the model does on data",
    .examples = examples,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .first = N_FIRST,
    .more = more,
    .set = set,
    .min_words = 2,
    .max_words = -1,
    .size = sizeof(struct eval),
    .act = evaluate,
};
