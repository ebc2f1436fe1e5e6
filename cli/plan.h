/* SPDX-License-Identifier: MIT */
/* What a training run will take: told before it begins, or instead of it (--dry-run). */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "cli/ui.h"
#include "unroll.h"

/* Plans the run and prints the plan on standard output, as lines or as a JSON object; *code: what
 * to end with if there is one. */
ur_status plan_run(const ur_train_options *options, const struct opt_common *common, int *code);
/* What ends a run, as an option after others: " --epochs 4"; epochs infinite: " --steps 30", or a
 * time, "". Returns to. */
enum { PLAN_END = 40 };
char *plan_end(char to[PLAN_END], double epochs, int64_t steps);
/* What a model that gives labels knows: "82 words, 2 labels". token NULL: it reads numbers.
 * Returns to. */
enum { PLAN_KNOWN = 80 };
char *plan_known(char to[PLAN_KNOWN], const char *token, int vocabulary, int labels);
/* The same as members "vocabulary", "token" and "labels", those that there are. */
struct ur__json;
void plan_sizes(struct ur__json *j, const char *token, int vocabulary, int labels);
/* Bytes for people: "23.1 MB". Returns to. */
char *plan_bytes(char to[UI_NUMBER], double bytes);

#endif
