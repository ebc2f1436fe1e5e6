/* SPDX-License-Identifier: MIT */
/* One training run in the making, shared by the files that set it up, drive it and
 * report on it. */
#ifndef UR_TRAIN_RUN_H
#define UR_TRAIN_RUN_H

#include "base/text.h"
#include "io/json.h"
#include "tape/tape.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/task.h"

/* What train/snapshot.h keeps. */
struct ur__snapshot {
    ur_real *numbers;   /* parameters, moments, carried numbers; NULL: this run keeps none */
    struct ur__optimizer_clock clock;
    struct ur__progress progress;
    int64_t saved;      /* the run's */
};

/* The best model, if the disk has refused it: a copy that waits to be written. */
struct ur__held {
    bool waits;
    ur_real *values;            /* of all parameters; made when first needed */
    struct ur__buf summary;
};

struct ur__run {
    const ur_train_options *options;    /* `own` */
    ur_train_options own;       /* with what was left open filled in */
    const struct ur__task *task;
    ur_on_report on;
    void *user;
    bool only_plans;            /* writes nothing, so it needs no claim on the files */

    void *job;                  /* the task's */
    struct ur__facts facts;
    ur_model *model;            /* NULL before its data is read */
    ur_model_state *state;      /* what it carries from step to step; NULL: nothing */
    double *sums;               /* [n_sums] of a validation */
    int n_sums;
    ur_metrics metrics;         /* of the last validation */
    struct ur__json *resumed;   /* options of the state that the run goes on from; NULL: new */
    char resumed_best[64];      /* of the same */
    const char *best;           /* the figure that says which model is best */
    bool rising;                /* more of it is better */
    ur_model *vocab_from;       /* whose vocabularies are used; or NULL */
    struct ur__room step_room;  /* of a step on the tape */
    ur_plan plan;               /* known before the net is built */
    ur_optimizer *optimizer;
    ur_real *average;           /* of the weights (train/average.h); NULL: there is none */
    ur_tape *tape;
    ur_schedule schedule;
    struct ur__progress progress;
    struct ur__buf identity, text;      /* options; scratch for summaries and samples */
    struct ur__buf last, state_path, previous;  /* paths */

    int64_t saved;              /* step of the state on disk; −1: none, or not up to date */
    int64_t on_disk;            /* step of the newest state there; −1: none */
    enum ur__older older;       /* what the next save does with the states on disk */
    bool aside;                 /* the latest of them was saved between two checkpoints */
    struct ur__snapshot snapshot;
    struct ur__reach *reach;    /* of train/reach.h; NULL before it is first asked for */
    ur_real *kept;              /* carried numbers before the step; NULL unless steps may be
                                   left out */
    struct ur__held held;
    bool began;                 /* files of this run are on disk, or may come to be */
    bool troubled;              /* the last writing was refused */
    struct ur__lock *lock;      /* of the files; NULL: there is no locking here */
    int64_t sampled;            /* step of the last sample */
    bool canceled;              /* a report was answered with false */
    bool told_worse;            /* than guessing; a warning that comes once */

    /* Of this session, for reports and a limit in time alone. */
    double start;               /* the clock at its beginning */
    double seconds_before;      /* spent by earlier sessions of a run that a time ends */
    int64_t start_step;
    double lr, norm;            /* of the last step */
    double window_loss;         /* since the last UR_REPORT_STEP: loss times items, */
    int64_t window_items;       /* predictions, */
    double window_seconds;      /* and time in steps */
};

/* Checks the options, opens the task, and makes everything or brings it back from disk.
 * *finished: the run had been completed; there is nothing to do. */
ur_status ur__run_open(struct ur__run *r, bool *finished);
void ur__run_close(struct ur__run *r);
/* True once an end set by epochs, steps or time, or by patience, is reached. */
bool ur__run_at_limit(const struct ur__run *r);
bool ur__run_out_of_patience(const struct ur__run *r);

/* Is a validation loss so far above that of a uniform guess that it is nobody's best? */
bool ur__run_is_worse_than_guessing(const struct ur__run *r, double loss);
/* Seconds that the run has taken, earlier sessions of a timed run included. */
double ur__run_seconds(const struct ur__run *r);
void ur__run_report(struct ur__run *r, ur_report_kind kind);
/* Is a figure finite and better than the best so far, or as good at a lower loss? */
bool ur__run_is_better(const struct ur__run *r, double figure, double loss,
                       const struct ur__progress *so_far);
/* With norms [layers,distances]. */
void ur__run_report_reach(struct ur__run *r, const double *reach, int layers, int distances);
void ur__run_report_text(struct ur__run *r, ur_report_kind kind, const char *text, size_t n);
/* A sentence for the user: one that is good to know, and one of something gone wrong. */
void ur__run_note(struct ur__run *r, const char *format, ...) UR_PRINTF(2, 3);
void ur__run_warn(struct ur__run *r, const char *format, ...) UR_PRINTF(2, 3);
/* A share of a validation is done. */
void ur__run_report_validating(struct ur__run *r, double done);

#endif
