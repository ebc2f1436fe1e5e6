/* SPDX-License-Identifier: MIT */
/* Running text as data, for the tasks that learn from it: the part to learn from, the
 * part held out, and the same parts found again when a model is measured. */
#ifndef UR_TASK_TEXT_H
#define UR_TASK_TEXT_H

#include "data/corpus.h"
#include "model/task.h"
#include "unroll/task.h"

/* A run of tokens. */
struct ur__part {
    struct ur__corpus *corpus;      /* borrowed */
    int64_t begin, tokens;
};

struct ur__text {
    struct ur__corpus *corpus, *val_corpus;     /* the latter NULL without val_file */
    struct ur__part train, valid;               /* valid.tokens 0: there is none */
};

/* Reads a job's files and declares its model. */
ur_status ur__text_open(struct ur__text *text, const struct ur__job *job, ur_model **model);
void ur__text_close(struct ur__text *text);
/* UR_EINVAL: a step of T by B tokens is larger than a pass can be. */
ur_status ur__text_check_step(int T, int B);
/* What a task says of it; steps: of an epoch. */
ur_status ur__text_facts(const struct ur__text *text, ur_model *model, int64_t steps,
                         struct ur__facts *facts);

/* Reads what options ask for with the model's vocabulary (*corpus: the caller's) and finds
 * the part to measure on. UR_EDATA: fewer than `least` tokens, or nothing is known to be
 * held out. */
ur_status ur__text_find_part(struct ur__corpus **corpus, struct ur__part *part, int least,
                             const ur_model *model, const ur_eval_options *options);
/* Completes figures; part: of the predicted tokens. */
ur_status ur__text_metrics(ur_metrics *out, const ur_model *model, const struct ur__part *part,
                           double sum, int64_t hits);

#endif
