/* SPDX-License-Identifier: MIT */
/* unroll info: what a model is and how it came to be; without one, what this program is
 * and what it computes with. */
#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/ui.h"
#include "io/json.h"
#include "unroll.h"

struct info {
    struct opt_common common;
};

static const struct opt options[] = {
    OPT_COMMON(struct info),
};

static const char *const examples[] = {
    "unroll info shakespeare.safetensors",
    "unroll info",
    NULL,
};

static const char *kernels(void)
{
    const char *name = ur_kernels();
    return name != NULL ? name : "?";
}

static void shape_of(const ur_param *p, char to[64])
{
    size_t used = 0;
    for (int i = 0; i < p->rank && used < 64; i++)
        used += (size_t)snprintf(to + used, 64 - used, "%s%d", i > 0 ? "," : "", p->dim[i]);
}

/* What a network may have that most have not. */
static const struct {
    const char *key, *name;
    bool counts;        /* a number, not a yes */
} forms[] = {
    {"projection", "projected to", true}, {"peepholes", "peepholes", false},
    {"coupled", "coupled gates", false}, {"cell_clip", "cell within", true},
    {"time_residual", "residual in time", false}, {"learned_state", "learned state", false},
    {"recurrent_dropout", "recurrent dropout", true},
    {"zoneout_h", "zoneout", true}, {"zoneout_c", "zoneout of the cell", true},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

static double form_value(const ur_config *c, size_t i)
{
    const double value[N_FORMS] = {
        c->projection, c->peepholes, c->coupled, c->cell_clip, c->time_residual,
        c->learned_state, c->recurrent_dropout, c->zoneout_h, c->zoneout_c,
    };
    return value[i];
}

/* ---- JSON -------------------------------------------------------------- */

static void add_config(struct ur__json *j, const ur_config *c)
{
    ur__json_set_string(j, "task", c->task);
    ur__json_set_string(j, "tokens", ur_token_kind_name(c->tokens));
    ur__json_set_string(j, "cell", ur_cell_name(c->cell));
    if (c->cell == UR_CELL_RNN)
        ur__json_set_string(j, "activation", ur_activation_name(c->activation));
    if (c->cell == UR_CELL_GRU)
        ur__json_set_string(j, "reset", c->reset_before ? "before" : "after");
    ur__json_set_int(j, "layers", c->layers);
    struct ur__json *hidden = ur__json_new_array();
    for (int l = 0; l < c->layers; l++)
        ur__json_add_int(hidden, c->hidden[l]);
    ur__json_set(j, "hidden", hidden);
    ur__json_set_int(j, "embed", c->embed);
    ur__json_set_bool(j, "tie", c->tie);
    ur__json_set_real(j, "dropout", c->dropout);
    ur__json_set_bool(j, "variational", c->variational);
    for (size_t i = 0; i < N_FORMS; i++) {
        if (forms[i].counts)
            ur__json_set_real(j, forms[i].key, form_value(c, i));
        else
            ur__json_set_bool(j, forms[i].key, form_value(c, i) != 0);
    }
}

static void add_params(struct ur__json *j, const ur_params *params)
{
    struct ur__json *list = ur__json_new_array();
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        struct ur__json *one = ur__json_new_object(), *shape = ur__json_new_array();
        ur__json_set_string(one, "name", p->name);
        for (int d = 0; d < p->rank; d++)
            ur__json_add_int(shape, p->dim[d]);
        ur__json_set(one, "shape", shape);
        ur__json_set_int(one, "size", (int64_t)p->size);
        ur__json_add(list, one);
    }
    ur__json_set_int(j, "parameters", (int64_t)ur_params_size(params));
    ur__json_set(j, "tensors", list);
}

