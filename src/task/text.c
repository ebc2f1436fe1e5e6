/* SPDX-License-Identifier: MIT */
#include "task/text.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json.h"

/* ---- training ---------------------------------------------------------- */

static ur_status open_files(struct ur__text *text, const struct ur__job *job, ur_model **model)
{
    struct ur__text_rule rule = {
        .kind = job->config->tokens,
        .words = {job->val_file ? 0 : job->val, job->min_count},
        .unix_newlines = job->config->unix_newlines,
    };
    ur_vocab *vocab;
    UR__TRY(ur__corpus_open_rule(&text->corpus, job->data, job->n_data, &rule, &vocab));
    ur_status status = ur__model_declare(model, job->config, vocab);
    if (status != UR_OK) {
        ur__vocab_free(vocab);
        return status;
    }
    if (!job->val_file)
        return UR_OK;
    rule.vocab = ur_model_vocab(*model);
    return ur__corpus_open_rule(&text->val_corpus, &job->val_file, 1, &rule, NULL);
}

ur_status ur__text_open(struct ur__text *text, const struct ur__job *job, ur_model **model)
{
    *text = (struct ur__text){0};
    *model = NULL;
    UR__TRY(open_files(text, job, model));
    int64_t all = ur__corpus_tokens(text->corpus);
    int64_t held_out = text->val_corpus ? 0 : ur__held_out(all, job->val);
    text->train = (struct ur__part){text->corpus, 0, all - held_out};
    text->valid = (struct ur__part){text->corpus, all - held_out, held_out};
    if (text->val_corpus)
        text->valid = (struct ur__part){text->val_corpus, 0, ur__corpus_tokens(text->val_corpus)};
    bool wanted = text->val_corpus || job->val > 0;
    if (wanted && text->valid.tokens < 2)
        return ur__fail(UR_EDATA, "the part held out for validation is %lld tokens long, too "
                        "short: hold out a larger share, or none (0)",
                        (long long)text->valid.tokens);
    return UR_OK;
}

void ur__text_close(struct ur__text *text)
{
    ur__corpus_free(text->corpus);
    ur__corpus_free(text->val_corpus);
}

ur_status ur__text_check_step(int T, int B)
{
    if ((int64_t)T * B < INT32_MAX)
        return UR_OK;
    return ur__fail(UR_EINVAL, "a step of %d by %d tokens is impossible: at most 2^31 fit", T, B);
}

static ur_status count_unknown(const struct ur__part *part, int64_t *count)
{
    return ur__corpus_unknown(part->corpus, part->begin, part->tokens, count);
}

ur_status ur__text_facts(const struct ur__text *text, ur_model *model, int64_t steps,
                         struct ur__facts *facts)
{
    *facts = (struct ur__facts){
        .model = model,
        .epoch_steps = steps,
        .train_items = text->train.tokens,
        .val_items = text->valid.tokens,
        .words_cut = ur__corpus_cut(text->corpus),
        .data_bytes = ur__corpus_bytes(text->corpus),
        .data_crc = ur__corpus_crc(text->corpus),
        .spooled = ur__corpus_spooled(text->corpus),
        .note = {ur__corpus_note(text->corpus)},
    };
    if (text->val_corpus) {
        facts->note[1] = ur__corpus_note(text->val_corpus);
        facts->spooled += ur__corpus_spooled(text->val_corpus);
        facts->val_bytes = ur__corpus_bytes(text->val_corpus);
        facts->val_crc = ur__corpus_crc(text->val_corpus);
    }
    UR__TRY(count_unknown(&text->train, &facts->train_unknown));
    return count_unknown(&text->valid, &facts->val_unknown);
}

/* ---- measuring --------------------------------------------------------- */

static ur_status find_held_out(struct ur__part *part, const struct ur__json *summary)
{
    int64_t bytes, crc, other, all = part->tokens;
    double val;
    if (!ur__json_get_int(summary, "data_bytes", &bytes)
        || !ur__json_get_int(summary, "data_crc32", &crc)
        || !ur__json_get_real(summary, "val", &val) || !(val >= 0 && val < 1))
        return ur__fail(UR_EDATA, "the model does not say what it was trained on, so nothing is "
                        "known to be held out");
    if (ur__json_get_int(summary, "val_bytes", &other))
        return ur__fail(UR_EDATA, "the model was validated on a file of its own, and nothing of "
                        "this data was held out: evaluate that file, all of it");
    uint64_t there = ur__corpus_bytes(part->corpus);
    uint32_t sum = ur__corpus_crc(part->corpus);
    if ((uint64_t)bytes != there || crc != (int64_t)sum)
        return ur__fail(UR_EDATA, "this is not the data that the model was trained on (%lld "
                        "bytes, CRC-32 %08llx; this has %llu and %08lx), so nothing of it was "
                        "held out", (long long)bytes, (unsigned long long)crc,
                        (unsigned long long)there, (unsigned long)sum);
    part->tokens = ur__held_out(all, val);
    part->begin = all - part->tokens;
    if (part->tokens == 0)
        return ur__fail(UR_EDATA, "the model was trained with nothing held out");
    return UR_OK;
}

ur_status ur__text_find_part(struct ur__corpus **corpus, struct ur__part *part, int least,
                             const ur_model *model, const ur_eval_options *options)
{
    const ur_vocab *vocab = ur_model_vocab(model);
    *corpus = NULL;
    if (options->n_data < 1 || !options->data)
        return ur__fail(UR_EINVAL, "no data to evaluate on");
    for (int i = 0; i < options->n_data; i++) {
        if (!options->data[i])
            return ur__fail(UR_EINVAL, "the name of file %d of the data is NULL", i);
    }
    const struct ur__text_rule rule = {
        .kind = ur_vocab_kind(vocab),
        .vocab = vocab,
        .unix_newlines = ur_model_config(model)->unix_newlines || options->unix_newlines,
    };
    UR__TRY(ur__corpus_open_rule(corpus, options->data, options->n_data, &rule, NULL));
    *part = (struct ur__part){*corpus, 0, ur__corpus_tokens(*corpus)};
    if (options->held_out) {
        const char *text = ur_model_summary(model);
        struct ur__json *summary;
        UR__TRY(ur__json_parse(&summary, text, strlen(text)));
        ur_status status = find_held_out(part, summary);
        ur__json_free(summary);
        UR__TRY(status);
    }
    if (part->tokens < least)
        return ur__fail(UR_EDATA, "the text is too short: %lld tokens, and a prediction needs %d",
                        (long long)part->tokens, least);
    return UR_OK;
}

ur_status ur__text_metrics(ur_metrics *out, const ur_model *model, const struct ur__part *part,
                           double sum, int64_t hits)
{
    int64_t unknown;
    if (!isfinite(sum))
        return ur__fail(UR_ENUMERIC, "the loss is not finite");
    ur_metrics_of(out, sum, hits, part->tokens);
    if (ur_vocab_unknown(ur_model_vocab(model)) < 0)
        return UR_OK;
    /* Words are of no one length, so bits a word are no bits a character. */
    out->bpc = (double)NAN;
    UR__TRY(count_unknown(part, &unknown));
    out->unknown = (double)unknown / (double)part->tokens;
    return UR_OK;
}
