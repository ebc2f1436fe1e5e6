/* SPDX-License-Identifier: MIT */
/* unroll predict: lines in, answers out. What an answer is, the model's task knows. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cli/fail.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

struct predict {
    struct opt_common common;
    int64_t top, beam, threads;
    const char *unknown;
    bool explain;
};

#define AT(field) .at = offsetof(struct predict, field)

static const ur_option options[] = {
    {.group = "predicting", .name = "top", .arg = "N", .fallback = "5", .kind = UR_OPTION_COUNT,
     .min = 1, .max = UR_PREDICT_MOST,
     AT(top), .help = "most likely candidates to list for each place (a gap, a label) with --json"},
    {.name = "explain", .kind = UR_OPTION_FLAG, AT(explain),
     .help = "below each label, the line's tokens with the weights that the model gave them "
             "(classify with --pool attention)"},
    {.name = "unknown", .arg = OPT_UNKNOWN, .shown = OPT_UNKNOWN_USUAL, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens that the model does not know; replace: read "
                          "as <unk>, or as U+FFFD, ? or a space"},
    {.name = "beam", .arg = "N", .shown = "4", .kind = UR_OPTION_COUNT,
     .min = 1, .max = UR_BEAM_MOST, AT(beam),
     .help = "models with --feedback: how many ways to label a sequence are followed at once; 1: "
             "always the likeliest label"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .max = 1024,
     AT(threads),
     .help = "more than 1 helps only with wide layers; 0: all available cores"},
    OPT_COMMON(struct predict),
};

static const char *const examples[] = {
    "echo 'My fellow ___, we are strong.' | unroll predict speeches.safetensors",
    "unroll predict speeches.safetensors gaps.txt --json --top 3",
    "unroll predict spam.safetensors <messages.txt",
    "unroll predict spam.safetensors messages.txt --explain --json | unroll plot - -o why.svg",
    NULL,
};

/* Bytes of the longest line. */
#define MOST_LINE ((size_t)16 << 20)

