/* SPDX-License-Identifier: MIT */
/* Reading pairs: vocabularies, what there is to learn from, and what to measure on. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/encode.h"
#include "io/option_json.h"
#include "metric/text.h"
#include "model/arch.h"
#include "task/held_out.h"
#include "task/labelled.h"
#include "task/translate.h"

enum { MEASURED_BEAM = 4 };

static void free_set(struct ur__pair_set *s)
{
    ur__pairs_free(&s->pairs);
    for (int side = 0; side < UR__PAIR_SIDES; side++)
        ur__sequences_free(&s->ids[side]);
}

void ur__translate_close(void *run)
{
    struct ur__translate *t = run;
    if (!t)
        return;
    ur__translator_close(&t->translator);
    ur__score_close(&t->score);
    ur__buf_free(&t->text);
    ur__buf_free(&t->refs);
    ur__free(t->block);
    ur__pair_half_free(&t->train);
    ur__pair_half_free(&t->valid);
    free_set(&t->set);
    free_set(&t->val);
    ur__free(t);
}

/* ---- vocabularies ------------------------------------------------------ */

static bool reads_bytes(const struct ur__translate *t)
{
    bool bytes = true;
    for (int side = 0; side < UR__PAIR_SIDES; side++)
        bytes = bytes && (t->vocab[side] ? ur_vocab_kind(t->vocab[side]) == UR_TOKEN_BYTE
                                         : t->o.tokens[side] == 1 + UR_TOKEN_BYTE);
    return bytes;
}

/* Bytes and characters are those of all data, words those of what is learnt from. */
static ur_status make_vocab(struct ur__translate *t, int side, struct ur__facts *facts)
{
    struct ur__examples *x = t->set.pairs.side[side];
    ur_token_kind kind = (ur_token_kind)(t->o.tokens[side] - 1);
    int64_t cut;
    if (t->o.tokens[side] == 0)
        UR__TRY(ur__usual_tokens(x, &kind));
    const struct ur__vocab_rule rule = {
        .kind = kind, .min_count = t->o.min_count, .most = t->o.max_vocab, .line_end = true,
        .which = ur__is_words(kind) ? t->train.which : NULL, .n = t->train.n,
    };
    UR__TRY(ur__examples_vocab(&facts->vocab[side], x, &rule, &cut));
    facts->words_cut += t->o.max_vocab ? 0 : cut;
    return UR_OK;
}

static ur_status make_vocabs(struct ur__translate *t, const struct ur__job *job,
                             struct ur__facts *facts)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        if (job->vocab[side])
            UR__TRY(ur__vocab_copy(&facts->vocab[side], job->vocab[side]));
        else
            UR__TRY(make_vocab(t, side, facts));
        t->vocab[side] = facts->vocab[side];
    }
    return UR_OK;
}

static ur_status number(struct ur__pair_set *s, const struct ur__translate *t)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++)
        UR__TRY(ur__sequences_new(&s->ids[side], s->pairs.side[side], t->vocab[side],
                                  ur__unknown_labelled(t->vocab[side], t->unknown)));
    return UR_OK;
}

/* ---- opening ----------------------------------------------------------- */

/* Files of their own, to validate or measure on. */
static ur_status open_apart(struct ur__translate *t, const char *const *paths, int n)
{
    UR__TRY(ur__pairs_open(&t->val.pairs, paths, n, reads_bytes(t)));
    UR__TRY(number(&t->val, t));
    return ur__pair_half_all(&t->valid, &t->val);
}

static void tell_source(const char *role, const struct ur__pairs *p, struct ur__facts *facts)
{
    const struct ur__tally *tally = &p->side[UR__PAIR_SOURCE]->tally;
    facts->source[facts->n_sources++] = (struct ur__source){role, tally->bytes, tally->crc};
}

/* Words of a half's targets that the vocabulary does not have. */
static ur_status count_unknown(const struct ur__translate *t, const struct ur__pair_half *h,
                               int64_t *count)
{
    const int32_t unknown = ur_vocab_unknown(t->vocab[UR__PAIR_TARGET]);
    return unknown < 0 ? UR_OK : ur__sequences_count(&h->set->ids[UR__PAIR_TARGET], h->which, h->n,
                                                     unknown, count);
}

/* Some ten thousand updates, and every pair at least eight times. */
static void suit(struct ur__facts *facts, int64_t n)
{
    facts->batch = n < 1000 ? 16 : n < 5000 ? 32 : 64;
    facts->lr = 2e-3;
    facts->epochs = n > 80000 ? 8 : n < 10667 ? 60 : floor(640000 / (double)n);
}

