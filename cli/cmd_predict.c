/* SPDX-License-Identifier: MIT */
/* unroll predict: lines in, lines out. A model of task fill puts a token into each gap of
 * a line, which is written _ or ___. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/encode.h"
#include "cli/fail.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

struct predict {
    struct opt_common common;
    int64_t top, threads;
    const char *unknown;
};

#define AT(field) .at = offsetof(struct predict, field)
enum { TOP_MAX = 1000 };

static const ur_option options[] = {
    {.group = "predicting", .name = "top", .arg = "N", .fallback = "5", .kind = UR_OPTION_COUNT,
     .min = 1, .max = TOP_MAX,
     AT(top), .help = "most likely tokens to list for each gap with --json"},
    {.name = "unknown", .arg = UNKNOWN_CHOICES, .shown = UNKNOWN_DEFAULT, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens that the model does not know; replace: read "
                          "as <unk>, or as U+FFFD, ? or a space"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .max = 1024,
     AT(threads),
     .help = "more than 1 helps only with wide layers; 0: all available cores"},
    OPT_COMMON(struct predict),
};

static const char *const examples[] = {
    "echo 'My fellow ___, we are strong.' | unroll predict speeches.safetensors",
    "unroll predict speeches.safetensors gaps.txt --json --top 3",
    NULL,
};

/* Bytes of the longest line. */
#define MOST_LINE ((size_t)16 << 20)

/* A line in the making. */
struct work {
    const struct predict *options;
    const ur_vocab *vocab;
    ur_runner *runner;
    const char *name;           /* of the input, for messages */
    bool as_bytes;              /* nothing is skipped or changed */
    struct ur__line_ends ends;
    int64_t line;               /* its number */
    struct encoder encoder;
    int32_t *before, *behind;   /* tokens on either side of the gap at hand */
    size_t n_before, n_behind, capacity;
    struct ur__buf text;        /* of the line as filled so far */
};

static ur_status reserve(struct work *w, size_t n)
{
    if (n <= w->capacity)
        return UR_OK;
    ur__free(w->before);
    ur__free(w->behind);
    w->before = ur__alloc(2 * n, sizeof *w->before);
    w->behind = ur__alloc(2 * n, sizeof *w->behind);
    w->capacity = w->before != NULL && w->behind != NULL ? 2 * n : 0;
    return w->capacity > 0 ? UR_OK : UR_ENOMEM;
}

static ur_status encode(struct work *w, const char *text, size_t n, int32_t *ids, size_t *count)
{
    ur_status status = encoder_put(&w->encoder, text, n, ids, count);
    if (status == UR_EINVAL)    /* here the text is an input, not an option */
        return ur__fail(UR_EDATA, "%s: line %lld: %s", w->name, (long long)w->line, ur_errmsg());
    return status;
}

static void add_best(const struct work *w, struct ur__json *gaps, int n, const int32_t *ids,
                     const double *p)
{
    struct ur__json *one = ur__json_new_object(), *best = ur__json_new_array();
    for (int i = 0; i < n; i++) {
        struct ur__json *token = ur__json_new_object();
        size_t length;
        const char *text = ur_vocab_text(w->vocab, ids[i], &length);
        ui_json_text(token, "text", text, length);
        ur__json_set_real(token, "p", p[i]);
        ur__json_add(best, token);
    }
    ur__json_set(one, "best", best);
    ur__json_add(gaps, one);
}

/* Fills the gap at hand. */
static ur_status fill(struct work *w, struct ur__json *gaps)
{
    int32_t ids[TOP_MAX];
    double p[TOP_MAX];
    size_t length;
    ur_batch sides;
    ur_batch_init(&sides);
    if (w->n_before > 0)
        UR__TRY(ur_batch_ids(&sides, "before", (int)w->n_before, 1, w->before, NULL));
    if (w->n_behind > 0)
        UR__TRY(ur_batch_ids(&sides, "after", (int)w->n_behind, 1, w->behind, NULL));
    UR__TRY(ur_runner_begin(w->runner, 0, &sides));
    int n = ur_runner_best(w->runner, 0, gaps != NULL ? (int)w->options->top : 1, ids, p);
    if (n == 0)
        return ur__fail(UR_EDATA, "the vocabulary has no token that can fill a gap");
    const char *text = ur_vocab_text(w->vocab, ids[0], &length);
    UR__TRY(ur__buf_put(&w->text, text, length));
    w->before[w->n_before++] = ids[0];
    if (gaps != NULL)
        add_best(w, gaps, n, ids, p);
    return UR_OK;
}

