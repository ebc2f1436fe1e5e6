/* SPDX-License-Identifier: MIT */
/* Batches of labelled examples, in the fields that an encoder reads (model/encoder.h). */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "data/labels.h"
#include "model/arch.h"
#include "task/labelled.h"

/* Random numbers of word dropout: apart from those of the tape. */
#define DROP_STREAM 0x776f7264u

/* ---- sizes ------------------------------------------------------------- */

static ur_status count_steps(struct ur__half *h, int B)
{
    int64_t *count = ur__calloc((size_t)h->longest + 1, sizeof *count), left = B;
    if (!count)
        return UR_ENOMEM;
    h->living = 0;
    for (int64_t i = 0; i < h->n; i++)
        count[h->length[i]]++;
    for (int32_t length = h->longest; length > 0 && left > 0; length--) {
        int64_t some = count[length] < left ? count[length] : left;
        h->living += some * length;
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
    if (l->letter && h->longest > 0)     /* 0: nobody reads its examples */
        UR__TRY(count_steps(h, B));
    return ur__buckets_init(&h->buckets, l->seed, h->n, h->length, B, h->piece);
}

/* Steps of the largest batch. */
static int32_t most_steps(const struct ur__half *h)
{
    return h->piece && h->piece < h->longest ? h->piece : h->longest;
}

/* Distinct words of a batch: there are not more than steps, nor than words in its set. */
static int most_words(const struct ur__labelled *l, const struct ur__half *h)
{
    if (!l->letter || h->n == 0)
        return 0;
    int64_t words = ur_vocab_size(h->set->spellings), steps = (int64_t)most_steps(h) * l->B;
    steps = steps < h->living ? steps : h->living;
    return (int)(steps < words ? steps : words);
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
    const struct shape s = {most_steps(half), half->buckets.B, most_words(l, half),
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

static void place_names(struct ur__labelled *l, struct ur__carve *c)
{
    const size_t B = (size_t)l->B;
    l->name = ur__carve(c, (size_t)ur__label_count(l->label), sizeof *l->name);
    l->entities = ur__carve(c, B, sizeof *l->entities);
    l->names = ur__carve(c, ur__label_names_size(l->label), 1);
}

static void place(struct ur__labelled *l, struct ur__carve *c)
{
    int32_t train = most_steps(&l->train), valid = most_steps(&l->valid);
    size_t B = (size_t)l->B, n = B * (size_t)(train > valid ? train : valid), W = (size_t)l->words;
    int spellings = l->set.spellings ? ur_vocab_size(l->set.spellings) : 0;
    if (l->val.spellings && ur_vocab_size(l->val.spellings) > spellings)
        spellings = ur_vocab_size(l->val.spellings);
    l->score.labels = true;
    l->score.n = l->valid.n ? B * (l->tagged ? (size_t)valid : 1) : 0;
    l->ids = ur__carve(c, l->features ? 0 : n, sizeof *l->ids);
    l->frames = ur__carve(c, n * (size_t)l->features, sizeof *l->frames);
    l->target = ur__carve(c, l->tagged ? n : B, sizeof *l->target);
    l->lengths = ur__carve(c, B, sizeof *l->lengths);
    l->ended = ur__carve(c, B, sizeof *l->ended);
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

static const struct ur__choice *choice_of(const struct ur__labelled *l, const ur_model *model)
{
    return l->tagged ? ur__choice_of(model) : NULL;
}

ur_status ur__labelled_search_memory(void *run, const ur_model *model, size_t *bytes)
{
    const struct ur__labelled *l = run;
    const struct ur__choice *choice = choice_of(l, model);
    const struct ur__choice_job job = {model, l->valid.longest, l->valid.buckets.B, l->score.beam,
                                       l->team};
    *bytes = 0;
    return choice ? choice->measure(&job, bytes) : UR_OK;
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
        ur__label_names(l->label, l->names, l->name);
    largest(l, &l->valid, &scored);
    l->score.choice = choice_of(l, model);
    if (!scored.n)
        return UR_OK;
    return ur__score_open(&l->score, model, &scored, l->valid.piece > 0, l->team);
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
        else if (i / rows->B >= l->lengths[i % rows->B])
            l->target[i] = -1;
        batch->items += l->target[i] >= 0;
    }
    return UR_OK;
}

/* The n examples of a batch, by their places in the half, as rows of the piece at hand. A batch of
 * pieces always has as many rows as the state that goes through them: those that are not there, or
 * have ended, have no steps. */
static void take_rows(const struct ur__labelled *l, struct ur__half *h, const int64_t *place, int n,
                      struct shape *s)
{
    int64_t from = h->buckets.from, most = 1;
    for (int b = 0; b < n; b++)
        most = h->length[place[b]] - from > most ? h->length[place[b]] - from : most;
    s->T = (int)(h->piece && h->piece < most ? h->piece : most);
    s->B = h->piece ? l->B : n;
    for (int b = 0; b < s->B; b++) {
        h->rows[b] = h->which[b < n ? place[b] : 0];
        l->ended[b] = b < n && h->length[place[b]] - from <= s->T;
    }
}

static ur_status read_steps(struct ur__labelled *l, const struct ur__half *h,
                            const struct ur__rows *rows)
{
    if (l->letter)
        UR__TRY(ur__pad_ids(&h->set->spelled, rows, l->spelling, l->lengths));
    return l->features ? ur__pad_frames(h->set->x, rows, l->frames, l->lengths)
                       : ur__pad_ids(&h->set->ids, rows, l->ids, l->lengths);
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
    take_rows(l, h, place + b0, b1 - b0, &s);
    const struct ur__rows rows = {.which = h->rows, .B = s.B, .T = s.T,
                                  .from = (int32_t)h->buckets.from};
    UR__TRY(read_steps(l, h, &rows));
    for (int b = b1 - b0; b < s.B; b++)
        l->lengths[b] = 0;
    if (l->letter)
        spell(l, h->set, &s);
    UR__TRY(put_targets(l, h->set->x, &rows, batch));
    return fields(batch, l, &s);
}

/* Words that the batch is not to know; a function of (seed, epoch, example, step). */
static void drop_words(struct ur__labelled *l, const ur_batch *batch)
{
    const ur_field *input = ur_batch_find(batch, "input");
    int32_t unknown = l->text ? ur_vocab_unknown(l->text) : -1;
    uint32_t from = (uint32_t)l->train.buckets.from;
    if (!input || unknown < 0 || l->o.word_dropout <= 0)
        return;
    for (int b = 0, B = input->dim[1]; b < B; b++) {
        uint64_t at = (uint64_t)(l->epoch * l->set.x->n + l->train.rows[b]);
        for (int t = 0; t < l->lengths[b]; t++)
            if (ur_random_uniform(l->seed, DROP_STREAM, at, from + (uint32_t)t)
                < l->o.word_dropout)
                l->ids[t * B + b] = unknown;
    }
}

ur_status ur__labelled_begin_epoch(void *run, int64_t epoch)
{
    struct ur__labelled *l = run;
    l->epoch = epoch;
    return UR_OK;
}

bool ur__labelled_begins(void *run, int64_t step)
{
    struct ur__labelled *l = run;
    return ur__buckets_first(&l->train.buckets, l->epoch, step);
}

ur_status ur__labelled_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct ur__labelled *l = run;
    UR__TRY(read_batch(l, &l->train, l->epoch, step, shard, batch));
    drop_words(l, batch);
    return UR_OK;
}

/* All pieces of a batch are the shard's in whose part of the steps it begins. */
ur_status ur__labelled_score(struct ur__labelled *l, struct ur__shard shard,
                             const struct ur__watch *watch, ur__labelled_add *add, double *sums)
{
    struct ur__buckets *all = &l->valid.buckets;
    int64_t n = all->steps, begin = n * shard.index / shard.of,
            end = n * (shard.index + 1) / shard.of;
    while (begin < end && !ur__buckets_first(all, 0, begin))
        begin++;
    while (begin < end && end < n && !ur__buckets_first(all, 0, end))
        end++;
    for (int64_t step = begin; step < end; step++) {
        ur_batch batch;
        ur_batch_init(&batch);
        UR__TRY(read_batch(l, &l->valid, 0, step, (struct ur__shard){0, 1}, &batch));
        if (l->score.state && all->from == 0)
            ur_model_state_zero(l->score.state);
        UR__TRY(ur__score_run(&l->score, &batch));
        add(l, &batch, sums);
        if (!watch->go_on(watch->user, (double)(step + 1 - begin) / (double)(end - begin)))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    return UR_OK;
}
