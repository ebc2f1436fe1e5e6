/* SPDX-License-Identifier: MIT */
/* unroll train --dry-run: what the run would do and take. That is the result, so it goes to
 * standard output. */
#include "cli/plan.h"

#include <math.h>
#include <stdio.h>

#include "cli/fail.h"
#include "io/json.h"

/* Steps are timed for so long, but one at least. */
#define MEASURE_SECONDS 1.0

char *plan_bytes(char to[UI_NUMBER], double bytes)
{
    static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB"};
    int u = 0;
    while (u + 1 < 5 && bytes >= 999.5) {
        bytes /= 1000.0;
        u++;
    }
    int decimals = u == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    snprintf(to, UI_NUMBER, "%.*f %s", decimals, bytes, unit[u]);
    return to;
}

/* ---- parameters -------------------------------------------------------- */

/* The tensors of the net, in the form they will be printed in. */
struct tensors {
    struct ur__json *json;      /* an array, or NULL and */
    struct ur__buf text;        /* a line each */
    ur_status status;
};

static void see_param(void *user, const ur_param *p)
{
    struct tensors *t = user;
    if (t->json != NULL)
        ui_json_param(t->json, p);
    else if (t->status == UR_OK)
        t->status = ui_param(&t->text, p);
}

/* ---- as JSON ----------------------------------------------------------- */

void plan_sizes(struct ur__json *j, const char *token, int vocabulary, int labels)
{
    ur__json_set_int(j, "vocabulary", vocabulary);
    if (token != NULL)
        ur__json_set_string(j, "token", token);
    if (labels > 0)
        ur__json_set_int(j, "labels", labels);
}

