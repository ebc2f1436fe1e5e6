/* SPDX-License-Identifier: MIT */
#include "task/text.h"

#include <string.h>

#include "base/status.h"
#include "data/vocab.h"
#include "io/json.h"
#include "metric/text.h"

const char *const ur__token_words[] = {"byte", "char", "word", "wordpunct", NULL};
const char *const ur__newline_words[] = {"keep", "unix", NULL};

/* ---- training ---------------------------------------------------------- */

static ur_status open_files(struct ur__text *text, const struct ur__job *job,
                            const struct ur__text_options *o, struct ur__facts *facts)
{
    const ur_vocab *vocab = job->vocab[0];
    struct ur__text_rule rule = {
        .kind = vocab ? ur_vocab_kind(vocab) : (ur_token_kind)o->tokens,
        .vocab = vocab,
        .words = {.held_out = job->val_file ? 0 : job->val, .min_count = o->min_count},
        .unix_newlines = o->newlines,
    };
    bool words = ur__is_words(rule.kind);
    if (ur_options_given(job->options, "tokens") && o->tokens != (int)rule.kind)
        return ur__fail(UR_EINVAL, "tokens %s contradicts vocab-from, a vocabulary of tokens %s: "
                        "leave one of them out", ur__token_words[o->tokens],
                        ur_token_kind_name(rule.kind));
    if (ur_options_given(job->options, "min-count") && !words)
        return ur__fail(UR_EINVAL, "min-count belongs to words, not to tokens %s",
                        ur_token_kind_name(rule.kind));
    if (ur_options_given(job->options, "unknown") && (words || (!job->val_file && !vocab)))
        return ur__fail(UR_EINVAL, "unknown belongs to characters or bytes of a file to validate "
                        "on, val FILE, or of a text read with vocab-from");
    if (rule.unix_newlines && rule.kind == UR_TOKEN_BYTE)
        return ur__fail(UR_EINVAL, "newlines unix: bytes are read as they are; it needs "
                        "characters or words");
    if (vocab)
        UR__TRY(ur__vocab_copy(&facts->vocab[0], vocab));
    rule.unknown = words ? UR_UNKNOWN_USUAL : (ur_unknown)o->unknown;
    UR__TRY(ur__corpus_open_rule(&text->corpus, job->data, job->n_data, &rule,
                                 vocab ? NULL : &facts->vocab[0]));
    if (!job->val_file)
        return UR_OK;
    rule.vocab = facts->vocab[0];
    rule.of = vocab ? NULL : "the text to train on";
    return ur__corpus_open_rule(&text->val_corpus, &job->val_file, 1, &rule, NULL);
}

static ur_status count_unknown(const struct ur__part *part, int64_t *count)
{
    return ur__corpus_unknown(part->corpus, part->begin, part->tokens, count);
}

static void add_source(struct ur__facts *facts, const char *role, const struct ur__corpus *c)
{
    facts->note[facts->n_sources] = ur__corpus_note(c);
    facts->source[facts->n_sources++] =
        (struct ur__source){role, ur__corpus_bytes(c), ur__corpus_crc(c)};
    facts->spooled += ur__corpus_spooled(c);
}

static ur_status find_facts(const struct ur__text *text, struct ur__facts *facts)
{
    ur_token_kind kind = ur_vocab_kind(facts->vocab[0]);
    bool words = ur__is_words(kind);
    add_source(facts, "data", text->corpus);
    if (text->val_corpus)
        add_source(facts, "val", text->val_corpus);
    facts->train_items = text->train.tokens;
    facts->val_items = text->valid.tokens;
    facts->words_cut = ur__corpus_cut(text->corpus);
    facts->unit = words ? "word" : kind == UR_TOKEN_BYTE ? "byte" : "char";
    facts->measure = words ? UR_MEASURE_PERPLEXITY : UR_MEASURE_BITS;
    facts->uniform = ur__text_uniform(ur_vocab_size(facts->vocab[0]));
    UR__TRY(count_unknown(&text->train, &facts->train_unknown));
    return count_unknown(&text->valid, &facts->val_unknown);
}

ur_status ur__text_open(struct ur__text *text, const struct ur__job *job,
                        const struct ur__text_options *options, struct ur__facts *facts)
{
    UR__TRY(open_files(text, job, options, facts));
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
    return find_facts(text, facts);
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

ur_status ur__text_measure(struct ur__text *text, const ur_model *model,
                           const ur_eval_options *options)
{
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    struct ur__text_rule rule = {.kind = ur_vocab_kind(vocab), .vocab = vocab,
                                 .unknown = options->unknown};
    UR__TRY(ur_model_unix_newlines(model, &rule.unix_newlines));
    rule.unix_newlines |= options->unix_newlines;
    UR__TRY(ur__corpus_open_rule(&text->corpus, options->data, options->n_data, &rule, NULL));
    const char *note = ur__corpus_note(text->corpus);
    if (note && options->on_note)
        options->on_note(options->user, note);
    struct ur__part *part = &text->valid;
    *part = (struct ur__part){text->corpus, 0, ur__corpus_tokens(text->corpus)};
    if (options->held_out) {
        const char *summary = ur_model_summary(model);
        struct ur__json *j;
        UR__TRY(ur__json_parse(&j, summary, strlen(summary)));
        ur_status status = find_held_out(part, j);
        ur__json_free(j);
        UR__TRY(status);
    }
    if (part->tokens < 2)
        return ur__fail(UR_EDATA, "the text is too short: %lld token%s, and a prediction needs 2",
                        (long long)part->tokens, part->tokens == 1 ? "" : "s");
    return UR_OK;
}

ur_status ur_model_unix_newlines(const ur_model *model, bool *unix_newlines)
{
    UR__NEED(unix_newlines, "unix_newlines");
    *unix_newlines = false;
    UR__NEED(model, "model");
    const char *text = ur_model_summary(model), *how;
    struct ur__json *summary;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    *unix_newlines = ur__json_get_string(summary, "newlines", &how) && strcmp(how, "unix") == 0;
    ur__json_free(summary);
    return UR_OK;
}

ur_status ur__summary_int(const ur_model *model, const char *key, int64_t least, int64_t most,
                          int64_t otherwise, int64_t *out)
{
    const char *text = ur_model_summary(model);
    struct ur__json *summary;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    bool known = ur__json_get_int(summary, key, out) && *out >= least && *out <= most;
    ur__json_free(summary);
    if (!known)
        *out = otherwise;
    return UR_OK;
}

int ur__text_sums(const ur_model *model)
{
    (void)model;
    return UR__TEXT_SUMS;
}

void ur__text_metrics(const ur_model *model, const double *sums, ur_metrics *out)
{
    ur_token_kind kind = ur_vocab_kind(ur_model_vocab(model, NULL));
    bool words = ur__is_words(kind);
    ur__text_figures(sums, words ? "word" : kind == UR_TOKEN_BYTE ? "byte" : "character", words,
                     out);
}

ur_status ur__text_unknown(const struct ur__part *part, int64_t first, double *count)
{
    int64_t n;
    UR__TRY(ur__corpus_unknown(part->corpus, part->begin + first, part->tokens - first, &n));
    *count += (double)n;
    return UR_OK;
}
