/* SPDX-License-Identifier: MIT */
/* A text to another: source<TAB>target, a pair a line (task/translate.h). The best model is that of
 * the best accuracy. */
#include "task/labelled.h"
#include "task/list.h"
#include "task/translate.h"

#define AT(member) offsetof(struct ur__translate_options, member)

static const ur_option option_rows[] = {
    {.group = "text", .name = "source-tokens", .words = ur__labelled_token_words,
     .fallback = "auto", .kind = UR_OPTION_CHOICE, .at = AT(tokens[UR__PAIR_SOURCE]),
     .help = "tokens of a source; auto: words, or characters where texts are single words"},
    {.name = "target-tokens", .words = ur__labelled_token_words, .fallback = "auto",
     .kind = UR_OPTION_CHOICE, .at = AT(tokens[UR__PAIR_TARGET]),
     .help = "tokens of a target"},
    {.name = "min-count", .arg = "N", .fallback = "2", .kind = UR_OPTION_INT, .min = 1, .max = 1e9,
     .at = AT(min_count), .help = "words: rarer ones are <unk>"},
    {.name = "max-vocab", .arg = "N", .fallback = "0", .shown = "all", .kind = UR_OPTION_INT,
     .max = UR__VOCAB_MAX, .flags = UR_OPTION_SPARSE, .at = AT(max_vocab),
     .help = "words: as many of each side, the most frequent ones"},
    {.name = "max-length", .arg = "N", .fallback = "256", .kind = UR_OPTION_INT, .min = 1,
     .max = 65536, .at = AT(max_length), .help = "tokens of a text; longer ones are an error"},
    {.name = "decode", .arg = "N", .fallback = "200", .kind = UR_OPTION_INT, .max = 1e9,
     .at = AT(decode), .help = "texts that each validation has the net make, to compare them; "
                               "0: none"},
};

static const ur_option_table table = {
    .name = "translate", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct ur__translate_options),
};

static ur_status measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    return ur__translate_measure(run, &table, model, options);
}

static bool searches(const ur_model *model)
{
    (void)model;
    return true;
}

static const char *const shown[][2] = {
    {"batch", "16 to 64 by the data"}, {"epochs", "60 to 8 by the data"}, {"lr", "2e-3"},
    {"best", "accuracy"}, {NULL, NULL},
};

const struct ur__task ur__task_translate = {
    .name = "translate",
    .brief = "turn a text into another",
    .arch = "translate",
    .options = &table,
    .shown = shown,
    .n_sums = ur__translate_sums,
    .open = ur__translate_open,
    .cut = ur__translate_cut,
    .largest = ur__translate_largest,
    .largest_scored = ur__translate_largest_scored,
    .memory = ur__translate_memory,
    .search_memory = ur__translate_search_memory,
    .build = ur__translate_build,
    .close = ur__translate_close,
    .begin_epoch = ur__translate_begin_epoch,
    .batch = ur__translate_batch,
    .score = ur__translate_score,
    .figures = ur__translate_figures,
    .measure = measure,
    .predict = &ur__translate_lines,
    .searches = searches,
    .makes_texts = true,
};
