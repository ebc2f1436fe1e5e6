/* SPDX-License-Identifier: MIT */
/* Reading labelled examples: which there are to learn from, and what their steps are. */
#include "task/labelled.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/encode.h"
#include "io/json.h"
#include "io/option_json.h"
#include "metric/text.h"
#include "model/arch.h"
#include "task/reading.h"
#include "train/options.h"

const char *const ur__header_words[] = {"auto", "yes", "no", NULL};
const char *const ur__scan_words[] = {"auto", "row", "column", "pixel", "picture", NULL};
const char *const ur__labelled_token_words[] = {"auto", "byte", "char", "word", "wordpunct", NULL};

enum { MEASURED_ROWS = 32, SCORED_STEPS = 256 };

/* ---- one set ----------------------------------------------------------- */

static void free_set(struct ur__set *s)
{
    if (s->x)
        ur__examples_free(s->x);
    ur__sequences_free(&s->ids);
    ur__sequences_free(&s->spelled);
    ur_vocab_free(s->spellings);
}

struct ur__read_rule ur__labelled_rule(const struct ur__labelled_options *o, bool tagged)
{
    return (struct ur__read_rule){
        .format = o->format, .tagged = tagged, .label_file = o->labels,
        .any_bytes = o->tokens == 1 + UR_TOKEN_BYTE, .column = o->column, .text = o->text,
        .group = o->group, .header = (ur_header)o->header,
        .width = o->width, .scan = (ur_scan)o->scan, .rate = o->rate,
    };
}

static struct ur__read_rule rule_of(const struct ur__labelled *l, const ur_vocab *labels)
{
    struct ur__read_rule rule = ur__labelled_rule(&l->o, l->tagged);
    rule.labels = labels;
    rule.apart = l->apart;
    rule.features = l->features ? l->features : l->text ? -1 : 0;
    return rule;
}

ur_status ur__usual_tokens(struct ur__examples *x, ur_token_kind *kind)
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

/* Numbers the tokens, and the words that they are spelled as where letters are read: of these none
 * is skipped. */
static ur_status number(struct ur__set *s, const ur_vocab *text, bool letters, ur_unknown how)
{
    int64_t cut;
    if (letters && how == UR_UNKNOWN_SKIP)
        how = UR_UNKNOWN_USUAL;
    UR__TRY(ur__sequences_new(&s->ids, s->x, text, ur__unknown_labelled(text, how)));
    if (!letters)
        return UR_OK;
    const struct ur__vocab_rule all = {.kind = ur_vocab_kind(text), .min_count = 1};
    UR__TRY(ur__examples_vocab(&s->spellings, s->x, &all, &cut));
    return ur__sequences_new(&s->spelled, s->x, s->spellings, UR_UNKNOWN_USUAL);
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
    ur__buf_free(&l->note);
    ur__free(l);
}

/* ---- opening ----------------------------------------------------------- */

/* Bytes and characters are those of all data, words those of what is learnt from. */
static ur_status make_vocabs(struct ur__labelled *l, const struct ur__job *job, bool letters,
                             struct ur__facts *facts)
{
    ur_token_kind kind = (ur_token_kind)(l->o.tokens - 1);
    if (l->o.tokens == 0)
        UR__TRY(ur__usual_tokens(l->set.x, &kind));
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
    rule.whole = true;
    UR__TRY(ur__examples_open(&l->val.x, paths, n, &rule, NULL));
    if (l->text)
        UR__TRY(number(&l->val, l->text, l->letter != NULL, l->unknown));
    UR__TRY(ur__half_all(&l->valid, &l->val));
    ur__half_measure(&l->valid);
    return UR_OK;
}

static void tell_source(const char *role, const struct ur__examples *x, struct ur__facts *facts)
{
    facts->source[facts->n_sources++] = (struct ur__source){role, x->tally.bytes, x->tally.crc};
}

/* Words of a half that the vocabulary does not have. */
static ur_status count_unknown(const struct ur__labelled *l, const struct ur__half *h,
                               int64_t *count)
{
    const int32_t unknown = l->text ? ur_vocab_unknown(l->text) : -1;
    return unknown < 0 ? UR_OK
                       : ur__sequences_count(&h->set->ids, h->which, h->n, unknown, count);
}

/* What is predicted: an example, or each of its steps. */
static int64_t items(const struct ur__labelled *l, const struct ur__half *h)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < h->n; i++)
        sum += h->length[i];
    return l->tagged ? sum : h->n;
}

/* What an update has of one row: examples, or their pieces. */
static int64_t pieces(const struct ur__half *h)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < h->n; i++)
        sum += h->piece ? (h->length[i] + h->piece - 1) / h->piece : 1;
    return sum;
}

