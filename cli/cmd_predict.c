/* SPDX-License-Identifier: MIT */
/* unroll predict: lines or examples in, answers out. What an answer is, the model's task knows. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/fail.h"
#include "cli/picture.h"
#include "cli/plot.h"
#include "cli/reads.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

struct predict {
    struct opt_common common;
    int64_t top, beam, threads;
    const char *unknown, *plot;
    bool explain, force, copy_unknown, draws;
    double length_power, temperature;
    uint64_t seed;
    struct reads reads;
};

#define AT(field) .at = offsetof(struct predict, field)

static const ur_option options[] = {
    {.group = "predicting", .name = "top", .arg = "N", .fallback = "5", .kind = UR_OPTION_COUNT,
     .min = 1, .max = UR_PREDICT_MOST,
     AT(top), .help = "most likely candidates to list for each place (a gap, a label, a text) with "
                      "--json"},
    {.name = "explain", .kind = UR_OPTION_FLAG, AT(explain),
     .help = "below each answer, the line's tokens with the weights that the model gave them, if "
             "it weighs them: train --pool attention; of a translation, where it looked"},
    {.name = "plot", .arg = "FILE", .shown = "no picture", .kind = UR_OPTION_TEXT, AT(plot),
     .help = "draw the answer as SVG, too: a forecast, where a translation looked, or tokens by "
             "their weights"},
    {.name = "force", .kind = UR_OPTION_FLAG, AT(force), .help = "replace a picture that exists"},
    {.name = "unknown", .arg = OPT_UNKNOWN, .shown = OPT_UNKNOWN_LABELS, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens that the model does not know; replace: read "
                          "as <unk>, or as U+FFFD, ? or a space"},
    OPT_BEAM(struct predict),
    OPT_TEXTS(struct predict),
    {.name = "temperature", .arg = "X", .shown = "the likeliest are searched for",
     .kind = UR_OPTION_REAL, .max = 100, AT(temperature),
     .help = "draw translations instead, as --top says how many; below 1: likelier ones"},
    {.name = "seed", .arg = "N", .fallback = "123", .kind = UR_OPTION_SEED, AT(seed),
     .help = "of what is drawn"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .max = 1024,
     AT(threads),
     .help = "more than 1 helps only with wide layers; 0: all available cores"},
    OPT_COMMON(struct predict),
};
enum { N_FIRST = sizeof options / sizeof *options - OPT_N_COMMON };

static const char *const examples[] = {
    "echo 'My fellow ___, we are strong.' | unroll predict speeches.safetensors",
    "unroll predict speeches.safetensors gaps.txt --json --top 3",
    "unroll predict spam.safetensors <messages.txt",
    "unroll predict spam.safetensors messages.txt --explain --json | unroll plot - -o why.svg",
    "unroll predict digits.safetensors images.idx3",
    "echo 'how are you' | unroll predict en-ja.safetensors --plot looks.svg",
    "unroll predict pos.safetensors news.conllu --format conllu",
    "unroll predict load.safetensors load.csv >next.csv",
    "unroll predict load.safetensors load.csv --back 24 --plot next.svg",
    NULL,
};

static const ur_option *more(int i)
{
    return reads_row(UR_OPTION_READS, i);
}

static ur_status set(void *values, const char *name, const char *text)
{
    return reads_set(&((struct predict *)values)->reads, name, text);
}

/* ---- answers ----------------------------------------------------------- */

/* Bytes of the longest line. */
#define MOST_LINE ((size_t)16 << 20)

struct work {
    const struct predict *options;
    ur_predictor *predictor;
    const char *name;           /* of the file at hand, for messages */
    bool as_bytes;              /* nothing is skipped or changed */
    struct ur__line_ends ends;
    int64_t line;               /* number of the last one taken */
    bool begins;                /* none of the file's lines was taken yet */
    struct ur__buf drawn;       /* answers as JSON, a line each, for the picture */
};

static struct ur__json *places_of(const ur_answer *a)
{
    struct ur__json *places = ur__json_new_array();
    for (int i = 0; i < a->n_places; i++) {
        struct ur__json *one = ur__json_new_object(), *best = ur__json_new_array();
        for (int k = 0; k < a->place[i].n; k++) {
            const ur_candidate *c = &a->place[i].best[k];
            struct ur__json *candidate = ur__json_new_object();
            ui_json_text(candidate, "text", c->text, c->n);
            ur__json_set_real(candidate, a->figure, c->p);
            ur__json_add(best, candidate);
        }
        ur__json_set(one, "best", best);
        ur__json_add(places, one);
    }
    return places;
}

