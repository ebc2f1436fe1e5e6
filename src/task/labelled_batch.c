/* SPDX-License-Identifier: MIT */
/* Batches of labelled examples, in the fields that an encoder reads (model/encoder.h). */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "data/labels.h"
#include "data/vectors.h"
#include "model/arch.h"
#include "task/labelled.h"

/* Numbers that vary less are not scaled: what they vary by may be rounding. */
#define LEAST_VARIANCE 1e-12
/* Random numbers of word dropout: apart from those of the tape. */
#define DROP_STREAM 0x776f7264u

/* ---- sizes ------------------------------------------------------------- */

static ur_status count_steps(struct ur__half *h, int B)
{
    int64_t *count = ur__calloc((size_t)h->longest + 1, sizeof *count), left = B;
    if (!count)
        return UR_ENOMEM;
    h->most_steps = 0;
    for (int64_t i = 0; i < h->n; i++)
        count[h->length[i]]++;
    for (int32_t length = h->longest; length > 0 && left > 0; length--) {
        int64_t some = count[length] < left ? count[length] : left;
        h->most_steps += some * length;
        left -= some;
    }
    ur__free(count);
    return UR_OK;
}

static ur_status cut_half(const struct ur__labelled *l, struct ur__half *h, int B)
{
    if (h->n == 0)
        return UR_OK;
    h->rows = ur__alloc((size_t)B, sizeof *h->rows);
    if (!h->rows)
        return UR_ENOMEM;
    if (h->longest > 0)     /* else nobody reads its examples, and their lengths are not known */
        UR__TRY(count_steps(h, B));
    return ur__buckets_init(&h->buckets, l->seed, h->n, h->length, B);
}

/* Distinct words of a batch: there are not more than steps, nor than words in its set. */
static int most_words(const struct ur__labelled *l, const struct ur__half *h)
{
    if (!l->letter || h->n == 0)
        return 0;
    int64_t words = ur_vocab_size(h->set->spellings);
    return (int)(h->most_steps < words ? h->most_steps : words);
}

ur_status ur__labelled_cut(void *run, int batch, struct ur__facts *facts)
{
    struct ur__labelled *l = run;
    int64_t n = l->train.n > l->valid.n ? l->train.n : l->valid.n;
    l->B = n < batch ? (int)n : batch;
    if (facts && l->train.n == 0)
        return ur__fail(UR_EDATA, "no example is left to learn from");
    UR__TRY(cut_half(l, &l->train, l->B));
    UR__TRY(cut_half(l, &l->valid, l->B));
    int train = most_words(l, &l->train), valid = most_words(l, &l->valid);
    l->words = train > valid ? train : valid;
    if (facts) {
        facts->epoch_steps = l->train.buckets.steps;
        facts->rows = l->B;
    }
    return UR_OK;
}

/* ---- fields ------------------------------------------------------------ */

struct shape {
    int T, B, W, C;         /* steps, rows, distinct words, letters */
};

static ur_status fields(ur_batch *batch, const struct ur__labelled *l, const struct shape *s)
{
    if (l->features) {
        const int dim[] = {s->T, s->B, l->features};
        UR__TRY(ur_batch_reals(batch, "frames", 3, dim, l->frames, l->lengths));
    } else {
        UR__TRY(ur_batch_ids(batch, "input", s->T, s->B, l->ids, l->lengths));
    }
    if (l->letter) {
        UR__TRY(ur_batch_ids(batch, "letters", s->C, s->W, l->letter_ids, l->letter_lengths));
        UR__TRY(ur_batch_ids(batch, "spelling", s->T, s->B, l->spelling, NULL));
    }
    return ur_batch_ids(batch, "target", l->tagged ? s->T : 1, s->B, l->target, NULL);
}

static void largest(const struct ur__labelled *l, const struct ur__half *half, ur_batch *batch)
{
    const struct ur__labelled nowhere = {
        .tagged = l->tagged, .letter = l->letter, .features = l->features, .ids = UR__NOWHERE,
        .target = UR__NOWHERE, .letter_ids = UR__NOWHERE, .spelling = UR__NOWHERE,
        .lengths = UR__NOWHERE, .letter_lengths = UR__NOWHERE, .frames = UR__NOWHERE,
    };
    const struct shape s = {half->longest, half->buckets.B, most_words(l, half),
                            UR__MOST_LETTERS};
    if (half->n)
        fields(batch, &nowhere, &s);
}

