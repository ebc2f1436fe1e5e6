/* SPDX-License-Identifier: MIT */
#include "support/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(ur_status status)
{
    if (status == UR_OK)
        return;
    fprintf(stderr, "impossible settings: %s\n", ur_errmsg());
    abort();
}

typedef ur_status (*setter)(void *to, const char *name, const char *text);

static ur_status set_option(void *to, const char *name, const char *text)
{
    return ur_options_set(to, name, text);
}

static ur_status set_run_option(void *to, const char *name, const char *text)
{
    return ur_train_set(to, name, text);
}

static void set_each(setter set, void *to, const char *settings)
{
    /* Texts are borrowed: these live until so many more settings were made. */
    static _Thread_local char ring[64][512];
    static _Thread_local unsigned count;
    char *list = ring[count++ % 64];
    size_t size = strlen(settings) + 1;
    if (size > sizeof ring[0])
        abort();
    memcpy(list, settings, size);
    for (char *at = list, *next; *at; at = next) {
        size_t n = strcspn(at, " ");
        next = at + n + (at[n] != '\0');
        at[n] = '\0';
        char *value = strchr(at, '=');
        if (!value)
            abort();
        *value++ = '\0';
        must(set(to, at, value));
    }
}

void set_net(ur_options *net, const char *settings)
{
    set_each(set_option, net, settings);
}

ur_options net_of(const char *arch, const char *settings)
{
    ur_options net;
    must(ur_config_init(&net, arch));
    set_net(&net, settings);
    return net;
}

void set_run(ur_train_options *run, const char *settings)
{
    set_each(set_run_option, run, settings);
}

ur_train_options run_of(const char *task, const char *settings)
{
    ur_train_options run;
    must(ur_train_options_init(&run, task));
    set_run(&run, settings);
    return run;
}

ur_eval_options eval_of(const char *const *data, int n_data)
{
    ur_eval_options o;
    ur_eval_options_init(&o);
    o.data = data;
    o.n_data = n_data;
    return o;
}

ur_optimizer_options optimizer_of(ur_optimizer_kind kind)
{
    ur_optimizer_options o;
    ur_optimizer_options_init(&o);
    o.kind = kind;
    return o;
}

ur_optimizer_options plain_of(double weight_decay, double clip_norm, double clip_value)
{
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_SGD);
    o.momentum = 0;
    o.weight_decay = weight_decay;
    o.clip_norm = clip_norm;
    o.clip_value = clip_value;
    return o;
}

const char *setting_text(const ur_options *options, const char *name)
{
    static char ring[8][256];
    static unsigned count;
    char *text = ring[count++ % 8];
    must(ur_options_get(options, name, text, sizeof ring[0]));
    return text;
}

double setting(const ur_options *options, const char *name)
{
    return strtod(setting_text(options, name), NULL);
}
