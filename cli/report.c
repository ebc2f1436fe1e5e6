/* SPDX-License-Identifier: MIT */
/* How a training run is reported. Whatever people see comes from ur_report alone. */
#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/team.h"
#include "cli/fail.h"
#include "cli/plan.h"
#include "io/json.h"

/* Seconds between two plain lines where no line can change in place. */
#define PLAIN_EVERY 10.0

static double bits(double nats)
{
    return nats / 0.69314718055994530942;
}

void report_init(struct report *r, struct ui *ui)
{
    memset(r, 0, sizeof *r);
    r->ui = ui;
    r->told = ur__clock();
    r->best = (double)NAN;
    r->last.loss = r->last.val_loss = r->last.best = (double)NAN;
}

/* A loss as people read it; "" if that is as it is. */
static char *measure(const struct report *r, double nats, char *to)
{
    switch (r->start.measure) {
    case UR_MEASURE_NATS: to[0] = '\0'; break;
    case UR_MEASURE_BITS:
        snprintf(to, UI_NUMBER, "%.3f bits/%s", bits(nats), r->start.unit);
        break;
    case UR_MEASURE_PERPLEXITY: snprintf(to, UI_NUMBER, "perplexity %.1f", exp(nats)); break;
    }
    return to;
}

static bool is_loss(const struct report *r)
{
    return r->start.best_name == NULL || strcmp(r->start.best_name, "loss") == 0;
}

char *report_best(const struct report *r, double figure, char to[UI_NUMBER])
{
    if (is_loss(r) && r->start.measure != UR_MEASURE_NATS)
        return measure(r, figure, to);
    snprintf(to, UI_NUMBER, "%.16s %.4g", is_loss(r) ? "loss" : r->start.best_name, figure);
    return to;
}

static bool has_bits(const struct report *r)
{
    return r->start.measure == UR_MEASURE_BITS;
}

/* ---- the log ----------------------------------------------------------- */

static const char *kind_name(ur_report_kind kind)
{
    switch (kind) {
    case UR_REPORT_START: return "start";
    case UR_REPORT_STEP: return "step";
    case UR_REPORT_VALID: return "valid";
    case UR_REPORT_SAMPLE: return "sample";
    case UR_REPORT_CHECKPOINT: return "checkpoint";
    case UR_REPORT_GRADIENTS: return "gradients";
    case UR_REPORT_NOTE: return "note";
    case UR_REPORT_WARNING: return "warning";
    case UR_REPORT_VALIDATING: return "validating";
    case UR_REPORT_END: return "end";
    }
    return "?";
}

static bool is_text(ur_report_kind kind)
{
    return kind == UR_REPORT_SAMPLE || kind == UR_REPORT_NOTE || kind == UR_REPORT_WARNING;
}

static void add_sizes(struct ur__json *j, const ur_report *s)
{
    ur__json_set_int(j, "parameters", (int64_t)s->parameters);
    plan_sizes(j, s->token, s->vocabulary, s->labels);
    ur__json_set_int(j, "train_tokens", s->train_tokens);
    ur__json_set_int(j, "val_tokens", s->val_tokens);
    ur__json_set_int(j, "memory_planned", (int64_t)s->memory_planned);
    if (s->measure == UR_MEASURE_PERPLEXITY) {
        ur__json_set_int(j, "train_unknown", s->train_unknown);
        ur__json_set_int(j, "val_unknown", s->val_unknown);
    }
}

/* Of a validation; loss and bits have members of their own. */
static void add_metric(struct ur__json *j, const ur_metric *m)
{
    char key[64];
    snprintf(key, sizeof key, "val_%s", m->name);
    if (strcmp(m->name, "loss") != 0 && strcmp(m->name, "bpc") != 0)
        ur__json_set_real(j, key, m->value);
}