void ur__labelled_largest(void *run, ur_batch *batch)
{
    largest(run, &((const struct ur__labelled *)run)->train, batch);
}

void ur__labelled_largest_scored(void *run, ur_batch *batch)
{
    largest(run, &((const struct ur__labelled *)run)->valid, batch);
}

/* Bytes of all names of labels, a zero after each. */
static size_t names_size(const struct ur__labelled *l)
{
    size_t sum = 0, n;
    for (int32_t k = 0; k < ur__label_count(l->label); k++) {
        ur__label_text(l->label, k, &n);
        sum += n + 1;
    }
    return sum;
}

static void place_names(struct ur__labelled *l, struct ur__carve *c)
{
    const size_t T = (size_t)l->valid.longest;
    l->name = ur__carve(c, (size_t)ur__label_count(l->label), sizeof *l->name);
    l->truth = ur__carve(c, T, sizeof *l->truth);
    l->guess = ur__carve(c, T, sizeof *l->guess);
    l->names = ur__carve(c, names_size(l), 1);
}

static void copy_names(struct ur__labelled *l)
{
    char *to = l->names;
    for (int32_t k = 0; k < ur__label_count(l->label); k++) {
        size_t n;
        const char *text = ur__label_text(l->label, k, &n);
        l->name[k] = memcpy(to, text, n);
        to[n] = '\0';
        to += n + 1;
    }
}

static void place(struct ur__labelled *l, struct ur__carve *c)
{
    int32_t longest = l->train.longest > l->valid.longest ? l->train.longest : l->valid.longest;
    size_t B = (size_t)l->B, n = B * (size_t)longest, W = (size_t)l->words;
    int spellings = l->set.spellings ? ur_vocab_size(l->set.spellings) : 0;
    if (l->val.spellings && ur_vocab_size(l->val.spellings) > spellings)
        spellings = ur_vocab_size(l->val.spellings);
    l->score.labels = true;
    l->score.n = l->valid.n ? B * (l->tagged ? (size_t)l->valid.longest : 1) : 0;
    l->ids = ur__carve(c, l->features ? 0 : n, sizeof *l->ids);
    l->frames = ur__carve(c, n * (size_t)l->features, sizeof *l->frames);
    l->target = ur__carve(c, l->tagged ? n : B, sizeof *l->target);
    l->lengths = ur__carve(c, B, sizeof *l->lengths);
    l->spelling = ur__carve(c, W ? n : 0, sizeof *l->spelling);
    l->letter_ids = ur__carve(c, W * UR__MOST_LETTERS, sizeof *l->letter_ids);
    l->letter_lengths = ur__carve(c, W, sizeof *l->letter_lengths);
    l->slot = ur__carve(c, (size_t)spellings, sizeof *l->slot);
    if (l->tagged)
        place_names(l, c);
    ur__score_place(&l->score, c);
}

size_t ur__labelled_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

ur_status ur__labelled_build(void *run, const ur_model *model)
{
    struct ur__labelled *l = run;
    struct ur__carve c = {.base = l->block = ur__alloc(ur__labelled_memory(l), 1)};
    ur_batch scored;
    ur_batch_init(&scored);
    l->model = model;
    if (!l->block)
        return UR_ENOMEM;
    place(l, &c);
    if (l->tagged)
        copy_names(l);
    largest(l, &l->valid, &scored);
    l->score.chain = l->tagged ? ur__tag_chain(model) : NULL;
    return scored.n ? ur__score_open(&l->score, model, &scored, false, l->team) : UR_OK;
}

/* ---- one batch --------------------------------------------------------- */

int ur__spell(const ur_vocab *letters, const char *word, size_t n, int stride, int32_t *to)
{
    size_t at = 0;
    int count = 0;
    while (at < n && count < UR__MOST_LETTERS - 1) {
        uint32_t code;
        int step = ur__utf8_decode((const unsigned char *)word + at, n - at, &code);
        int32_t id = step > 0 ? ur__vocab_find(letters, code) : -1;
        at += step > 0 ? (size_t)step : 1;
        if (id >= 0)
            to[count++ * stride] = id;
    }
    to[count++ * stride] = ur__vocab_find(letters, '\n');
    return count;
}

/* Numbers the distinct words of l->spelling, which has their places in the set's spellings, from 0
 * as they come; words past an end have none. Returns how many there are. */
