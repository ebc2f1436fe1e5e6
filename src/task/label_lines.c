/* SPDX-License-Identifier: MIT */
/* Labels of lines: one of the line as a whole, or one of each of its words. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "model/arch.h"
#include "task/answer.h"
#include "task/choice.h"
#include "task/labelled.h"

/* Memory for one line after the other. */
struct block {
    void *data;
    size_t size;
};

struct lines {
    struct ur__predict_job job;
    const ur_vocab *text, *label, *letter;      /* letter NULL: not read */
    const struct ur__choice *choice;    /* NULL: labels are chosen one by one */
    void *chosen;
    ur_tape *tape;
    ur_tensor *weights;                 /* [1,T] of the tokens, where they are to be told */
    int T;                          /* tokens of the line */
    struct ur__buf words;           /* as they stand in it, a zero after each */
    struct block ids, letters, lengths, spelling, labels, numbers;
};

static void lines_close(void *inside)
{
    struct lines *l = inside;
    struct block *const all[] = {&l->ids, &l->letters, &l->lengths, &l->spelling, &l->labels,
                                 &l->numbers};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ur__free(all[i]->data);
    ur__buf_free(&l->words);
    ur_tape_free(l->tape);
    if (l->chosen)
        l->choice->close(l->chosen);
    ur__free(l->chosen);
}

static ur_status open(struct lines *l, const struct ur__predict_job *job)
{
    l->job = *job;
    l->text = ur_model_vocab(job->model, "text");
    l->label = ur_model_vocab(job->model, "label");
    l->letter = ur_model_vocab(job->model, "letter");
    UR__TRY(ur_tape_new(&l->tape, job->team));
    ur_tape_set_recording(l->tape, false);
    return UR_OK;
}

static ur_status classify_open(void *inside, const struct ur__predict_job *job)
{
    return open(inside, job);
}

static ur_status tag_open(void *inside, const struct ur__predict_job *job)
{
    struct lines *l = inside;
    const struct ur__choice_job choice = {.model = job->model, .B = 1, .beam = job->beam,
                                          .team = job->team};
    UR__TRY(open(l, job));
    l->choice = ur__choice_of(job->model);
    if (!l->choice)
        return UR_OK;
    l->chosen = ur__calloc(1, l->choice->size);
    return l->chosen ? l->choice->open(l->chosen, &choice) : UR_ENOMEM;
}

/* ---- reading ----------------------------------------------------------- */

/* n zeroed elements. */
static void *room(struct block *b, size_t n, size_t size, ur_status *status)
{
    if (*status == UR_OK && b->size < n * size) {
        ur__free(b->data);
        b->data = ur__alloc(2 * n, size);
        b->size = b->data ? 2 * n * size : 0;
        *status = b->data ? UR_OK : UR_ENOMEM;
    }
    return *status == UR_OK ? memset(b->data, 0, n * size) : NULL;
}

/* A word is one token, whatever the policy for those that are unknown skips. */
static ur_status put_word(void *user, const char *text, size_t n)
{
    struct lines *l = user;
    int32_t *id = (int32_t *)l->ids.data + l->T;
    size_t count = 0;
    UR__TRY(ur_encoder_put(l->job.encoder, text, n, id, &count));
    if (count == 0)
        *id = ur_vocab_unknown(l->text);
    l->T++;
    UR__TRY(ur__buf_put(&l->words, text, n));
    return ur__buf_put(&l->words, "", 1);
}

static ur_status put_words(struct lines *l, const char *line, size_t n)
{
    struct ur__splitter s = {.punctuation = ur_vocab_kind(l->text) == UR_TOKEN_WORDPUNCT,
                             .on_word = put_word, .user = l};
    for (size_t at = 0; at < n; ) {
        uint32_t code;
        int step = ur__utf8_decode((const unsigned char *)line + at, n - at, &code);
        if (step <= 0)
            return ur__fail(UR_EINVAL, "byte %zu is no UTF-8", at + 1);
        UR__TRY(ur__split_put(&s, code, line + at, (size_t)step));
        at += (size_t)step;
    }
    return ur__split_end(&s);
}

static ur_status put_tokens(struct lines *l, const char *line, size_t n)
{
    ur_status status = UR_OK;
    size_t count = 0;
    int32_t *ids = room(&l->ids, n + 1, sizeof *ids, &status);
    l->words.size = 0;
    l->T = 0;
    UR__TRY(status);
    if (ur__is_words(ur_vocab_kind(l->text)))
        return put_words(l, line, n);
    UR__TRY(ur_encoder_put(l->job.encoder, line, n, ids, &count));
    l->T = (int)count;
    return UR_OK;
}

/* Each word is spelled out for itself. */
static ur_status put_letters(struct lines *l, ur_batch *batch)
{
    ur_status status = UR_OK;
    const size_t T = (size_t)l->T;
    int32_t *letters = room(&l->letters, T * UR__MOST_LETTERS, sizeof *letters, &status);
    int32_t *spelling = room(&l->spelling, T, sizeof *spelling, &status);
    int *lengths = room(&l->lengths, T, sizeof *lengths, &status);
    const char *word = l->words.data;
    int most = 1;
    UR__TRY(status);
    for (int t = 0; t < l->T; t++, word += strlen(word) + 1) {
        spelling[t] = t;
        lengths[t] = ur__spell(l->letter, word, strlen(word), l->T, letters + t);
        most = lengths[t] > most ? lengths[t] : most;
    }
    UR__TRY(ur_batch_ids(batch, "letters", most, l->T, letters, lengths));
    return ur_batch_ids(batch, "spelling", l->T, 1, spelling, NULL);
}

