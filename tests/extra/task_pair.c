/* SPDX-License-Identifier: MIT */
/*
 * Line by line from one file to another: DATA is two files whose lines belong together. A line of
 * the first begins with a number and a tab, which the network is given as a number.
 *
 *     train   lines [0, n−h), B of them a step in an order that is drawn anew each epoch
 *     valid   lines [n−h, n), h = ⌊val·n⌋
 *
 * A target begins and ends with '\n'.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "base/text.h"
#include "data/choose.h"
#include "data/window.h"
#include "extra/extra.h"
#include "io/file.h"
#include "task/score.h"
#include "train/task.h"
#include "unroll/task.h"

enum { SIDES = 2 };
enum { SUM_LOSS, SUM_HITS, SUM_N, SUMS };

struct line {
    int64_t begin[SIDES];           /* in a side's ids */
    int n[SIDES];
};

struct options {
    int most;
};

struct pair {
    const ur_model *model;
    ur_team *team;
    struct options options;
    ur_real *number;                /* [lines] */
    struct line *line;
    int64_t lines, train, epoch;    /* the first `train` are to learn from */
    int32_t *ids[SIDES];            /* of all lines, one after the other */
    int longest[SIDES];             /* steps */
    int B;                          /* rows of a batch, of either kind */
    uint64_t seed;
    int32_t *source, *input, *target;   /* [T,B] */
    int *lengths[SIDES];            /* [B] */
    ur_real *numbers;               /* [B,1] */
    struct ur__score score;
    void *block;
};

static const ur_option option_rows[] = {
    {.group = "data", .name = "most", .arg = "N", .fallback = "100", .kind = UR_OPTION_INT,
     .min = 1, .max = 10000, .at = offsetof(struct options, most), .help = "longest line"},
};

static const ur_option_table table = {
    .name = "pair", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct options),
};

/* ---- reading ----------------------------------------------------------- */

static void pair_close(void *run)
{
    struct pair *p = run;
    if (!p)
        return;
    for (int side = 0; side < SIDES; side++)
        ur__free(p->ids[side]);
    ur__score_close(&p->score);
    ur__free(p->number);
    ur__free(p->line);
    ur__free(p->block);
    ur__free(p);
}

ur_status ur__pair_number(const char *line, size_t n, double *number, size_t *used)
{
    char word[32] = "";
    const char *tab = memchr(line, '\t', n);
    size_t digits = tab ? (size_t)(tab - line) : 0;
    memcpy(word, line, digits < sizeof word ? digits : 0);
    if (!ur__parse_real(word, number))
        return ur__fail(UR_EDATA, "it does not begin with a number and a tab");
    *used = digits + 1;
    return UR_OK;
}

/* The lines of a file, each ended by '\n'; numbers: each begins with one, which is taken off. */
static ur_status take_lines(const char *path, const char *text, size_t n, ur_real *numbers,
                            struct ur__buf *to, int64_t *lines)
{
    size_t end;
    for (size_t at = 0; at < n; at = end + 1) {
        const char *stop = memchr(text + at, '\n', n - at);
        end = stop ? (size_t)(stop - text) : n;
        if (numbers) {
            double number;
            size_t used = 0;
            if (ur__pair_number(text + at, end - at, &number, &used) != UR_OK)
                return ur__fail(UR_EDATA, "%.200s: line %lld: %s", path, (long long)*lines + 1,
                                ur_errmsg());
            numbers[*lines] = (ur_real)number;
            at += used;
        }
        UR__TRY(ur__buf_put(to, text + at, end - at));
        UR__TRY(ur__buf_put(to, "\n", 1));
        ++*lines;
    }
    return *lines ? UR_OK : ur__fail(UR_EDATA, "%.200s is empty", path);
}

static ur_status number_lines(struct pair *p, int side, const struct ur__buf *text,
                              const ur_vocab *vocab)
{
    size_t n, begin = 0;
    int32_t *ids = p->ids[side] = ur__alloc(text->size, sizeof *ids);
    if (!ids)
        return UR_ENOMEM;
    UR__TRY(ur_vocab_encode(vocab, text->data, text->size, ids, &n));
    struct line *line = p->line;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] != ids[n - 1])
            continue;
        line->begin[side] = (int64_t)begin;
        line->n[side] = (int)(i + 1 - begin);
        if (line->n[side] > p->options.most)
            return ur__fail(UR_EDATA, "line %d is longer than %d characters",
                            (int)(line - p->line) + 1, p->options.most - 1);
        if (line->n[side] > p->longest[side])
            p->longest[side] = line->n[side];
        begin = i + 1;
        line++;
    }
    return UR_OK;
}