/* Right after a report no token has been computed: then the smoothed speed stands. */
static void add_figures(struct ur__json *j, const struct report *r, const ur_report *s)
{
    double speed = s->tokens_per_second > 0.0 ? s->tokens_per_second : r->speed;
    ur__json_set_real(j, "loss", s->loss);
    ur__json_set_real(j, "bpc", has_bits(r) ? bits(s->loss) : (double)NAN);
    ur__json_set_real(j, "val_loss", s->val_loss);
    ur__json_set_real(j, "val_bpc", has_bits(r) ? bits(s->val_loss) : (double)NAN);
    for (int i = 0; s->metrics != NULL && i < s->metrics->n; i++)
        add_metric(j, &s->metrics->at[i]);
    char best[64];
    snprintf(best, sizeof best, "best_%s", s->best_name);
    ur__json_set_real(j, best, s->best);
    ur__json_set_real(j, "lr", s->lr);
    ur__json_set_real(j, "grad_norm", s->grad_norm);
    ur__json_set_real(j, "tokens_per_second", speed);
    ur__json_set_real(j, "seconds", s->seconds);
    ur__json_set_int(j, "memory", (int64_t)s->memory);
    ur__json_set_int(j, "memory_peak", (int64_t)s->memory_peak);
    if (s->kind == UR_REPORT_END || s->skipped > 0 || s->rollbacks > 0) {
        ur__json_set_int(j, "skipped", s->skipped);
        ur__json_set_int(j, "rollbacks", s->rollbacks);
    }
}

static void add_reach(struct ur__json *j, const ur_report *s)
{
    struct ur__json *by_layer = ur__json_new_object();
    for (int l = 0; l < s->layers; l++) {
        char name[32];
        struct ur__json *norms = ur__json_new_array();
        for (int k = 0; k < s->distances; k++)
            ur__json_add_real(norms, s->reach[l * s->distances + k]);
        snprintf(name, sizeof name, "layer %d", l);
        ur__json_set(by_layer, name, norms);
    }
    ur__json_set(j, "gradient_by_distance", by_layer);
}

static ur_status log_line(struct report *r, const ur_report *s)
{
    struct ur__buf line = {0};
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "kind", kind_name(s->kind));
    ur__json_set_int(j, "step", s->step);
    if (s->steps >= 0)
        ur__json_set_int(j, "steps", s->steps);
    ur__json_set_real(j, "epoch", s->epoch);
    if (is_text(s->kind)) {
        ui_json_text(j, "text", s->text, s->text_size);
    } else if (s->kind == UR_REPORT_GRADIENTS) {
        add_reach(j, s);
    } else {
        if (s->kind == UR_REPORT_START || s->kind == UR_REPORT_END)
            add_sizes(j, s);
        if (s->kind != UR_REPORT_START && s->kind != UR_REPORT_CHECKPOINT)
            add_figures(j, r, s);
    }
    ur_status status = ui_json_dump(j, &line);
    ur__json_free(j);
    if (status == UR_OK)
        train_log_put(&r->log, r->ui, line.data, line.size);
    ur__buf_free(&line);
    return status;
}

static void write_log(struct report *r, const ur_report *s)
{
    if (r->log.path == NULL || r->code != 0 || s->kind == UR_REPORT_VALIDATING)
        return;
    ur_status status = log_line(r, s);
    if (status != UR_OK)
        r->code = fail_status(status);
}

/* ---- lines ------------------------------------------------------------- */

/* What the vocabulary leaves out. */
static void say_unknown(struct report *r, const ur_report *s)
{
    char n[UI_NUMBER];
    double train = 100.0 * (double)s->train_unknown / (double)s->train_tokens;
    if (s->val_tokens > 0)
        ui_say(r->ui, "unknown  %.2f %% of the training words, %.2f %% of those held out",
               train, 100.0 * (double)s->val_unknown / (double)s->val_tokens);
    else
        ui_say(r->ui, "unknown  %.2f %% of the words", train);
    if (s->words_cut > 0)
        ui_say(r->ui, "         the vocabulary is full: %s rarer words are unknown too",
               ui_count(n, (double)s->words_cut));
}

/* What the run will do, what follows from the data included, as options. */
static void say_plan(struct report *r, const ur_report *s)
{
    char end[PLAN_END];
    ui_say(r->ui, "training --batch %d --lr %g%s", s->batch, s->lr_start,
           plan_end(end, s->epochs, s->steps));
}

