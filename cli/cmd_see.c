/* SPDX-License-Identifier: MIT */
/* unroll see: looks into a net while it reads. Colours a text by the activation of one
 * unit (Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks", 2015),
 * or names the units that follow something. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/fail.h"
#include "cli/feature.h"
#include "cli/paint.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

/* Bytes of text at most. */
#define MOST_TEXT ((size_t)1 << 30)

struct see {
    struct opt_common common;
    int64_t layer, unit, limit, top;
    const char *follow, *color, *unknown;
    bool find;
    bool has_layer, has_unit;
};

#define AT(field) .at = offsetof(struct see, field)

static const ur_option options[] = {
    {.group = "which unit", .name = "layer", .arg = "N", .kind = UR_OPTION_COUNT,
     .max = UR_OPTION_LIST - 1, AT(layer),
     .shown = "the last", .help = "layer of the unit; the first is 0"},
    {.name = "unit", .arg = "N", .kind = UR_OPTION_COUNT, .max = 65535, AT(unit),
     .shown = "one that follows a feature", .help = "the unit; the first is 0"},
    {.name = "follow", .arg = FEATURE_CHOICES, .kind = UR_OPTION_WORD, AT(follow),
     .help = "pick the unit, of all layers, that best follows this feature"},
    {.name = "find", .kind = UR_OPTION_FLAG, AT(find),
     .help = "list the units that best follow each feature, by correlation r, not the text"},
    {.name = "top", .arg = "N", .fallback = "3", .kind = UR_OPTION_COUNT, .min = 1, .max = 100,
     AT(top),
     .help = "units per feature with --find"},
    {.group = "appearance", .name = "color", .arg = "auto|always|never", .fallback = "auto",
     .kind = UR_OPTION_WORD,
     AT(color), .help = "colours, as many as COLORTERM and TERM announce, or a line of signs "
                        "below each line of text"},
    {.name = "limit", .arg = "N", .fallback = "20000", .kind = UR_OPTION_COUNT, .min = 2,
     .max = 1e7,
     AT(limit), .help = "tokens of FILE to read"},
    {.name = "unknown", .arg = OPT_UNKNOWN, .shown = OPT_UNKNOWN_USUAL, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens of FILE that the model does not know; replace: "
                          "read as <unk>, or as U+FFFD, ? or a space"},
    OPT_COMMON(struct see),
};

static const char *const examples[] = {
    "unroll see c.safetensors main.c",
    "unroll see c.safetensors main.c --follow comment --color always | less -R",
    "unroll see c.safetensors main.c --find",
    NULL,
};

/* A text as a net has read it. */
struct reading {
    size_t n;           /* tokens */
    int32_t *ids;       /* [n] */
    struct ur__buf text;    /* the tokens' text, with the spaces between words */
    size_t *end;        /* [n] where each token ends in it, in code points (or bytes) */
    size_t *begin;      /* [n+1] where each begins in it, in bytes */
    size_t n_codes;
    uint32_t *code;     /* [n_codes] */
    int units;          /* recorded ones */
    int *layer, *unit;  /* [units] which they are */
    ur_real *h;         /* [units,n] */
};

static void reading_free(struct reading *r)
{
    ur__free(r->ids);
    ur__buf_free(&r->text);
    ur__free(r->end);
    ur__free(r->begin);
    ur__free(r->code);
    ur__free(r->layer);
    ur__free(r->unit);
    ur__free(r->h);
}

/* ---- reading ----------------------------------------------------------- */

/* Bytes of the next word, with the blank or line's end after it. */
static size_t word_length(const char *text, size_t n)
{
    size_t at = 0;
    while (at < n && text[at] == ' ')
        at++;
    while (at < n && text[at] != ' ' && text[at] != '\n')
        at++;
    return at < n ? at + 1 : n;
}

/* Bytes of the first `limit` tokens, where they are words of at least so many; malformed
 * text is left to whoever encodes it. */