static struct ur__json *rows_of(const ur_answer *a)
{
    struct ur__json *rows = ur__json_new_array();
    for (int i = 0; i < a->n_rows; i++) {
        const ur_forecast_row *r = &a->row[i];
        struct ur__json *one = ur__json_new_object();
        ui_json_text(one, "series", r->series, strlen(r->series));
        ui_json_text(one, "time", r->time, strlen(r->time));
        ur__json_set_real(one, "value", r->value);
        ur__json_set_real(one, "point", r->point);
        ur__json_set_real(one, "lower", r->lower);
        ur__json_set_real(one, "upper", r->upper);
        ur__json_add(rows, one);
    }
    return rows;
}

static struct ur__json *tokens_of(const ur_answer *a)
{
    struct ur__json *tokens = ur__json_new_array();
    for (int i = 0; i < a->n_tokens; i++) {
        struct ur__json *one = ur__json_new_object();
        ui_json_text(one, "text", a->token[i].text, a->token[i].n);
        ur__json_set_real(one, "weight", a->token[i].weight);
        ur__json_add(tokens, one);
    }
    return tokens;
}

/* A line a token: its weight, and what it is. An empty line ends them. */
static ur_status print_tokens(const ur_answer *a)
{
    struct ur__buf lines = {0};
    ur_status status = UR_OK;
    for (int i = 0; i < a->n_tokens && status == UR_OK; i++) {
        const ur_token_weight *t = &a->token[i];
        status = ur__buf_printf(&lines, "  %.4f  ", t->weight);
        if (status == UR_OK)
            status = ur__buf_show(&lines, t->text, t->n, UR__SHOW_LINE);
        if (status == UR_OK)
            status = ur__buf_puts(&lines, "\n");
    }
    if (status == UR_OK)
        status = ur__buf_puts(&lines, "\n");
    if (status == UR_OK)
        out_put(lines.data, lines.size);
    ur__buf_free(&lines);
    return status;
}

static struct ur__json *made_of(const ur_answer *a)
{
    struct ur__json *tokens = ur__json_new_array();
    for (int i = 0; i < a->n_made; i++) {
        struct ur__json *one = ur__json_new_object();
        ui_json_text(one, "text", a->made[i].text, a->made[i].n);
        ur__json_set_real(one, "p", a->made[i].weight);
        ur__json_add(tokens, one);
    }
    return tokens;
}

static struct ur__json *alignment_of(const ur_answer *a)
{
    struct ur__json *rows = ur__json_new_array();
    for (int i = 0; i < a->n_made; i++) {
        struct ur__json *row = ur__json_new_array();
        for (int k = 0; k < a->n_tokens; k++)
            ur__json_add_real(row, a->alignment[i * a->n_tokens + k]);
        ur__json_add(rows, row);
    }
    return rows;
}

static ur_status put_json(const ur_answer *a, struct ur__buf *out)
{
    struct ur__json *j = ur__json_new_object();
    if (a->n_rows > 0)
        ur__json_set(j, "forecast", rows_of(a));
    else
        ui_json_text(j, "line", a->text, a->n);
    if (a->places != NULL)
        ur__json_set(j, a->places, places_of(a));
    if (a->n_tokens > 0)
        ur__json_set(j, "tokens", tokens_of(a));
    if (a->alignment != NULL) {
        ur__json_set(j, "made", made_of(a));
        ur__json_set(j, "alignment", alignment_of(a));
    }
    ur_status status = ui_json_dump(j, out);
    ur__json_free(j);
    return status;
}

static ur_status print(struct work *w, const ur_answer *a)
{
    const bool json = w->options->common.json;
    const bool draws = w->options->plot != NULL && (a->n_rows > 0 || a->n_tokens > 0);
    struct ur__buf out = {0};
    ur_status status = json || draws ? put_json(a, &out) : UR_OK;
    if (status == UR_OK && draws)
        status = ur__buf_put(&w->drawn, out.data, out.size);
    if (status == UR_OK && json)
        out_put(out.data, out.size);
    ur__buf_free(&out);
    if (status != UR_OK || json)
        return status;
    out_put(a->text, a->n);
    out_put("\n", 1);
    return w->options->explain && a->n_tokens > 0 ? print_tokens(a) : UR_OK;
}

static ur_status fail_zero(const struct work *w, long long line)
{
    return ur__fail(UR_EDATA, "%s: line %lld has a zero byte", w->name, line);
}