static int number_words(struct ur__labelled *l, const struct shape *s, int32_t *distinct)
{
    int W = 0;
    for (int b = 0; b < s->B; b++)
        for (int t = 0; t < l->lengths[b]; t++)
            l->slot[l->spelling[t * s->B + b]] = -1;
    for (int t = 0; t < s->T; t++)
        for (int b = 0; b < s->B; b++) {
            int32_t *at = &l->spelling[t * s->B + b];
            if (t >= l->lengths[b]) {
                *at = 0;
                continue;
            }
            if (l->slot[*at] < 0) {
                distinct[W] = *at;
                l->slot[*at] = W++;
            }
            *at = l->slot[*at];
        }
    return W;
}

static void spell(struct ur__labelled *l, const struct ur__set *set, struct shape *s)
{
    int32_t *distinct = l->letter_lengths;  /* until each has its letters */
    s->W = number_words(l, s, distinct);
    s->C = 1;
    memset(l->letter_ids, 0, (size_t)s->W * UR__MOST_LETTERS * sizeof *l->letter_ids);
    for (int w = 0; w < s->W; w++) {
        size_t n;
        const char *word = ur_vocab_text(set->spellings, distinct[w], &n);
        l->letter_lengths[w] = ur__spell(l->letter, word, n, s->W, l->letter_ids + w);
        s->C = l->letter_lengths[w] > s->C ? l->letter_lengths[w] : s->C;
    }
}

static ur_status put_targets(struct ur__labelled *l, struct ur__examples *x,
                             const struct ur__rows *rows, ur_batch *batch)
{
    int n = l->tagged ? rows->T * rows->B : rows->B;
    if (l->tagged)
        UR__TRY(ur__pad_tags(x, rows, l->target));
    for (int i = 0; i < n; i++) {
        if (!l->tagged)
            l->target[i] = x->example[rows->which[i]].label;
        batch->items += l->target[i] >= 0;
    }
    return UR_OK;
}

/* Rows [b0,b1) of a half's batch of that step. */
static ur_status read_batch(struct ur__labelled *l, struct ur__half *h, int64_t epoch, int64_t step,
                            struct ur__shard shard, ur_batch *batch)
{
    const int64_t *place;
    int B, b0, b1;
    struct shape s = {0};
    UR__TRY(ur__buckets_batch(&h->buckets, epoch, step, &place, &B));
    ur__share(B, 1, shard.index, shard.of, &b0, &b1);
    for (int b = b0; b < b1; b++) {
        h->rows[b - b0] = h->which[place[b]];
        s.T = h->length[place[b]] > s.T ? h->length[place[b]] : s.T;
    }
    s.B = b1 - b0;
    const struct ur__rows rows = {.which = h->rows, .B = s.B, .T = s.T};
    if (l->features)
        UR__TRY(ur__pad_frames(h->set->x, &rows, l->frames, l->lengths));
    else
        UR__TRY(ur__pad_ids(&h->set->ids, &rows, l->ids, l->lengths));
    if (l->letter) {
        UR__TRY(ur__pad_ids(&h->set->spelled, &rows, l->spelling, l->lengths));
        spell(l, h->set, &s);
    }
    UR__TRY(put_targets(l, h->set->x, &rows, batch));
    return fields(batch, l, &s);
}

/* Words that the batch is not to know; a function of (seed, epoch, example, step). */
static void drop_words(struct ur__labelled *l, const ur_batch *batch)
{
    const ur_field *input = ur_batch_find(batch, "input");
    int32_t unknown = l->text ? ur_vocab_unknown(l->text) : -1;
    if (!input || unknown < 0 || l->o.word_dropout <= 0)
        return;
    for (int b = 0, B = input->dim[1]; b < B; b++) {
        uint64_t at = (uint64_t)(l->epoch * l->set.x->n + l->train.rows[b]);
        for (int t = 0; t < l->lengths[b]; t++)
            if (ur_random_uniform(l->seed, DROP_STREAM, at, (uint32_t)t) < l->o.word_dropout)
                l->ids[t * B + b] = unknown;
    }
}

ur_status ur__labelled_begin_epoch(void *run, int64_t epoch)
{
    struct ur__labelled *l = run;
    l->epoch = epoch;
    return UR_OK;
}

ur_status ur__labelled_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct ur__labelled *l = run;
    UR__TRY(read_batch(l, &l->train, l->epoch, step, shard, batch));
    drop_words(l, batch);
    return UR_OK;
}