static size_t cut(const char *text, size_t n, ur_token_kind kind, int64_t limit)
{
    size_t at = 0;
    for (int64_t i = 0; i < limit && at < n; i++) {
        uint32_t code;
        int length = 1;
        if (kind == UR_TOKEN_CHAR)
            length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return n;
        at += kind == UR_TOKEN_BYTE || kind == UR_TOKEN_CHAR ? (size_t)length
                                                             : word_length(text + at, n - at);
    }
    return at;
}

/* The tokens' text, its characters, and where each token ends among them. */
static ur_status spell(struct reading *r, const ur_vocab *vocab)
{
    ur_join join = {false, false};
    r->begin = ur__alloc(r->n + 1, sizeof *r->begin);
    r->end = ur__alloc(r->n, sizeof *r->end);
    if (r->begin == NULL || r->end == NULL)
        return UR_ENOMEM;
    for (size_t t = 0; t < r->n; t++) {
        size_t n;
        const char *text = ur_vocab_join(vocab, &join, r->ids[t], &n);
        r->begin[t] = r->text.size;
        UR__TRY(ur__buf_put(&r->text, text, n));
    }
    r->begin[r->n] = r->text.size;
    r->code = ur__alloc(r->text.size, sizeof *r->code);
    if (r->code == NULL)
        return UR_ENOMEM;
    for (size_t t = 0; t < r->n; t++) {
        for (size_t at = r->begin[t]; at < r->begin[t + 1]; ) {
            const unsigned char *s = (unsigned char *)r->text.data + at;
            uint32_t *code = &r->code[r->n_codes++];
            int length = ur__utf8_decode(s, r->begin[t + 1] - at, code);
            if (length <= 0)
                *code = *s;
            at += length > 0 ? (size_t)length : 1;
        }
        r->end[t] = r->n_codes;
    }
    return UR_OK;
}

/* Bytes that hold `limit` tokens, but for words longer than any vocabulary has. */
static size_t enough(ur_token_kind kind, int64_t limit)
{
    size_t each = kind == UR_TOKEN_BYTE ? 1 : kind == UR_TOKEN_CHAR ? 4 : 257;
    size_t bytes = (size_t)limit * each;
    return bytes < MOST_TEXT ? bytes : MOST_TEXT;
}

/* What was cut off may be half a word or character. */
static size_t whole_words(const char *text, size_t n)
{
    size_t at = n;
    while (at > 0 && text[at - 1] != ' ' && text[at - 1] != '\n')
        at--;
    return at > 0 ? at : n;
}

/* The beginning of a file that may be endless. */
static ur_status read_beginning(const char *path, ur_token_kind kind, size_t most,
                                struct ur__buf *text, bool *more)
{
    struct ur__reader *reader;
    char block[4096];
    UR__TRY(ur__reader_open(&reader, path));
    ur_status status = UR_OK;
    for (size_t got = 1; got > 0 && text->size <= most && status == UR_OK; ) {
        status = ur__reader_read(reader, block, sizeof block, &got);
        if (status == UR_OK)
            status = ur__buf_put(text, block, got);
    }
    ur__reader_close(reader);
    *more = text->size > most;
    if (*more)
        text->size = kind == UR_TOKEN_BYTE || kind == UR_TOKEN_CHAR
                         ? most : whole_words(text->data, most);
    return status;
}

/* Tokens of the text, those that the model does not know as a->unknown says. */
static ur_status encode(struct reading *r, const ur_vocab *vocab, const char *name,
                        const struct see *a, const char *text, size_t n)
{
    ur_encoder *encoder = NULL;
    ur_unknown how = UR_UNKNOWN_USUAL;
    ur_unknown_find(a->unknown, &how);
    UR__TRY(ur_encoder_new(&encoder, vocab, how));
    ur_status status = ur_encoder_put(encoder, text, n, r->ids, &r->n);
    const char *note = status == UR_OK ? ur_encoder_note(encoder, name) : NULL;
    if (note != NULL && !a->common.quiet)
        fprintf(stderr, "unroll: %s\n", note);
    ur_encoder_free(encoder);
    if (status == UR_EINVAL)    /* here the text is an input, not an option */
        return ur__fail(UR_EDATA, "%s: %s", name, ur_errmsg());
    return status;
}

