/* SPDX-License-Identifier: MIT */
/*
 * A task: what the training loop does not know of a job. Its data, its batches, how a model is
 * scored on the part held out. One const struct each, one file each (src/task/task_*.c); the run
 * gets it as a pointer and holds all else: the model, optimizer, schedule, reports, checkpoints,
 * the files.
 *
 * Resumable  Which batch comes at (epoch, step) must be a function of the job alone, never of
 *     what was asked before.
 * Shards     A batch may be cut into parts, whose sums add up to those of the whole.
 * Memory     After one epoch, or all of its largest batches, batch() allocates nothing.
 * Numerics   Nothing here may depend on the team's size or on a clock.
 */
#ifndef UR_TRAIN_TASK_H
#define UR_TRAIN_TASK_H

#include "base/text.h"
#include "base/option.h"
#include "model/model.h"
#include "unroll/metric.h"
#include "unroll/train.h"

struct ur_eval_options;     /* unroll/task.h */
struct ur_sample_options;   /* unroll/decode.h */
struct ur__answer;          /* task/answer.h */

/* What a task is told; borrowed until close. */
struct ur__job {
    const ur_options *options;  /* its own rows' values */
    const ur_options *net;      /* the network's */
    const char *const *data;    /* files */
    int n_data;
    double val;                 /* share to hold out, in [0,1) */
    const char *val_file;       /* or a file of its own; then val counts for nothing */
    bool val_given;             /* one of them was asked for by name */
    const ur_vocab *vocab[UR__MAX_VOCABS];  /* to use, by the architecture's roles; NULL: make it */
    uint64_t seed;
    ur_team *team;
};

/* One of the inputs: what it held when the run began. */
struct ur__source {
    const char *role;           /* static */
    uint64_t bytes;             /* inflated */
    uint32_t crc;               /* CRC-32 of the same */
};
enum { UR__MAX_SOURCES = 4 };

/* What a task knows once it is open. */
struct ur__facts {
    ur_vocab *vocab[UR__MAX_VOCABS];    /* made of the data; taken over by whoever opened it */
    struct ur__source source[UR__MAX_SOURCES];
    int n_sources;
    const char *note[UR__MAX_SOURCES];  /* to be said of an input; NULL: nothing */
    int64_t train_items;        /* tokens (or what the task counts) to train on */
    int64_t val_items;          /* to validate on; 0: there is no validation */
    int64_t train_unknown;      /* of these, words that are not in the vocabulary */
    int64_t val_unknown;
    int64_t words_cut;          /* frequent enough, but too many for a vocabulary */
    uint64_t spooled;           /* bytes of a scratch file that holds what is too much for memory */
    /* Does the model's state go on from step to step of an epoch, and from batch to batch of
     * scoring? Those of the task, unless it says otherwise. */
    bool carries, carries_scored;
    const char *unit;           /* what an item is: "char", "word"; static */
    int labels;                 /* to choose from; 0: the task has none */
    ur_measure measure;         /* how people read the loss */
    double uniform;             /* loss of guessing without knowing anything, nats; NaN: unknown */
    /* What suits this data where the user says nothing; 0: the general rule (docs/TRAINING.md). */
    int batch;
    double lr, epochs;
    /* Known after cut(). */
    int64_t epoch_steps;        /* at least 1 */
    int rows;                   /* of a batch, whose state is carried */
};

/* Asks after each piece of long work, with the share done, whether to go on. */
struct ur__watch {
    bool (*go_on)(void *user, double done);
    void *user;
};

/* This part of a batch: rows [index·B/of, (index+1)·B/of). */
struct ur__shard {
    int index, of;
};

/* What answers are made with; borrowed until close. */
struct ur__predict_job {
    const ur_model *model;
    ur_encoder *encoder;        /* of the model's first vocabulary; NULL: it has none */
    int best;                   /* candidates that each place is to have, where there are so many */
    int beam;                   /* hypotheses of a search; 0: the usual number */
    ur_team *team;
    bool explain;               /* with the weights of tokens, if the plug explains the model */
    double length_power;        /* of a search for texts */
    bool copy;                  /* of unknown words, as ur_predict_options has it */
    const struct ur_sample_options *draw;   /* the same */
};

/* Answers to lines and examples. p: memory of `size` zeroed bytes. Each adds text and places to an
 * empty answer, a function of the line or example alone. */
