/* SPDX-License-Identifier: MIT */
/* Reading labelled examples: which there are to learn from, and what their steps are. */
#include "task/labelled.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/holdout.h"
#include "io/json.h"
#include "io/option_json.h"
#include "metric/text.h"
#include "model/arch.h"
#include "train/options.h"

const char *const ur__header_words[] = {"auto", "yes", "no", NULL};
const char *const ur__scan_words[] = {"auto", "row", "column", "pixel", "frame", NULL};
const char *const ur__labelled_token_words[] = {"auto", "byte", "char", "word", "wordpunct", NULL};

enum { MEASURED_ROWS = 32 };

/* ---- one set ----------------------------------------------------------- */

static void free_set(struct ur__set *s)
{
    if (s->x)
        ur__examples_free(s->x);
    ur__sequences_free(&s->ids);
    ur__sequences_free(&s->spelled);
    ur_vocab_free(s->spellings);
}

static struct ur__read_rule rule_of(const struct ur__labelled *l, const ur_vocab *labels)
{
    const struct ur__labelled_options *o = &l->o;
    return (struct ur__read_rule){
        .format = o->format, .tagged = l->tagged, .labels = labels, .label_file = o->labels,
        .any_bytes = o->tokens == 1 + UR_TOKEN_BYTE, .column = o->column, .text = o->text,
        .group = o->group, .header = (ur_header)o->header,
        .width = o->width, .scan = (ur_scan)o->scan,
    };
}

/* Words, unless most texts are one. */
static ur_status usual_tokens(struct ur__examples *x, ur_token_kind *kind)
{
    int64_t words = 0;
    uint64_t most = 0;
    *kind = UR_TOKEN_WORD;
    if (x->content == UR_CONTENT_TOKENS)
        return UR_OK;
    for (int64_t i = 0; i < x->n; i++)
        most = x->example[i].size > most ? x->example[i].size : most;
    char *text = ur__alloc((size_t)most + 1, 1);
    ur_status status = text ? UR_OK : UR_ENOMEM;
    for (int64_t i = 0; i < x->n && status == UR_OK; i++) {
        status = ur__examples_text(x, i, text);
        text[x->example[i].size] = '\0';
        for (const char *at = text; status == UR_OK && *at; at += strcspn(at, " \t")) {
            at += strspn(at, " \t");
            words += *at != '\0';
        }
    }
    ur__free(text);
    if (words < 2 * x->n)
        *kind = UR_TOKEN_CHAR;
    return status;
}

/* The characters of all words, and a line feed, which ends each. */
static ur_status letters_of(const ur_vocab *words, ur_vocab **letters)
{
    struct ur__buf text = {0};
    ur_status status = UR_OK;
    for (int32_t id = ur_vocab_line_end(words) + 1; id < ur_vocab_size(words) && status == UR_OK;
         id++) {
        size_t n;
        const char *word = ur_vocab_text(words, id, &n);
        status = ur__buf_put(&text, word, n);
        if (status == UR_OK)
            status = ur__buf_put(&text, "\n", 1);
    }
    if (status == UR_OK)
        status = ur_vocab_of_text(letters, UR_TOKEN_CHAR, text.data, text.size, 1);
    ur__buf_free(&text);
    return status;
}

/* Numbers the tokens, and the words that they are spelled as where letters are read. */
static ur_status number(struct ur__set *s, const ur_vocab *text, bool letters, ur_unknown how)
{
    int64_t cut;
    UR__TRY(ur__sequences_new(&s->ids, s->x, text, letters ? UR_UNKNOWN_USUAL : how));
    if (!letters)
        return UR_OK;
    const struct ur__vocab_rule all = {.kind = ur_vocab_kind(text), .min_count = 1};
    UR__TRY(ur__examples_vocab(&s->spellings, s->x, &all, &cut));
    return ur__sequences_new(&s->spelled, s->x, s->spellings, UR_UNKNOWN_USUAL);
}

/* ---- what is held out -------------------------------------------------- */

static ur_status draw(const struct ur__labelled *l, double share, unsigned char *held,
                      int64_t *count)
{
    const struct ur__examples *x = l->set.x;
    int32_t *label = ur__alloc((size_t)x->n, sizeof *label);
    int32_t *group = ur__alloc((size_t)x->n, sizeof *group);
    ur_status status = label && group ? UR_OK : UR_ENOMEM;
    for (int64_t i = 0; i < x->n && status == UR_OK; i++) {
        label[i] = x->example[i].label;
        group[i] = x->example[i].group;
    }
    const struct ur__draw d = {.seed = l->seed, .n = x->n, .label = l->tagged ? NULL : label,
                               .group = x->n_groups ? group : NULL};
    if (status == UR_OK)
        status = ur__holdout(&d, share, held, count);
    ur__free(label);
    ur__free(group);
    return status;
}

