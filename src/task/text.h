/* SPDX-License-Identifier: MIT */
/* Running text as data, for the tasks that learn from it: the part to learn from, the
 * part held out, and the same parts found again when a model is measured. */
#ifndef UR_TASK_TEXT_H
#define UR_TASK_TEXT_H

#include "data/corpus.h"
#include "train/task.h"
#include "unroll/task.h"

/* Options of such a task: the first members of its struct of values. */
struct ur__text_options {
    int tokens;
    int newlines;               /* 0: kept, 1: CRLF and CR are read as LF */
    int unknown;                /* ur_unknown, of what a vocabulary is there for */
    int min_count, seq_length;
};

/* Kinds of tokens and ways of reading line ends, by number, each list ended by NULL. */
extern const char *const ur__token_words[], *const ur__newline_words[];

/* Rows of a member of struct `type`; standard: the kind of token by default. */
#define UR__TEXT_ROWS(type, member, standard)                                                     \
    {.group = "text", .name = "tokens", .words = ur__token_words, .fallback = standard,           \
     .kind = UR_OPTION_CHOICE, .at = offsetof(type, member.tokens),                               \
     .help = "bytes, characters of UTF-8 text, words between white space, or words and "          \
             "punctuation"},                                                                      \
    {.name = "newlines", .words = ur__newline_words, .fallback = "keep",                          \
     .kind = UR_OPTION_CHOICE, .flags = UR_OPTION_SPARSE, .at = offsetof(type, member.newlines),  \
     .help = "unix: CRLF and CR are read as LF, wherever the model reads text"},                  \
    {.name = "unknown", .words = ur__unknown_words, .fallback = "error",                          \
     .kind = UR_OPTION_CHOICE, .min = UR_UNKNOWN_ERROR, .flags = UR_OPTION_SPARSE,                \
     .at = offsetof(type, member.unknown),                                                        \
     .help = "characters or bytes of --val FILE that the text does not have, or of the text "     \
             "that --vocab-from does not; replace: read as U+FFFD, ? or a space"},                \
    {.name = "min-count", .arg = "N", .fallback = "2", .kind = UR_OPTION_INT,                     \
     .min = 1, .max = 1e9, .at = offsetof(type, member.min_count),                                \
     .help = "words: rarer ones are <unk>"},                                                      \
    {.name = "seq-length", .arg = "N", .fallback = "64", .kind = UR_OPTION_INT,                   \
     .min = 1, .max = 1048576, .at = offsetof(type, member.seq_length),                           \
     .help = "tokens that gradients run back through"}

/* A run of tokens. */
struct ur__part {
    struct ur__corpus *corpus;      /* borrowed */
    int64_t begin, tokens;
};

struct ur__text {
    struct ur__corpus *corpus, *val_corpus;     /* the latter NULL without val_file */
    struct ur__part train, valid;               /* valid.tokens 0: there is none */
};

/* Reads a job's files and tells what of them is known. */
ur_status ur__text_open(struct ur__text *text, const struct ur__job *job,
                        const struct ur__text_options *options, struct ur__facts *facts);
void ur__text_close(struct ur__text *text);
/* UR_EINVAL: a step of T by B tokens is larger than a pass can be. */
ur_status ur__text_check_step(int T, int B);

/* Reads what options ask for with the model's vocabulary as the part held out, all of it or what
 * training held out of it. UR_EDATA: fewer than 2 tokens, or nothing is known to be held out. */
ur_status ur__text_measure(struct ur__text *text, const ur_model *model,
                           const ur_eval_options *options);
/* A whole number of the model's training summary, within [least,most]; else `otherwise`. */
ur_status ur__summary_int(const ur_model *model, const char *key, int64_t least, int64_t most,
                          int64_t otherwise, int64_t *out);
/* Figures of a text's tokens, whatever predicts them, from so many sums. */
int ur__text_sums(const ur_model *model);
void ur__text_metrics(const ur_model *model, const double *sums, ur_metrics *out);
/* How many of the predicted tokens are unknown words: those of the part from its token `first`. */
ur_status ur__text_unknown(const struct ur__part *part, int64_t first, double *count);

#endif
