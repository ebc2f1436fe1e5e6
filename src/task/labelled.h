/* SPDX-License-Identifier: MIT */
/*
 * Labelled examples as data, for the tasks that learn from them: one label an example, or one a
 * step. Which are held out, what their steps are, and batches of them with the fields of an
 * encoder (model/encoder.h).
 *
 *     train   what is not held out, in batches of similar length whose order is drawn anew each
 *             epoch (data/buckets.h)
 *     valid   a drawn share of each label, or of the groups, or a fold of either (data/holdout.h);
 *             or files of its own
 *
 * Sequences are read whole, or in pieces, in order, whose net goes on from the state that the piece
 * before left. What is held out is so wherever the net can: its outputs have the same bits, and
 * memory does not grow with the longest one.
 */
#ifndef UR_TASK_LABELLED_H
#define UR_TASK_LABELLED_H

#include "base/arena.h"
#include "base/text.h"
#include "data/buckets.h"
#include "data/formats.h"
#include "data/sequences.h"
#include "io/json.h"
#include "metric/entities.h"
#include "model/encoder.h"
#include "task/score.h"
#include "train/task.h"
#include "unroll/task.h"

/* Options of such a task: the first member of its struct of values. */
struct ur__labelled_options {
    const char *format, *column, *text, *group, *fold, *labels, *val_labels, *vectors;
    int header, width, scan;
    int seq_length;             /* steps of a piece; 0: sequences are whole */
    int tokens, min_count;
    double word_dropout;
    /* As the data were: their format, columns of a table, samples a second. */
    const char *read_as;
    int columns, rate;
};

extern const char *const ur__header_words[], *const ur__scan_words[];
extern const char *const ur__labelled_token_words[];

/* How files of some formats are read. */
#define UR__OF_FILES (UR_OPTION_SPARSE | UR_OPTION_READS | UR__OPTION_FORMAT)