/* vocab: NULL, to make one. */
static ur_status take_side(struct pair *p, int side, const char *path, const ur_vocab *vocab,
                           struct ur__buf *lines, struct ur__facts *facts)
{
    char *text;
    size_t n;
    int64_t count = 0;
    UR__TRY(ur__file_slurp(path, (size_t)1 << 28, &text, &n));
    facts->source[side] = (struct ur__source){side ? "target" : "source", n, ur__crc32(0, text, n)};
    ur_status status = UR_OK;
    if (!side && !(p->number = ur__alloc(n + 1, sizeof *p->number)))
        status = UR_ENOMEM;
    if (status == UR_OK)
        status = take_lines(path, text, n, side ? NULL : p->number, lines, &count);
    ur__free(text);
    UR__TRY(status);
    if (side && count != p->lines)
        return ur__fail(UR_EDATA, "%lld lines belong to %lld", (long long)count,
                        (long long)p->lines);
    p->lines = count;
    if (!side && !(p->line = ur__calloc((size_t)count, sizeof *p->line)))
        return UR_ENOMEM;
    if (!vocab)
        UR__TRY(ur_vocab_of_text(&facts->vocab[side], UR_TOKEN_CHAR, lines->data, lines->size, 1));
    return number_lines(p, side, lines, vocab ? vocab : facts->vocab[side]);
}

static ur_status take_data(struct pair *p, const char *const *data, int n,
                           const ur_vocab *const *vocab, struct ur__facts *facts)
{
    if (n != SIDES)
        return ur__fail(UR_EINVAL, "pairs are two files, not %d", n);
    for (int side = 0; side < SIDES; side++) {
        struct ur__buf lines = {0};
        ur_status status = take_side(p, side, data[side], vocab[side], &lines, facts);
        ur__buf_free(&lines);
        UR__TRY(status);
    }
    facts->n_sources = SIDES;
    return UR_OK;
}

static ur_status pair_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    if (job->val_file)
        return ur__fail(UR_EINVAL, "pairs are held out as a share, not as a file");
    struct pair *p = ur__calloc(1, sizeof *p);
    if (!p)
        return UR_ENOMEM;
    p->team = job->team;
    p->seed = job->seed;
    memcpy(&p->options, ur__options_read(job->options), sizeof p->options);
    ur_status status = take_data(p, job->data, job->n_data, job->vocab, facts);
    if (status != UR_OK) {
        pair_close(p);
        return status;
    }
    facts->val_items = ur__held_out(p->lines, job->val);
    facts->train_items = p->train = p->lines - facts->val_items;
    facts->unit = "line";
    facts->uniform = (double)NAN;
    *run = p;
    return UR_OK;
}

/* ---- batches ----------------------------------------------------------- */

static ur_status pair_cut(void *run, int batch, struct ur__facts *facts)
{
    struct pair *p = run;
    p->B = p->train < batch ? (int)p->train : batch;
    if (p->B < 1)
        return ur__fail(UR_EDATA, "no line is left to learn from");
    facts->epoch_steps = (p->train + p->B - 1) / p->B;
    facts->rows = p->B;
    return UR_OK;
}

static ur_status fields(ur_batch *batch, const struct pair *p, int B, const int *T)
{
    const int dim[] = {B, 1};
    UR__TRY(ur_batch_ids(batch, "source", T[0], B, p->source, p->lengths[0]));
    UR__TRY(ur_batch_reals(batch, "numbers", 2, dim, p->numbers, NULL));
    UR__TRY(ur_batch_ids(batch, "input", T[1], B, p->input, p->lengths[1]));
    return ur_batch_ids(batch, "target", T[1], B, p->target, NULL);
}

static void pair_largest(void *run, ur_batch *batch)
{
    const struct pair *p = run;
    const struct pair nowhere = {.source = UR__NOWHERE, .input = UR__NOWHERE,
                                 .target = UR__NOWHERE, .numbers = UR__NOWHERE,
                                 .lengths = {UR__NOWHERE, UR__NOWHERE}};
    fields(batch, &nowhere, p->B, p->longest);
}

static void pair_largest_scored(void *run, ur_batch *batch)
{
    const struct pair *p = run;
    if (p->train < p->lines)
        pair_largest(run, batch);
}

static void place(struct pair *p, struct ur__carve *c)
{
    size_t B = (size_t)p->B, n = B * (size_t)p->longest[1];
    p->score.n = p->train < p->lines ? n : 0;
    p->source = ur__carve(c, B * (size_t)p->longest[0], sizeof *p->source);
    p->input = ur__carve(c, n, sizeof *p->input);
    p->target = ur__carve(c, n, sizeof *p->target);
    for (int side = 0; side < SIDES; side++)
        p->lengths[side] = ur__carve(c, B, sizeof *p->lengths[side]);
    p->numbers = ur__carve(c, B, sizeof *p->numbers);
    ur__score_place(&p->score, c);
}

static size_t pair_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

static ur_status pair_build(void *run, const ur_model *model)
{
    struct pair *p = run;
    struct ur__carve c = {.base = p->block = ur__alloc(pair_memory(p), 1)};
    ur_batch scored;
    ur_batch_init(&scored);
    p->model = model;
    if (!p->block)
        return UR_ENOMEM;
    place(p, &c);
    pair_largest_scored(p, &scored);
    return scored.n ? ur__score_open(&p->score, model, &scored, false, p->team) : UR_OK;
}

