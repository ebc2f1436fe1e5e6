/* SPDX-License-Identifier: MIT */
/* What the tests of numbers that are not finite share: a task that is another one but for
 * one number that it spoils, at a step and in a way that the test sets, and small runs of it. */
#ifndef UR_TESTS_TEST_NAN_H
#define UR_TESTS_TEST_NAN_H

#include "test_task.h"

#include <math.h>

#include "metric/text.h"
#include "model/arch.h"
#include "task/list.h"
#include "train/loop.h"
#include "train/run.h"

enum place {
    NOWHERE,
    WEIGHT,         /* between two steps, unknown to who packs weights */
    WEIGHT_PACKED,  /* as the step begins, and packed */
    GRADIENT,
    CARRIED,        /* between two steps */
    CARRIED_READ,   /* as the step begins, and read by it */
    LOSS,
    VALIDATION
};

/* What is spoilt, in steps first ... last, as long as the run has gone back at most so often. */
static struct {
    enum place place;
    int64_t first, last;
    int most_rollbacks;
    const char *parameter;      /* of WEIGHT and GRADIENT */
    size_t at;                  /* which of its numbers, or of those carried */
    ur_real value;
    int spoilt;                 /* how often it was done */
} spoil;

static const struct ur__task *spoil_real;   /* the task behind */
static struct ur__run spoil_run;
static int64_t spoil_done;                  /* steps */
static int spoil_rollbacks;
static char spoil_name[64][64];             /* of the model's parameters */
static size_t spoil_size[64];
static int spoil_names;

static inline bool spoil_now(enum place place)
{
    int64_t step = place == VALIDATION ? spoil_done : spoil_done + 1;
    bool now = spoil.place == place && step >= spoil.first && step <= spoil.last
        && spoil_rollbacks <= spoil.most_rollbacks;
    spoil.spoilt += now;
    return now;
}

static inline void spoil_weight(void)
{
    ur_params *params = spoil_run.model->params;
    const ur_param *p = ur_params_find(params, spoil.parameter);
    assert_non_null(p);
    ur_param_data(params, p)[spoil.at % p->size] = spoil.value;
}

static inline void spoil_carried(void)
{
    const struct ur__carried c = ur__carried_of(spoil_run.state);
    assert_int_equal(c.parts, 1);
    c.part[0][spoil.at % c.n[0]] = spoil.value;
}

/* Runs back after all else. */
static inline ur_status spoil_gradient(ur_tape *tape, void *saved)
{
    (void)tape;
    (void)saved;
    ur_params *params = spoil_run.model->params;
    const ur_param *p = ur_params_find(params, spoil.parameter);
    ur_params_grads(params)[p->offset + spoil.at % p->size] = spoil.value;
    return UR_OK;
}

/* Between the model's loss and whoever looks at it. */
static inline ur_tensor *spoil_loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                    ur_state *const *states)
{
    ur_model real = *m;
    real.arch = ur__arch_find(m->arch->name);
    return ur_affine(ur__net_loss(tape, &real, batch, states), (double)spoil.value, 0);
}

static inline void spoil_look(void)
{
    const ur_params *params = spoil_run.model->params;
    spoil_names = ur_params_count(params);
    assert_true(spoil_names <= 64);
    for (int i = 0; i < spoil_names; i++) {
        snprintf(spoil_name[i], sizeof spoil_name[i], "%s", ur_params_at(params, i)->name);
        spoil_size[i] = ur_params_at(params, i)->size;
    }
}

/* The last thing that is asked for before a step's loss. */
static inline ur_status spoil_batch(void *job, int64_t step, struct ur__shard shard,
                                    ur_batch *batch)
{
    static struct ur__arch spoilt;
    ur_model *m = spoil_run.model;
    if (spoil_now(WEIGHT_PACKED)) {
        spoil_weight();
        assert_ok(ur_model_prepare(m));
    }
    if (spoil_now(CARRIED_READ))
        spoil_carried();
    m->arch = ur__arch_find(m->arch->name);
    if (spoil_now(LOSS)) {
        spoilt = *m->arch;
        spoilt.loss = spoil_loss;
        m->arch = &spoilt;
    }
    if (spoil_now(GRADIENT))
        assert_ok(ur__tape_record(spoil_run.tape, spoil_gradient, NULL));
    return spoil_real->batch(job, step, shard, batch);
}

static inline ur_status spoil_score(void *job, struct ur__shard shard,
                                    const struct ur__watch *watch, double *sums)
{
    ur_status status = spoil_real->score(job, shard, watch, sums);
    if (spoil_now(VALIDATION))
        sums[UR__TEXT_LOSS] = (double)spoil.value;
    return status;
}

/* A run that a listener follows and may end, of a task that is spoilt as `spoil` says. */
struct watcher {
    int64_t cancel_at;          /* on the report of this step, or that it is left out; 0: never */
    int cancel_after;           /* so many reports of steps; 0: never */
    int64_t steps[400];         /* of the reports of steps */
    double lr[400];
    int n;
    int64_t skipped;
    int rollbacks, validations;
    double best;
    char note[2000];
};

static inline bool watch(void *user, const ur_report *r)
{
    struct watcher *w = user;
    if (r->kind == UR_REPORT_START)
        spoil_look();
    spoil_done = r->step;
    spoil_rollbacks = r->rollbacks;
    w->skipped = r->skipped;
    w->rollbacks = r->rollbacks;
    w->best = r->best;
    w->validations += r->kind == UR_REPORT_VALID;
    if (r->kind == UR_REPORT_NOTE)
        snprintf(w->note + strlen(w->note), sizeof w->note - strlen(w->note), "%s;", r->text);
    if (r->kind == UR_REPORT_STEP && w->n < 400) {
        w->steps[w->n] = r->step;
        w->lr[w->n++] = r->lr;
    }
    if (r->kind == UR_REPORT_STEP || r->kind == UR_REPORT_START) {
        if (spoil_now(WEIGHT))
            spoil_weight();
        if (spoil_now(CARRIED))
            spoil_carried();
    }
    bool stepped = r->kind == UR_REPORT_STEP || (r->kind == UR_REPORT_NOTE && r->skipped > 0);
    return !(stepped && w->cancel_at && r->step == w->cancel_at)
        && !(r->kind == UR_REPORT_STEP && w->cancel_after && w->n == w->cancel_after);
}

static inline ur_status run_spoilt(const ur_train_options *o, struct watcher *w)
{
    assert_ok(ur__task_find(o->task, &spoil_real));
    struct ur__task task = *spoil_real;
    task.batch = spoil_batch;
    task.score = spoil_score;
    spoil_done = 0;
    spoil_rollbacks = 0;
    spoil.spoilt = 0;
    spoil_run = (struct ur__run){.own = *o, .task = &task, .on = watch, .user = w};
    return ur__train_run(&spoil_run);
}

static inline ur_status train_spoilt(const ur_train_options *o, int64_t cancel_at,
                                     struct watcher *w)
{
    *w = (struct watcher){.cancel_at = cancel_at};
    return run_spoilt(o, w);
}

static inline void spoil_nothing(void)
{
    memset(&spoil, 0, sizeof spoil);
}

/* Files without waiting for a disk. */
static inline int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static inline int set_up_quick(void **unused)
{
    static const struct ur__file_ops ops = {.sync = no_sync};
    ur__file_set_ops(&ops);
    return set_up(unused);
}

#endif
