/* SPDX-License-Identifier: MIT */
/* Options set by a list of names and values: "cell=gru hidden=9,17 tie=yes". What cannot be set
 * ends the program; text options are not for it, as they are borrowed. */
#ifndef UR_TESTS_SETTINGS_H
#define UR_TESTS_SETTINGS_H

#include "unroll/task.h"

/* A network's, over the defaults of an architecture; changed. */
ur_options net_of(const char *arch, const char *settings);
void set_net(ur_options *net, const char *settings);
/* A run's, over the defaults of a task; changed. */
ur_train_options run_of(const char *task, const char *settings);
void set_run(ur_train_options *run, const char *settings);

/* All of these files, as a stream. */
ur_eval_options eval_of(const char *const *data, int n_data);

/* Defaults, with a kind. */
ur_optimizer_options optimizer_of(ur_optimizer_kind kind);
/* Steps along the gradient: no momentum. */
ur_optimizer_options plain_of(double weight_decay, double clip_norm, double clip_value);

/* An option as a number, or as text that lives until eight more were asked for. */
double setting(const ur_options *options, const char *name);
const char *setting_text(const ur_options *options, const char *name);

#endif