static void say_start(struct report *r, const ur_report *s)
{
    char a[UI_NUMBER], b[UI_NUMBER], known[PLAN_KNOWN];
    struct ur__buf net = {0};
    if (ui_describe(&net, s->net) == UR_OK)
        ui_say(r->ui, "network  %s, %s parameters", net.data,
               ui_count(a, (double)s->parameters));
    ur__buf_free(&net);
    if (s->labels > 0)
        plan_known(known, s->token, s->vocabulary, s->labels);
    else
        snprintf(known, sizeof known, "%d different", s->vocabulary);
    ui_say(r->ui, "data     %s %ss for training, %s held out, %s",
           ui_count(a, (double)s->train_tokens), s->unit, ui_count(b, (double)s->val_tokens),
           known);
    if (s->measure == UR_MEASURE_PERPLEXITY)
        say_unknown(r, s);
    say_plan(r, s);
    if (r->ui->verbose)
        ui_say(r->ui, "memory   %s needed", plan_bytes(a, (double)s->memory_planned));
}

static double share_done(const ur_report *s)
{
    /* Of steps and time, what comes to its end first. */
    double steps = s->steps > 0 ? (double)s->step / (double)s->steps : 0.0;
    double whole = s->seconds + s->seconds_left;
    double time = whole > 0.0 ? s->seconds / whole : 0.0;
    return time > steps ? time : steps;
}

static void step_of(char to[56], const ur_report *s)
{
    if (s->steps >= 0)
        snprintf(to, 56, "step %lld/%lld", (long long)s->step, (long long)s->steps);
    else
        snprintf(to, 56, "step %lld", (long long)s->step);
}

/* What a step and a validation are told by, in the order of the line. */
enum { PART_EPOCH, PART_STEP, PART_LOSS, PART_VAL, PART_MEASURE, PART_FIGURE, PART_NORM, PART_SPEED,
       PART_LEFT, PART_BEST, N_PARTS };

static void say_step(struct report *r, const ur_report *s)
{
    char number[UI_NUMBER];
    struct ui_part part[N_PARTS] = {
        [PART_STEP] = {.rank = 3}, [PART_MEASURE] = {.rank = 1}, [PART_NORM] = {.rank = 5},
        [PART_SPEED] = {.rank = 4}, [PART_LEFT] = {.rank = 2},
    };
    snprintf(part[PART_LOSS].text, sizeof part->text, "loss %.3f", r->loss);
    measure(r, r->loss, part[PART_MEASURE].text);
    snprintf(part[PART_NORM].text, sizeof part->text, "|g| %.2f", s->grad_norm);
    snprintf(part[PART_SPEED].text, sizeof part->text, "%s/s", ui_short(number, r->speed));
    snprintf(part[PART_LEFT].text, sizeof part->text, "%s left", ui_time(number, s->seconds_left));
    double now = ur__clock();
    if (r->ui->live && !r->ui->verbose) {
        ui_draw(r->ui, share_done(s), part, N_PARTS);
    } else if (r->ui->verbose || now - r->told >= PLAIN_EVERY) {
        r->told = now;
        step_of(part[PART_STEP].text, s);
        ui_report(r->ui, part, N_PARTS);
    }
}