static ur_status read_text(struct reading *r, const ur_model *model, const char *path,
                           const struct see *a, bool *shortened)
{
    int64_t limit = a->limit;
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    ur_token_kind kind = ur_vocab_kind(vocab);
    struct ur__buf text = {0};
    bool more = false;
    ur_status status = read_beginning(path, kind, enough(kind, limit), &text, &more);
    if (status == UR_OK && kind != UR_TOKEN_BYTE && text.size > 0) {
        bool to_lf;
        status = ur_model_unix_newlines(model, &to_lf);
        if (status == UR_OK)
            status = ur__text_clean(name, to_lf, text.data, &text.size);
    }
    size_t size = text.size, used = cut(text.data, size, kind, limit);
    r->ids = status == UR_OK ? ur__alloc(used + 1, sizeof *r->ids) : NULL;
    if (status == UR_OK && r->ids == NULL)
        status = UR_ENOMEM;
    if (status == UR_OK)
        status = encode(r, vocab, name, a, size ? text.data : "", used);
    ur__buf_free(&text);
    if (status == UR_OK && r->n == 0)
        status = ur__fail(UR_EDATA, "%s is empty", name);
    *shortened = more || used < size || r->n > (size_t)limit;
    if (r->n > (size_t)limit)
        r->n = (size_t)limit;
    return status == UR_OK ? spell(r, vocab) : status;
}

/* The units to record: one that was named, or all. */
static ur_status choose_recorded(struct reading *r, const struct see *a, const ur_rnn *rnn)
{
    int layers = ur_rnn_layers(rnn), all = 0;
    for (int l = 0; l < layers; l++)
        all += ur_rnn_hidden(rnn, l);
    bool one = a->has_unit && !a->find;
    int last = a->has_layer ? (int)a->layer : layers - 1;
    if (last >= layers)
        return ur__fail(UR_EINVAL, "--layer %d: the net's last layer is %d", last, layers - 1);
    if (one && a->unit >= ur_rnn_hidden(rnn, last))
        return ur__fail(UR_EINVAL, "--unit %d: the last unit of layer %d is %d", (int)a->unit, last,
                        ur_rnn_hidden(rnn, last) - 1);
    r->layer = ur__alloc((size_t)all, sizeof *r->layer);
    r->unit = ur__alloc((size_t)all, sizeof *r->unit);
    if (r->layer == NULL || r->unit == NULL)
        return UR_ENOMEM;
    for (int l = 0; l < layers; l++)
        for (int u = 0; u < ur_rnn_hidden(rnn, l); u++)
            if ((!a->has_layer || l == last) && (!one || (l == last && u == a->unit))) {
                r->layer[r->units] = l;
                r->unit[r->units++] = u;
            }
    size_t count;
    if (!ur__mul(&count, (size_t)r->units, r->n))
        return ur__fail(UR_ENOMEM, "too many activations to keep: use a lower --limit");
    r->h = ur__alloc(count, sizeof *r->h);
    return r->h == NULL ? UR_ENOMEM : UR_OK;
}

static ur_status feed(struct reading *r, const ur_model *model)
{
    ur_session *session = NULL;
    ur_status status = ur_session_new(&session, model, NULL);
    for (size_t t = 0; t < r->n && status == UR_OK; t++) {
        status = ur_session_feed(session, r->ids[t]);
        for (int i = 0; i < r->units && status == UR_OK; i++)
            r->h[(size_t)i * r->n + t] =
                ur_state_buffer(ur_session_state(session), r->layer[i], "h", NULL)[r->unit[i]];
    }
    ur_session_free(session);
    return status;
}

/* ---- finding ----------------------------------------------------------- */

/* Of series over characters what stands at the tokens' ends. */
static void at_tokens(const struct reading *x, double *series)
{
    for (int f = 0; f < N_FEATURES; f++)
        for (size_t t = 0; t < x->n; t++)
            series[(size_t)f * x->n + t] = series[(size_t)f * x->n_codes + x->end[t] - 1];
}