/* Rows of a member of struct `type`; dropped: the usual word dropout. */
#define UR__LABELLED_ROWS(type, member, dropped)                                                  \
    {.group = "data", .name = "format", .arg = "NAME", .shown = "told by the file",               \
     .kind = UR_OPTION_TEXT, .flags = UR_OPTION_SPARSE | UR_OPTION_READS,                         \
     .at = offsetof(type, member.format),                                                         \
     .help = "format of the files (docs/DATA.md)"},                                               \
    {.name = "column", .arg = "NAME|N", .shown = "the format's", .kind = UR_OPTION_TEXT,          \
     .flags = UR__OF_FILES, .at = offsetof(type, member.column),                                  \
     .help = "column of the labels"},                                                             \
    {.name = "text-column", .arg = "NAME|N", .shown = "the format's", .kind = UR_OPTION_TEXT,     \
     .flags = UR__OF_FILES, .at = offsetof(type, member.text),                                    \
     .help = "column of texts or tokens"},                                                        \
    {.name = "group", .arg = "NAME|N", .shown = "none", .kind = UR_OPTION_TEXT,                   \
     .flags = UR_OPTION_SPARSE | UR__OPTION_FORMAT, .at = offsetof(type, member.group),           \
     .help = "column of what is held out as a whole, such as a speaker; file: each file of DATA"},\
    {.name = "fold", .arg = "K/N", .shown = "a drawn share", .kind = UR_OPTION_TEXT,              \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, member.fold),                                \
     .help = "hold out part K of N, of each label alike or whole groups: a cross-validation"},     \
    {.name = "header", .words = ur__header_words, .fallback = "auto", .kind = UR_OPTION_CHOICE,   \
     .flags = UR__OF_FILES, .at = offsetof(type, member.header),                                  \
     .help = "does the first line name the columns?"},                                            \
    {.name = "width", .arg = "N", .fallback = "0",                                                \
     .shown = "1: a number a step; --cell none: all of them", .kind = UR_OPTION_INT,              \
     .max = 1048576, .flags = UR__OF_FILES | UR__OPTION_NUMBERS,                                  \
     .at = offsetof(type, member.width),                                                          \
     .help = "a line of numbers has steps of that many"},                                         \
    {.name = "scan", .words = ur__scan_words, .fallback = "auto",                                 \
     .shown = "row; clips and --cell none: picture", .kind = UR_OPTION_CHOICE,                    \
     .flags = UR__OF_FILES, .at = offsetof(type, member.scan),                                    \
     .help = "a step of a picture: a row, a column, a pixel, or all of it"},                      \
    {.name = "labels", .arg = "FILE", .shown = "beside the pictures", .kind = UR_OPTION_TEXT,     \
     .flags = UR_OPTION_FREE | UR_OPTION_READS_LABELS | UR__OPTION_FORMAT,                        \
     .at = offsetof(type, member.labels),                                                         \
     .help = "labels of pictures (IDX)"},                                                         \
    {.name = "val-labels", .arg = "FILE", .shown = "beside the pictures", .kind = UR_OPTION_TEXT, \
     .flags = UR_OPTION_FREE | UR__OPTION_FORMAT, .at = offsetof(type, member.val_labels),        \
     .help = "the same for the file of --val"},                                                   \
    {.group = "text", .name = "tokens", .words = ur__labelled_token_words, .fallback = "auto",    \
     .kind = UR_OPTION_CHOICE, .flags = UR__OPTION_TOKENS, .at = offsetof(type, member.tokens),   \
     .help = "steps of a text; auto: words, or characters where texts are single words"},         \
    {.name = "min-count", .arg = "N", .fallback = "2", .kind = UR_OPTION_INT, .min = 1,           \
     .max = 1e9, .flags = UR__OPTION_WORDS,                                                       \
     .at = offsetof(type, member.min_count), .help = "words: rarer ones are <unk>"},              \
    {.name = "word-dropout", .arg = "P", .fallback = dropped, .kind = UR_OPTION_REAL, .max = 1,   \
     .flags = UR_OPTION_OPEN_MAX | UR__OPTION_WORDS, .at = offsetof(type, member.word_dropout),   \
     .help = "chance that training reads a word as <unk>"},                                       \
    {.name = "vectors", .arg = "FILE", .shown = "drawn", .kind = UR_OPTION_TEXT,                  \
     .flags = UR_OPTION_FREE | UR__OPTION_WORDS, .at = offsetof(type, member.vectors),            \
     .help = "word vectors to start from, as text: a word and its numbers a line"},               \
    {.name = "read-as", .kind = UR_OPTION_TEXT, .flags = UR_OPTION_DATA | UR_OPTION_SPARSE,       \
     .at = offsetof(type, member.read_as), .help = "the format of the data"},                     \
    {.name = "columns", .kind = UR_OPTION_INT, .max = INT32_MAX,                                  \
     .flags = UR_OPTION_DATA | UR_OPTION_SPARSE, .at = offsetof(type, member.columns),            \
     .help = "fields of a row"},                                                                  \
    {.name = "rate", .kind = UR_OPTION_INT, .max = INT32_MAX,                                     \
     .flags = UR_OPTION_DATA | UR_OPTION_SPARSE, .at = offsetof(type, member.rate),               \
     .help = "samples a second"}

/* Files of examples, and what a step of each is. */
struct ur__set {
    struct ur__examples *x;         /* owned */
    struct ur__sequences ids;       /* of tokens */
    ur_vocab *spellings;            /* all words there are, for their letters; NULL: not read */
    struct ur__sequences spelled;   /* the tokens once more, by those */
};

/* What is learnt from, or what is held out. */
struct ur__half {
    struct ur__set *set;
    int64_t n;
    int64_t *which;                 /* [n] its examples */
    int32_t *length;                /* [n] their steps */
    int32_t longest;
    int32_t piece;                  /* steps that are read at a time; 0: all of a sequence */
    int64_t living;                 /* of a batch, padding aside: those of the B longest */
    struct ur__buckets buckets;     /* of places in `which` */
    int64_t *rows;                  /* [B] examples of a batch */
};

