/* SPDX-License-Identifier: MIT */
/*
 * Filling gaps: predict each token of a text from those on both sides of it.
 *
 *     train   tokens [0, n−h) in windows of T, B of them a step in an order that is drawn
 *             anew each epoch; each side of a gap ends where its window does
 *     valid   tokens [n−h, n), h = ⌊val·n⌋, or a file of its own, in the same windows
 *
 * Nothing is carried from step to step. Losses are added in the order of the text, however many
 * windows are scored at once.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "data/window.h"
#include "metric/text.h"
#include "task/list.h"
#include "task/score.h"
#include "task/text.h"

#define USUAL_WINDOW 64     /* of a model that does not say */
#define LONG_WINDOW 256     /* of UR_PROTOCOL_WINDOW */
#define SIDE_BY_SIDE 8

struct options {
    struct ur__text_options text;
};

/* Windows that are read side by side, up to B of them. */
struct reading {
    struct ur__windows windows;
    int B;
    int64_t *which;             /* [B] */
    int *lengths;               /* [B] */
    int32_t *ids, *targets;     /* [T,B] */
};

struct fill {
    const ur_model *model;      /* NULL before build */
    ur_team *team;
    struct options options;
    struct ur__text text;
    int V;
    struct reading train, valid;
    uint64_t seed;
    int64_t epoch;
    struct ur__score score;
    void *block;                /* memory of all these arrays */
};

static const ur_option option_rows[] = {
    UR__TEXT_ROWS(struct options, text, "word"),
};

static const ur_option_table table = {
    .name = "fill", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows,
    .size = sizeof(struct options),
};

/* ---- reading windows --------------------------------------------------- */

static ur_status cut(struct reading *r, const struct ur__part *part, int T, int most)
{
    UR__TRY(ur__windows_init(&r->windows, part->corpus, part->begin, part->tokens, T));
    r->B = r->windows.n < most ? (int)r->windows.n : most;
    return UR_OK;
}

static void place_reading(struct reading *r, struct ur__carve *c)
{
    size_t B = (size_t)r->B, n = B * (size_t)r->windows.T;
    r->which = ur__carve(c, B, sizeof *r->which);
    r->lengths = ur__carve(c, B, sizeof *r->lengths);
    r->ids = ur__carve(c, n, sizeof *r->ids);
    r->targets = ur__carve(c, n, sizeof *r->targets);
}

/* Targets are the tokens themselves. */
static ur_status fields(ur_batch *batch, int T, int B, const struct reading *r)
{
    UR__TRY(ur_batch_ids(batch, "input", T, B, r->ids, r->lengths));
    return ur_batch_ids(batch, "target", T, B, r->targets, NULL);
}

/* The first B windows of r->which. */
static ur_status read_batch(struct reading *r, int B, ur_batch *batch)
{
    int T;
    UR__TRY(ur__windows_read(&r->windows, B, r->which, r->ids, r->lengths, &T));
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++)
            r->targets[t * B + b] = t < r->lengths[b] ? r->ids[t * B + b] : -1;
    for (int b = 0; b < B; b++)
        batch->items += r->lengths[b];
    return fields(batch, T, B, r);
}

static void largest(const struct reading *r, ur_batch *batch)
{
    const struct reading nothing = {.ids = UR__NOWHERE, .targets = UR__NOWHERE,
                                    .lengths = UR__NOWHERE};
    if (r->B)
        fields(batch, r->windows.T, r->B, &nothing);
}

/* ---- opening ----------------------------------------------------------- */

static void fill_close(void *run)
{
    struct fill *f = run;
    if (!f)
        return;
    ur__score_close(&f->score);
    ur__free(f->block);
    ur__text_close(&f->text);
    ur__free(f);
}

static ur_status fill_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    struct fill *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    f->team = job->team;
    f->seed = job->seed;
    memcpy(&f->options, ur__options_read(job->options), sizeof f->options);
    ur_status status = ur__text_open(&f->text, job, &f->options.text, facts);
    if (status != UR_OK) {
        fill_close(f);
        return status;
    }
    f->V = ur_vocab_size(facts->vocab[0]);
    *run = f;
    return UR_OK;
}

static int side_by_side(const struct fill *f, int T)
{
    return ur__score_rows(f->V, T, SIDE_BY_SIDE * T) / T;
}

static ur_status fill_cut(void *run, int batch, struct ur__facts *facts)
{
    struct fill *f = run;
    int T = f->options.text.seq_length;
    UR__TRY(cut(&f->train, &f->text.train, T, batch));
    UR__TRY(ur__text_check_step(f->train.windows.T, f->train.B));
    facts->epoch_steps = f->train.windows.n / f->train.B + (f->train.windows.n % f->train.B != 0);
    facts->rows = f->train.B;
    if (f->text.valid.tokens == 0)
        return UR_OK;
    T = f->text.valid.tokens < T ? (int)f->text.valid.tokens : T;
    return cut(&f->valid, &f->text.valid, T, side_by_side(f, T));
}