/* Tokens as text; a byte that is no character of its own has none (null). */
static ur_status add_vocab(struct ur__json *j, const ur_vocab *vocab)
{
    struct ur__json *list = ur__json_new_array();
    ur_status status = UR_OK;
    for (int32_t id = 0; id < ur_vocab_size(vocab) && status == UR_OK; id++) {
        struct ur__buf text = {0};
        size_t n;
        const char *bytes = ur_vocab_text(vocab, id, &n);
        bool zero = n == 1 && bytes[0] == '\0';
        if (!zero && ur__utf8_check((const unsigned char *)bytes, n) == n)
            status = ur__buf_put(&text, bytes, n);
        else
            status = ur__buf_printf(&text, "<%02x>", (unsigned)(unsigned char)bytes[0]);
        if (status == UR_OK)
            ur__json_add_string(list, text.data);
        ur__buf_free(&text);
    }
    ur__json_set_int(j, "vocabulary", ur_vocab_size(vocab));
    ur__json_set(j, "vocabulary_text", list);
    return status;
}

static int print_json(const char *path, ur_model *model, int threads)
{
    ur_status status = UR_OK;
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "version", ur_version());
    if (model != NULL) {
        const char *summary = ur_model_summary(model);
        struct ur__json *trained = NULL;
        ur__json_set_string(j, "model", path);
        add_config(j, ur_model_config(model));
        add_params(j, ur_model_params(model));
        status = add_vocab(j, ur_model_vocab(model));
        if (status == UR_OK)
            status = ur__json_parse(&trained, summary, strlen(summary));
        ur__json_set(j, "trained", trained);
    }
    ur__json_set_string(j, "kernels", kernels());
    ur__json_set_int(j, "threads", threads);
    if (status != UR_OK) {
        ur__json_free(j);
        return fail_reading(status);
    }
    return ui_json(j);
}

/* ---- lines ------------------------------------------------------------- */

static void print_network(const ur_config *c, const ur_vocab *vocab)
{
    const char *unit = c->tokens == UR_TOKEN_BYTE ? "bytes"
                       : c->tokens == UR_TOKEN_CHAR ? "characters" : "words";
    bool fills = strcmp(c->task, "fill") == 0;
    printf("task         %s, %s of %d %s\n", c->task, fills ? "gaps" : "next", ur_vocab_size(vocab),
           unit);
    printf("network      ");
    if (c->embed > 0)
        printf("vectors of %d, ", c->embed);
    printf("%s%s of", ur_cell_name(c->cell), fills ? " from each side" : "");
    for (int l = 0; l < c->layers; l++)
        printf("%s %d", l > 0 ? "," : "", c->hidden[l]);
    if (c->cell == UR_CELL_GRU)
        printf(", reset %s", c->reset_before ? "before" : "after");
    if (c->cell == UR_CELL_RNN)
        printf(", %s", ur_activation_name(c->activation));
    if (c->tie)
        printf(", tied decoder");
    for (size_t i = 0; i < N_FORMS; i++) {
        double value = form_value(c, i);
        if (value != 0 && forms[i].counts)
            printf(", %s %g", forms[i].name, value);
        else if (value != 0)
            printf(", %s", forms[i].name);
    }
    if (c->dropout > 0.0)
        printf(", %sdropout %g", c->variational ? "variational " : "", c->dropout);
    putchar('\n');
}

static void print_params(const ur_params *params)
{
    char n[UI_NUMBER], shape[64];
    printf("parameters   %s\n", ui_count(n, (double)ur_params_size(params)));
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        shape_of(p, shape);
        printf("  %-28s %-14s %12s\n", p->name, shape, ui_count(n, (double)p->size));
    }
}

/* Columns that a text takes. */
static int columns_of(const char *text, size_t n)
{
    int columns = 0;
    uint32_t code;
    for (size_t at = 0; at < n; at++) {
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        columns += length > 0 ? ui_columns(code) : 1;
        at += length > 1 ? (size_t)length - 1 : 0;
    }
    return columns;
}

/* Words that are listed, the most frequent ones. */
enum { WORDS_SHOWN = 100 };

