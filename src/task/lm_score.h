/* SPDX-License-Identifier: MIT */
/* What training's validation and evaluation share: scores of predictions, those of
 * language models and of any other logits. */
#ifndef UR_TASK_LM_SCORE_H
#define UR_TASK_LM_SCORE_H

#include "unroll/model.h"

/* Losses in nats and hits (1: the likeliest token was right) of n rows of logits [n,V]; a
 * target < 0 is not scored. */
struct ur__scores {
    int n, V;
    const ur_real *logits;
    const int32_t *targets;     /* [n] */
    ur_real *loss;              /* [n] */
    unsigned char *hit;         /* [n] */
};
void ur__score(struct ur__scores *s, ur_team *team);

/* Running a model without a tape and looking at what it predicts, up to `piece` steps
 * of B rows at a time. All memory is taken by open. */
struct ur__lm_score {
    const ur_model *model;
    ur_team *team;
    int B, V, piece;
    ur_state *state;
    void *block;                /* of what follows */
    int32_t *inputs, *targets;  /* [piece,B]; a target < 0 is not scored */
    ur_real *logits;            /* [piece,B,V] */
    ur_real *loss;              /* [piece,B] nats */
    unsigned char *hit;         /* [piece,B] 1: the likeliest token was right */
};

/* Steps of a piece; bytes that open will take. The model need not be built. */
int ur__lm_score_piece(const ur_model *model, int B);
ur_status ur__lm_score_bytes(size_t *bytes, const ur_model *model, int B, ur_team *team);
/* model and team are borrowed. A zeroed struct may be closed. */
ur_status ur__lm_score_open(struct ur__lm_score *s, const ur_model *model, int B, ur_team *team);
void ur__lm_score_close(struct ur__lm_score *s);
/* Scores T <= piece steps of inputs and targets, going on from the state. */
ur_status ur__lm_score_run(struct ur__lm_score *s, int T);

#endif
