/* SPDX-License-Identifier: MIT */
/* Batches of pairs, in the fields of a network that translates. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "task/translate.h"

/* ---- sizes ------------------------------------------------------------- */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static ur_status cut_half(const struct ur__translate *t, struct ur__pair_half *h, int B)
{
    if (h->n == 0)
        return UR_OK;
    B = h->n < B ? (int)h->n : B;
    h->rows = ur__alloc((size_t)B, sizeof *h->rows);
    return h->rows ? ur__buckets_init(&h->buckets, t->seed, h->n, h->length, B, 0) : UR_ENOMEM;
}

/* Logits of what is scored are there as a whole. */
ur_status ur__translate_cut(void *run, int batch, struct ur__facts *facts)
{
    struct ur__translate *t = run;
    const int64_t longest = t->valid.longest[UR__PAIR_TARGET];
    if (facts && t->train.n == 0)
        return ur__fail(UR_EDATA, "no pair is left to learn from");
    UR__TRY(cut_half(t, &t->train, batch));
    if (longest * batch > INT32_MAX)
        return ur__fail(UR_EDATA, "%d targets of up to %lld tokens are more than a batch can be",
                        batch, (long long)longest);
    int rows = ur__score_rows(ur_vocab_size(t->vocab[UR__PAIR_TARGET]), (int)longest,
                              (int)longest * batch);
    UR__TRY(cut_half(t, &t->valid, longest ? rows / (int)longest : batch));
    if (facts) {
        facts->epoch_steps = t->train.buckets.steps;
        facts->rows = t->train.buckets.B;
    }
    return UR_OK;
}

static ur_status fields(ur_batch *batch, const struct ur__translate *t, int B, const int *T)
{
    UR__TRY(ur_batch_ids(batch, "source", T[UR__PAIR_SOURCE], B, t->source,
                         t->lengths[UR__PAIR_SOURCE]));
    UR__TRY(ur_batch_ids(batch, "input", T[UR__PAIR_TARGET], B, t->input,
                         t->lengths[UR__PAIR_TARGET]));
    return ur_batch_ids(batch, "target", T[UR__PAIR_TARGET], B, t->target, NULL);
}

static void largest(const struct ur__pair_half *h, ur_batch *batch)
{
    const struct ur__translate nowhere = {.source = UR__NOWHERE, .input = UR__NOWHERE,
                                          .target = UR__NOWHERE,
                                          .lengths = {UR__NOWHERE, UR__NOWHERE}};
    if (h->n)
        fields(batch, &nowhere, h->buckets.B, h->longest);
}

void ur__translate_largest(void *run, ur_batch *batch)
{
    largest(&((const struct ur__translate *)run)->train, batch);
}

void ur__translate_largest_scored(void *run, ur_batch *batch)
{
    largest(&((const struct ur__translate *)run)->valid, batch);
}

static void place(struct ur__translate *t, struct ur__carve *c)
{
    const int train = t->train.buckets.B, valid = t->valid.buckets.B;
    const size_t B = (size_t)larger(larger(train, valid), UR__TRANSLATE_ROWS);
    const size_t S = (size_t)larger(t->train.longest[UR__PAIR_SOURCE],
                                    t->valid.longest[UR__PAIR_SOURCE]);
    const size_t T = (size_t)larger(t->train.longest[UR__PAIR_TARGET],
                                    t->valid.longest[UR__PAIR_TARGET]);
    t->score.n = t->valid.n ? (size_t)valid * (size_t)t->valid.longest[UR__PAIR_TARGET] : 0;
    t->source = ur__carve(c, B * S, sizeof *t->source);
    t->input = ur__carve(c, B * T > S ? B * T : S, sizeof *t->input);   /* a source, too */
    t->target = ur__carve(c, B * T, sizeof *t->target);
    for (int side = 0; side < UR__PAIR_SIDES; side++)
        t->lengths[side] = ur__carve(c, B, sizeof *t->lengths[side]);
    ur__score_place(&t->score, c);
}

size_t ur__translate_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

