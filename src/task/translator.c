/* SPDX-License-Identifier: MIT */
#include "task/translator.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/split.h"
#include "decode/beam.h"
#include "model/translate.h"
#include "tape/tape.h"

/* Tokens of a target, its end among them, for one of so many: what is longer goes round in
 * circles. */
static int longest(int source)
{
    return 2 * source + 20;
}

static ur_beam_options options_of(const struct ur__translator_job *job)
{
    const ur_vocab *target = ur_model_vocab(job->model, "target");
    ur_beam_options o;
    ur_beam_options_init(&o);
    o.width = job->beam;
    o.best = job->best;
    o.most = longest(job->S);
    o.begin = o.end = ur_vocab_line_end(target);
    o.length_power = job->length_power;
    o.sequences = job->B;
    o.ended = o.width;
    o.unknown = job->copy;
    o.draw = job->draw;
    return o;
}

static ur_status largest(const struct ur__translator_job *job, ur_batch *given)
{
    ur_batch_init(given);
    return ur_batch_ids(given, "source", job->S, job->B, UR__NOWHERE, UR__NOWHERE);
}

static ur_status open_beam(struct ur__translator *t, int S)
{
    t->job.S = S;
    const ur_beam_options o = options_of(&t->job);
    ur_batch given;
    ur_beam_free(t->beam);
    t->beam = NULL;
    t->job.S = 0;               /* until all is there: a later call tries again */
    UR__TRY(ur_beam_new(&t->beam, t->job.model, &o, t->job.team));
    t->job.S = S;
    UR__TRY(largest(&t->job, &given));
    return ur__beam_reserve(t->beam, &given);
}

ur_status ur__translator_measure(const struct ur__translator_job *job, size_t *bytes)
{
    const ur_beam_options o = options_of(job);
    ur_batch given;
    UR__TRY(largest(job, &given));
    UR__TRY(ur__beam_measure(job->model, &o, &given, job->team, bytes));
    *bytes += (size_t)job->B * (2 * sizeof(int) + sizeof(void *));
    return UR_OK;
}

ur_status ur__translator_open(struct ur__translator *t, const struct ur__translator_job *job)
{
    const size_t B = (size_t)job->B;
    *t = (struct ur__translator){.job = *job, .target = ur_model_vocab(job->model, "target")};
    if (job->copy && !ur__translate_attends(job->model))
        return ur__fail(UR_EINVAL, "unknown words are copied from where the decoder looks, but the "
                        "model has no attention");
    t->most = ur__alloc(B, sizeof *t->most);
    t->found = ur__alloc(B, sizeof *t->found);
    t->n = ur__alloc(B, sizeof *t->n);
    return t->most && t->found && t->n ? open_beam(t, job->S) : UR_ENOMEM;
}

void ur__translator_close(struct ur__translator *t)
{
    ur_beam_free(t->beam);
    ur__free(t->most);
    ur__free(t->found);
    ur__free(t->n);
    ur_tape_free(t->tape);
    ur__buf_free(&t->words);
    ur__buf_free(&t->fed);
}

ur_status ur__translator_run(struct ur__translator *t, const struct ur__sources *s)
{
    ur_batch given;
    ur_batch_init(&given);
    if (s->S > t->job.S)
        UR__TRY(open_beam(t, s->S));
    for (int b = 0; b < s->B; b++)
        t->most[b] = longest(s->lengths[b]);
    UR__TRY(ur_batch_ids(&given, "source", s->S, s->B, s->ids, s->lengths));
    return ur_beam_search_all(t->beam, &given, t->most, t->found, t->n);
}

/* ---- where it looks ---------------------------------------------------- */

/* Probabilities [n] of the tokens from logits [n,V], at their beginning. */
static ur_real *shares(const ur_tensor *soft, const ur_hypothesis *h)
{
    const ptrdiff_t V = ur_dim(soft, 2);
    ur_real *p = (ur_real *)(uintptr_t)ur_data(soft);
    for (ptrdiff_t i = 0; i < h->n; i++)
        p[i] = p[i * V + h->ids[i]];
    return p;
}