static int print_json(const ur_plan *p, struct ur__json *tensors)
{
    struct ur__json *j = ur__json_new_object(), *memory = ur__json_new_object();
    struct ur__json *files = ur__json_new_object();
    ur__json_set_int(j, "data_bytes", (int64_t)p->data_bytes);
    plan_sizes(j, p->token, p->vocabulary, p->labels);
    ur__json_set_int(j, "train_tokens", p->train_tokens);
    ur__json_set_int(j, "val_tokens", p->val_tokens);
    if (p->measure == UR_MEASURE_PERPLEXITY) {
        ur__json_set_int(j, "train_unknown", p->train_unknown);
        ur__json_set_int(j, "val_unknown", p->val_unknown);
    }
    ur__json_set_int(j, "batch", p->batch);
    ur__json_set_real(j, "lr", p->lr);
    ur__json_set_real(j, "epochs", p->epochs);
    ur__json_set_int(j, "epoch_steps", p->epoch_steps);
    if (p->steps >= 0)
        ur__json_set_int(j, "steps", p->steps);
    ur__json_set_int(j, "step", p->step);
    ur__json_set_bool(j, "finished", p->finished);
    ur__json_set_int(j, "parameters", (int64_t)p->parameters);
    ur__json_set(j, "tensors", tensors);
    const struct { const char *key; size_t bytes; } parts[] = {
        {"text", p->text}, {"weights", p->weights}, {"gradients", p->gradients},
        {"moments", p->moments}, {"snapshot", p->snapshot}, {"packed", p->packed},
        {"activations", p->activations},
        {"state", p->state}, {"validation", p->validation}, {"passing", p->passing},
        {"reading", p->reading}, {"most", p->memory},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ur__json_set_int(memory, parts[i].key, (int64_t)parts[i].bytes);
    ur__json_set(j, "memory", memory);
    ur__json_set_int(files, "scratch", (int64_t)p->scratch_file);
    ur__json_set_int(files, "model", (int64_t)p->model_file);
    ur__json_set_int(files, "state", (int64_t)p->state_file);
    ur__json_set_int(files, "disk", (int64_t)p->disk);
    ur__json_set(j, "files", files);
    ur__json_set_real(j, "step_seconds", p->step_seconds);
    ur__json_set_real(j, "seconds", p->seconds);
    return ui_json(j);
}

char *plan_known(char to[PLAN_KNOWN], const char *token, int vocabulary, int labels)
{
    const char *many = labels == 1 ? "" : "s";
    if (token != NULL)
        snprintf(to, PLAN_KNOWN, "%d %ss, %d label%s", vocabulary, token, labels, many);
    else
        snprintf(to, PLAN_KNOWN, "%d label%s", labels, many);
    return to;
}

/* ---- as lines ---------------------------------------------------------- */

static void print_text(const ur_plan *p)
{
    char bytes[UI_NUMBER], train[UI_NUMBER], val[UI_NUMBER], known[PLAN_KNOWN];
    if (p->labels > 0)
        plan_known(known, p->token, p->vocabulary, p->labels);
    else
        snprintf(known, sizeof known, "%d different %ss", p->vocabulary, p->unit);
    printf("data     %s, %s: %s %ss for training, %s held out\n",
           plan_bytes(bytes, (double)p->data_bytes), known,
           ui_count(train, (double)p->train_tokens), p->unit,
           ui_count(val, (double)p->val_tokens));
    if (p->measure == UR_MEASURE_PERPLEXITY)
        printf("unknown  %.2f %% of the training words\n",
               100.0 * (double)p->train_unknown / (double)p->train_tokens);
}

static void print_steps(const ur_plan *p)
{
    char all[UI_NUMBER], each[UI_NUMBER], done[UI_NUMBER];
    ui_count(each, (double)p->epoch_steps);
    if (p->steps >= 0)
        printf("steps    %s, %s per epoch: %.2f epochs\n", ui_count(all, (double)p->steps), each,
               (double)p->steps / (double)p->epoch_steps);
    else
        printf("steps    as many as time allows, %s per epoch\n", each);
    if (p->finished)
        printf("done     all; the run is finished\n");
    else if (p->step > 0)
        printf("done     %s\n", ui_count(done, (double)p->step));
}

static void print_part(const char *name, size_t bytes, const char *what)
{
    char text[UI_NUMBER];
    if (bytes > 0)
        printf("  %-12s %8s%s%s\n", name, plan_bytes(text, (double)bytes), *what ? "  " : "", what);
}

static void print_memory(const ur_plan *p)
{
    char most[UI_NUMBER];
    printf("memory   %s at most\n", plan_bytes(most, (double)p->memory));
    print_part("text", p->text, "token numbers and vocabulary");
    print_part("weights", p->weights, "");
    print_part("gradients", p->gradients, "");
    print_part("moments", p->moments, "of the optimizer");
    print_part("snapshot", p->snapshot, "for --on-nan rollback");
    print_part("packed", p->packed, "the weights again, laid out for the kernels");
    print_part("activations", p->activations, "of one step, and their gradients");
    print_part("state", p->state, "carried between steps, and a batch");
    print_part("validation", p->validation, "");
    print_part("passing", p->passing, "temporary, while saving");
    if (p->reading >= p->memory)
        print_part("reading", p->reading, "before the rest, while the text is read");
}

static void print_files(const ur_plan *p)
{
    char model[UI_NUMBER], state[UI_NUMBER], disk[UI_NUMBER], scratch[UI_NUMBER];
    printf("files    model %s and state %s, two of each: at most %s while writing\n",
           plan_bytes(model, (double)p->model_file), plan_bytes(state, (double)p->state_file),
           plan_bytes(disk, (double)p->disk));
    if (p->scratch_file > 0)
        printf("         scratch file of token numbers %s, in TMPDIR\n",
               plan_bytes(scratch, (double)p->scratch_file));
}

static void print_time(const ur_plan *p)
{
    char all[UI_NUMBER];
    bool long_step = p->step_seconds >= 1;
    if (p->finished || isnan(p->step_seconds))
        return;
    printf("time     %.2f %s per step here: about %s\n",
           long_step ? p->step_seconds : 1000 * p->step_seconds, long_step ? "s" : "ms",
           ui_time(all, p->seconds));
}

char *plan_end(char to[PLAN_END], double epochs, int64_t steps)
{
    to[0] = '\0';
    if (isfinite(epochs))
        snprintf(to, PLAN_END, " --epochs %.3g", epochs);
    else if (steps >= 0)
        snprintf(to, PLAN_END, " --steps %lld", (long long)steps);
    return to;
}

static int print_lines(const ur_plan *p, const struct tensors *t)
{
    char n[UI_NUMBER], end[PLAN_END];
    print_text(p);
    printf("network  %s parameters\n", ui_count(n, (double)p->parameters));
    if (t->text.size > 0)
        fwrite(t->text.data, 1, t->text.size, stdout);
    bool early = p->steps >= 0 && (double)p->steps + 0.5 < p->epochs * (double)p->epoch_steps;
    printf("training --batch %d --lr %g%s\n", p->batch, p->lr,
           plan_end(end, early ? HUGE_VAL : p->epochs, p->steps));
    print_steps(p);
    print_memory(p);
    print_files(p);
    print_time(p);
    return EXIT_DONE;
}

ur_status plan_run(const ur_train_options *o, const struct opt_common *common, int *code)
{
    struct tensors tensors = {.json = common->json ? ur__json_new_array() : NULL};
    bool listed = common->json || common->verbose;
    ur_plan plan;
    ur_plan_init(&plan);
    ur_status status = ur_train_plan(o, MEASURE_SECONDS, listed ? see_param : NULL, &tensors,
                                     &plan);
    if (status == UR_OK)
        status = tensors.status;
    *code = EXIT_DONE;
    if (status == UR_OK && common->json) {
        *code = print_json(&plan, tensors.json);
        tensors.json = NULL;
    } else if (status == UR_OK) {
        *code = print_lines(&plan, &tensors);
    }
    ur__json_free(tensors.json);
    ur__buf_free(&tensors.text);
    return status;
}
