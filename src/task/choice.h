/* SPDX-License-Identifier: MIT */
/* How the labels of a sequence are chosen where not each step has its own: a const struct for each
 * way, one file each (choice_*.c), one list (choices.c). */
#ifndef UR_TASK_CHOICE_H
#define UR_TASK_CHOICE_H

#include "unroll/model.h"

struct ur__score;           /* task/score.h */

/* What labels are chosen for; borrowed until close. */
struct ur__choice_job {
    const ur_model *model;
    int T, B;               /* steps and sequences of the largest batch to be scored */
    int beam;               /* hypotheses of a search; 0: as many as usual */
    ur_team *team;
};

/* c: memory of `size` zeroed bytes. */
struct ur__choice {
    size_t size;
    bool searches;          /* with a beam */
    /* Bytes that open takes; the model need not be built. */
    ur_status (*measure)(const struct ur__choice_job *job, size_t *bytes);
    ur_status (*open)(void *c, const struct ur__choice_job *job);
    void (*close)(void *c);         /* also of what open has left half done */
    /* Scores a batch for s, which has its tape: s->best, and s->loss or s->sum. */
    ur_status (*score)(void *c, struct ur__score *s, const ur_batch *batch);
    /* Of one sequence of any length: labels [T], and the chances [T,K] of each label at each
     * step. */
    ur_status (*answer)(void *c, ur_tape *tape, const ur_batch *batch, int32_t *labels,
                        ur_real *chances);
};

extern const struct ur__choice ur__choice_chain, ur__choice_feedback;

/* How a network that labels each step has them chosen; NULL: each step for itself. */
const struct ur__choice *ur__choice_of(const ur_model *model);

#endif