static ur_status tell(struct ur__translate *t, struct ur__facts *facts)
{
    facts->train_items = t->train.tokens;
    facts->val_items = t->valid.tokens;
    facts->unit = "token";
    facts->uniform = ur__text_uniform(ur_vocab_size(t->vocab[UR__PAIR_TARGET]));
    suit(facts, t->train.n);
    UR__TRY(count_unknown(t, &t->train, &facts->train_unknown));
    return count_unknown(t, &t->valid, &facts->val_unknown);
}

static ur_status open_all(struct ur__translate *t, const struct ur__job *job,
                          struct ur__facts *facts)
{
    for (int side = 0; side < UR__PAIR_SIDES; side++)
        t->vocab[side] = job->vocab[side];
    UR__TRY(ur__pairs_open(&t->set.pairs, job->data, job->n_data, reads_bytes(t)));
    UR__TRY(ur__pair_halves(t, job->val, job->val_file != NULL));
    UR__TRY(make_vocabs(t, job, facts));
    UR__TRY(number(&t->set, t));
    if (job->val_file)
        UR__TRY(open_apart(t, &job->val_file, 1));
    UR__TRY(ur__pair_half_measure(&t->train, t->o.max_length));
    UR__TRY(ur__pair_half_measure(&t->valid, t->o.max_length));
    tell_source("data", &t->set.pairs, facts);
    if (job->val_file)
        tell_source("val", &t->val.pairs, facts);
    return tell(t, facts);
}

/* Hands over a run, or what is left of it. */
static ur_status hand_over(struct ur__translate *t, ur_status status, void **run)
{
    if (status != UR_OK)
        ur__translate_close(t);
    else
        *run = t;
    return status;
}

ur_status ur__translate_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    struct ur__translate *t = ur__calloc(1, sizeof *t);
    if (!t)
        return UR_ENOMEM;
    memcpy(&t->o, ur__options_read(job->options), sizeof t->o);
    t->team = job->team;
    t->seed = job->seed;
    t->search = (struct ur__translator_job){.beam = 1, .best = 1, .team = job->team};
    return hand_over(t, open_all(t, job, facts), run);
}

/* ---- measuring --------------------------------------------------------- */

static ur_status open_measured(struct ur__translate *t, const struct ur__json *summary,
                               const ur_eval_options *o)
{
    double share;
    if (!o->held_out)
        return open_apart(t, o->data, o->n_data);
    UR__TRY(ur__pairs_open(&t->set.pairs, o->data, o->n_data, reads_bytes(t)));
    UR__TRY(ur__held_out_again(summary, &t->set.pairs.side[UR__PAIR_SOURCE]->tally, &t->seed,
                               &share));
    UR__TRY(ur__pair_halves(t, share, false));
    UR__TRY(number(&t->set, t));
    return t->valid.n ? UR_OK : ur__fail(UR_EDATA, "the model was trained with nothing held out");
}

static ur_status measure(struct ur__translate *t, const ur_option_table *table,
                         const ur_eval_options *options)
{
    const char *text = ur_model_summary(t->model);
    struct ur__json *summary;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    ur__options_recall(table, summary, &t->o);
    ur_status status = open_measured(t, summary, options);
    ur__json_free(summary);
    UR__TRY(status);
    UR__TRY(ur__pair_half_measure(&t->valid, 0));
    UR__TRY(ur__translate_cut(t, UR__TRANSLATE_ROWS, NULL));
    return ur__translate_build(t, t->model);
}

ur_status ur__translate_measure(void **run, const ur_option_table *table, const ur_model *model,
                                const ur_eval_options *options)
{
    *run = NULL;
    struct ur__translate *t = ur__calloc(1, sizeof *t);
    if (!t)
        return UR_ENOMEM;
    t->team = options->team;
    t->model = model;
    t->vocab[UR__PAIR_SOURCE] = ur_model_vocab(model, "source");
    t->vocab[UR__PAIR_TARGET] = ur_model_vocab(model, "target");
    t->unknown = options->unknown;
    t->all = true;
    t->search = (struct ur__translator_job){
        .beam = options->beam ? options->beam : MEASURED_BEAM, .best = 1,
        .length_power = options->length_power, .copy = options->copy_unknown,
        .team = options->team,
    };
    return hand_over(t, measure(t, table, options), run);
}
