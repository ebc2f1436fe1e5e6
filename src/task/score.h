/* SPDX-License-Identifier: MIT */
/* Scoring predictions of tokens, a batch at a time, on a tape that does not record. Each score is
 * a function of one row of logits; sums are left to the callers, who know in which order to
 * add. */
#ifndef UR_TASK_SCORE_H
#define UR_TASK_SCORE_H

#include "base/arena.h"
#include "task/choice.h"
#include "tape/tape.h"

struct ur__score {
    const ur_model *model;
    ur_team *team;
    ur_tape *tape;
    ur_model_state *state;      /* goes on from batch to batch; NULL: none is carried */
    size_t n;                   /* targets of the largest batch */
    ur_real *loss;              /* [T,B] nats of each target of the last batch; −1: 0 */
    unsigned char *hit;         /* [T,B] 1: the likeliest token was right */
    bool labels;                /* `best` is wanted */
    int32_t *best;              /* [T,B] the likeliest */
    /* How the labels of a sequence are chosen (task/choice.h), and what it works with. NULL: each
     * step has its own. */
    const struct ur__choice *choice;
    int beam;                   /* of a search; 0: the usual one */
    void *chosen;
    double sum;                 /* nats of the last batch that belong to no target alone */
};

/* Rows of V logits that are made at once: so many that a large vocabulary stays small, but at
 * least `least` and at most `most`. */
int ur__score_rows(int V, int least, int most);

/* For batches as large as this one, whose arrays may be nowhere; carries: its sequences go on from
 * batch to batch. place: gives it memory, s->n known (ur__carve). A zeroed struct may be
 * closed. */
void ur__score_place(struct ur__score *s, struct ur__carve *c);
ur_status ur__score_open(struct ur__score *s, const ur_model *model, const ur_batch *largest,
                         bool carries, ur_team *team);
void ur__score_close(struct ur__score *s);
/* Scores a batch with targets [T,B]; a target < 0 is not scored. */
ur_status ur__score_run(struct ur__score *s, const ur_batch *batch);
/* Losses, hits and the likeliest of logits [T,B,V]. */
void ur__score_logits(struct ur__score *s, const ur_tensor *logits, const ur_field *target);

#endif