struct ur__predict_plug {
    size_t size;
    const char *places, *figure;    /* of ur_answer */
    bool labels;                /* its texts are labelled, as ur__unknown_labelled() has it */
    /* Has each word of a line a use of its own, so that none is skipped? NULL: no. */
    bool (*keeps)(const ur_model *model);
    /* What is to be said of the lines so far, for people; NULL, the function too: nothing. */
    const char *(*note)(void *p);
    /* Does the model weigh the tokens that it answers by? NULL: none does. */
    bool (*explains)(const ur_model *model);
    const char *explaining;     /* which of its models do: "one with pool attention"; NULL: none */
    ur_status (*open)(void *p, const struct ur__predict_job *job);
    void (*close)(void *p);     /* also of what open has left half done */
    /* UR_EINVAL: the line cannot be read. */
    ur_status (*line)(void *p, const char *line, size_t n, struct ur__answer *to);
    /* Several at once, up to UR_PREDICT_LINES. NULL: one after the other. *done: how many could be
     * read, those before the first that cannot: they have their answers, whatever is returned. */
    ur_status (*lines)(void *p, int n, const char *const *line, const size_t *size,
                       struct ur__answer *to, int *done);
    /* To T steps of I numbers, [T,I]. NULL, as those below: it answers lines alone. */
    ur_status (*frames)(void *p, int T, int I, const ur_real *frames, struct ur__answer *to);
    /* Opens files of examples by the task's options (borrowed, as the paths); those before are
     * closed. */
    ur_status (*files)(void *p, const ur_options *options, const char *const *paths, int n_paths);
    /* To their next example; *more false: there is none. */
    ur_status (*next)(void *p, bool *more, struct ur__answer *to);
};

struct ur__task {
    const char *name;
    const char *brief;          /* what it learns, for people: "predict the next token" */
    const char *arch;           /* the architecture that it trains */
    const ur_option_table *options;
    /* What help shows as defaults of the run's options where its data ask for others: pairs {name,
     * text}, ended by NULL. NULL: none. */
    const char *const (*shown)[2];
    bool carries;               /* the model's state goes on from step to step of an epoch, in any
                                   run; facts have what one run does */
    int (*n_sums)(const ur_model *model);   /* of score() */

    /* Reads the data and makes the vocabularies. On failure *run is NULL. */
    ur_status (*open)(void **run, const struct ur__job *job, struct ur__facts *facts);
    /* Sets what the data say of the network's options and the task's own (UR_OPTION_DATA): the
     * numbers of a step. NULL: nothing. */
    void (*shape)(void *run, ur_options *net, ur_options *job);
    /* Sets initial values that follow from the data, of a new run's model: what numbers are
     * normalised by, vectors of words. NULL: there are none. */
    ur_status (*start)(void *run, ur_model *model);
    /* Cuts what was read into batches of at most `batch` rows: epoch_steps. */
    ur_status (*cut)(void *run, int batch, struct ur__facts *facts);
    /* The fields of the largest batch, which need not hold anything yet. */
    void (*largest)(void *run, ur_batch *batch);
    /* Takes all memory. The model (borrowed) is built. */
    ur_status (*build)(void *run, const ur_model *model);
    void (*close)(void *run);   /* NULL is fine */
    /* Before the first step of an epoch, and once more when a run goes on inside one. */
    ur_status (*begin_epoch)(void *run, int64_t epoch);
    /* Where state is carried: do the sequences of that step begin there, so that it is not?
     * NULL: at an epoch's first step alone. */
    bool (*begins)(void *run, int64_t step);
    /* The batch of a step of the epoch, in [0,epoch_steps), or a part of it. batch->items: how
     * many predictions its loss is the mean of. Borrowed until the next call. */
    ur_status (*batch)(void *run, int64_t step, struct ur__shard shard, ur_batch *batch);
    /* Adds figures of the part held out to sums [n_sums], which are sums over predictions, so that
     * those of shards add up. Called only if val_items > 0. UR_ECANCELED: watch said so, within a
     * second or a step's time. */
    ur_status (*score)(void *run, struct ur__shard shard, const struct ur__watch *watch,
                       double *sums);
    /* Sums to figures, "loss" in nats among them. The first one says which model is best, unless
     * the user names another. */
    void (*figures)(const ur_model *model, const double *sums, ur_metrics *out);
    /* Sets numbers of the model that are kept but not trained from the sums of a validation, before
     * it is saved. NULL: there are none. */
    void (*settle)(ur_model *model, const double *sums);
    /* Among the sums [K,K], how many of each of the model's K labels (row) were taken for which.
     * NULL, the function too: there is no such table. */
    const double *(*confusion)(const ur_model *model, const double *sums);
    /* Appends what the model makes as it is, to look at. NULL: the task shows nothing. */
    ur_status (*show)(void *run, uint64_t seed, int length, struct ur__buf *text);
    /* A run over data to measure a model on, with nothing to train on: score() and close() are for
     * it, too. */
    ur_status (*measure)(void **run, const ur_model *model, const struct ur_eval_options *options);
    /* Bytes that build() will take, the tapes' apart: after cut(). */
    size_t (*memory)(void *run);
    /* Bytes that build() will take besides, to search for what is scored; the model is declared.
     * NULL: none. */
    ur_status (*search_memory)(void *run, const ur_model *model, size_t *bytes);
    /* The largest batch of scoring; none: n 0. */
    void (*largest_scored)(void *run, ur_batch *batch);
    const struct ur__predict_plug *predict;     /* NULL: it gives no answers */
    bool tests;                 /* a run can leave a part of its data for a last test */
    /* Does such a model search with a beam for what it says? NULL: no. */
    bool (*searches)(const ur_model *model);
    bool makes_texts;           /* what it says are texts, of any length */
};

#endif