/* r of every recorded unit with every feature: [N_FEATURES,units]. */
static ur_status correlate(const struct reading *x, double **out)
{
    double *series = ur__alloc(N_FEATURES * x->n_codes, sizeof *series);
    double *unit = ur__alloc(x->n, sizeof *unit);
    double *r = ur__alloc((size_t)N_FEATURES * (size_t)x->units, sizeof *r);
    *out = r;
    if (series != NULL && unit != NULL && r != NULL) {
        feature_compute(x->code, x->n_codes, series);
        at_tokens(x, series);
        for (int i = 0; i < x->units; i++) {
            for (size_t t = 0; t < x->n; t++)
                unit[t] = (double)x->h[(size_t)i * x->n + t];
            for (int f = 0; f < N_FEATURES; f++)
                r[f * x->units + i] = ur_correlation(x->n, series + (size_t)f * x->n, unit);
        }
    }
    ur_status status = series != NULL && unit != NULL && r != NULL ? UR_OK : UR_ENOMEM;
    ur__free(series);
    ur__free(unit);
    return status;
}

/* The unit of a row whose |r| comes next after that of unit `after` (−1: the largest); of equal
 * ones the lower unit. −1: none is left. */
static int next_best(const double *r, int units, int after)
{
    int best = -1;
    for (int i = 0; i < units; i++) {
        double x = fabs(r[i]);
        bool later = after < 0 || x < fabs(r[after]) || (!(x > fabs(r[after])) && i > after);
        if (later && x > 0.0 && (best < 0 || x > fabs(r[best])))
            best = i;
    }
    return best;
}

static int print_found(const struct reading *x, const double *r, const struct see *a)
{
    struct ur__json *list = a->common.json ? ur__json_new_array() : NULL;
    if (!a->common.json)
        printf("feature     layer   unit        r\n");
    for (int f = 0; f < N_FEATURES; f++) {
        const double *row = r + f * x->units;
        int i = -1;
        for (int k = 0; k < a->top && (i = next_best(row, x->units, i)) >= 0; k++) {
            if (!a->common.json) {
                printf("%-10s %6d %6d   %6.3f   %s\n", feature_list[f].name, x->layer[i],
                       x->unit[i], row[i], k == 0 ? feature_list[f].what : "");
                continue;
            }
            struct ur__json *one = ur__json_new_object();
            ur__json_set_string(one, "feature", feature_list[f].name);
            ur__json_set_int(one, "layer", x->layer[i]);
            ur__json_set_int(one, "unit", x->unit[i]);
            ur__json_set_real(one, "r", row[i]);
            ur__json_add(list, one);
        }
    }
    if (!a->common.json)
        return EXIT_DONE;
    struct ur__json *j = ur__json_new_object();
    ur__json_set_int(j, "n", (int64_t)x->n);
    ur__json_set(j, "found", list);
    return ui_json(j);
}

/* ---- showing ----------------------------------------------------------- */

/* The unit that best follows feature f, or any of them (−1); *f receives which. */
static int best_unit(const struct reading *x, const double *r, int *f)
{
    int first = *f >= 0 ? *f : 0, end = *f >= 0 ? *f + 1 : N_FEATURES, best = 0;
    double most = -1.0;
    for (int g = first; g < end; g++) {
        int i = next_best(r + g * x->units, x->units, -1);
        if (i >= 0 && fabs(r[g * x->units + i]) > most) {
            most = fabs(r[g * x->units + i]);
            best = i;
            *f = g;
        }
    }
    return most < 0.0 ? -1 : best;
}

