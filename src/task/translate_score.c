/* SPDX-License-Identifier: MIT */
/* Figures of pairs held out: how likely their targets are, token by token, and how the texts that
 * the network makes compare with them. */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "task/translate.h"

enum { LOSS, HITS, TOKENS, TEXTS, EXACT, DISTANCE, LENGTH, BLEU, CHRF = BLEU + UR_BLEU_SUMS,
       SUMS = CHRF + UR_CHRF_SUMS };
enum { MOST_REFERENCES = 64 };  /* of a source; more are not looked at */

int ur__translate_sums(const ur_model *model)
{
    (void)model;
    return SUMS;
}

void ur__translate_figures(const ur_model *model, const double *sums, ur_metrics *out)
{
    const double n = sums[TOKENS], texts = sums[TEXTS], nan = (double)NAN;
    (void)model;
    out->n = 0;
    ur_metrics_add(out, "accuracy", "%", true, n > 0 ? sums[HITS] / n : nan);
    ur_metrics_add(out, "exact", "% of the texts", true, texts > 0 ? sums[EXACT] / texts : nan);
    ur_metrics_add(out, "edit", "% of the tokens", false,
                   sums[LENGTH] > 0 ? sums[DISTANCE] / sums[LENGTH] : nan);
    ur_metrics_add(out, "bleu", "", true, texts > 0 ? ur_bleu(sums + BLEU) : nan);
    ur_metrics_add(out, "chrf", "", true, texts > 0 ? ur_chrf(sums + CHRF) : nan);
    ur_metrics_add(out, "loss", "nats a token", false, n > 0 ? sums[LOSS] / n : nan);
    ur_metrics_add(out, "n", "tokens", false, n);
}

/* ---- tokens ------------------------------------------------------------ */

static ur_status score_tokens(struct ur__translate *t, int64_t step, double *sums)
{
    struct ur__pair_half *h = &t->valid;
    const int64_t *place;
    int B;
    ur_batch batch;
    ur_batch_init(&batch);
    UR__TRY(ur__buckets_batch(&h->buckets, 0, step, &place, &B));
    for (int b = 0; b < B; b++)
        h->rows[b] = h->which[place[b]];
    UR__TRY(ur__translate_read(t, h, h->rows, B, &batch));
    UR__TRY(ur__score_run(&t->score, &batch));
    const int n = ur_batch_find(&batch, "target")->dim[0] * B;
    for (int i = 0; i < n; i++) {
        sums[LOSS] += (double)t->score.loss[i];
        sums[HITS] += t->score.hit[i];
    }
    sums[TOKENS] += (double)batch.items;
    return UR_OK;
}

/* ---- texts ------------------------------------------------------------- */

/* A text and a zero. */
static ur_status put_text(struct ur__examples *x, int64_t pair, struct ur__buf *to)
{
    const size_t size = (size_t)x->example[pair].size, at = to->size;
    while (to->size - at < size) {
        static const char zeros[256];
        const size_t left = size - (to->size - at);
        UR__TRY(ur__buf_put(to, zeros, left < sizeof zeros ? left : sizeof zeros));
    }
    UR__TRY(ur__examples_text(x, pair, to->data + at));
    return ur__buf_put(to, "", 1);
}

/* The same text with its white space as single spaces between words. */
static void tidy(char *text)
{
    char *to = text;
    bool space = false;
    for (const char *s = text; *s; s++) {
        if (*s == ' ') {
            space = to > text;
            continue;
        }
        if (space)
            *to++ = ' ';
        space = false;
        *to++ = *s;
    }
    *to = '\0';
}

struct text {
    const ur_hypothesis *made;
    int n;
    const int64_t *pair;        /* [n] */
    int S;
    const int32_t *source;      /* [S] tokens */
    const char *reference[MOST_REFERENCES];
};

/* The reference that is reached in the fewest edits, and of these the longest. */
static ur_status add_distance(struct ur__translate *t, const struct text *x, double *sums)
{
    struct ur__sequences *s = &t->valid.set->ids[UR__PAIR_TARGET];
    const int32_t end = ur_vocab_line_end(t->vocab[UR__PAIR_TARGET]);
    const ur_hypothesis *h = x->made;
    const size_t made = (size_t)(h->n - (h->ids[h->n - 1] == end));
    size_t best = SIZE_MAX, length = 0;
    for (int i = 0; i < x->n; i++) {
        const struct ur__rows row = {.which = &x->pair[i], .B = 1,
                                     .T = ur__sequence_length(s, x->pair[i])};
        int n;
        size_t d;
        UR__TRY(ur__pad_ids(s, &row, t->target, &n));
        UR__TRY(ur_edit_distance(made, h->ids, (size_t)n, t->target, &d));
        if (d < best || (d == best && (size_t)n > length))
            length = (size_t)n;
        best = d < best ? d : best;
    }
    sums[DISTANCE] += (double)best;
    sums[LENGTH] += (double)length;
    return UR_OK;
}

