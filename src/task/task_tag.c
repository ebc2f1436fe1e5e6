/* SPDX-License-Identifier: MIT */
/*
 * A label for each step of an example: parts of speech, names in a text, states of a series.
 *
 * Labels with B- and I- mark entities, which count as wholes: the best model is that of the best
 * F1 then, else that of the best accuracy.
 */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "task/labelled.h"
#include "task/list.h"
#include "train/options.h"

struct options {
    struct ur__labelled_options data;
};

static const ur_option option_rows[] = {
    UR__LABELLED_ROWS(struct options, data, "0.05"),
    {.name = "seq-length", .arg = "N", .fallback = "0", .shown = "whole sequences",
     .kind = UR_OPTION_INT, .max = 1048576, .flags = UR_OPTION_SPARSE,
     .at = offsetof(struct options, data.seq_length),
     .help = "steps that gradients run back through: longer sequences are learnt piece by piece"},
};

static const ur_option_table table = {
    .name = "tag", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct options),
};

static const char *const shown[][2] = {
    UR__SHOWN_OF_EXAMPLES, {"best", "f1 of entities, else accuracy"}, {NULL, NULL},
};

/* The last: how many steps of label i were taken for label j, unless labels are many. */
enum { LOSS, N, HITS, RIGHT, FOUND, PRESENT, CONFUSION };

static bool has_confusion(const ur_vocab *labels)
{
    return ur__label_count(labels) <= UR_CONFUSION_MOST;
}

static int tag_sums(const ur_model *model)
{
    const ur_vocab *labels = ur_model_vocab(model, "label");
    int K = has_confusion(labels) ? ur__label_count(labels) : 0;
    return CONFUSION + K * K;
}

/* Do labels mark where entities begin? */
static bool has_entities(const ur_vocab *labels)
{
    for (int32_t k = 0; k < ur__label_count(labels); k++) {
        size_t n;
        const char *name = ur__label_text(labels, k, &n);
        if (n > 2 && (memcmp(name, "B-", 2) == 0 || memcmp(name, "I-", 2) == 0))
            return true;
    }
    return false;
}

static ur_status tag_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    return ur__labelled_open(run, true, job, facts);
}

static ur_status tag_measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    return ur__labelled_measure(run, true, &table, model, options);
}

static bool tag_searches(const ur_model *model)
{
    const struct ur__choice *choice = ur__choice_of(model);
    return choice && choice->searches;
}

static void add_sequence(struct ur__labelled *l, int b, int B, double *sums)
{
    const int K = ur__label_count(l->label);
    const bool counted = has_confusion(l->label);
    ur_entity_counts counts = {0, 0, 0};
    if (l->valid.buckets.from == 0)
        ur__entities_begin(&l->entities[b]);
    for (int t = 0; t < l->lengths[b]; t++) {
        int32_t is = l->target[t * B + b], said = l->score.best[t * B + b];
        sums[LOSS] += (double)l->score.loss[t * B + b];
        sums[HITS] += is == said;
        if (counted)
            sums[CONFUSION + is * K + said]++;
        ur__entities_next(&l->entities[b], l->name[is], l->name[said], &counts);
    }
    sums[N] += l->lengths[b];
    if (l->lengths[b] && l->ended[b])
        ur__entities_end(&l->entities[b], &counts);
    sums[RIGHT] += counts.right;
    sums[FOUND] += counts.found;
    sums[PRESENT] += counts.present;
}

static void add(struct ur__labelled *l, const ur_batch *batch, double *sums)
{
    const int B = ur_batch_find(batch, "target")->dim[1];
    sums[LOSS] += l->score.sum;
    for (int b = 0; b < B; b++)
        add_sequence(l, b, B, sums);
}

static ur_status tag_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                           double *sums)
{
    return ur__labelled_score(run, shard, watch, add, sums);
}

static void tag_figures(const ur_model *model, const double *sums, ur_metrics *out)
{
    const ur_entity_counts counts = {sums[RIGHT], sums[FOUND], sums[PRESENT]};
    const double n = sums[N], nan = (double)NAN;
    out->n = 0;
    if (has_entities(ur_model_vocab(model, "label")))
        ur_entity_figures(&counts, out);
    ur_metrics_add(out, "accuracy", "%", true, n > 0 ? sums[HITS] / n : nan);
    ur_metrics_add(out, "loss", "nats a step", false, n > 0 ? sums[LOSS] / n : nan);
    ur_metrics_add(out, "n", "steps", false, n);
}

static const double *tag_confusion(const ur_model *model, const double *sums)
{
    return has_confusion(ur_model_vocab(model, "label")) ? sums + CONFUSION : NULL;
}

const struct ur__task ur__task_tag = {
    .name = "tag",
    .brief = "tell the label of each step",
    .arch = "tag",
    .options = &table,
    .shown = shown,
    .n_sums = tag_sums,
    .open = tag_open,
    UR__LABELLED_ENTRIES,
    .score = tag_score,
    .figures = tag_figures,
    .confusion = tag_confusion,
    .measure = tag_measure,
    .predict = &ur__tag_lines,
    .searches = tag_searches,
};