/* Text after the next gap is not seen: nothing is known of that gap yet. */
static ur_status fill_line(struct work *w, const char *line, struct ur__json *gaps)
{
    int32_t line_end = ur_vocab_line_end(w->vocab);
    const char *end = strchr(line, '_');
    size_t n = end != NULL ? (size_t)(end - line) : strlen(line);
    w->text.size = 0;
    UR__TRY(ur__buf_put(&w->text, line, n));
    if (end == NULL)
        return UR_OK;
    UR__TRY(reserve(w, strlen(line) + 2));
    w->before[0] = line_end;    /* a line begins behind one */
    size_t first = line_end >= 0;
    UR__TRY(encode(w, line, n, w->before + first, &w->n_before));
    w->n_before += first;
    while (end != NULL) {
        const char *piece = end + strspn(end, "_");
        end = strchr(piece, '_');
        n = end != NULL ? (size_t)(end - piece) : strlen(piece);
        UR__TRY(encode(w, piece, n, w->behind, &w->n_behind));
        size_t kept = w->n_behind;
        if (end == NULL && line_end >= 0)
            w->behind[w->n_behind++] = line_end;
        UR__TRY(fill(w, gaps));
        UR__TRY(ur__buf_put(&w->text, piece, n));
        memcpy(w->before + w->n_before, w->behind, kept * sizeof *w->before);
        w->n_before += kept;
    }
    return UR_OK;
}

static ur_status take_line(struct work *w, const char *line, size_t n)
{
    struct ur__json *gaps = w->options->common.json ? ur__json_new_array() : NULL;
    w->line++;
    ur_status status = strlen(line) == n ? fill_line(w, line, gaps)
                                         : ur__fail(UR_EDATA, "%s: line %lld has a zero byte",
                                                    w->name, (long long)w->line);
    if (status != UR_OK || gaps == NULL) {
        ur__json_free(gaps);
        if (status == UR_OK) {
            out_put(w->text.data, w->text.size);
            out_put("\n", 1);
        }
        return status;
    }
    struct ur__json *j = ur__json_new_object();
    ui_json_text(j, "line", w->text.data, w->text.size);
    ur__json_set(j, "gaps", gaps);
    struct ur__buf out = {0};
    status = ui_json_dump(j, &out);
    ur__json_free(j);
    if (status == UR_OK)
        out_put(out.data, out.size);
    ur__buf_free(&out);
    return status;
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
        status = ur_runner_new(&w.runner, model, 1, team);
    if (status == UR_OK)
        status = ur__reader_open(&reader, path);
    if (status == UR_OK) {
        w.vocab = ur_model_vocab(model, NULL);
        w.as_bytes = ur_vocab_kind(w.vocab) == UR_TOKEN_BYTE;
        status = ur_model_unix_newlines(model, &w.ends.to_lf);
    }
    if (status == UR_OK)
        status = encoder_init(&w.encoder, w.vocab, a->unknown);
    if (status == UR_OK)
        status = take_all(&w, reader);
    int code = status == UR_OK ? EXIT_DONE : fail_reading(status);
    if (status == UR_OK && !a->common.quiet)
        encoder_say(&w.encoder, "the input");
    if (reader != NULL)
        ur__reader_close(reader);
    ur__free(w.before);
    ur__free(w.behind);
    ur__buf_free(&w.text);
    ur_runner_free(w.runner);
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
    .brief = "fill the gaps in lines of text",
    .examples = examples,
    .notes = "MODEL comes from train --task fill. FILE is lines of text, by default standard "
             "input. Each gap, a run of underscores, gets the most likely token; lines without a "
             "gap stay as they are. Several gaps in a line are filled from left to right, and text "
             "after the next gap is not seen.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 2,
    .run = run,
};
