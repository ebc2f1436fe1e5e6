/* SPDX-License-Identifier: MIT */
/* Options and results of a run as JSON. Reals are written in the shortest form that
 * reads back to the same double, so that equal texts mean equal options. */
#include "train/identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json.h"

/* JSON integers end at 2^63; a seed may be larger. */
static void set_seed(struct ur__json *j, uint64_t seed)
{
    char text[24];
    if (seed <= INT64_MAX) {
        ur__json_set_int(j, "seed", (int64_t)seed);
        return;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    ur__json_set_string(j, "seed", text);
}

static void set_optimizer(struct ur__json *j, const ur_optimizer_options *o)
{
    ur__json_set_string(j, "optimizer", ur_optimizer_name(o->kind));
    if (o->kind == UR_ADAMW || o->kind == UR_ADAM)
        ur__json_set_real(j, "beta1", o->beta1);
    if (o->kind == UR_ADAMW || o->kind == UR_ADAM || o->kind == UR_RMSPROP)
        ur__json_set_real(j, "beta2", o->beta2);
    if (o->kind == UR_SGD)
        ur__json_set_real(j, "momentum", o->momentum);
    else
        ur__json_set_real(j, "eps", o->eps);
    ur__json_set_real(j, "weight_decay", o->weight_decay);
    ur__json_set_real(j, "clip_norm", o->clip_norm);
    ur__json_set_real(j, "clip_value", o->clip_value);
}

/* What options and summary have in common. */
static void set_common(struct ur__json *j, const ur_train_options *o,
                       const ur_optimizer_options *full)
{
    set_seed(j, o->seed);
    ur__json_set_real(j, "val", o->val_file ? 0 : o->val);
    ur__json_set_int(j, "seq_length", o->seq_length);
    ur__json_set_int(j, "batch", o->batch);
    if (o->config.tokens == UR_TOKEN_WORD || o->config.tokens == UR_TOKEN_WORDPUNCT)
        ur__json_set_int(j, "min_count", o->min_count);
    set_optimizer(j, full);
    ur__json_set_string(j, "schedule", ur_schedule_name(o->schedule));
    ur__json_set_real(j, "lr", o->lr);
    ur__json_set_int(j, "warmup", o->warmup);
}

static ur_status dump_and_free(struct ur__json *j, struct ur__buf *to)
{
    ur_status status = ur__json_dump(j, to);
    ur__json_free(j);
    return status;
}

/* ---- options ----------------------------------------------------------- */

ur_status ur__identity_text(const ur_train_options *options, const ur_optimizer_options *full,
                            struct ur__buf *to)
{
    char *text;
    UR__TRY(ur__config_text(&options->config, &text));
    struct ur__json *config;
    ur_status status = ur__json_parse(&config, text, strlen(text));
    ur__free(text);
    if (status != UR_OK)
        return status;
    struct ur__json *j = ur__json_new_object(), *end = ur__json_new_object();
    if (!j || !end) {
        ur__json_free(config);
        ur__json_free(j);
        ur__json_free(end);
        return UR_ENOMEM;
    }
    ur__json_set(j, "config", config);
    set_common(j, options, full);
    ur__json_set_bool(j, "val_file", options->val_file != NULL);
    ur__json_set_int(j, "patience", options->patience);
    ur__json_set_real(end, "epochs", options->epochs);     /* null: no limit */
    ur__json_set_int(end, "steps", options->steps);
    ur__json_set_real(end, "seconds", options->seconds);
    ur__json_set(j, "end", end);
    return dump_and_free(j, to);
}

/* ---- comparing --------------------------------------------------------- */

static ur_status fail_changed(const char *key, const struct ur__json *then,
                              const struct ur__json *now)
{
    struct ur__buf a = {0}, b = {0};
    ur_status status = then ? ur__json_dump(then, &a) : ur__buf_puts(&a, "not set");
    if (status == UR_OK)
        status = now ? ur__json_dump(now, &b) : ur__buf_puts(&b, "not set");
    if (status == UR_OK)
        status = ur__fail(UR_EINVAL, "cannot resume: %s was %s and is %s now; a run keeps its "
                          "options", key, a.data, b.data);
    ur__buf_free(&a);
    ur__buf_free(&b);
    return status;
}

static ur_status is_equal(const struct ur__json *a, const struct ur__json *b, bool *equal)
{
    struct ur__buf s = {0}, t = {0};
    ur_status status = ur__json_dump(a, &s);
    if (status == UR_OK)
        status = ur__json_dump(b, &t);
    *equal = status == UR_OK && strcmp(s.data, t.data) == 0;
    ur__buf_free(&s);
    ur__buf_free(&t);
    return status;
}

static ur_status compare_objects(const struct ur__json *then, const struct ur__json *now);

static ur_status compare_member(void *user, const char *key, const struct ur__json *then)
{
    const struct ur__json *now = ur__json_get(user, key);
    if (strcmp(key, "end") == 0)
        return UR_OK;
    if (!now)
        return fail_changed(key, then, NULL);
    if (ur__json_is_object(then) && ur__json_is_object(now))
        return compare_objects(then, now);
    bool equal;
    UR__TRY(is_equal(then, now, &equal));
    return equal ? UR_OK : fail_changed(key, then, now);
}

static ur_status find_member(void *user, const char *key, const struct ur__json *now)
{
    return ur__json_get(user, key) ? UR_OK : fail_changed(key, NULL, now);
}

/* json_each's user is not const; nothing here changes it. */
static ur_status compare_objects(const struct ur__json *then, const struct ur__json *now)
{
    UR__TRY(ur__json_each(then, compare_member, (void *)(uintptr_t)now));
    return ur__json_each(now, find_member, (void *)(uintptr_t)then);
}

/* A limit as a number that grows with it; `none` is what stands for no limit. */
static double limit(const struct ur__json *end, const char *key, double none)
{
    double value;
    if (!ur__json_get_real(end, key, &value) || value == none)
        return HUGE_VAL;
    return value;
}

static ur_status compare_end(const struct ur__json *then, const struct ur__json *now)
{
    static const struct { const char *key; double none; } limits[] = {
        {"epochs", HUGE_VAL}, {"steps", -1}, {"seconds", 0}
    };
    for (int i = 0; i < 3; i++) {
        const char *key = limits[i].key;
        double a = limit(then, key, limits[i].none), b = limit(now, key, limits[i].none);
        if (b < a && isfinite(a))
            return ur__fail(UR_EINVAL, "cannot resume: %s was %.10g and is %.10g now; a run's end "
                            "may only move to later", key, a, b);
        if (b < a)
            return ur__fail(UR_EINVAL, "cannot resume: %s had no limit and is %.10g now; a run's "
                            "end may only move to later", key, b);
    }
    return UR_OK;
}

ur_status ur__identity_compare(const char *then, const char *now)
{
    struct ur__json *a = NULL, *b = NULL;
    ur_status status = ur__json_parse(&a, then, strlen(then));
    if (status == UR_OK)
        status = ur__json_parse(&b, now, strlen(now));
    if (status == UR_OK)
        status = compare_objects(a, b);
    if (status == UR_OK)
        status = compare_end(ur__json_get(a, "end"), ur__json_get(b, "end"));
    ur__json_free(a);
    ur__json_free(b);
    return status;
}

/* ---- the summary ------------------------------------------------------- */

double ur__progress_train_loss(const struct ur__progress *p)
{
    return p->loss_items > 0 ? p->loss_sum / (double)p->loss_items : p->train_loss;
}

ur_status ur__summary_text(const ur_train_options *options, const ur_optimizer_options *full,
                           const struct ur__facts *facts, const struct ur__progress *progress,
                           struct ur__buf *to)
{
    struct ur__json *j = ur__json_new_object();
    if (!j)
        return UR_ENOMEM;
    ur__json_set_string(j, "version", ur_version());
    ur__json_set_int(j, "step", progress->step);
    ur__json_set_real(j, "epoch", (double)progress->step / (double)facts->epoch_steps);
    ur__json_set_real(j, "train_loss", ur__progress_train_loss(progress));
    ur__json_set_real(j, "val_loss", progress->val_loss);
    ur__json_set_int(j, "data_bytes", (int64_t)facts->data_bytes);
    ur__json_set_int(j, "data_crc32", facts->data_crc);
    if (options->val_file) {
        ur__json_set_int(j, "val_bytes", (int64_t)facts->val_bytes);
        ur__json_set_int(j, "val_crc32", facts->val_crc);
    }
    set_common(j, options, full);
    return dump_and_free(j, to);
}