/* Answers n lines together. */
static ur_status take(struct work *w, int n, const char *const *line, const size_t *size)
{
    const ur_answer *answer[UR_PREDICT_LINES];
    int done = 0, whole = 0;
    while (whole < n && strlen(line[whole]) == size[whole])
        whole++;
    ur_status status = whole == 0 ? UR_OK : ur_predictor_lines(w->predictor, whole, line, size,
                                                               answer, &done);
    for (int i = 0; i < done; i++) {
        w->line++;
        UR__TRY(print(w, answer[i]));
    }
    const long long next = w->line + 1;
    if (status == UR_EDATA)
        return ur__fail(UR_EDATA, "%s: line %lld: %s", w->name, next, ur_errmsg());
    if (status == UR_OK && whole < n)
        return fail_zero(w, next);
    return status;
}

/* ---- lines ------------------------------------------------------------- */

/* Ends the line that begins at *at and goes on to the next; NULL: it has no end yet. */
static char *next_line(struct work *w, struct ur__buf *in, size_t *at, bool last, size_t *n)
{
    char *line = in->data + *at, *end = memchr(line, '\n', in->size - *at);
    if (end == NULL && !last)
        return NULL;
    if (w->begins && !w->as_bytes)
        line += ur__text_mark(line, in->size);
    w->begins = false;
    *n = end != NULL ? (size_t)(end - line) : (size_t)(in->data + in->size - line);
    line[*n] = '\0';
    *at = (size_t)(line - in->data) + *n + 1;
    return line;
}

/* Takes all whole lines of the buffer, with last also what follows them. */
static ur_status take_lines(struct work *w, struct ur__buf *in, bool last, bool *read_on)
{
    size_t at = 0;
    if (w->begins && !w->as_bytes && in->size > 0)
        UR__TRY(ur__text_check(w->name, in->data, in->size));
    for (bool more = true; more && *read_on; ) {
        const char *line[UR_PREDICT_LINES];
        size_t size[UR_PREDICT_LINES];
        int n = 0;
        while (n < UR_PREDICT_LINES && at < in->size
               && (line[n] = next_line(w, in, &at, last, &size[n])) != NULL)
            n++;
        more = n > 0;
        if (more)
            UR__TRY(take(w, n, line, size));
        *read_on = out_flush();
    }
    at = at < in->size ? at : in->size;
    memmove(in->data, in->data + at, in->size - at);
    in->size -= at;
    return UR_OK;
}

static ur_status take_file(struct work *w, struct ur__reader *r, bool *read_on)
{
    struct ur__buf in = {0};
    char block[4096];
    ur_status status = UR_OK;
    for (size_t got = 1; got > 0 && *read_on && status == UR_OK; ) {
        status = ur__reader_read(r, block, sizeof block, &got);
        size_t kept = got;
        if (status == UR_OK && !w->as_bytes)
            ur__line_ends_put(&w->ends, block, &kept);
        if (status == UR_OK)
            status = ur__buf_put(&in, block, kept);
        if (status == UR_OK)
            status = take_lines(w, &in, got == 0, read_on);
        if (status == UR_OK && memchr(block, '\0', kept) != NULL && in.size > 0)
            status = fail_zero(w, w->line + 1);     /* no text: its line may never end */
        if (status == UR_OK && in.size > MOST_LINE)
            status = ur__fail(UR_EDATA, "%s: line %lld is longer than %d MiB", w->name,
                              (long long)w->line + 1, (int)(MOST_LINE >> 20));
    }
    ur__buf_free(&in);
    return status;
}

static ur_status take_files(struct work *w, const char *const *paths, int n_paths)
{
    const struct ur__line_ends ends = w->ends;
    bool read_on = true;
    ur_status status = UR_OK;
    for (int i = 0; i < n_paths && read_on && status == UR_OK; i++) {
        struct ur__reader *reader = NULL;
        w->name = strcmp(paths[i], "-") == 0 ? "standard input" : paths[i];
        w->line = 0;
        w->begins = true;
        w->ends = ends;
        status = ur__reader_open(&reader, paths[i]);
        if (status == UR_OK)
            status = take_file(w, reader, &read_on);
        if (reader != NULL)
            ur__reader_close(reader);
    }
    return status;
}

/* ---- examples ---------------------------------------------------------- */

static ur_status take_examples(struct work *w, const char *const *paths, int n_paths)
{
    const ur_answer *answer;
    UR__TRY(ur_predictor_open(w->predictor, paths, n_paths));
    do {
        UR__TRY(ur_predictor_next(w->predictor, &answer));
        if (answer != NULL)
            UR__TRY(print(w, answer));
    } while (answer != NULL && out_flush());
    return UR_OK;
}

/* ---- the command ------------------------------------------------------- */