/* The examples that are marked so; held NULL: all. */
static ur_status take_half(struct ur__half *h, struct ur__set *set, int64_t n,
                           const unsigned char *held, bool marked)
{
    h->set = set;
    h->which = ur__alloc((size_t)n + 1, sizeof *h->which);
    h->length = ur__alloc((size_t)n + 1, sizeof *h->length);
    if (!h->which || !h->length)
        return UR_ENOMEM;
    for (int64_t i = 0; i < set->x->n; i++)
        if (!held || held[i] == marked)
            h->which[h->n++] = i;
    return UR_OK;
}

static ur_status part_set(struct ur__labelled *l, double share, bool val_file)
{
    int64_t n = l->set.x->n, n_held = 0;
    unsigned char *held = ur__calloc((size_t)n, 1);
    ur_status status = held ? UR_OK : UR_ENOMEM;
    if (status == UR_OK && share > 0 && !val_file)
        status = draw(l, share, held, &n_held);
    if (status == UR_OK)
        status = take_half(&l->train, &l->set, n - n_held, held, false);
    if (status == UR_OK && !val_file)
        status = take_half(&l->valid, &l->set, n_held, held, true);
    ur__free(held);
    return status;
}

static void measure_half(struct ur__half *h)
{
    const struct ur__set *s = h->set;
    for (int64_t i = 0; i < h->n; i++) {
        int64_t at = h->which[i];
        h->length[i] = s->x->content == UR_CONTENT_FRAMES ? s->x->example[at].length
                                                   : ur__sequence_length(&s->ids, at);
        h->longest = h->length[i] > h->longest ? h->length[i] : h->longest;
    }
}

static void free_half(struct ur__half *h)
{
    ur__free(h->which);
    ur__free(h->length);
    ur__free(h->rows);
    ur__buckets_free(&h->buckets);
}

void ur__labelled_close(void *run)
{
    struct ur__labelled *l = run;
    if (!l)
        return;
    ur__score_close(&l->score);
    ur__free(l->block);
    free_half(&l->train);
    free_half(&l->valid);
    free_set(&l->set);
    free_set(&l->val);
    ur__free(l);
}

/* ---- opening ----------------------------------------------------------- */

/* Bytes and characters are those of all data, words those of what is learnt from. */
static ur_status make_vocabs(struct ur__labelled *l, const struct ur__job *job, bool letters,
                             struct ur__facts *facts)
{
    ur_token_kind kind = (ur_token_kind)(l->o.tokens - 1);
    if (l->o.tokens == 0)
        UR__TRY(usual_tokens(l->set.x, &kind));
    bool words = ur__is_words(job->vocab[UR__ROLE_TEXT] ? ur_vocab_kind(job->vocab[UR__ROLE_TEXT])
                                                        : kind);
    const struct ur__vocab_rule rule = {.kind = kind, .min_count = l->o.min_count,
                                        .which = words ? l->train.which : NULL,
                                        .n = l->train.n};
    if (job->vocab[UR__ROLE_TEXT])
        UR__TRY(ur__vocab_copy(&facts->vocab[UR__ROLE_TEXT], job->vocab[UR__ROLE_TEXT]));
    else
        UR__TRY(ur__examples_vocab(&facts->vocab[UR__ROLE_TEXT], l->set.x, &rule,
                                   &facts->words_cut));
    l->text = facts->vocab[UR__ROLE_TEXT];
    letters &= words;
    UR__TRY(number(&l->set, l->text, letters, UR_UNKNOWN_USUAL));
    if (letters && job->vocab[UR__ROLE_LETTER])
        UR__TRY(ur__vocab_copy(&facts->vocab[UR__ROLE_LETTER], job->vocab[UR__ROLE_LETTER]));
    else if (letters)
        UR__TRY(letters_of(l->set.spellings, &facts->vocab[UR__ROLE_LETTER]));
    l->letter = facts->vocab[UR__ROLE_LETTER];
    return UR_OK;
}

