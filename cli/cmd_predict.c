/* SPDX-License-Identifier: MIT */
/* unroll predict: lines or examples in, answers out. What an answer is, the model's task knows. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/fail.h"
#include "cli/picture.h"
#include "cli/plot_alignment.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

enum { MOST_SET = 32 };

struct predict {
    struct opt_common common;
    int64_t top, beam, threads;
    const char *unknown;
    bool explain, copy_unknown;
    double length_power, temperature;
    uint64_t seed;
    const char *attention;
    bool force, draws;
    /* Options of the library's, which the model must know first. */
    struct { const char *name, *text; } set[MOST_SET];
    int n_set;
};

#define AT(field) .at = offsetof(struct predict, field)

static const ur_option options[] = {
    {.group = "predicting", .name = "top", .arg = "N", .fallback = "5", .kind = UR_OPTION_COUNT,
     .min = 1, .max = UR_PREDICT_MOST,
     AT(top), .help = "most likely candidates to list for each place (a gap, a label, a text) with "
                      "--json"},
    {.name = "explain", .kind = UR_OPTION_FLAG, AT(explain),
     .help = "below each label, the line's tokens with the weights that the model gave them "
             "(classify with --pool attention); of a translation, where it looked"},
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
    {.name = "attention", .arg = "FILE", .shown = "none", .kind = UR_OPTION_TEXT, AT(attention),
     .help = "draw where the translation of the first line looked, as SVG"},
    {.name = "force", .kind = UR_OPTION_FLAG, AT(force), .help = "replace a picture that exists"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .max = 1024,
     AT(threads),
     .help = "more than 1 helps only with wide layers; 0: all available cores"},
    OPT_COMMON(struct predict),
};
enum { N_FIRST = 11 };

static const char *const examples[] = {
    "echo 'My fellow ___, we are strong.' | unroll predict speeches.safetensors",
    "unroll predict speeches.safetensors gaps.txt --json --top 3",
    "unroll predict spam.safetensors <messages.txt",
    "unroll predict spam.safetensors messages.txt --explain --json | unroll plot - -o why.svg",
    "unroll predict digits.safetensors images.idx3",
    "echo 'how are you' | unroll predict en-ja.safetensors --attention looks.svg",
    "unroll predict pos.safetensors news.conllu --format conllu",
    NULL,
};

/* ---- the library's options --------------------------------------------- */

