/* SPDX-License-Identifier: MIT */
/*
 * Pairs of texts as data for networks that translate (model/arch_translate.c):
 *
 *     train   what is not held out, in batches of similar length whose order is drawn anew each
 *             epoch (data/buckets.h)
 *     valid   pairs of a drawn share of the sources; or files of their own
 *
 * A source is its tokens and a line's end; a target begins and ends with one. Pairs with one source
 * are references of each other where texts are compared.
 */
#ifndef UR_TASK_TRANSLATE_H
#define UR_TASK_TRANSLATE_H

#include "base/arena.h"
#include "data/buckets.h"
#include "data/pairs.h"
#include "task/score.h"
#include "task/translator.h"
#include "train/task.h"
#include "unroll/task.h"

struct ur__translate_options {
    int tokens[UR__PAIR_SIDES];     /* 0: auto; else 1 + ur_token_kind */
    int min_count, max_vocab, max_length;
    int decode;                     /* texts that a validation has the net make */
};

/* Files of pairs by number. */
struct ur__pair_set {
    struct ur__pairs pairs;
    struct ur__sequences ids[UR__PAIR_SIDES];
};

/* What is learnt from, or what is held out. */
struct ur__pair_half {
    struct ur__pair_set *set;
    int64_t n;
    int64_t *which;                 /* [n] its pairs */
    int32_t *length;                /* [n] tokens of both sides, their ends among them */
    int longest[UR__PAIR_SIDES];
    int64_t tokens;                 /* of all targets */
    struct ur__buckets buckets;     /* of places in `which` */
    int64_t *rows;                  /* [B] pairs of a batch */
    /* Of what is held out: its pairs by source, short ones first. */
    int64_t texts;                  /* different sources */
    int64_t *by_source;             /* [n] pairs */
    int64_t *begin;                 /* [texts+1] where each source's begin in that */
};

struct ur__translate {
    struct ur__translate_options o;
    ur_team *team;
    uint64_t seed;
    ur_unknown unknown;             /* in texts to be measured on */
    struct ur__pair_set set, val;   /* val: files of its own; empty: held out of the set */
    struct ur__pair_half train, valid;
    int64_t epoch;
    const ur_vocab *vocab[UR__PAIR_SIDES];      /* borrowed */
    const ur_model *model;
    int32_t *source, *input, *target;           /* [T,B] */
    int *lengths[UR__PAIR_SIDES];               /* [B] */
    struct ur__score score;
    /* Texts that the net makes. */
    bool all;                       /* of all sources; else of the first `decode` */
    struct ur__translator_job search;
    struct ur__translator translator;
    struct ur__buf text, refs;
    void *block;
};

enum { UR__TRANSLATE_ROWS = 32 };   /* sources that are searched for at once */

/* Which are learnt from, and which are held out; all of a set. */
ur_status ur__pair_halves(struct ur__translate *t, double share, bool val_file);
ur_status ur__pair_half_all(struct ur__pair_half *h, struct ur__pair_set *set);
/* Their sizes, once they are numbered. UR_EDATA: one is longer than max_length (0: any). */
ur_status ur__pair_half_measure(struct ur__pair_half *h, int max_length);
void ur__pair_half_free(struct ur__pair_half *h);

/* Entries of the task (train/task.h). */
ur_status ur__translate_open(void **run, const struct ur__job *job, struct ur__facts *facts);
ur_status ur__translate_measure(void **run, const ur_option_table *table, const ur_model *model,
                                const ur_eval_options *options);
void ur__translate_close(void *run);
ur_status ur__translate_cut(void *run, int batch, struct ur__facts *facts);
void ur__translate_largest(void *run, ur_batch *batch);
void ur__translate_largest_scored(void *run, ur_batch *batch);
size_t ur__translate_memory(void *run);
ur_status ur__translate_search_memory(void *run, const ur_model *model, size_t *bytes);
ur_status ur__translate_build(void *run, const ur_model *model);
ur_status ur__translate_begin_epoch(void *run, int64_t epoch);
ur_status ur__translate_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch);
int ur__translate_sums(const ur_model *model);
ur_status ur__translate_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                              double *sums);
void ur__translate_figures(const ur_model *model, const double *sums, ur_metrics *out);

/* The B pairs `which` of a half as a batch: source, input, target. */
ur_status ur__translate_read(struct ur__translate *t, struct ur__pair_half *h, const int64_t *which,
                             int B, ur_batch *batch);

#endif
