/* SPDX-License-Identifier: MIT */
/* unroll info: what a model is and how it came to be; without one, what this program is
 * and what it computes with. */
#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/ui.h"
#include "io/option_json.h"
#include "unroll.h"

struct info {
    struct opt_common common;
};

static const ur_option options[] = {
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

/* ---- JSON -------------------------------------------------------------- */

/* Labels to choose from, or NULL; and what the steps read: NULL: numbers. */
static const ur_vocab *labels_of(const ur_model *model)
{
    return ur_model_vocab(model, "label");
}

static const ur_vocab *text_of(const ur_model *model)
{
    const ur_vocab *first = ur_model_vocab(model, NULL);
    return first != labels_of(model) ? first : NULL;
}

/* Labels follow the two tokens that no label is. */
static int32_t first_label(const ur_vocab *labels)
{
    return ur_vocab_line_end(labels) + 1;
}

static void add_config(struct ur__json *j, const ur_model *model)
{
    const ur_options *net = ur_model_config(model);
    const ur_vocab *text = text_of(model);
    const ur_option *o;
    ur__json_set_string(j, "task", ur_model_task(model));
    ur__json_set_string(j, "arch", ur_model_arch(model));
    ur__json_set_string(j, "tokens", text != NULL ? ur_token_kind_name(ur_vocab_kind(text))
                                                  : "none");
    for (int i = 0; (o = ur_options_at(net, i)) != NULL; i++)
        ur__option_to_json(o, ur__options_read(net), j);
}

static void add_params(struct ur__json *j, const ur_params *params)
{
    struct ur__json *list = ur__json_new_array();
    for (int i = 0; i < ur_params_count(params); i++)
        ui_json_param(list, ur_params_at(params, i));
    ur__json_set_int(j, "parameters", (int64_t)ur_params_size(params));
    ur__json_set(j, "tensors", list);
}

/* Tokens from `from` on as text; a zero, and a byte that is not a character, as "<00>". */
static ur_status add_tokens(struct ur__json *j, const char *key, const ur_vocab *vocab,
                            int32_t from)
{
    struct ur__json *list = ur__json_new_array();
    ur_status status = UR_OK;
    for (int32_t id = from; vocab != NULL && id < ur_vocab_size(vocab) && status == UR_OK; id++) {
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
    ur__json_set(j, key, list);
    return status;
}

static ur_status add_vocabs(struct ur__json *j, const ur_model *model)
{
    const ur_vocab *text = text_of(model), *labels = labels_of(model);
    ur__json_set_int(j, "vocabulary", text != NULL ? ur_vocab_size(text) : 0);
    ur_status status = add_tokens(j, "vocabulary_text", text, 0);
    if (status == UR_OK && labels != NULL)
        status = add_tokens(j, "labels", labels, first_label(labels));
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
        ui_json_name(j, "model", path);
        add_config(j, model);
        add_params(j, ur_model_params(model));
        status = add_vocabs(j, model);
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

static ur_status print_network(const ur_model *model)
{
    struct ur__buf net = {0};
    const char *task = ur_model_task(model), *brief = ur_task_brief(task);
    const ur_vocab *text = text_of(model);
    printf("task         %s%s%s\n", task, brief != NULL ? ": " : "", brief != NULL ? brief : "");
    if (text != NULL)
        printf("tokens       %s, %d different\n", ur_token_kind_name(ur_vocab_kind(text)),
               ur_vocab_size(text));
    else
        printf("tokens       none: numbers are read\n");
    ur_status status = ui_describe(&net, ur_model_config(model));
    if (status == UR_OK)
        printf("network      %s: %s\n", ur_model_arch(model), net.data);
    ur__buf_free(&net);
    return status;
}

static ur_status print_params(const ur_params *params)
{
    char n[UI_NUMBER];
    struct ur__buf lines = {0};
    ur_status status = UR_OK;
    for (int i = 0; i < ur_params_count(params) && status == UR_OK; i++)
        status = ui_param(&lines, ur_params_at(params, i));
    if (status == UR_OK)
        printf("parameters   %s\n%s", ui_count(n, (double)ur_params_size(params)), lines.data);
    ur__buf_free(&lines);
    return status;
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

/* Words or labels that are listed; of words the most frequent ones. */
enum { WORDS_SHOWN = 100 };

/* A token as it is, or as the number of its character or byte where that cannot be seen. */
static ur_status spell_token(struct ur__buf *to, const char *bytes, size_t n, bool word)
{
    uint32_t code = (unsigned char)bytes[0];
    int length = ur__utf8_decode((const unsigned char *)bytes, n, &code);
    if (word)
        return ur__buf_show(to, bytes, n, UR__SHOW_LINE);
    if (length == (int)n && ur__is_printable(code) && code != ' ' && code != 0xa0)
        return ur__buf_put(to, bytes, n);
    if (code == '\n' || code == '\t')
        return ur__buf_puts(to, code == '\n' ? "\\n" : "\\t");
    return ur__buf_printf(to, "<%02x>", (unsigned)code);
}

/* Tokens from `from` on, of words so many, in lines; rest: what the others are called. */
static ur_status print_tokens(const char *head, const ur_vocab *vocab, int32_t from,
                              const char *rest)
{
    int column = printf("%-12s", head), all = ur_vocab_size(vocab);
    bool words = ur_vocab_unknown(vocab) >= 0;
    int listed = words && all - from > WORDS_SHOWN ? from + WORDS_SHOWN : all;
    struct ur__buf token = {0};
    ur_status status = UR_OK;
    for (int32_t id = from; id < listed && status == UR_OK; id++) {
        size_t n;
        const char *bytes = ur_vocab_text(vocab, id, &n);
        token.size = 0;
        if ((status = spell_token(&token, bytes, n, words)) != UR_OK)
            break;
        int width = 1 + columns_of(token.data, token.size);
        if (column > 12 && column + width > 78)
            column = printf("\n            ") - 1;
        printf(" %s", token.data);
        column += width;
    }
    ur__buf_free(&token);
    if (listed < all)
        printf("\n             and %d %s", all - listed, rest);
    putchar('\n');
    return status;
}

static ur_status print_vocabs(const ur_model *model)
{
    const ur_vocab *text = text_of(model), *labels = labels_of(model);
    ur_status status = text != NULL ? print_tokens("vocabulary", text, 0, "rarer ones") : UR_OK;
    if (status == UR_OK && labels != NULL)
        status = print_tokens("labels", labels, first_label(labels), "more");
    return status;
}

/* A file's name, and what it says of itself, may hold anything. */
static ur_status print_row(int indent, const char *key, const char *value)
{
    struct ur__buf row = {0}, shown = {0};
    int width = value[0] != '\0' ? 24 - indent : 0;
    ur_status status = ur__buf_printf(&row, "%*s%-*s%s%s", indent, "", width, key,
                                      width > 0 ? " " : "", value);
    if (status == UR_OK)
        status = ur__buf_show(&shown, row.data, row.size, UR__SHOW_LINE);
    if (status == UR_OK)
        puts(shown.data);
    ur__buf_free(&row);
    ur__buf_free(&shown);
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

static void print_name(const char *path)
{
    char shown[4096];
    ur__show_line(shown, sizeof shown, path);
    printf("model        %s\n", shown);
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
        print_name(path);
        status = print_network(model);
        if (status == UR_OK)
            status = print_params(ur_model_params(model));
        if (status == UR_OK)
            status = print_vocabs(model);
        if (status == UR_OK)
            status = ur__json_parse(&trained, summary, strlen(summary));
        if (status == UR_OK) {
            printf("trained%s\n", ur__json_size(trained) == 0 ? "      no record" : "");
            status = ur__json_each(trained, print_member, &indent);
        }
        ur__json_free(trained);
    }
    printf("kernels      %s\nthreads      %d\n", kernels(), threads);
    return status == UR_OK ? EXIT_DONE : fail_reading(status);
}

static int info(void *values, const struct opt_words *words)
{
    const struct info *a = values;
    const char *path = words->n > 0 ? words->word[0] : NULL;
    ur_model *model = NULL;
    ur_team *team = NULL;
    int code;
    ur_status status = ur_team_new(&team, 0);
    if (status == UR_OK && path != NULL)
        status = ur_model_load(&model, path);
    if (status != UR_OK)
        code = fail_reading(status);
    else
        code = a->common.json ? print_json(path, model, ur_team_size(team))
                              : print_lines(path, model, ur_team_size(team));
    ur_model_free(model);
    ur_team_free(team);
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
    .size = sizeof(struct info),
    .act = info,
};
