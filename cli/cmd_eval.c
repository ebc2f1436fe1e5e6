/* SPDX-License-Identifier: MIT */
/* unroll eval: how well a model predicts a text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/ui.h"
#include "io/json.h"
#include "unroll.h"

struct eval {
    struct opt_common common;
    const char *part, *protocol;
    int64_t threads;
};

#define AT(field) .at = offsetof(struct eval, field)

static const struct opt options[] = {
    {.group = "measuring"},
    {.name = "part", .arg = "all|val", .fallback = "all", .kind = OPT_CHOICE, AT(part),
     .help = "all of DATA, or only what training held out of it"},
    {.name = "protocol", .arg = "stream|window", .fallback = "stream", .kind = OPT_CHOICE,
     AT(protocol),
     .help = "one stream from the zero state (fill: windows as in training), or windows of 256 "
             "predictions, each from it"},
    {.name = "threads", .arg = "N", .fallback = "0", .shown = "the cores available",
     .kind = OPT_INT, .max = 1024, AT(threads), .help = "changes speed, never the result"},
    OPT_COMMON(struct eval),
};

static const char *const examples[] = {
    "unroll eval shakespeare.safetensors other-plays.txt",
    "unroll eval shakespeare.safetensors shakespeare.txt --part val --json",
    NULL,
};

static bool on_progress(void *user, double done)
{
    ui_busy(user, done, "measuring");
    return true;
}

static int print_json(const ur_metrics *m)
{
    struct ur__json *j = ur__json_new_object();
    ur__json_set_real(j, "loss", m->loss);
    ur__json_set_real(j, "bpc", m->bpc);
    ur__json_set_real(j, "perplexity", m->perplexity);
    ur__json_set_real(j, "accuracy", m->accuracy);
    if (!isnan(m->unknown))
        ur__json_set_real(j, "unk", m->unknown);
    ur__json_set_int(j, "n", m->n);
    return ui_json(j);
}

static int print_lines(const ur_metrics *m, ur_token_kind tokens)
{
    const char *unit = tokens == UR_TOKEN_BYTE ? "byte" : tokens == UR_TOKEN_CHAR ? "character"
                                                                                   : "word";
    char n[UI_NUMBER];
    printf("loss         %.4f nats a %s\n", m->loss, unit);
    if (!isnan(m->bpc))
        printf("             %.4f bits a %s\n", m->bpc, unit);
    printf("perplexity   %.3f\n", m->perplexity);
    printf("accuracy     %.2f %%\n", 100.0 * m->accuracy);
    if (!isnan(m->unknown))
        printf("unknown      %.2f %% of the words\n", 100.0 * m->unknown);
    printf("predictions  %s\n", ui_count(n, (double)m->n));
    return EXIT_DONE;
}

static int evaluate(const struct eval *a, const struct opt_words *words)
{
    ur_model *model = NULL;
    ur_team *team = NULL;
    ur_metrics metrics;
    struct ui ui;
    ui_init(&ui, &a->common);
    ur_status status = ur_model_load(&model, words->word[0]);
    if (status == UR_OK)
        status = ur_team_new(&team, (int)a->threads);
    if (status == UR_OK) {
        const ur_eval_options o = {
            .data = words->word + 1,
            .n_data = words->n - 1,
            .held_out = strcmp(a->part, "val") == 0,
            .protocol = strcmp(a->protocol, "window") == 0 ? UR_PROTOCOL_WINDOW
                                                           : UR_PROTOCOL_STREAM,
            .team = team,
            .on_progress = on_progress,
            .user = &ui,
        };
        status = ur_evaluate(model, &o, &metrics);
    }
    ui_clear(&ui);
    int code;
    if (status != UR_OK)
        code = fail_reading(status);
    else if (a->common.json)
        code = print_json(&metrics);
    else
        code = print_lines(&metrics, ur_model_config(model)->tokens);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct eval a;
    struct opt_words words;
    int code;
    if (opt_parse(self, argc, argv, &a, &words, &code))
        code = evaluate(&a, &words);
    opt_words_free(&words);
    return code;
}

const struct command cmd_eval = {
    .name = "eval",
    .words = "MODEL DATA...",
    .brief = "how well the model predicts a text",
    .examples = examples,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 2,
    .max_words = -1,
    .run = run,
};