/* Column b of a batch of B. */
static void put_line(const struct pair *p, const struct line *line, int b, int B, const int *T)
{
    const int32_t *source = p->ids[0] + line->begin[0], *target = p->ids[1] + line->begin[1];
    for (int t = 0; t < T[0]; t++)
        p->source[t * B + b] = t < line->n[0] ? source[t] : 0;
    for (int t = 0; t < T[1]; t++) {
        p->input[t * B + b] = t == 0 ? target[line->n[1] - 1] : t < line->n[1] ? target[t - 1] : 0;
        p->target[t * B + b] = t < line->n[1] ? target[t] : -1;
    }
    for (int side = 0; side < SIDES; side++)
        p->lengths[side][b] = line->n[side];
    p->numbers[b] = p->number[line - p->line];
}

/* Lines place(first), place(first+1) …, drawn anew each epoch if they are to learn from. */
static ur_status read_batch(const struct pair *p, int64_t first, int B, ur_batch *batch)
{
    int T[SIDES] = {0};
    for (int round = 0; round < 2; round++) {       /* sizes, then the tokens */
        for (int b = 0; b < B; b++) {
            int64_t at = first + b;
            if (at < p->train)
                at = ur__shuffled(p->seed, (uint64_t)p->epoch, p->train, at);
            const struct line *line = &p->line[at];
            for (int side = 0; side < SIDES; side++)
                T[side] = line->n[side] > T[side] ? line->n[side] : T[side];
            if (round > 0)
                put_line(p, line, b, B, T);
            else
                batch->items += line->n[1];
        }
    }
    return fields(batch, p, B, T);
}

static ur_status pair_begin_epoch(void *run, int64_t epoch)
{
    ((struct pair *)run)->epoch = epoch;
    return UR_OK;
}

static ur_status pair_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    const struct pair *p = run;
    int64_t first = step * p->B, left = p->train - first;
    int b0, b1;
    ur__share(left < p->B ? (int)left : p->B, 1, shard.index, shard.of, &b0, &b1);
    return read_batch(p, first + b0, b1 - b0, batch);
}

/* ---- scoring ----------------------------------------------------------- */

static ur_status pair_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                            double *sums)
{
    struct pair *p = run;
    int64_t n = p->lines - p->train, begin = p->train + n * shard.index / shard.of,
            end = p->train + n * (shard.index + 1) / shard.of;
    for (int64_t first = begin; first < end; first += p->B) {
        int B = end - first < p->B ? (int)(end - first) : p->B;
        ur_batch batch;
        ur_batch_init(&batch);
        UR__TRY(read_batch(p, first, B, &batch));
        UR__TRY(ur__score_run(&p->score, &batch));
        size_t targets = (size_t)B * (size_t)ur_batch_find(&batch, "target")->dim[0];
        for (size_t i = 0; i < targets; i++) {
            sums[SUM_LOSS] += (double)p->score.loss[i];
            sums[SUM_HITS] += p->score.hit[i];
        }
        sums[SUM_N] += (double)batch.items;
        if (!watch->go_on(watch->user, (double)(first + B - begin) / (double)(end - begin)))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    return UR_OK;
}

static int pair_sums(const ur_model *model)
{
    (void)model;
    return SUMS;
}

static void pair_figures(const ur_model *model, const double *sums, ur_metrics *out)
{
    (void)model;
    out->n = 0;
    ur_metrics_add(out, "accuracy", "% of the characters", true, sums[SUM_HITS] / sums[SUM_N]);
    ur_metrics_add(out, "loss", "nats a character", false, sums[SUM_LOSS] / sums[SUM_N]);
    ur_metrics_add(out, "n", "characters", true, sums[SUM_N]);
}

static ur_status pair_measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    *run = NULL;
    const ur_vocab *const vocab[] = {ur_model_vocab(model, "source"),
                                     ur_model_vocab(model, "target")};
    struct ur__facts facts = {0};
    struct pair *p = ur__calloc(1, sizeof *p);
    if (!p)
        return UR_ENOMEM;
    p->team = options->team;
    p->options.most = 10000;
    p->B = 32;
    ur_status status = take_data(p, options->data, options->n_data, vocab, &facts);
    if (status == UR_OK)
        status = pair_build(p, model);
    if (status != UR_OK) {
        pair_close(p);
        return status;
    }
    *run = p;
    return UR_OK;
}

const struct ur__task ur__task_pair = {
    .name = "pair",
    .brief = "turn each line of one file into that of another",
    .arch = "pair",
    .options = &table,
    .n_sums = pair_sums,
    .open = pair_open,
    .cut = pair_cut,
    .largest = pair_largest,
    .largest_scored = pair_largest_scored,
    .memory = pair_memory,
    .build = pair_build,
    .close = pair_close,
    .begin_epoch = pair_begin_epoch,
    .batch = pair_batch,
    .score = pair_score,
    .figures = pair_figures,
    .measure = pair_measure,
    .predict = &ur__predict_pair,
};