ur_status ur__labelled_score(struct ur__labelled *l, struct ur__shard shard,
                             const struct ur__watch *watch, ur__labelled_add *add, double *sums)
{
    int64_t n = l->valid.buckets.steps, begin = n * shard.index / shard.of,
            end = n * (shard.index + 1) / shard.of;
    for (int64_t step = begin; step < end; step++) {
        ur_batch batch;
        ur_batch_init(&batch);
        UR__TRY(read_batch(l, &l->valid, 0, step, (struct ur__shard){0, 1}, &batch));
        UR__TRY(ur__score_run(&l->score, &batch));
        add(l, &batch, sums);
        if (!watch->go_on(watch->user, (double)(step + 1 - begin) / (double)(end - begin)))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    return UR_OK;
}

/* ---- initial values ---------------------------------------------------- */

/* mean and 1/deviation of each number over all steps to learn from. */
static ur_status normalise(struct ur__labelled *l, ur_model *model)
{
    ur_params *params = ur_model_params(model);
    ur_real *mean = ur_param_data(params, ur_params_find(params, "frames.mean"));
    ur_real *scale = ur_param_data(params, ur_params_find(params, "frames.scale"));
    size_t I = (size_t)l->features;
    int64_t n = 0;
    double *sum = ur__calloc(2 * I, sizeof *sum), *square = sum ? sum + I : NULL;
    ur_real *frames = ur__alloc((size_t)l->train.longest * I, sizeof *frames);
    ur_status status = sum && frames ? UR_OK : UR_ENOMEM;
    for (int64_t i = 0; i < l->train.n && status == UR_OK; i++) {
        int32_t T = l->train.length[i];
        status = ur__examples_frames(l->set.x, l->train.which[i], 0, T, frames);
        for (size_t k = 0; k < (size_t)T * I && status == UR_OK; k++) {
            sum[k % I] += (double)frames[k];
            square[k % I] += (double)frames[k] * (double)frames[k];
        }
        n += T;
    }
    for (size_t k = 0; k < I && status == UR_OK; k++) {
        double m = sum[k] / (double)n, variance = square[k] / (double)n - m * m;
        mean[k] = (ur_real)m;
        scale[k] = variance > LEAST_VARIANCE ? (ur_real)(1 / sqrt(variance)) : 1;
    }
    ur__free(sum);
    ur__free(frames);
    return status;
}

/* Labels by how seldom they are, where the network asks for it: 1 on the average example. */
static void weigh(const struct ur__labelled *l, ur_model *model)
{
    ur_params *params = ur_model_params(model);
    const ur_param *p = ur_params_find(params, "label.weight");
    if (!p)
        return;
    ur_real *weight = ur_param_data(params, p);
    int K = p->dim[0];
    for (int k = 0; k < K; k++)
        weight[k] = 0;
    for (int64_t i = 0; i < l->train.n; i++)
        weight[l->set.x->example[l->train.which[i]].label]++;
    for (int k = 0; k < K; k++)
        weight[k] = weight[k] > 0 ? (ur_real)l->train.n / ((ur_real)K * weight[k]) : 1;
}

static ur_status take_vectors(const struct ur__labelled *l, ur_model *model)
{
    ur_params *params = ur_model_params(model);
    const ur_param *p = ur_params_find(params, "embed.weight");
    struct ur__vectors v;
    int64_t count;
    unsigned char *found = ur__calloc((size_t)p->dim[0], 1);
    ur_status status = found ? ur__vectors_open(&v, l->o.vectors) : UR_ENOMEM;
    if (found && status == UR_OK && v.width != p->dim[1])
        status = ur__fail(UR_EDATA, "%s has vectors of %d numbers, but embed is %d", l->o.vectors,
                          v.width, p->dim[1]);
    if (status == UR_OK)
        status = ur__vectors_fill(&v, l->text, ur_param_data(params, p), found, &count);
    if (found)
        ur__vectors_close(&v);
    ur__free(found);
    return status;
}

ur_status ur__labelled_start(void *run, ur_model *model)
{
    struct ur__labelled *l = run;
    weigh(l, model);
    if (l->features)
        UR__TRY(normalise(l, model));
    if (l->o.vectors && !l->text)
        return ur__fail(UR_EINVAL, "vectors are of words, but the data are numbers");
    return l->o.vectors ? take_vectors(l, model) : UR_OK;
}
