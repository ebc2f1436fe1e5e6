/* SPDX-License-Identifier: MIT */
/* What a run tells, and how long it has taken: the clock fills reports and ends a run that
 * has a limit in time. */
#include "train/run.h"
#include "train/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "base/team.h"

/* Nats above it. What nets lose to chance, or to other words in the part held out, is less. */
#define WORSE_MARGIN 1.0

bool ur__run_is_worse_than_guessing(const struct ur__run *r, double loss)
{
    return loss > r->facts.uniform + WORSE_MARGIN;  /* false where the latter is unknown */
}

static bool is_no_best(const struct ur__run *r)
{
    return r->best && strcmp(r->best, "loss") == 0
        && ur__run_is_worse_than_guessing(r, r->progress.best);
}

double ur__run_seconds(const struct ur__run *r)
{
    return r->seconds_before + (ur__clock() - r->start);
}

/* By the pace so far; NaN before there is one. */
static double seconds_left(const struct ur__run *r, double spent)
{
    double left = (double)NAN;
    int64_t done = r->progress.step - r->start_step;
    if (done > 0 && r->schedule.steps >= 0)
        left = (spent - r->seconds_before) / (double)done
            * (double)(r->schedule.steps - r->progress.step);
    if (r->schedule.seconds > 0) {
        double limit = fmax(r->schedule.seconds - spent, 0);
        left = isnan(left) ? limit : fmin(left, limit);
    }
    return left;
}

static double mean_loss(const struct ur__run *r, ur_report_kind kind)
{
    if (kind == UR_REPORT_STEP && r->window_items > 0)
        return r->window_loss / (double)r->window_items;
    return ur__progress_train_loss(&r->progress);
}

static bool steps_come_first(const struct ur__run *r)
{
    int64_t steps = r->own.steps;
    return steps >= 0 && steps == r->schedule.steps
        && (double)steps + 0.5 < r->own.epochs * (double)r->facts.epoch_steps;
}

/* The model and its data are not there yet when the first notes are made. */
static void fill(const struct ur__run *r, ur_report_kind kind, ur_report *report)
{
    const struct ur__progress *p = &r->progress;
    const struct ur__facts *facts = &r->facts;
    double spent = ur__run_seconds(r);
    *report = (ur_report){
        .kind = kind,
        .step = p->step,
        .steps = r->schedule.steps,
        .epoch = facts->epoch_steps ? (double)p->step / (double)facts->epoch_steps : 0,
        .loss = mean_loss(r, kind),
        .val_loss = p->val_loss,
        .best = is_no_best(r) ? (double)NAN : p->best,
        .metrics = kind == UR_REPORT_VALID ? &r->metrics : NULL,
        .lr = r->lr,
        .grad_norm = r->norm,
        .tokens_per_second = r->window_seconds > 0
            ? (double)r->window_items / r->window_seconds : 0,
        .seconds = spent,
        .seconds_left = seconds_left(r, spent),
        .memory = ur_memory_used(),
        .memory_peak = ur_memory_peak(),
        .memory_planned = r->plan.memory,
        .skipped = p->skipped,
        .rollbacks = p->rollbacks,
        .best_name = r->best,
        .net = r->model ? &r->model->config : NULL,
        .token = r->model ? ur__model_token(r->model) : NULL,
        .labels = facts->labels,
        .unit = facts->unit,
        .measure = facts->measure,
        .batch = r->own.batch,
        .lr_start = r->own.lr,
        .epochs = steps_come_first(r) ? HUGE_VAL : r->own.epochs,
        .parameters = r->model ? ur_params_size(r->model->params) : 0,
        .vocabulary = r->model ? ur_vocab_size(r->model->vocab[0]) : 0,
        .train_tokens = facts->train_items,
        .val_tokens = facts->val_items,
        .train_unknown = facts->train_unknown,
        .val_unknown = facts->val_unknown,
        .words_cut = facts->words_cut,
    };
}

void ur__run_report_text(struct ur__run *r, ur_report_kind kind, const char *text, size_t n)
{
    if (!r->on)
        return;
    ur_report report;
    fill(r, kind, &report);
    report.text = text;
    report.text_size = n;
    if (!r->on(r->user, &report))
        r->canceled = true;
}

void ur__run_report_reach(struct ur__run *r, const double *reach, int layers, int distances)
{
    if (!r->on)
        return;
    ur_report report;
    fill(r, UR_REPORT_GRADIENTS, &report);
    report.reach = reach;
    report.layers = layers;
    report.distances = distances;
    if (!r->on(r->user, &report))
        r->canceled = true;
}

void ur__run_report(struct ur__run *r, ur_report_kind kind)
{
    ur__run_report_text(r, kind, NULL, 0);
}

void ur__run_report_validating(struct ur__run *r, double done)
{
    if (!r->on)
        return;
    ur_report report;
    fill(r, UR_REPORT_VALIDATING, &report);
    report.done = done;
    if (!r->on(r->user, &report))
        r->canceled = true;
}

/* Of fixed size, so that a sentence cannot fail. */
static void say(struct ur__run *r, ur_report_kind kind, const char *format, va_list args)
{
    char text[1280];
    int n = ur__vformat(text, sizeof text, format, args);
    if (n > 0)
        ur__run_report_text(r, kind, text, strlen(text));
}

void ur__run_note(struct ur__run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(r, UR_REPORT_NOTE, format, args);
    va_end(args);
}

void ur__run_warn(struct ur__run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(r, UR_REPORT_WARNING, format, args);
    va_end(args);
}