/* Printable tokens as they are, others as numbers. */
static void print_vocab(const ur_vocab *vocab)
{
    int column = printf("vocabulary  "), all = ur_vocab_size(vocab);
    bool words = ur_vocab_unknown(vocab) >= 0;
    int shown = words && all > WORDS_SHOWN ? WORDS_SHOWN : all;
    for (int32_t id = 0; id < shown; id++) {
        size_t n;
        const char *bytes = ur_vocab_text(vocab, id, &n);
        uint32_t code = (unsigned char)bytes[0];
        int length = ur__utf8_decode((const unsigned char *)bytes, n, &code);
        bool text = words || length == (int)n;
        if (column > 12 && column + 1 + columns_of(bytes, n) > 78)
            column = printf("\n            ") - 1;
        if (text && code > 0x20 && code != 0x7f && !(code >= 0x80 && code <= 0xa0)) {
            printf(" %.*s", (int)n, bytes);
            column += 1 + columns_of(bytes, n);
        } else {
            column += printf(code == '\n' ? " \\n" : code == '\t' ? " \\t" : " <%02x>", code);
        }
    }
    if (shown < all)
        printf("\n             and %d rarer ones", all - shown);
    putchar('\n');
}

/* What a file says of itself may hold anything: the terminal gets it cleaned. */
static ur_status print_row(int indent, const char *key, const char *value)
{
    struct ur__buf row = {0}, clean = {0};
    int width = value[0] != '\0' ? 24 - indent : 0;
    ur_status status = ur__buf_printf(&row, "%*s%-*s%s%s", indent, "", width, key,
                                      width > 0 ? " " : "", value);
    if (status == UR_OK)
        status = ui_clean(&clean, row.data, row.size);
    if (status == UR_OK)
        puts(clean.data != NULL ? clean.data : "");
    ur__buf_free(&row);
    ur__buf_free(&clean);
    return status;
}

static ur_status print_member(void *user, const char *key, const struct ur__json *value)
{
    int indent = *(int *)user;
    const char *text;
    char number[32];
    int64_t whole;
    double real;
    if (ur__json_is_object(value)) {
        int deeper = indent + 2;
        ur_status status = print_row(indent, key, "");
        return status == UR_OK ? ur__json_each(value, print_member, &deeper) : status;
    }
    if (ur__json_string(value, &text))
        return print_row(indent, key, text);
    if (ur__json_int(value, &whole))
        snprintf(number, sizeof number, "%lld", (long long)whole);
    else if (ur__json_real(value, &real))
        snprintf(number, sizeof number, "%.6g", real);
    else {
        struct ur__buf dumped = {0};
        ur_status status = ur__json_dump(value, &dumped);
        if (status == UR_OK)
            status = print_row(indent, key, dumped.data);
        ur__buf_free(&dumped);
        return status;
    }
    return print_row(indent, key, number);
}

static int print_lines(const char *path, ur_model *model, int threads)
{
    ur_status status = UR_OK;
    if (model == NULL) {
        printf("unroll       %s\n", ur_version());
    } else {
        const char *summary = ur_model_summary(model);
        struct ur__json *trained = NULL;
        int indent = 2;
        printf("model        %s\n", path);
        print_network(ur_model_config(model), ur_model_vocab(model));
        print_params(ur_model_params(model));
        print_vocab(ur_model_vocab(model));
        status = ur__json_parse(&trained, summary, strlen(summary));
        if (status == UR_OK) {
            printf("trained%s\n", ur__json_size(trained) == 0 ? "      not at all" : "");
            status = ur__json_each(trained, print_member, &indent);
        }
        ur__json_free(trained);
    }
    printf("kernels      %s\nthreads      %d\n", kernels(), threads);
    return status == UR_OK ? EXIT_DONE : fail_reading(status);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct info a;
    struct opt_words words;
    ur_model *model = NULL;
    ur_team *team = NULL;
    int code;
    if (opt_parse(self, argc, argv, &a, &words, &code)) {
        const char *path = words.n > 0 ? words.word[0] : NULL;
        ur_status status = ur_team_new(&team, 0);
        if (status == UR_OK && path != NULL)
            status = ur_model_load(&model, path);
        if (status != UR_OK)
            code = fail_reading(status);
        else
            code = a.common.json ? print_json(path, model, ur_team_size(team))
                                 : print_lines(path, model, ur_team_size(team));
    }
    ur_model_free(model);
    ur_team_free(team);
    opt_words_free(&words);
    return code;
}

const struct command cmd_info = {
    .name = "info",
    .words = "[MODEL]",
    .brief = "what a model is, or what this program computes with",
    .examples = examples,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 0,
    .max_words = 1,
    .run = run,
};