static void say_valid(struct report *r, const ur_report *s)
{
    char number[UI_NUMBER];
    const ur_metric *figure = ur_metrics_find(s->metrics, s->best_name);
    if (s->step == 0) {     /* --steps 0: the initial net, nothing learnt yet */
        r->best = s->best;
        ui_say(r->ui, "initial  val %.3f  %s", s->val_loss,
               measure(r, s->val_loss, number));
        return;
    }
    bool better = s->best != r->best && !isnan(s->best);
    r->best = s->best;
    r->told = ur__clock();
    struct ui_part part[N_PARTS] = {
        [PART_EPOCH] = {.rank = 3}, [PART_STEP] = {.rank = 4}, [PART_LOSS] = {.rank = 2},
        [PART_VAL] = {.good = better},
        [PART_MEASURE] = {.rank = is_loss(r) ? 1 : 6, .good = better},
        [PART_SPEED] = {.rank = 5},
    };
    snprintf(part[PART_EPOCH].text, sizeof part->text, "epoch %-5.2f", s->epoch);
    step_of(part[PART_STEP].text, s);
    snprintf(part[PART_LOSS].text, sizeof part->text, "loss %.3f", r->loss);
    snprintf(part[PART_VAL].text, sizeof part->text, "val %.3f", s->val_loss);
    measure(r, s->val_loss, part[PART_MEASURE].text);
    snprintf(part[PART_SPEED].text, sizeof part->text, "%s/s", ui_short(number, r->speed));
    if (!is_loss(r) && figure != NULL)
        snprintf(part[PART_FIGURE].text, sizeof part->text, "%.16s %.4g", figure->name,
                 figure->value);
    snprintf(part[PART_BEST].text, sizeof part->text, "%s", better ? "best" : "");
    ui_report(r->ui, part, N_PARTS);
}

static void say_sample(struct report *r, const ur_report *s)
{
    struct ur__buf text = {0};
    char step[56];
    step_of(step, s);
    if (ur__buf_printf(&text, "--- %s ---\n", step) == UR_OK &&
        ur__buf_show(&text, s->text, s->text_size, UR__SHOW_TEXT) == UR_OK &&
        ur__buf_puts(&text, "\n---") == UR_OK)
        ui_print(r->ui, text.data);
    ur__buf_free(&text);
}

/* Means over about the last hundred steps, and the last twenty for the speed. */
static void smooth(struct report *r, const ur_report *s)
{
    r->smoothed++;
    double loss_window = r->smoothed < 100 ? (double)r->smoothed : 100.0;
    double speed_window = r->smoothed < 20 ? (double)r->smoothed : 20.0;
    r->loss += (s->loss - r->loss) / loss_window;
    r->speed += (s->tokens_per_second - r->speed) / speed_window;
}

bool report_see(void *user, const ur_report *s)
{
    struct report *r = user;
    switch (s->kind) {
    case UR_REPORT_START:
        /* Until now there was nothing to save. */
        signals_catch();
        r->start = *s;
        r->start.net = NULL;
        r->best = s->best;
        say_start(r, s);
        break;
    case UR_REPORT_STEP:
        smooth(r, s);
        say_step(r, s);
        break;
    case UR_REPORT_VALID: say_valid(r, s); break;
    case UR_REPORT_SAMPLE: say_sample(r, s); break;
    case UR_REPORT_CHECKPOINT:
        if (r->ui->verbose)
            ui_say(r->ui, "saved the state of step %lld", (long long)s->step);
        break;
    case UR_REPORT_NOTE:
        ui_say(r->ui, "%.*s", (int)s->text_size, s->text);
        break;
    case UR_REPORT_WARNING:
        ui_warn(r->ui, "%.*s", (int)s->text_size, s->text);
        break;
    case UR_REPORT_VALIDATING:
        if (s->done < 1)
            ui_busy(r->ui, s->done, "validating");
        break;
    case UR_REPORT_GRADIENTS:
    case UR_REPORT_END: break;
    }
    if (!is_text(s->kind) && s->kind != UR_REPORT_VALIDATING && s->kind != UR_REPORT_GRADIENTS)
        r->last = *s;
    r->last.text = NULL;
    r->last.net = NULL;
    r->last.metrics = NULL;
    write_log(r, s);
    return r->code == 0 && signals_caught() == 0;
}

bool report_ended(const struct report *r)
{
    return r->last.kind == UR_REPORT_END;
}

int report_end(struct report *r)
{
    ui_clear(r->ui);
    train_log_close(&r->log);
    return r->code;
}

int report_json(const struct report *r, const char *model)
{
    struct ur__json *j = ur__json_new_object();
    ui_json_name(j, "model", model);
    if (report_ended(r)) {
        ur__json_set_int(j, "step", r->last.step);
        ur__json_set_real(j, "epoch", r->last.epoch);
        add_figures(j, r, &r->last);
        add_sizes(j, &r->start);
    }
    return ui_json(j);
}
