/* SPDX-License-Identifier: MIT */
/* Measuring how well a model of task fill predicts each token of windows of text. */
#ifndef UR_TASK_FILL_SCORE_H
#define UR_TASK_FILL_SCORE_H

#include "data/window.h"
#include "unroll/model.h"

struct ur__fill_score {
    const ur_model *model;
    ur_team *team;
    ur_tape *tape;              /* that does not record */
    int T, B, V;
    void *block;                /* of what follows */
    int64_t *which;             /* [B] windows */
    int *lengths;               /* [B] */
    int32_t *ids, *targets;     /* [T,B] */
    ur_real *loss;              /* [T,B] */
    unsigned char *hit;         /* [T,B] */
};

/* Bytes that it will take. The model need not be built. */
ur_status ur__fill_score_bytes(size_t *bytes, const ur_model *model, int T, ur_team *team);
/* For windows of at most T tokens. A zeroed struct may be closed. */
ur_status ur__fill_score_open(struct ur__fill_score *s, const ur_model *model, int T,
                              ur_team *team);
void ur__fill_score_close(struct ur__fill_score *s);
/* Scores windows [first, first+B) of w, or those up to its end; *done: how many. Losses and
 * hits are added in the order of the text, whatever B is. */
ur_status ur__fill_score_run(struct ur__fill_score *s, struct ur__windows *w, int64_t first,
                             int *done, double *sum, int64_t *hits);

/* Targets of [T,B] tokens: the tokens themselves, −1 behind a sequence's end. */
void ur__fill_targets(int T, int B, const int *lengths, const int32_t *ids, int32_t *targets);

#endif