/* A set of its own for what is held out, or to be measured on. */
static ur_status open_apart(struct ur__labelled *l, const char *const *paths, int n,
                            const char *label_file)
{
    struct ur__read_rule rule = rule_of(l, l->label);
    rule.label_file = label_file;
    UR__TRY(ur__examples_open(&l->val.x, paths, n, &rule, NULL));
    const struct ur__examples *x = l->val.x;
    if ((x->content == UR_CONTENT_FRAMES) != (l->features > 0))
        return ur__fail(UR_EDATA, "%s holds %s, but the network reads %s", paths[0],
                        l->features ? "text" : "numbers", l->features ? "numbers" : "text");
    if (l->features && x->width != l->features)
        return ur__fail(UR_EDATA, "%s has %d numbers a step, but the network reads %d", paths[0],
                        x->width, l->features);
    if (l->text)
        UR__TRY(number(&l->val, l->text, l->letter != NULL, l->unknown));
    UR__TRY(take_half(&l->valid, &l->val, x->n, NULL, false));
    measure_half(&l->valid);
    return UR_OK;
}

static void tell_source(const char *role, const struct ur__examples *x, struct ur__facts *facts)
{
    facts->source[facts->n_sources++] = (struct ur__source){role, x->tally.bytes, x->tally.crc};
}

/* Words of a half that the vocabulary does not have. */
static ur_status count_unknown(const struct ur__labelled *l, struct ur__half *h, int64_t *count)
{
    const int32_t unknown = l->text ? ur_vocab_unknown(l->text) : -1;
    int32_t *ids = unknown < 0 ? NULL : ur__alloc((size_t)h->longest + 1, sizeof *ids);
    if (unknown < 0 || !ids)
        return unknown < 0 ? UR_OK : UR_ENOMEM;
    ur_status status = UR_OK;
    for (int64_t i = 0; i < h->n && status == UR_OK; i++) {
        const struct ur__rows row = {.which = &h->which[i], .B = 1, .T = h->length[i]};
        int length;
        status = ur__pad_ids(&h->set->ids, &row, ids, &length);
        for (int t = 0; t < row.T; t++)
            *count += ids[t] == unknown;
    }
    ur__free(ids);
    return status;
}

/* What is predicted: an example, or each of its steps. */
static int64_t items(const struct ur__labelled *l, const struct ur__half *h)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < h->n; i++)
        sum += h->length[i];
    return l->tagged ? sum : h->n;
}

/* Some thousand updates, and every example at least eight times. */
static void suit(struct ur__facts *facts, int64_t n)
{
    facts->batch = n < 500 ? 8 : n < 5000 ? 16 : 32;
    facts->lr = 3e-3;
    facts->epochs = n > 18750 ? 8 : n < 2500 ? 60 : floor(150000 / (double)n);
}

static ur_status open_all(struct ur__labelled *l, const struct ur__job *job, bool letters,
                          struct ur__facts *facts)
{
    const struct ur__read_rule rule = rule_of(l, job->vocab[UR__ROLE_LABEL]);
    ur_vocab **labels = &facts->vocab[UR__ROLE_LABEL];
    UR__TRY(ur__examples_open(&l->set.x, job->data, job->n_data, &rule,
                              rule.labels ? NULL : labels));
    if (rule.labels)
        UR__TRY(ur__vocab_copy(labels, rule.labels));
    l->label = *labels;
    UR__TRY(part_set(l, job->val, job->val_file != NULL));
    l->features = l->set.x->content == UR_CONTENT_FRAMES ? l->set.x->width : 0;
    if (!l->features)
        UR__TRY(make_vocabs(l, job, letters, facts));
    measure_half(&l->train);
    if (job->val_file)
        UR__TRY(open_apart(l, &job->val_file, 1, l->o.val_labels));
    else
        measure_half(&l->valid);
    tell_source("data", l->set.x, facts);
    if (l->val.x)
        tell_source("val", l->val.x, facts);
    return UR_OK;
}

static ur_status tell(struct ur__labelled *l, struct ur__facts *facts)
{
    facts->train_items = items(l, &l->train);
    facts->val_items = items(l, &l->valid);
    facts->unit = !l->tagged ? "example" : l->features ? "step" : "token";
    facts->uniform = ur__text_uniform(ur__label_count(l->label));
    suit(facts, l->train.n);
    UR__TRY(count_unknown(l, &l->train, &facts->train_unknown));
    return count_unknown(l, &l->valid, &facts->val_unknown);
}

/* Hands over a run, or what is left of it. */
static ur_status hand_over(struct ur__labelled *l, ur_status status, void **run)
{
    if (status != UR_OK)
        ur__labelled_close(l);
    else
        *run = l;
    return status;
}