/* What looks like names and was learnt from like the rest. */
static ur_status note_header(struct ur__labelled *l)
{
    const struct ur__examples *x = l->set.x;
    const int64_t i = l->o.header == UR_HEADER_AUTO ? ur__examples_header(x) : -1;
    size_t n;
    if (i < 0)
        return UR_OK;
    const char *label = ur__label_text(l->label, x->example[i].label, &n);
    UR__TRY(ur__buf_printf(&l->note, "%s%s:1: no other line has the label \"",
                           l->note.size ? "; " : "", ur__examples_file(x, i)));
    UR__TRY(ur__buf_show(&l->note, label, n, UR__SHOW_LINE));
    return ur__buf_puts(&l->note, "\": if this one names the columns, say so with header yes, if "
                        "not, header no");
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
    const struct ur__examples *x = l->set.x;
    l->o.read_as = x->format;
    l->o.columns = x->columns;
    l->o.rate = x->rate;
    if (l->o.fold && (job->val_file || job->val_given))
        return ur__fail(UR_EINVAL, "fold %.40s: val says what is held out, too: give one of the "
                        "two", l->o.fold);
    UR__TRY(ur__labelled_part(l, job->val, job->val_file != NULL));
    l->features = x->content == UR_CONTENT_FRAMES ? x->width : 0;
    if (!l->features)
        UR__TRY(make_vocabs(l, job, letters, facts));
    UR__TRY(ur__labelled_check(job->options, x, l->text));
    UR__TRY(ur__labelled_check(job->net, x, l->text));
    if (l->o.val_labels && !job->val_file)
        return ur__fail(UR_EINVAL, "val-labels belongs to pictures to validate on, val FILE");
    UR__TRY(note_header(l));
    ur__half_measure(&l->train);
    if (job->val_file)
        UR__TRY(open_apart(l, &job->val_file, 1, l->o.val_labels));
    else
        ur__half_measure(&l->valid);
    facts->note[facts->n_sources] = l->note.data;
    tell_source("data", l->set.x, facts);
    if (l->val.x)
        tell_source("val", l->val.x, facts);
    return UR_OK;
}

static ur_status tell(struct ur__labelled *l, struct ur__facts *facts)
{
    facts->train_items = items(l, &l->train);
    facts->val_items = items(l, &l->valid);
    facts->labels = ur__label_count(l->label);
    facts->unit = !l->tagged ? "example" : l->features ? "step" : "token";
    facts->uniform = ur__text_uniform(ur__label_count(l->label));
    ur__suit_examples(facts, pieces(&l->train));
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

/* Which of the two halves are read in pieces, if the network goes on from one to the next. */
static ur_status cut_pieces(struct ur__labelled *l, const struct ur__job *job,
                            struct ur__facts *facts)
{
    ur_options net = *job->net;
    const struct ur__arch *arch = ur__arch_find(net.table->name);
    UR__TRY(arch->resolve(ur__options_values(&net)));
    bool carries = arch->carries && arch->carries(ur__options_read(&net));
    const char *why = arch->whole && !carries ? arch->whole(ur__options_read(&net)) : NULL;
    if (l->o.seq_length && !carries)
        return ur__fail(UR_EINVAL, "seq-length %d: the net cannot learn a sequence piece by piece%s"
                        "%s", l->o.seq_length, why ? ", as it " : "", why ? why : "");
    l->train.piece = l->o.seq_length;
    l->valid.piece = carries ? SCORED_STEPS : 0;
    facts->carries = l->train.piece > 0;
    facts->carries_scored = l->valid.piece > 0;
    return UR_OK;
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
    l->apart = ur__encoder_apart(net);
    l->team = job->team;
    l->seed = job->seed;
    ur_status status = cut_pieces(l, job, facts);
    if (status == UR_OK)
        status = open_all(l, job, net->letters > 0, facts);
    if (status == UR_OK)
        status = tell(l, facts);
    return hand_over(l, status, run);
}

void ur__labelled_shape(void *run, ur_options *net, ur_options *job)
{
    const struct ur__labelled *l = run;
    struct ur__encoder_options *o = ur__options_values(net);
    struct ur__labelled_options *data = ur__options_values(job);
    o->features = l->features;
    if (l->o.rate && !ur__encoder_apart(o) && !ur_options_given(net, "center"))
        o->center = UR__CENTER_ALL;
    if (!l->letter)
        o->letters = 0;
    data->read_as = l->o.read_as;
    data->columns = l->o.columns;
    data->rate = l->o.rate;
}

/* ---- measuring --------------------------------------------------------- */

static ur_status open_measured(struct ur__labelled *l, const struct ur__json *summary,
                               const ur_eval_options *options)
{
    if (!options->held_out)
        return open_apart(l, options->data, options->n_data, l->o.labels);
    const struct ur__read_rule rule = rule_of(l, l->label);
    UR__TRY(ur__examples_open(&l->set.x, options->data, options->n_data, &rule, NULL));
    UR__TRY(ur__labelled_part_again(l, summary));
    if (l->text)
        UR__TRY(number(&l->set, l->text, l->letter != NULL, l->unknown));
    ur__half_measure(&l->valid);
    return UR_OK;
}

static ur_status measure(struct ur__labelled *l, const ur_option_table *table,
                         const ur_eval_options *options)
{
    const char *text = ur_model_summary(l->model);
    ur_options own;
    struct ur__json *summary;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    ur__options_init(&own, table);
    ur__options_recall(table, summary, ur__options_values(&own));
    ur_status status = ur__options_set_measured(&own, options);
    memcpy(&l->o, ur__options_read(&own), sizeof l->o);
    if (status == UR_OK)
        status = open_measured(l, summary, options);
    if (status == UR_OK)
        status = ur__labelled_check(&own, l->valid.set->x, l->text);
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
    l->apart = ur__encoder_apart(net);
    l->team = options->team;
    l->model = model;
    l->text = ur_model_vocab(model, "text");
    l->label = ur_model_vocab(model, "label");
    l->letter = ur_model_vocab(model, "letter");
    l->features = net->features;
    l->unknown = options->unknown;
    l->score.beam = options->beam;
    l->valid.piece = ur__model_carries(model) ? SCORED_STEPS : 0;
    return hand_over(l, measure(l, table, options), run);
}