static int print_text(const struct reading *x, int i, const struct see *a)
{
    const ur_real *h = x->h + (size_t)i * x->n;
    double scale = 0.0;
    for (size_t t = 0; t < x->n; t++)
        scale = fabs((double)h[t]) > scale ? fabs((double)h[t]) : scale;
    if (a->common.json) {
        struct ur__json *j = ur__json_new_object(), *list = ur__json_new_array();
        ur__json_set_int(j, "layer", x->layer[i]);
        ur__json_set_int(j, "unit", x->unit[i]);
        for (size_t t = 0; t < x->n; t++)
            ur__json_add_real(list, (double)h[t]);
        ur__json_set(j, "activation", list);
        return ui_json(j);
    }
    struct paint paint;
    paint_begin(&paint, ui_colors(1, a->color), scale);
    ur_status status = UR_OK;
    for (size_t t = 0; t < x->n && status == UR_OK; t++) {
        const char *bytes = x->text.data + x->begin[t];
        size_t n = x->begin[t + 1] - x->begin[t];
        size_t space = n > 1 && bytes[0] == ' ';    /* between words: neither's */
        if (space)
            status = paint_put(&paint, bytes, 1, 0.0);
        if (status == UR_OK)
            status = paint_put(&paint, bytes + space, (int)(n - space), (double)h[t]);
        if (bytes[0] == '\n' && !out_flush())
            break;
    }
    paint_end(&paint);
    return status == UR_OK ? EXIT_DONE : fail_status(status);
}

static int show(const struct reading *x, const double *r, const struct see *a, struct ui *ui)
{
    int f = a->follow != NULL ? feature_find(a->follow) : -1, i = 0;
    if (!a->has_unit) {
        i = best_unit(x, r, &f);
        if (i < 0 && a->follow != NULL)
            return fail(EXIT_INPUT, "no unit follows %s: it does not vary in this text",
                        a->follow);
        i = i < 0 ? x->units - 1 : i;
    }
    if (!a->has_unit && f >= 0)
        ui_say(ui, "layer %d, unit %d follows %s (%s), r = %.3f", x->layer[i], x->unit[i],
               feature_list[f].name, feature_list[f].what, r[f * x->units + i]);
    else
        ui_say(ui, "layer %d, unit %d", x->layer[i], x->unit[i]);
    return print_text(x, i, a);
}

static int see(const struct see *a, const char *model_path, const char *path)
{
    struct reading reading = {0};
    struct ui ui;
    ur_model *model = NULL;
    double *r = NULL;
    bool shortened = false;
    ui_init(&ui, &a->common);
    ur_status status = ur_model_load(&model, model_path);
    if (status == UR_OK)
        status = need_verb(model, model_path, "sample");
    if (status == UR_OK)
        status = read_text(&reading, model, path, a, &shortened);
    if (status == UR_OK)
        status = choose_recorded(&reading, a, ur_model_rnn(model, 0));
    if (status == UR_OK)
        status = feed(&reading, model);
    if (status == UR_OK && (a->find || !a->has_unit))
        status = correlate(&reading, &r);
    int code;
    if (status != UR_OK)
        code = fail_reading(status);
    else if (a->find)
        code = print_found(&reading, r, a);
    else
        code = show(&reading, r, a, &ui);
    if (code == EXIT_DONE && shortened && out_flush())
        ui_say(&ui, "the first %d tokens; use --limit for more", (int)reading.n);
    ur__free(r);
    reading_free(&reading);
    ur_model_free(model);
    return code;
}

static int act(void *values, const struct opt_words *words)
{
    struct see *a = values;
    a->has_layer = opt_given(words, "layer");
    a->has_unit = opt_given(words, "unit");
    if (a->has_unit && (a->find || a->follow != NULL))
        return fail(EXIT_USAGE, "--unit cannot be combined with --%s", a->find ? "find" : "follow");
    return see(a, words->word[0], words->n > 1 ? words->word[1] : "-");
}

const struct command cmd_see = {
    .name = "see",
    .words = "MODEL [FILE]",
    .brief = "show a text coloured by the activation of one unit",
    .examples = examples,
    .notes = "FILE is a text, by default standard input. Red is positive, blue negative, in "
             "proportion to the unit's largest activation; without colours, digits are "
             "positive and letters negative.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 2,
    .size = sizeof(struct see),
    .act = act,
};