ur_status ur__labelled_open(void **run, bool tagged, const struct ur__job *job,
                            struct ur__facts *facts)
{
    *run = NULL;
    struct ur__labelled *l = ur__calloc(1, sizeof *l);
    if (!l)
        return UR_ENOMEM;
    const struct ur__encoder_options *net = ur__options_read(job->net);
    memcpy(&l->o, ur__options_read(job->options), sizeof l->o);
    l->tagged = tagged;
    l->team = job->team;
    l->seed = job->seed;
    ur_status status = open_all(l, job, net->letters > 0, facts);
    if (status == UR_OK)
        status = tell(l, facts);
    return hand_over(l, status, run);
}

void ur__labelled_shape(void *run, ur_options *net)
{
    const struct ur__labelled *l = run;
    struct ur__encoder_options *o = ur__options_values(net);
    o->features = l->features;
    if (!l->letter)
        o->letters = 0;
}

/* ---- measuring --------------------------------------------------------- */

/* The options that a model's summary has of the table's; texts are the summary's. */
static void recall(const struct ur__json *summary, const ur_option_table *table, void *values)
{
    ur__options_defaults(table, values);
    for (int i = 0; i < table->n; i++) {
        const ur_option *o = &table->rows[i];
        char key[UR__OPTION_KEY];
        const char *text;
        const struct ur__json *value = ur__json_get(summary, ur__option_key(o, key));
        if (value && o->kind == UR_OPTION_TEXT && ur__json_string(value, &text))
            memcpy((char *)values + o->at, &text, sizeof text);
        else if (value)
            ur__option_from_json(o, value, values);
    }
}

/* UR_EDATA unless this is the data of which the model's training held a part out. */
static ur_status find_held_out(struct ur__labelled *l, const struct ur__json *summary)
{
    int64_t bytes, crc, other;
    ur_train_options run;
    const struct ur__tally *t = &l->set.x->tally;
    if (ur__json_get_int(summary, "val_bytes", &other))
        return ur__fail(UR_EDATA, "the model was validated on a file of its own, and nothing of "
                        "this data was held out: evaluate that file, all of it");
    if (!ur__json_get_int(summary, "data_bytes", &bytes) ||
        !ur__json_get_int(summary, "data_crc32", &crc))
        return ur__fail(UR_EDATA, "the model does not say what it was trained on, so nothing is "
                        "known to be held out");
    if ((uint64_t)bytes != t->bytes || crc != (int64_t)t->crc)
        return ur__fail(UR_EDATA, "this is not the data that the model was trained on, so nothing "
                        "of it was held out");
    recall(summary, &ur__train_table, &run);
    l->seed = run.seed;
    UR__TRY(part_set(l, run.val, false));
    return l->valid.n ? UR_OK : ur__fail(UR_EDATA, "the model was trained with nothing held out");
}

static ur_status open_measured(struct ur__labelled *l, const struct ur__json *summary,
                               const ur_eval_options *options)
{
    if (!options->held_out)
        return open_apart(l, options->data, options->n_data, NULL);
    const struct ur__read_rule rule = rule_of(l, l->label);
    UR__TRY(ur__examples_open(&l->set.x, options->data, options->n_data, &rule, NULL));
    UR__TRY(find_held_out(l, summary));
    if (l->text)
        UR__TRY(number(&l->set, l->text, l->letter != NULL, l->unknown));
    measure_half(&l->valid);
    return UR_OK;
}

static ur_status measure(struct ur__labelled *l, const ur_option_table *table,
                         const ur_eval_options *options)
{
    const char *text = ur_model_summary(l->model);
    union ur__option_values values;
    struct ur__json *summary;
    if (options->n_data < 1 || !options->data)
        return ur__fail(UR_EINVAL, "no data to evaluate on");
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    recall(summary, table, &values);
    memcpy(&l->o, &values, sizeof l->o);
    ur_status status = open_measured(l, summary, options);
    l->o = (struct ur__labelled_options){.min_count = 1};   /* its texts are the summary's */
    ur__json_free(summary);
    UR__TRY(status);
    UR__TRY(ur__labelled_cut(l, MEASURED_ROWS, NULL));
    return ur__labelled_build(l, l->model);
}

ur_status ur__labelled_measure(void **run, bool tagged, const ur_option_table *table,
                               const ur_model *model, const ur_eval_options *options)
{
    *run = NULL;
    struct ur__labelled *l = ur__calloc(1, sizeof *l);
    if (!l)
        return UR_ENOMEM;
    const struct ur__encoder_options *net = ur__model_values(model);
    l->tagged = tagged;
    l->team = options->team;
    l->model = model;
    l->text = ur_model_vocab(model, "text");
    l->label = ur_model_vocab(model, "label");
    l->letter = ur_model_vocab(model, "letter");
    l->features = net->features;
    l->unknown = options->unknown;
    return hand_over(l, measure(l, table, options), run);
}
