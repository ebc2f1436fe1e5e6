/* SPDX-License-Identifier: MIT */
#include "train/identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "io/option_json.h"
#include "train/options.h"

/* ---- taking up --------------------------------------------------------- */

struct taking {
    ur_train_options *options, standard;
};

/* A row of the run's own options that was not set, and a member of this name. */
static ur_status take_row(struct taking *t, const char *key, const struct ur__json *value)
{
    ur_train_options *o = t->options;
    int row = ur__option_find(&ur__train_table, key, strlen(key));
    if (row < 0)
        return UR_OK;
    const ur_option *rule = &ur__train_table.rows[row];
    if (ur__train_given(o, rule->name) || rule->kind == UR_OPTION_TEXT
        || !ur__option_same(rule, o, &t->standard))
        return UR_OK;
    if (ur__option_from_json(rule, value, o))
        return UR_OK;
    return ur__fail(UR_EFORMAT, "its \"%.80s\" is impossible", key);
}

/* "--hidden 64", one number for all layers, does not say how many there are. */
static void take_length(const ur_option *o, const struct ur__json *value, void *values)
{
    int *n = (int *)(void *)((char *)values + o->at_n);
    if (o->kind == UR_OPTION_LIST_OF_INT && o->at_n && *n == 0)
        *n = (int)ur__json_size(value);
}

/* A row of the network or the task that was not set. */
static ur_status take_value(ur_options *options, const char *key, const struct ur__json *value)
{
    void *values = ur__options_values(options);
    int row = ur__option_find(options->table, key, strlen(key));
    if (row < 0)
        return UR_OK;
    const ur_option *o = &options->table->rows[row];
    const char *text;
    if (ur__options_has(options, row)) {
        take_length(o, value, values);
        return UR_OK;
    }
    if (o->kind == UR_OPTION_TEXT && ur__json_string(value, &text)) {
        memcpy((char *)values + o->at, &text, sizeof text);
        return UR_OK;
    }
    if (ur__option_from_json(o, value, values))
        return UR_OK;
    return ur__fail(UR_EFORMAT, "its \"%.80s\" is impossible", key);
}

static ur_status take_net(void *user, const char *key, const struct ur__json *value)
{
    return take_value(user, key, value);
}

static ur_status take_member(void *user, const char *key, const struct ur__json *value)
{
    struct taking *t = user;
    if (ur__json_is_object(value))
        return UR_OK;
    UR__TRY(take_value(&t->options->job, key, value));
    return take_row(t, key, value);
}

static ur_status take_free(void *user, const char *key, const struct ur__json *value)
{
    return take_row(user, key, value);
}

/* An end that was not set. A number that no limit stands for is null. */
static ur_status take_end(void *user, const char *key, const struct ur__json *value)
{
    struct taking *t = user;
    if (strcmp(key, "epochs") == 0 && !ur__json_real(value, &(double){0})) {
        if (t->options->epochs < 0)
            t->options->epochs = HUGE_VAL;
        return UR_OK;
    }
    int64_t steps;
    if (strcmp(key, "steps") == 0 && ur__json_int(value, &steps) && steps < 0)
        return UR_OK;
    return take_row(t, key, value);
}

void ur__identity_best(const struct ur__json *then, char best[UR__BEST_NAME])
{
    const char *name;
    best[0] = '\0';
    if (ur__json_get_string(then, "best", &name))
        snprintf(best, UR__BEST_NAME, "%s", name);
}

ur_status ur__identity_apply(const struct ur__json *then, ur_train_options *options)
{
    struct taking t = {.options = options};
    double val;
    ur__options_defaults(&ur__train_table, &t.standard);
    if (!ur__train_given(options, "val") && !options->val_file && options->val == t.standard.val &&
        ur__json_get_real(then, "val", &val) && val >= 0 && val < 1)
        options->val = val;
    UR__TRY(ur__json_each(then, take_member, &t));
    const struct ur__json *net = ur__json_get(then, "net"), *end = ur__json_get(then, "end");
    const struct ur__json *free = ur__json_get(then, UR__IDENTITY_FREE);
    if (net)
        UR__TRY(ur__json_each(net, take_net, &options->net));
    if (end)
        UR__TRY(ur__json_each(end, take_end, &t));
    return free ? ur__json_each(free, take_free, &t) : UR_OK;    /* states of before have none */
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

static bool may_change(const char *key)
{
    return strcmp(key, "end") == 0 || strcmp(key, UR__IDENTITY_FREE) == 0;
}

static ur_status compare_member(void *user, const char *key, const struct ur__json *then)
{
    const struct ur__json *now = ur__json_get(user, key);
    if (may_change(key))
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
    return may_change(key) || ur__json_get(user, key) ? UR_OK : fail_changed(key, NULL, now);
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
        {"epochs", HUGE_VAL}, {"steps", -1}, {"time", 0}
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