struct work {
    const struct predict *options;
    ur_predictor *predictor;
    const char *name;           /* of the input, for messages */
    bool as_bytes;              /* nothing is skipped or changed */
    struct ur__line_ends ends;
    int64_t line;               /* its number */
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

static ur_status print_json(const ur_answer *a)
{
    struct ur__json *j = ur__json_new_object();
    struct ur__buf out = {0};
    ui_json_text(j, "line", a->text, a->n);
    ur__json_set(j, a->places, places_of(a));
    if (a->n_tokens > 0)
        ur__json_set(j, "tokens", tokens_of(a));
    ur_status status = ui_json_dump(j, &out);
    ur__json_free(j);
    if (status == UR_OK)
        out_put(out.data, out.size);
    ur__buf_free(&out);
    return status;
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

static ur_status take_line(struct work *w, const char *line, size_t n)
{
    const ur_answer *answer;
    long long number = ++w->line;
    if (strlen(line) != n)
        return ur__fail(UR_EDATA, "%s: line %lld has a zero byte", w->name, number);
    ur_status status = ur_predictor_line(w->predictor, line, n, &answer);
    if (status == UR_EDATA)
        return ur__fail(UR_EDATA, "%s: line %lld: %s", w->name, number, ur_errmsg());
    if (status != UR_OK)
        return status;
    if (w->options->common.json)
        return print_json(answer);
    out_put(answer->text, answer->n);
    out_put("\n", 1);
    return answer->n_tokens > 0 ? print_tokens(answer) : UR_OK;
}

/* ---- lines ------------------------------------------------------------- */

/* Takes all whole lines of the buffer, with last also what follows them. */
static ur_status take_lines(struct work *w, struct ur__buf *in, bool last, bool *read_on)
{
    size_t at = 0;
    while (at < in->size && *read_on) {
        char *line = in->data + at, *end = memchr(line, '\n', in->size - at);
        if (end == NULL && !last)
            break;
        if (w->line == 0 && !w->as_bytes) {
            UR__TRY(ur__text_check(w->name, line, in->size));
            line += ur__text_mark(line, in->size);
        }
        size_t n = end != NULL ? (size_t)(end - line) : (size_t)(in->data + in->size - line);
        line[n] = '\0';
        UR__TRY(take_line(w, line, n));
        at = (size_t)(line - in->data) + n + 1;
        *read_on = out_flush();
    }
    at = at < in->size ? at : in->size;
    memmove(in->data, in->data + at, in->size - at);
    in->size -= at;
    return UR_OK;
}

static ur_status take_all(struct work *w, struct ur__reader *r)
{
    struct ur__buf in = {0};
    char block[4096];
    bool read_on = true;
    ur_status status = UR_OK;
    for (size_t got = 1; got > 0 && read_on && status == UR_OK; ) {
        status = ur__reader_read(r, block, sizeof block, &got);
        size_t kept = got;
        if (status == UR_OK && !w->as_bytes)
            ur__line_ends_put(&w->ends, block, &kept);
        if (status == UR_OK)
            status = ur__buf_put(&in, block, kept);
        if (status == UR_OK)
            status = take_lines(w, &in, got == 0, &read_on);
        if (status == UR_OK && in.size > MOST_LINE)
            status = ur__fail(UR_EDATA, "%s: line %lld is longer than %d MiB", w->name,
                              (long long)w->line + 1, (int)(MOST_LINE >> 20));
    }
    ur__buf_free(&in);
    return status;
}

/* What the model says of the lines and their bytes. */
static ur_status open_predictor(struct work *w, const ur_model *model, ur_team *team)
{
    ur_predict_options o;
    ur_predict_options_init(&o);
    o.best = w->options->common.json ? (int)w->options->top : 1;
    o.beam = (int)w->options->beam;
    o.team = team;
    o.explain = w->options->explain;
    ur_unknown_find(w->options->unknown, &o.unknown);
    w->as_bytes = ur_vocab_kind(ur_model_vocab(model, NULL)) == UR_TOKEN_BYTE;
    UR__TRY(ur_model_unix_newlines(model, &w->ends.to_lf));
    return ur_predictor_new(&w->predictor, model, &o);
}

static int predict(const struct predict *a, const char *model_path, const char *path)
{
    struct work w = {.options = a, .name = strcmp(path, "-") == 0 ? "standard input" : path};
    struct ur__reader *reader = NULL;
    ur_model *model = NULL;
    ur_team *team = NULL;
    ur_status status = ur_model_load(&model, model_path);
    if (status == UR_OK)
        status = need_verb(model, model_path, "predict");
    if (status == UR_OK)
        status = ur_team_new(&team, (int)a->threads);
    if (status == UR_OK)
        status = ur__reader_open(&reader, path);
    if (status == UR_OK)
        status = open_predictor(&w, model, team);
    if (status == UR_OK)
        status = take_all(&w, reader);
    int code = status == UR_OK ? EXIT_DONE : fail_reading(status);
    const char *note = status == UR_OK ? ur_predictor_note(w.predictor) : NULL;
    if (note != NULL && !a->common.quiet)
        fprintf(stderr, "unroll: %s\n", note);
    if (reader != NULL)
        ur__reader_close(reader);
    ur_predictor_free(w.predictor);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct predict a;
    struct opt_words words;
    int code;
    if (opt_parse(self, argc, argv, &a, &words, &code))
        code = predict(&a, words.word[0], words.n > 1 ? words.word[1] : "-");
    opt_words_free(&words);
    return code;
}

const struct command cmd_predict = {
    .name = "predict",
    .words = "MODEL [FILE]",
    .brief = "give each line of a text the model's answer",
    .examples = examples,
    .notes = "FILE is lines of text, by default standard input. What the answer to a line is, "
             "MODEL's task says. One that fills gaps (train --task fill) gives each gap, a run of "
             "underscores, the most likely token; lines without a gap stay as they are. Several "
             "gaps in a line are filled from left to right, and text after the next gap is not "
             "seen. One that labels texts (classify) gives the label of the line, one that labels "
             "steps (tag) those of its words, with spaces between. With --explain a label is "
             "followed by a line for each token, its weight and its text, and by an empty line.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
