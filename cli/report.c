/* SPDX-License-Identifier: MIT */
/* How a training run is told. Whatever people see comes from ur_report alone. */
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

void report_init(struct report *r, struct ui *ui, const ur_config *config)
{
    memset(r, 0, sizeof *r);
    r->ui = ui;
    r->config = config;
    r->words = config->tokens == UR_TOKEN_WORD || config->tokens == UR_TOKEN_WORDPUNCT;
    r->unit = r->words ? "word" : config->tokens == UR_TOKEN_BYTE ? "byte" : "char";
    r->told = ur__clock();
    r->best = (double)NAN;
    r->last.loss = r->last.val_loss = r->last.best_loss = (double)NAN;
}

char *report_measure(const struct report *r, double nats, char to[UI_NUMBER])
{
    if (r->words)
        snprintf(to, UI_NUMBER, "perplexity %.1f", exp(nats));
    else
        snprintf(to, UI_NUMBER, "%.3f bits/%s", bits(nats), r->unit);
    return to;
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

static void add_sizes(struct ur__json *j, const ur_report *s, bool words)
{
    ur__json_set_int(j, "parameters", (int64_t)s->parameters);
    ur__json_set_int(j, "vocabulary", s->vocabulary);
    ur__json_set_int(j, "train_tokens", s->train_tokens);
    ur__json_set_int(j, "val_tokens", s->val_tokens);
    ur__json_set_int(j, "memory_planned", (int64_t)s->memory_planned);
    if (words) {
        ur__json_set_int(j, "train_unknown", s->train_unknown);
        ur__json_set_int(j, "val_unknown", s->val_unknown);
    }
}

/* Right after a report no token has been computed: then the smoothed speed stands. */
static void add_figures(struct ur__json *j, const struct report *r, const ur_report *s)
{
    double speed = s->tokens_per_second > 0.0 ? s->tokens_per_second : r->speed;
    ur__json_set_real(j, "loss", s->loss);
    ur__json_set_real(j, "bpc", r->words ? (double)NAN : bits(s->loss));
    ur__json_set_real(j, "val_loss", s->val_loss);
    ur__json_set_real(j, "val_bpc", r->words ? (double)NAN : bits(s->val_loss));
    ur__json_set_real(j, "best_loss", s->best_loss);
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
    ur_status status = UR_OK;
    if (is_text(s->kind)) {
        struct ur__buf text = {0};
        status = ui_clean(&text, s->text, s->text_size);
        ur__json_set_string(j, "text", text.data != NULL ? text.data : "");
        ur__buf_free(&text);
    } else if (s->kind == UR_REPORT_GRADIENTS) {
        add_reach(j, s);
    } else {
        if (s->kind == UR_REPORT_START || s->kind == UR_REPORT_END)
            add_sizes(j, s, r->words);
        if (s->kind != UR_REPORT_START && s->kind != UR_REPORT_CHECKPOINT)
            add_figures(j, r, s);
    }
    if (status == UR_OK)
        status = ur__json_dump(j, &line);
    ur__json_free(j);
    if (status == UR_OK)
        status = ur__buf_puts(&line, "\n");
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
        ui_say(r->ui, "unknown  %.2f %% of the words to learn from, %.2f %% of those held out",
               train, 100.0 * (double)s->val_unknown / (double)s->val_tokens);
    else
        ui_say(r->ui, "unknown  %.2f %% of the words", train);
    if (s->words_cut > 0)
        ui_say(r->ui, "         the vocabulary is full: %s rarer words are unknown too",
               ui_count(n, (double)s->words_cut));
}

static void say_start(struct report *r, const ur_report *s)
{
    const ur_config *c = r->config;
    char a[UI_NUMBER], b[UI_NUMBER], sizes[256];
    size_t used = 0;
    bool equal = true;
    for (int l = 1; l < c->layers; l++)
        equal = equal && c->hidden[l] == c->hidden[0];
    for (int l = 0; l < (equal ? 1 : c->layers) && used < sizeof sizes; l++)
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%d", l > 0 ? "," : "",
                                 c->hidden[l]);
    ui_say(r->ui, "network  %d %s layer%s of %s%s, %d %s%s, %s parameters", c->layers,
           ur_cell_name(c->cell), c->layers > 1 ? "s" : "", sizes,
           strcmp(c->task, "fill") == 0 ? " from each side" : "", s->vocabulary, r->unit,
           s->vocabulary > 1 ? "s" : "", ui_count(a, (double)s->parameters));
    ui_say(r->ui, "text     %s %ss to learn from, %s held out",
           ui_count(a, (double)s->train_tokens), r->unit, ui_count(b, (double)s->val_tokens));
    if (r->words)
        say_unknown(r, s);
    if (r->ui->verbose)
        ui_say(r->ui, "memory   %s will be needed", plan_bytes(a, (double)s->memory_planned));
}