/* How texts are searched for; false: none are. */
static bool searches(struct ur__translate *t, const ur_model *model)
{
    t->search.model = model;
    t->search.B = t->valid.texts < UR__TRANSLATE_ROWS ? (int)t->valid.texts : UR__TRANSLATE_ROWS;
    t->search.S = t->valid.longest[UR__PAIR_SOURCE];
    return t->valid.n && (t->all || t->o.decode);
}

ur_status ur__translate_search_memory(void *run, const ur_model *model, size_t *bytes)
{
    struct ur__translate *t = run;
    *bytes = 0;
    return searches(t, model) ? ur__translator_measure(&t->search, bytes) : UR_OK;
}

ur_status ur__translate_build(void *run, const ur_model *model)
{
    struct ur__translate *t = run;
    struct ur__carve c = {.base = t->block = ur__alloc(ur__translate_memory(t), 1)};
    ur_batch scored;
    ur_batch_init(&scored);
    t->model = model;
    if (!t->block)
        return UR_ENOMEM;
    place(t, &c);
    largest(&t->valid, &scored);
    if (!scored.n)
        return UR_OK;
    UR__TRY(ur__score_open(&t->score, model, &scored, false, t->team));
    return searches(t, model) ? ur__translator_open(&t->translator, &t->search) : UR_OK;
}

/* ---- one batch --------------------------------------------------------- */

/* One side of the pairs, each with its end: to [T,B]. */
static ur_status read_side(struct ur__translate *t, struct ur__pair_half *h, int side,
                           const struct ur__rows *rows, int32_t *to)
{
    const int32_t end = ur_vocab_line_end(t->vocab[side]);
    int *lengths = t->lengths[side];
    UR__TRY(ur__pad_ids(&h->set->ids[side], rows, to, lengths));
    for (int b = 0; b < rows->B; b++)
        to[(ptrdiff_t)lengths[b]++ * rows->B + b] = end;
    return UR_OK;
}

/* What is read before each token of the target, which gets −1 behind its end. */
static void shift(const struct ur__translate *t, int T, int B)
{
    const int32_t end = ur_vocab_line_end(t->vocab[UR__PAIR_TARGET]);
    for (int i = T * B - 1; i >= 0; i--) {
        t->input[i] = i < B ? end : t->target[i - B];
        if (i / B >= t->lengths[UR__PAIR_TARGET][i % B])
            t->target[i] = -1;
    }
}

/* Lengths of the longest of some pairs. */
static void longest(const struct ur__pair_half *h, const int64_t *which, int B, int *T)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        T[side] = 0;
        for (int b = 0; b < B; b++)
            T[side] = larger(T[side], 1 + ur__sequence_length(&h->set->ids[side], which[b]));
    }
}

ur_status ur__translate_read(struct ur__translate *t, struct ur__pair_half *h, const int64_t *which,
                             int B, ur_batch *batch)
{
    int T[UR__PAIR_SIDES];
    longest(h, which, B, T);
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        const struct ur__rows rows = {.which = which, .B = B, .T = T[side]};
        UR__TRY(read_side(t, h, side, &rows, side == UR__PAIR_SOURCE ? t->source : t->target));
    }
    shift(t, T[UR__PAIR_TARGET], B);
    for (int b = 0; b < B; b++)
        batch->items += t->lengths[UR__PAIR_TARGET][b];
    return fields(batch, t, B, T);
}

ur_status ur__translate_begin_epoch(void *run, int64_t epoch)
{
    ((struct ur__translate *)run)->epoch = epoch;
    return UR_OK;
}

ur_status ur__translate_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct ur__translate *t = run;
    const int64_t *place;
    int B, b0, b1;
    UR__TRY(ur__buckets_batch(&t->train.buckets, t->epoch, step, &place, &B));
    ur__share(B, 1, shard.index, shard.of, &b0, &b1);
    for (int b = b0; b < b1; b++)
        t->train.rows[b - b0] = t->train.which[place[b]];
    return ur__translate_read(t, &t->train, t->train.rows, b1 - b0, batch);
}