/* The line as the network reads it. */
static ur_status put_line(struct lines *l, ur_batch *batch)
{
    ur_batch_init(batch);
    ur_tape_reset(l->tape);
    UR__TRY(ur_batch_ids(batch, "input", l->T, 1, l->ids.data, NULL));
    return l->letter ? put_letters(l, batch) : UR_OK;
}

/* ---- answering --------------------------------------------------------- */

/* The place of one label: that which was chosen, then others by their probability. p [K] is used
 * up. */
static ur_status put_place(const struct lines *l, int chosen, ur_real *p, struct ur__answer *to)
{
    const int K = ur__label_count(l->label);
    size_t n;
    UR__TRY(ur__answer_place(to));
    for (int i = 0; i < l->job.best && i < K; i++) {
        int best = chosen;
        for (int k = 0; k < K && i > 0; k++)
            best = p[k] > p[best] ? k : best;
        const char *name = ur__label_text(l->label, best, &n);
        UR__TRY(ur__answer_candidate(to, name, n, (double)p[best]));
        p[best] = -1;
    }
    const char *name = ur__label_text(l->label, chosen, &n);
    if (to->text.size)
        UR__TRY(ur__buf_put(&to->text, " ", 1));
    return ur__buf_put(&to->text, name, n);
}

/* Each row of scores [T,1,K] or [1,1,K] for itself. */
static ur_status answer_rows(struct lines *l, const ur_batch *batch, struct ur__answer *to)
{
    ur_status status = UR_OK;
    ur_tensor *scores = l->job.explain
        ? ur__classify_outputs(l->tape, l->job.model, batch, &l->weights)
        : ur_model_outputs(l->tape, l->job.model, batch, NULL);
    const ur_tensor *soft = ur_softmax(scores);
    UR__TRY(ur_tape_status(l->tape));
    const int K = ur_dim(soft, 2), rows = ur_dim(soft, 0);
    ur_real *p = room(&l->numbers, ur_size(soft), sizeof *p, &status);
    UR__TRY(status);
    memcpy(p, ur_data(soft), ur_size(soft) * sizeof *p);
    for (int t = 0; t < rows; t++, p += K) {
        int chosen = 0;
        for (int k = 1; k < K; k++)
            chosen = p[k] > p[chosen] ? k : chosen;
        UR__TRY(put_place(l, chosen, p, to));
    }
    return UR_OK;
}

/* Labels that are chosen together. */
static ur_status answer_together(struct lines *l, const ur_batch *batch, struct ur__answer *to)
{
    const int K = ur__label_count(l->label);
    ur_status status = UR_OK;
    int32_t *labels = room(&l->labels, (size_t)l->T, sizeof *labels, &status);
    ur_real *p = room(&l->numbers, (size_t)l->T * (size_t)K, sizeof *p, &status);
    UR__TRY(status);
    UR__TRY(l->choice->answer(l->chosen, l->tape, batch, labels, p));
    for (int t = 0; t < l->T; t++, p += K)
        UR__TRY(put_place(l, labels[t], p, to));
    return UR_OK;
}

/* Words as they stand in the line; characters as they were read. */
static ur_status put_weights(const struct lines *l, struct ur__answer *to)
{
    const bool words = ur__is_words(ur_vocab_kind(l->text));
    const ur_real *weight = ur_data(l->weights);
    const char *text = l->words.data;
    for (int t = 0; t < l->T; t++) {
        size_t n = words ? strlen(text) : 0;
        const char *token = words ? text : ur_vocab_text(l->text, ((int32_t *)l->ids.data)[t], &n);
        UR__TRY(ur__answer_token(to, token, n, (double)weight[t]));
        if (words)
            text += n + 1;
    }
    return UR_OK;
}

static ur_status classify_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct lines *l = inside;
    ur_batch batch;
    UR__TRY(put_tokens(l, line, n));
    if (l->T == 0)
        return ur__fail(UR_EINVAL, "there is nothing to tell a label of");
    UR__TRY(put_line(l, &batch));
    UR__TRY(answer_rows(l, &batch, to));
    return l->job.explain ? put_weights(l, to) : UR_OK;
}

static ur_status tag_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct lines *l = inside;
    ur_batch batch;
    UR__TRY(put_tokens(l, line, n));
    if (l->T == 0)
        return UR_OK;
    UR__TRY(put_line(l, &batch));
    return l->choice ? answer_together(l, &batch, to) : answer_rows(l, &batch, to);
}

const struct ur__predict_plug ur__classify_lines = {
    .size = sizeof(struct lines), .places = "labels", .figure = "p",
    .explains = ur__classify_attends,
    .open = classify_open, .close = lines_close, .line = classify_line,
};

const struct ur__predict_plug ur__tag_lines = {
    .size = sizeof(struct lines), .places = "tokens", .figure = "p",
    .open = tag_open, .close = lines_close, .line = tag_line,
};