/* A run of such a task. */
struct ur__labelled {
    struct ur__labelled_options o;
    bool tagged;                    /* a label a step */
    bool apart;                     /* steps are read without each other */
    ur_team *team;
    uint64_t seed;
    ur_unknown unknown;             /* in texts to be measured on */
    struct ur__set set, val;        /* val.x NULL: held out of the set */
    struct ur__half train, valid;
    struct ur__buf note;            /* which groups are held out; empty: there are none */
    int64_t epoch;
    int B, words;                   /* rows of a batch; distinct words of one */
    const ur_model *model;
    const ur_vocab *text, *label, *letter;      /* borrowed; text, letter NULL: not read */
    int features;                   /* of frames; 0: tokens */
    /* A batch. */
    int32_t *ids, *target, *letter_ids, *spelling;
    int *lengths, *letter_lengths;
    ur_real *frames;
    int32_t *slot;                  /* [spellings] place of a word among the batch's, or -1 */
    struct ur__score score;
    unsigned char *ended;       /* [B] which of its sequences end with it, or have ended before */
    /* Names of labels [K], and entities of its sequences so far [B]; tagged alone. */
    const char **name;
    char *names;
    struct ur__entities *entities;
    void *block;
};

/* Entries of a task (train/task.h). Its table of options begins with those above. */
ur_status ur__labelled_open(void **run, bool tagged, const struct ur__job *job,
                            struct ur__facts *facts);
ur_status ur__labelled_measure(void **run, bool tagged, const ur_option_table *table,
                               const ur_model *model, const ur_eval_options *options);
void ur__labelled_close(void *run);
void ur__labelled_shape(void *run, ur_options *net, ur_options *job);
ur_status ur__labelled_start(void *run, ur_model *model);
ur_status ur__labelled_cut(void *run, int batch, struct ur__facts *facts);
void ur__labelled_largest(void *run, ur_batch *batch);
void ur__labelled_largest_scored(void *run, ur_batch *batch);
size_t ur__labelled_memory(void *run);
ur_status ur__labelled_search_memory(void *run, const ur_model *model, size_t *bytes);
ur_status ur__labelled_build(void *run, const ur_model *model);
ur_status ur__labelled_begin_epoch(void *run, int64_t epoch);
bool ur__labelled_begins(void *run, int64_t step);
ur_status ur__labelled_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch);
/* Those that are the same in every such task, for its struct ur__task. */
#define UR__LABELLED_ENTRIES                                                                      \
    .shape = ur__labelled_shape,                                                                  \
    .start = ur__labelled_start,                                                                  \
    .cut = ur__labelled_cut,                                                                      \
    .largest = ur__labelled_largest,                                                              \
    .largest_scored = ur__labelled_largest_scored,                                                \
    .memory = ur__labelled_memory,                                                                \
    .search_memory = ur__labelled_search_memory,                                                  \
    .build = ur__labelled_build,                                                                  \
    .close = ur__labelled_close,                                                                  \
    .begin_epoch = ur__labelled_begin_epoch,                                                      \
    .begins = ur__labelled_begins,                                                                \
    .batch = ur__labelled_batch
/* Parts the set, as a run does: into what is learnt from and what is held out. */
ur_status ur__labelled_part(struct ur__labelled *l, double share, bool val_file);
/* As the run of a model's summary did. UR_EDATA unless this is the data of which it held a part
 * out. */
ur_status ur__labelled_part_again(struct ur__labelled *l, const struct ur__json *summary);
/* All of a set. */
ur_status ur__half_all(struct ur__half *h, struct ur__set *set);
/* Its examples' steps, once they are known. */
void ur__half_measure(struct ur__half *h);
/* Scores a part of what is held out; add: sums of a batch. */
typedef void ur__labelled_add(struct ur__labelled *l, const ur_batch *batch, double *sums);
ur_status ur__labelled_score(struct ur__labelled *l, struct ur__shard shard,
                             const struct ur__watch *watch, ur__labelled_add *add, double *sums);

/* UR_EINVAL if an option was set that data of this kind have no use for. text: their vocabulary;
 * NULL: numbers. */
ur_status ur__labelled_check(const ur_options *options, const struct ur__examples *x,
                             const ur_vocab *text);
/* What a token of texts is where nobody says it: a word, unless most texts are one. */
ur_status ur__usual_tokens(struct ur__examples *x, ur_token_kind *kind);
/* The rule by which options have files read; texts are borrowed. */
struct ur__read_rule ur__labelled_rule(const struct ur__labelled_options *o, bool tagged);

/* Letters of a word that are read, its end among them. */
enum { UR__MOST_LETTERS = 32 };
/* A word as its letters that the vocabulary has, and a line feed, in every stride-th number of
 * to. Returns how many. */
int ur__spell(const ur_vocab *letters, const char *word, size_t n, int stride, int32_t *to);

#endif