/* Text of bytes may be no UTF-8, which scores of characters do not take. */
static ur_status shown(struct ur__buf *to, size_t at)
{
    struct ur__buf text = {0};
    if (ur__is_utf8(to->data + at))
        return UR_OK;
    ur_status status = ur__buf_show(&text, to->data + at, to->size - at - 1, UR__SHOW_UTF8);
    to->size = at;
    if (status == UR_OK)
        status = ur__buf_put(to, text.data, text.size);
    ur__buf_free(&text);
    return status == UR_OK ? ur__buf_put(to, "", 1) : status;
}

static ur_status compare(struct ur__translate *t, struct text *x, double *sums)
{
    struct ur__examples *const *side = t->valid.set->pairs.side;
    size_t at[MOST_REFERENCES];
    bool exact = false;
    t->text.size = t->refs.size = 0;
    UR__TRY(put_text(side[UR__PAIR_SOURCE], x->pair[0], &t->refs));
    const struct ur__source_text source = {x->S, x->source, t->refs.data, t->refs.size - 1};
    UR__TRY(ur__translator_text(&t->translator, &source, x->made, &t->text));
    t->refs.size = 0;
    UR__TRY(ur__buf_put(&t->text, "", 1));
    UR__TRY(shown(&t->text, 0));
    for (int i = 0; i < x->n; i++) {
        at[i] = t->refs.size;
        UR__TRY(put_text(side[UR__PAIR_TARGET], x->pair[i], &t->refs));
        UR__TRY(shown(&t->refs, at[i]));
    }
    if (ur__is_words(ur_vocab_kind(t->vocab[UR__PAIR_TARGET])))
        tidy(t->text.data);
    for (int i = 0; i < x->n; i++) {
        char *reference = t->refs.data + at[i];
        if (ur__is_words(ur_vocab_kind(t->vocab[UR__PAIR_TARGET])))
            tidy(reference);
        x->reference[i] = reference;
        exact = exact || strcmp(reference, t->text.data) == 0;
    }
    sums[EXACT] += exact;
    sums[TEXTS]++;
    UR__TRY(add_distance(t, x, sums));
    UR__TRY(ur_bleu_count(sums + BLEU, t->text.data, x->n, x->reference));
    return ur_chrf_count(sums + CHRF, t->text.data, x->n, x->reference);
}

/* How many sources texts are made of, and which the k-th of them is: of all lengths alike. */
static int64_t wanted(const struct ur__translate *t)
{
    return t->all || t->o.decode > t->valid.texts ? t->valid.texts : t->o.decode;
}

static int64_t source_of(const struct ur__translate *t, int64_t k)
{
    return k * t->valid.texts / wanted(t);
}

/* Sources [first,first+B) of those that are wanted. */
static ur_status score_texts(struct ur__translate *t, int64_t first, int B, double *sums)
{
    struct ur__pair_half *h = &t->valid;
    int64_t which[UR__TRANSLATE_ROWS];
    ur_batch batch;
    ur_batch_init(&batch);
    for (int b = 0; b < B; b++)
        which[b] = h->by_source[h->begin[source_of(t, first + b)]];
    UR__TRY(ur__translate_read(t, h, which, B, &batch));
    const ur_field *source = ur_batch_find(&batch, "source");
    const struct ur__sources sources = {source->dim[0], B, source->ids, source->lengths};
    UR__TRY(ur__translator_run(&t->translator, &sources));
    for (int b = 0; b < B; b++) {
        const int S = source->lengths[b];
        for (int s = 0; s < S; s++)
            t->input[s] = source->ids[s * B + b];
        const int64_t at = source_of(t, first + b), begin = h->begin[at];
        const int64_t n = h->begin[at + 1] - begin;
        struct text x = {.made = t->translator.found[b], .pair = h->by_source + begin,
                         .n = n < MOST_REFERENCES ? (int)n : MOST_REFERENCES, .S = S,
                         .source = t->input};
        UR__TRY(compare(t, &x, sums));
    }
    return UR_OK;
}

/* ---- both -------------------------------------------------------------- */

/* The part of n that falls to a shard. */
static void part_of(int64_t n, struct ur__shard shard, int64_t *begin, int64_t *end)
{
    *begin = n * shard.index / shard.of;
    *end = n * (shard.index + 1) / shard.of;
}

ur_status ur__translate_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                              double *sums)
{
    struct ur__translate *t = run;
    int64_t begin, end, first, last, done = 0;
    part_of(t->valid.buckets.steps, shard, &begin, &end);
    part_of(wanted(t), shard, &first, &last);
    /* Texts take longer than tokens. */
    const int64_t rows = t->translator.job.B ? t->translator.job.B : 1;
    const double all = (double)(end - begin) + 4 * (double)((last - first + rows - 1) / rows);
    for (int64_t step = begin; step < end; step++) {
        UR__TRY(score_tokens(t, step, sums));
        if (!watch->go_on(watch->user, (double)++done / all))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    for (int64_t at = first; at < last; at += rows) {
        UR__TRY(score_texts(t, at, (int)(last - at < rows ? last - at : rows), sums));
        done += 4;
        if (!watch->go_on(watch->user, (double)done / all))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    return UR_OK;
}