ur_status ur__translator_looks(struct ur__translator *t, const struct ur__source_text *source,
                               const ur_hypothesis *h, const ur_real **weights, const ur_real **p)
{
    const int32_t begin = ur_vocab_line_end(t->target);
    ur_batch batch;
    ur_tensor *w, *logits;
    t->fed.size = 0;
    UR__TRY(ur__buf_put(&t->fed, &begin, sizeof begin));
    UR__TRY(ur__buf_put(&t->fed, h->ids, (size_t)(h->n - 1) * sizeof *h->ids));
    ur_batch_init(&batch);
    UR__TRY(ur_batch_ids(&batch, "source", source->S, 1, source->ids, NULL));
    UR__TRY(ur_batch_ids(&batch, "input", h->n, 1, (const int32_t *)(void *)t->fed.data, NULL));
    if (!t->tape)
        UR__TRY(ur_tape_new(&t->tape, t->job.team));
    ur_tape_reset(t->tape);
    ur_tape_set_recording(t->tape, false);
    logits = ur__translate_weights(t->tape, t->job.model, &batch, &w);
    const ur_tensor *soft = p ? ur_softmax(logits) : logits;
    UR__TRY(ur_tape_status(t->tape));
    *weights = ur_data(w);
    if (p)
        *p = shares(soft, h);
    return UR_OK;
}

/* ---- texts ------------------------------------------------------------- */

static ur_status put_word(void *user, const char *word, size_t n)
{
    UR__TRY(ur__buf_put(user, word, n));
    return ur__buf_put(user, "", 1);
}

/* The words of a source as they stand in it. */
static ur_status split(struct ur__translator *t, const struct ur__source_text *source)
{
    const ur_token_kind kind = ur_vocab_kind(ur_model_vocab(t->job.model, "source"));
    struct ur__splitter s = {.punctuation = kind == UR_TOKEN_WORDPUNCT, .on_word = put_word,
                             .user = &t->words};
    t->words.size = 0;
    for (size_t at = 0; at < source->n; ) {
        uint32_t code;
        int step = ur__utf8_decode((const unsigned char *)source->text + at, source->n - at,
                                   &code);
        if (step <= 0)
            return ur__fail(UR_EINVAL, "byte %zu is no UTF-8", at + 1);
        UR__TRY(ur__split_put(&s, code, source->text + at, (size_t)step));
        at += (size_t)step;
    }
    return ur__split_end(&s);
}

/* The token of the source that a row of weights is largest at, its end apart, as text. */
static ur_status looked_at(struct ur__translator *t, const struct ur__source_text *source,
                           const ur_real *weights, const char **text, size_t *n)
{
    const ur_vocab *vocab = ur_model_vocab(t->job.model, "source");
    int best = 0;
    for (int i = 1; i + 1 < source->S; i++)
        best = weights[i] > weights[best] ? i : best;
    *text = "";
    *n = 0;
    if (source->S < 2)
        return UR_OK;
    if (!ur__is_words(ur_vocab_kind(vocab))) {
        *text = ur_vocab_text(vocab, source->ids[best], n);
        return UR_OK;
    }
    UR__TRY(split(t, source));
    const char *word = t->words.data, *end = word + t->words.size;
    for (int i = 0; i < best && word < end; i++)
        word += strlen(word) + 1;
    if (word < end) {
        *text = word;
        *n = strlen(word);
    }
    return UR_OK;
}

static bool has_unknown(const struct ur__translator *t, const ur_hypothesis *h)
{
    for (int i = 0; i < h->n; i++)
        if (h->ids[i] == ur_vocab_unknown(t->target))
            return true;
    return false;
}

ur_status ur__translator_text(struct ur__translator *t, const struct ur__source_text *source,
                              const ur_hypothesis *h, struct ur__buf *to)
{
    const ur_token_kind kind = ur_vocab_kind(t->target);
    const ur_real *weights = NULL;
    ur_join join = {0};
    if (t->job.copy && has_unknown(t, h))
        UR__TRY(ur__translator_looks(t, source, h, &weights, NULL));
    for (int i = 0; i < h->n; i++) {
        size_t n;
        const char *text;
        if (h->ids[i] == ur_vocab_line_end(t->target))
            continue;
        if (weights && h->ids[i] == ur_vocab_unknown(t->target)) {
            UR__TRY(looked_at(t, source, weights + (ptrdiff_t)i * source->S, &text, &n));
            if (ur__join_space(&join, kind, text, n))
                UR__TRY(ur__buf_put(to, " ", 1));
        } else {
            text = ur_vocab_join(t->target, &join, h->ids[i], &n);
        }
        UR__TRY(ur__buf_put(to, text, n));
    }
    return UR_OK;
}
