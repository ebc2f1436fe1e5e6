/* SPDX-License-Identifier: MIT */
/*
 * One label for each example: a text, a series, a picture, a sound.
 *
 * Sums are the loss, and the confusion matrix: how many of label i were taken for label j.
 */
#include <math.h>

#include "base/status.h"
#include "task/labelled.h"
#include "task/list.h"
#include "train/options.h"

#define MOST_LABELS 4096    /* of a matrix that fits in memory */

struct options {
    struct ur__labelled_options data;
};

static const ur_option option_rows[] = {
    UR__LABELLED_ROWS(struct options, data, "0"),
};

static const ur_option_table table = {
    .name = "classify", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct options),
};

static const char *const shown[][2] = {UR__SHOWN_OF_EXAMPLES, {"best", "accuracy"}, {NULL, NULL}};

enum { LOSS, CONFUSION };

static int labels_of(const ur_model *model)
{
    return ur__label_count(ur_model_vocab(model, "label"));
}

static int classify_sums(const ur_model *model)
{
    return CONFUSION + labels_of(model) * labels_of(model);
}

static ur_status check_labels(int K)
{
    return K <= MOST_LABELS ? UR_OK : ur__fail(UR_EDATA, "%d labels are too many to tell apart: "
                                               "at most %d", K, MOST_LABELS);
}

static ur_status classify_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    UR__TRY(ur__labelled_open(run, false, job, facts));
    ur_status status = check_labels(ur__label_count(facts->vocab[UR__ROLE_LABEL]));
    if (status != UR_OK) {
        ur__labelled_close(*run);
        *run = NULL;
    }
    return status;
}

static ur_status classify_measure(void **run, const ur_model *model,
                                  const ur_eval_options *options)
{
    *run = NULL;
    UR__TRY(check_labels(labels_of(model)));
    return ur__labelled_measure(run, false, &table, model, options);
}

static void add(struct ur__labelled *l, const ur_batch *batch, double *sums)
{
    const int K = ur__label_count(l->label), B = ur_batch_find(batch, "target")->dim[1];
    for (int b = 0; b < B; b++) {
        sums[LOSS] += (double)l->score.loss[b];
        sums[CONFUSION + l->target[b] * K + l->score.best[b]]++;
    }
}

static ur_status classify_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                                double *sums)
{
    return ur__labelled_score(run, shard, watch, add, sums);
}

static void classify_figures(const ur_model *model, const double *sums, ur_metrics *out)
{
    const int K = labels_of(model);
    double n = 0;
    for (int i = 0; i < K * K; i++)
        n += sums[CONFUSION + i];
    out->n = 0;
    ur_class_figures(sums + CONFUSION, K, out);
    ur_metrics_add(out, "loss", "nats an example", false,
                   n > 0 ? sums[LOSS] / n : (double)NAN);
    ur_metrics_add(out, "n", "examples", false, n);
}

static const double *classify_confusion(const ur_model *model, const double *sums)
{
    (void)model;
    return sums + CONFUSION;
}

const struct ur__task ur__task_classify = {
    .name = "classify",
    .brief = "tell the label of a text, a series or a picture",
    .arch = "classify",
    .options = &table,
    .shown = shown,
    .n_sums = classify_sums,
    .open = classify_open,
    UR__LABELLED_ENTRIES,
    .score = classify_score,
    .figures = classify_figures,
    .confusion = classify_confusion,
    .measure = classify_measure,
    .predict = &ur__classify_lines,
};