static double share_done(const ur_report *s)
{
    /* Of steps and time, what comes to its end first. */
    double steps = s->steps > 0 ? (double)s->step / (double)s->steps : 0.0;
    double whole = s->seconds + s->seconds_left;
    double time = whole > 0.0 ? s->seconds / whole : 0.0;
    return time > steps ? time : steps;
}

static void step_of(char to[64], const ur_report *s)
{
    if (s->steps >= 0)
        snprintf(to, 64, "%lld/%lld", (long long)s->step, (long long)s->steps);
    else
        snprintf(to, 64, "%lld", (long long)s->step);
}

static void say_step(struct report *r, const ur_report *s)
{
    char step[64], speed[UI_NUMBER], left[UI_NUMBER], measure[UI_NUMBER], text[256];
    step_of(step, s);
    snprintf(text, sizeof text, "loss %.3f  %s  |g| %.2f  %s/s  %s left", r->loss,
             report_measure(r, r->loss, measure), s->grad_norm, ui_short(speed, r->speed),
             ui_time(left, s->seconds_left));
    double now = ur__clock();
    if (r->ui->live && !r->ui->verbose) {
        ui_draw(r->ui, share_done(s), text);
    } else if (r->ui->verbose || now - r->told >= PLAIN_EVERY) {
        r->told = now;
        ui_say(r->ui, "step %s  %s", step, text);
    }
}

static void say_valid(struct report *r, const ur_report *s)
{
    char step[64], speed[UI_NUMBER], measure[UI_NUMBER];
    report_measure(r, s->val_loss, measure);
    if (s->step == 0) {     /* --steps 0: the initial net, nothing learnt yet */
        r->best = s->val_loss;
        ui_say(r->ui, "initial  val %.3f  %s", s->val_loss, measure);
        return;
    }
    step_of(step, s);
    bool better = s->val_loss == s->best_loss && !(s->val_loss >= r->best);
    bool green = better && r->ui->color;
    if (better)
        r->best = s->val_loss;
    r->told = ur__clock();
    ui_say(r->ui, "epoch %-6.2f step %s  loss %.3f  val %s%.3f  %s%s  %s/s%s", s->epoch, step,
           s->loss, green ? "\033[32m" : "", s->val_loss, measure, green ? "\033[0m" : "",
           ui_short(speed, r->speed), better ? "  best" : "");
}

static void say_sample(struct report *r, const ur_report *s)
{
    struct ur__buf text = {0};
    char step[64];
    step_of(step, s);
    if (ui_clean(&text, s->text, s->text_size) == UR_OK)
        ui_say(r->ui, "--- step %s ---\n%s\n---", step, text.data != NULL ? text.data : "");
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
        r->best = s->best_loss;
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
            ui_draw(r->ui, s->done, "validating");
        break;
    case UR_REPORT_GRADIENTS:
    case UR_REPORT_END: break;
    }
    if (!is_text(s->kind) && s->kind != UR_REPORT_VALIDATING && s->kind != UR_REPORT_GRADIENTS)
        r->last = *s;
    r->last.text = NULL;
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
    ur__json_set_string(j, "model", model);
    if (report_ended(r)) {
        ur__json_set_int(j, "step", r->last.step);
        ur__json_set_real(j, "epoch", r->last.epoch);
        add_figures(j, r, &r->last);
        add_sizes(j, &r->start, r->words);
    }
    return ui_json(j);
}
