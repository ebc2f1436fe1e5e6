/* SPDX-License-Identifier: MIT */
/*
 * Forecasts as a task. A series is parted in the order of time, so that nothing is learnt from what
 * comes after it:
 *
 *     train   windows whose steps ahead lie in the first part, in an order drawn anew each epoch
 *     valid   every origin whose steps ahead lie in the next part (a rolling origin)
 *     test    the same of the last part, which a run never looks at
 *
 * Contexts reach back over the parts' borders, as they would have at that time.
 */
#ifndef UR_TASK_FORECAST_H
#define UR_TASK_FORECAST_H

#include "base/text.h"
#include "io/json.h"
#include "tape/tape.h"
#include "task/calibration.h"
#include "task/linear.h"
#include "train/task.h"
#include "unroll/task.h"

enum { UR__FORECAST_ROWS = 64 };     /* windows that are scored together */

struct ur__forecast {
    struct ur__forecast_options o;      /* period filled in */
    struct ur__forecast_net net;        /* what the data say filled in */
    struct ur__signal signal;
    ur_team *team;
    uint64_t seed;
    struct ur__origins train, valid;
    int64_t *origins;                   /* of both, owned */
    int64_t train_end;                  /* row behind the part to learn from */
    struct ur__buf note;
    int64_t epoch;
    struct ur__windows_of batch, scored;
    void *block;
    const ur_model *model;
    /* Of measuring alone: intervals are as wide as the latest forecasts, from that row on, say. */
    bool measures;
    int64_t look_back;
    struct ur__calibration *recent;     /* [N] */
    ur_tape *tape;                      /* of scoring */
    ur_model_state *state;              /* NULL: none is carried */
};

/* Entries of the task (train/task.h). */
ur_status ur__forecast_open(void **run, const struct ur__job *job, struct ur__facts *facts);
ur_status ur__forecast_measure(void **run, const ur_model *model, const ur_eval_options *options);
void ur__forecast_close(void *run);
int ur__forecast_sums(const ur_model *model);
ur_status ur__forecast_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                             double *sums);
void ur__forecast_figures(const ur_model *model, const double *sums, ur_metrics *out);
void ur__forecast_settle(ur_model *model, const double *sums);

/* Which rows the parts begin with, [4]: the last is the end of what is tested on. By "A,B,C" or,
 * where that is NULL, the share held out, but at least a horizon unless that is more than half.
 * UR_EINVAL: impossible. */
ur_status ur__forecast_split(const char *split, double val, int64_t n, int horizon,
                             int64_t begin[4]);
/* The origins of a part; at NULL: only counted. */
int64_t ur__forecast_origins(const struct ur__forecast *f, int64_t begin, int64_t end,
                             int64_t *at);

/* Tape and state for batches of so many rows. */
ur_status ur__forecast_score_open(struct ur__forecast *f, const ur_model *model);

#endif
