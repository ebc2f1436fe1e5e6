/* SPDX-License-Identifier: MIT */
/* Labels of lines and other examples: one of it as a whole, or one of each of its steps. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/arch.h"
#include "task/answer.h"
#include "task/choice.h"
#include "task/label_hint.h"
#include "task/label_input.h"
#include "task/labelled.h"

struct lines {
    struct ur__label_input in;
    const ur_vocab *label;
    int best;                           /* candidates for a place */
    bool explain;
    const struct ur__choice *choice;    /* NULL: labels are chosen one by one */
    void *chosen;
    ur_tape *tape;
    ur_tensor *weights;                 /* [1,T] of the steps, where they are to be told */
    struct ur__scratch labels, numbers;
    struct ur__label_hint hint;
};

static void lines_close(void *inside)
{
    struct lines *l = inside;
    ur__label_input_close(&l->in);
    ur__free(l->labels.data);
    ur__free(l->numbers.data);
    ur_tape_free(l->tape);
    if (l->chosen)
        l->choice->close(l->chosen);
    ur__free(l->chosen);
}

static ur_status open(struct lines *l, const struct ur__predict_job *job, bool tagged)
{
    ur__label_input_open(&l->in, job, tagged);
    l->label = ur_model_vocab(job->model, "label");
    l->best = job->best;
    l->explain = job->explain;
    UR__TRY(ur_tape_new(&l->tape, job->team));
    ur_tape_set_recording(l->tape, false);
    return UR_OK;
}

static ur_status classify_open(void *inside, const struct ur__predict_job *job)
{
    return open(inside, job, false);
}

static ur_status tag_open(void *inside, const struct ur__predict_job *job)
{
    struct lines *l = inside;
    const struct ur__choice_job choice = {.model = job->model, .B = 1, .beam = job->beam,
                                          .team = job->team};
    UR__TRY(open(l, job, true));
    l->choice = ur__choice_of(job->model);
    if (!l->choice)
        return UR_OK;
    l->chosen = ur__calloc(1, l->choice->size);
    return l->chosen ? l->choice->open(l->chosen, &choice) : UR_ENOMEM;
}

/* ---- answering --------------------------------------------------------- */

/* The place of one label: that which was chosen, then others by their probability. p [K] is used
 * up. */
static ur_status put_place(const struct lines *l, int chosen, ur_real *p, struct ur__answer *to)
{
    const int K = ur__label_count(l->label);
    size_t n;
    UR__TRY(ur__answer_place(to));
    for (int i = 0; i < l->best && i < K; i++) {
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

static ur_status check_finite(const ur_real *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(p[i]))
            return ur__fail(UR_ENUMERIC, "the network's scores are not finite");
    return UR_OK;
}

/* Each row of scores [T,1,K] or [1,1,K] for itself. */
static ur_status answer_rows(struct lines *l, const ur_batch *batch, struct ur__answer *to)
{
    ur_status status = UR_OK;
    ur_tensor *scores = l->explain
        ? ur__classify_outputs(l->tape, l->in.model, batch, &l->weights)
        : ur_model_outputs(l->tape, l->in.model, batch, NULL);
    const ur_tensor *soft = ur_softmax(scores);
    UR__TRY(ur_tape_status(l->tape));
    UR__TRY(check_finite(ur_data(scores), ur_size(scores)));
    const int K = ur_dim(soft, 2), rows = ur_dim(soft, 0);
    ur_real *p = ur__scratch_take(&l->numbers, ur_size(soft), sizeof *p, &status);
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
    const int T = l->in.T, K = ur__label_count(l->label);
    ur_status status = UR_OK;
    int32_t *labels = ur__scratch_take(&l->labels, (size_t)T, sizeof *labels, &status);
    ur_real *p = ur__scratch_take(&l->numbers, (size_t)T * (size_t)K, sizeof *p, &status);
    UR__TRY(status);
    UR__TRY(l->choice->answer(l->chosen, l->tape, batch, labels, p));
    UR__TRY(check_finite(p, (size_t)T * (size_t)K));
    for (int t = 0; t < T; t++, p += K)
        UR__TRY(put_place(l, labels[t], p, to));
    return UR_OK;
}

/* Words as they stand in the line, characters as they were read, frames by their numbers. */
static ur_status put_weights(const struct lines *l, struct ur__answer *to)
{
    const bool words = l->in.text && ur__is_words(ur_vocab_kind(l->in.text));
    const ur_real *weight = ur_data(l->weights);
    const char *word = l->in.words.data;
    for (int t = 0; t < l->in.T; t++) {
        char number[16];
        size_t n = 0;
        const char *token = words ? word : number;
        if (words)
            n = strlen(word);
        else if (l->in.text)
            token = ur_vocab_text(l->in.text, ((const int32_t *)l->in.ids.data)[t], &n);
        else
            n = (size_t)snprintf(number, sizeof number, "%d", t + 1);
        UR__TRY(ur__answer_token(to, token, n, (double)weight[t]));
        if (words)
            word += n + 1;
    }
    return UR_OK;
}

/* To the example at hand. */
static ur_status answer(struct lines *l, struct ur__answer *to)
{
    ur_batch batch;
    UR__TRY(ur__label_input_batch(&l->in, &batch));
    ur_tape_reset(l->tape);
    UR__TRY(l->choice ? answer_together(l, &batch, to) : answer_rows(l, &batch, to));
    return l->explain ? put_weights(l, to) : UR_OK;
}

static ur_status answer_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct lines *l = inside;
    ur__label_hint_see(&l->hint, l->label, line, n);
    UR__TRY(ur__label_input_line(&l->in, line, n));
    if (l->in.T > 0)
        return answer(l, to);
    return l->in.tagged ? UR_OK : ur__fail(UR_EINVAL, "there is nothing to tell a label of");
}

static ur_status answer_frames(void *inside, int T, int I, const ur_real *frames,
                               struct ur__answer *to)
{
    struct lines *l = inside;
    UR__TRY(ur__label_input_frames(&l->in, T, I, frames));
    return answer(l, to);
}

static ur_status open_files(void *inside, const ur_options *options, const char *const *paths,
                            int n_paths)
{
    return ur__label_input_files(&((struct lines *)inside)->in, options, paths, n_paths);
}

static ur_status answer_next(void *inside, bool *more, struct ur__answer *to)
{
    struct lines *l = inside;
    UR__TRY(ur__label_input_next(&l->in, more));
    return *more ? answer(l, to) : UR_OK;
}

static const char *note(void *inside)
{
    return ur__label_hint_note(&((struct lines *)inside)->hint);
}

/* Letters are those of each word. */
static bool classify_keeps(const ur_model *model)
{
    return ur_model_vocab(model, "letter");
}

static bool tag_keeps(const ur_model *model)
{
    const ur_vocab *text = ur_model_vocab(model, "text");
    return text && ur__is_words(ur_vocab_kind(text));
}

#define BOTH                                                                                      \
    .size = sizeof(struct lines), .figure = "p", .labels = true, .close = lines_close,             \
    .line = answer_line, .frames = answer_frames, .files = open_files, .next = answer_next,   \
    .note = note

const struct ur__predict_plug ur__classify_lines = {
    .places = "labels", .open = classify_open, .explains = ur__classify_attends,
    .explaining = "one that was trained with pool attention",
    .keeps = classify_keeps, BOTH,
};

const struct ur__predict_plug ur__tag_lines = {
    .places = "tokens", .open = tag_open, .keeps = tag_keeps, BOTH,
};