static void fill_largest(void *run, ur_batch *batch)
{
    largest(&((const struct fill *)run)->train, batch);
}

static void fill_largest_scored(void *run, ur_batch *batch)
{
    largest(&((const struct fill *)run)->valid, batch);
}

static void place(struct fill *f, struct ur__carve *c)
{
    f->score.n = (size_t)f->valid.B * (size_t)f->valid.windows.T;
    place_reading(&f->train, c);
    place_reading(&f->valid, c);
    ur__score_place(&f->score, c);
}

static size_t fill_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

static ur_status fill_build(void *run, const ur_model *model)
{
    struct fill *f = run;
    struct ur__carve c = {.base = f->block = ur__alloc(fill_memory(f), 1)};
    ur_batch scored;
    ur_batch_init(&scored);
    f->model = model;
    if (!f->block)
        return UR_ENOMEM;
    place(f, &c);
    fill_largest_scored(f, &scored);
    return scored.n ? ur__score_open(&f->score, model, &scored, false, f->team) : UR_OK;
}

/* ---- training ---------------------------------------------------------- */

static ur_status fill_begin_epoch(void *run, int64_t epoch)
{
    struct fill *f = run;
    f->epoch = epoch;
    return UR_OK;
}

static ur_status fill_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct fill *f = run;
    struct reading *r = &f->train;
    int64_t first = step * r->B, left = r->windows.n - first;
    int B = left < r->B ? (int)left : r->B, b0, b1;
    ur__share(B, 1, shard.index, shard.of, &b0, &b1);
    for (int b = b0; b < b1; b++)
        r->which[b - b0] = ur__shuffled(f->seed, (uint64_t)f->epoch, r->windows.n, first + b);
    return read_batch(r, b1 - b0, batch);
}

/* ---- scoring ----------------------------------------------------------- */

static void add(double *sums, const struct reading *r, int B, const struct ur__score *s)
{
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < r->lengths[b]; t++) {
            sums[UR__TEXT_LOSS] += (double)s->loss[t * B + b];
            sums[UR__TEXT_HITS] += s->hit[t * B + b];
        }
        sums[UR__TEXT_N] += r->lengths[b];
    }
}

static ur_status fill_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                            double *sums)
{
    struct fill *f = run;
    struct reading *r = &f->valid;
    int64_t n = r->windows.n, begin = n * shard.index / shard.of,
            end = n * (shard.index + 1) / shard.of;
    for (int64_t first = begin; first < end; first += r->B) {
        int B = end - first < r->B ? (int)(end - first) : r->B;
        ur_batch batch;
        ur_batch_init(&batch);
        for (int b = 0; b < B; b++)
            r->which[b] = first + b;
        UR__TRY(read_batch(r, B, &batch));
        UR__TRY(ur__score_run(&f->score, &batch));
        add(sums, r, B, &f->score);
        if (!watch->go_on(watch->user, (double)(first + B - begin) / (double)(end - begin)))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    if (shard.index > 0)
        return UR_OK;
    return ur__text_unknown(&f->text.valid, 0, &sums[UR__TEXT_UNKNOWN]);
}

static ur_status open_measure(struct fill *f, const ur_eval_options *options)
{
    int64_t T = LONG_WINDOW;
    if (options->protocol != UR_PROTOCOL_STREAM && options->protocol != UR_PROTOCOL_WINDOW)
        return ur__fail(UR_EINVAL, "there is no protocol %d", (int)options->protocol);
    UR__TRY(ur__text_measure(&f->text, f->model, options));
    if (options->protocol == UR_PROTOCOL_STREAM)
        UR__TRY(ur__summary_int(f->model, "seq_length", 1, 1 << 20, USUAL_WINDOW, &T));
    T = f->text.valid.tokens < T ? f->text.valid.tokens : T;
    f->V = ur_vocab_size(ur_model_vocab(f->model, NULL));
    UR__TRY(cut(&f->valid, &f->text.valid, (int)T, side_by_side(f, (int)T)));
    return fill_build(f, f->model);
}

static ur_status fill_measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    *run = NULL;
    struct fill *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    f->model = model;
    f->team = options->team;
    ur_status status = open_measure(f, options);
    if (status != UR_OK) {
        fill_close(f);
        return status;
    }
    *run = f;
    return UR_OK;
}

const struct ur__task ur__task_fill = {
    .name = "fill",
    .brief = "predict each token from both sides",
    .arch = "fill",
    .options = &table,
    .n_sums = ur__text_sums,
    .open = fill_open,
    .cut = fill_cut,
    .largest = fill_largest,
    .largest_scored = fill_largest_scored,
    .memory = fill_memory,
    .build = fill_build,
    .close = fill_close,
    .begin_epoch = fill_begin_epoch,
    .batch = fill_batch,
    .score = fill_score,
    .figures = ur__text_metrics,
    .measure = fill_measure,
    .predict = &ur__fill_gaps,
};