/* Text is read line by line unless --format says what the files are. */
static bool reads_lines(const struct predict *a, const ur_model *model)
{
    bool lines = ur_model_vocab(model, NULL) != NULL;
    for (int i = 0; i < a->reads.n; i++)
        lines = lines && strcmp(a->reads.set[i].name, "format") != 0;
    return lines;
}

static ur_status open_predictor(struct work *w, const ur_model *model, ur_team *team)
{
    const struct predict *a = w->options;
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    ur_predict_options o;
    ur_sample_options draw;
    ur_predict_options_init(&o);
    ur_sample_options_init(&draw);
    draw.temperature = a->temperature;
    draw.seed = a->seed;
    o.draw = a->draws ? &draw : NULL;
    o.best = a->common.json ? (int)a->top : 1;
    o.beam = (int)a->beam;
    o.explain = a->explain || (a->plot != NULL && vocab != NULL);   /* numbers draw themselves */
    o.length_power = a->length_power;
    o.copy_unknown = a->copy_unknown;
    o.team = team;
    ur_unknown_find(a->unknown, &o.unknown);
    w->as_bytes = vocab != NULL && ur_vocab_kind(vocab) == UR_TOKEN_BYTE;
    UR__TRY(ur_model_unix_newlines(model, &w->ends.to_lf));
    UR__TRY(ur_predictor_new(&w->predictor, model, &o));
    for (int i = 0; i < a->reads.n; i++)
        UR__TRY(ur_predictor_set(w->predictor, a->reads.set[i].name, a->reads.set[i].text));
    if (a->reads.n > 0 && reads_lines(a, model))
        return ur__fail(UR_EINVAL, "%s is for files of examples, and these are lines of text: "
                        "say what they are with --format", a->reads.set[0].name);
    return UR_OK;
}

static int predict(void *values, const struct opt_words *words)
{
    static const char *const standard[] = {"-"};
    ((struct predict *)values)->draws = opt_given(words, "temperature");
    struct work w = {.options = values};
    const char *const *paths = words->n > 1 ? words->word + 1 : standard;
    int n_paths = words->n > 1 ? words->n - 1 : 1, code = spare_input(paths[0]);
    ur_model *model = NULL;
    ur_team *team = NULL;
    if (code != EXIT_DONE)
        return code;
    const struct predict *a = w.options;
    ur_status status = a->plot != NULL ? picture_check(a->plot, true, paths, n_paths) : UR_OK;
    if (status == UR_OK && a->plot != NULL)
        status = picture_check(a->plot, a->force, words->word, 1);
    if (status != UR_OK)
        return fail_status(status);
    status = ur_model_load(&model, words->word[0]);
    if (status == UR_OK)
        status = need_verb(model, words->word[0], "predict");
    if (status == UR_OK)
        status = ur_team_new(&team, (int)w.options->threads);
    if (status == UR_OK)
        status = open_predictor(&w, model, team);
    if (status == UR_OK)
        status = reads_lines(w.options, model) ? take_files(&w, paths, n_paths)
                                               : take_examples(&w, paths, n_paths);
    if (status == UR_OK && a->plot != NULL)
        status = plot_answers(a->plot, a->force, words, &w.drawn);
    ur__buf_free(&w.drawn);
    code = status == UR_OK ? EXIT_DONE : fail_reading(opt_say(words->command, status));
    const char *note = status == UR_OK ? ur_predictor_note(w.predictor) : NULL;
    if (note != NULL && !w.options->common.quiet)
        fprintf(stderr, "unroll: %s\n", note);
    ur_predictor_free(w.predictor);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

const struct command cmd_predict = {
    .name = "predict",
    .words = "MODEL [FILE...]",
    .brief = "give each line of a text, or each example of a file, the model's answer",
    .examples = examples,
    .notes = "FILE is lines of text, by default standard input. What the answer to a line is, "
             "MODEL's task says. One that fills gaps (train --task fill) gives each gap, a run of "
             "underscores, the most likely token; lines without a gap stay as they are. Several "
             "gaps in a line are filled from left to right, and text after the next gap is not "
             "seen. One that labels texts (classify) gives the label of the line, one that labels "
             "steps (tag) those of its words, with spaces between. One that translates gives "
             "the translation of the line. If MODEL reads numbers, or with "
             "--format, FILE holds examples in one of the formats that training reads, with "
             "labels or without: each has its answer on a line, in their order. One that "
             "forecasts (forecast) says what comes after the end of FILE, as CSV with a line for "
             "each step: its time, the point and the bounds of its interval. With "
             "--explain a label is followed by a line for each token, its weight and its text, and "
             "by an empty line.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .first = N_FIRST,
    .more = more,
    .set = set,
    .min_words = 1,
    .max_words = -1,
    .size = sizeof(struct predict),
    .act = predict,
};