static bool was_there(const ur_option *rows, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

/* How files of examples are read, whatever the task: as training read them unless said here. */
static const ur_option *more(int i)
{
    static ur_option rows[MOST_SET];
    const ur_option *o;
    int n = 0;
    for (const char *const *task = ur_task_names(); *task != NULL && n < MOST_SET; task++)
        for (int k = 0; (o = ur_train_option(*task, k)) != NULL && n < MOST_SET; k++)
            if ((o->flags & UR_OPTION_READS) != 0 && !was_there(rows, n, o->name)) {
                rows[n] = *o;
                rows[n].group = n == 0 ? "files of examples" : NULL;
                rows[n].shown = "as in training";
                if (n++ == i)
                    return &rows[i];
            }
    return NULL;
}

static ur_status set(void *values, const char *name, const char *text)
{
    struct predict *a = values;
    if (a->n_set == MOST_SET)
        return ur__fail(UR_EINVAL, "%s: more than %d such options", name, MOST_SET);
    a->set[a->n_set].name = name;
    a->set[a->n_set++].text = text;
    return UR_OK;
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
    bool drawn;                 /* the picture */
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

static struct ur__json *json_of(const ur_answer *a)
{
    struct ur__json *j = ur__json_new_object();
    ui_json_text(j, "line", a->text, a->n);
    ur__json_set(j, a->places, places_of(a));
    if (a->n_tokens > 0)
        ur__json_set(j, "tokens", tokens_of(a));
    if (a->alignment != NULL) {
        ur__json_set(j, "made", made_of(a));
        ur__json_set(j, "alignment", alignment_of(a));
    }
    return j;
}

/* Draws the first answer that has an alignment. */
static ur_status draw(struct work *w, const struct ur__json *j)
{
    struct svg s = {.status = UR_OK};
    ur_status status = alignment_draw(j, w->name, "", &s);
    if (status == UR_OK)
        status = picture_write(w->options->attention, &s);
    ur__buf_free(&s.out);
    w->drawn = true;
    return status;
}

static ur_status print_json(struct ur__json *j)
{
    struct ur__buf out = {0};
    ur_status status = ui_json_dump(j, &out);
    if (status == UR_OK)
        out_put(out.data, out.size);
    ur__buf_free(&out);
    return status;
}

static ur_status print(struct work *w, const ur_answer *a)
{
    const bool draws = w->options->attention != NULL && !w->drawn && a->alignment != NULL;
    ur_status status = UR_OK;
    if (w->options->common.json || draws) {
        struct ur__json *j = json_of(a);
        if (w->options->common.json)
            status = print_json(j);
        if (status == UR_OK && draws)
            status = draw(w, j);
        ur__json_free(j);
    }
    if (w->options->common.json || status != UR_OK)
        return status;
    out_put(a->text, a->n);
    out_put("\n", 1);
    return w->options->explain && a->n_tokens > 0 ? print_tokens(a) : UR_OK;
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
        return ur__fail(UR_EDATA, "%s: line %lld has a zero byte", w->name, next);
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

/* The library calls an option by its name alone; here it is written as on the command line. */
static ur_status say_option(const struct predict *a, ur_status status)
{
    for (int i = 0; i < a->n_set && status == UR_EINVAL; i++) {
        size_t n = strlen(a->set[i].name);
        if (strncmp(ur_errmsg(), a->set[i].name, n) == 0 && strchr(": ", ur_errmsg()[n]) != NULL)
            return ur__fail(status, "--%s", ur_errmsg());
    }
    return status;
}

static ur_status take_examples(struct work *w, const char *const *paths, int n_paths)
{
    const ur_answer *answer;
    UR__TRY(ur_predictor_open(w->predictor, paths, n_paths));
    do {
        UR__TRY(say_option(w->options, ur_predictor_next(w->predictor, &answer)));
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
    for (int i = 0; i < a->n_set; i++)
        lines = lines && strcmp(a->set[i].name, "format") != 0;
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
    o.explain = a->explain || a->attention != NULL;
    o.length_power = a->length_power;
    o.copy_unknown = a->copy_unknown;
    o.team = team;
    ur_unknown_find(a->unknown, &o.unknown);
    w->as_bytes = vocab != NULL && ur_vocab_kind(vocab) == UR_TOKEN_BYTE;
    UR__TRY(ur_model_unix_newlines(model, &w->ends.to_lf));
    UR__TRY(ur_predictor_new(&w->predictor, model, &o));
    for (int i = 0; i < a->n_set; i++)
        UR__TRY(say_option(a, ur_predictor_set(w->predictor, a->set[i].name, a->set[i].text)));
    if (a->n_set > 0 && reads_lines(a, model))
        return ur__fail(UR_EINVAL, "--%s is for files of examples, and these are lines of text: "
                        "say what they are with --format", a->set[0].name);
    return UR_OK;
}

/* It is drawn of a translation alone, over none of the files. */
static ur_status check_picture(const struct work *w, const char *const *paths, int n_paths,
                               const char *model)
{
    UR__TRY(picture_check(w->options->attention, w->options->force, &model, 1));
    return picture_check(w->options->attention, w->options->force, paths, n_paths);
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
    ur_status status = ur_model_load(&model, words->word[0]);
    if (status == UR_OK)
        status = need_verb(model, words->word[0], "predict");
    if (status == UR_OK)
        status = ur_team_new(&team, (int)w.options->threads);
    if (status == UR_OK && w.options->attention != NULL)
        status = check_picture(&w, paths, n_paths, words->word[0]);
    if (status == UR_OK)
        status = open_predictor(&w, model, team);
    if (status == UR_OK)
        status = reads_lines(w.options, model) ? take_files(&w, paths, n_paths)
                                               : take_examples(&w, paths, n_paths);
    code = status == UR_OK ? EXIT_DONE : fail_reading(status);
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
             "labels or without: each has its answer on a line, in their order. With "
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
