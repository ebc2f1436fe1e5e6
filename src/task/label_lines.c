/* SPDX-License-Identifier: MIT */
/* Labels of lines and other examples: one of it as a whole, or one of each of its steps. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/arch.h"
#include "task/answer.h"
#include "task/label_input.h"
#include "task/labelled.h"

struct lines {
    struct ur__label_input in;
    const ur_vocab *label;
    int best;                       /* candidates for a place */
    const ur_crf_layer *chain;      /* NULL: labels do not hang together */
    ur_tape *tape, *chances;        /* the latter of a chain */
    struct ur__scratch labels, numbers;
};

static void lines_close(void *inside)
{
    struct lines *l = inside;
    ur__label_input_close(&l->in);
    ur__free(l->labels.data);
    ur__free(l->numbers.data);
    ur_tape_free(l->tape);
    ur_tape_free(l->chances);
}

static ur_status open(struct lines *l, const struct ur__predict_job *job, bool tagged)
{
    ur__label_input_open(&l->in, job, tagged);
    l->label = ur_model_vocab(job->model, "label");
    l->best = job->best;
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
    l->chain = ur__tag_chain(job->model);
    UR__TRY(open(l, job, true));
    return l->chain ? ur_tape_new(&l->chances, NULL) : UR_OK;
}

/* ---- answering --------------------------------------------------------- */

/* What the network says of the example at hand: scores [T,1,K] or [1,1,K] on l->tape. */
static ur_status score(struct lines *l, ur_tensor **out)
{
    ur_batch batch;
    UR__TRY(ur__label_input_batch(&l->in, &batch));
    ur_tape_reset(l->tape);
    *out = ur_model_outputs(l->tape, l->in.model, &batch, NULL);
    UR__TRY(ur_tape_status(l->tape));
    const ur_real *scores = ur_data(*out);
    for (size_t i = 0, n = ur_size(*out); i < n; i++)
        if (!isfinite(scores[i]))
            return ur__fail(UR_ENUMERIC, "the network's scores are not finite");
    return UR_OK;
}

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

/* Each row of scores for itself. */
static ur_status answer_rows(struct lines *l, ur_tensor *scores, struct ur__answer *to)
{
    const int K = ur_dim(scores, 2), rows = ur_dim(scores, 0);
    ur_status status = UR_OK;
    const ur_tensor *soft = ur_softmax(scores);
    UR__TRY(ur_tape_status(l->tape));
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

/* How likely each label is at each step, whatever the others are: the slope of log Z by its score,
 * which is that of the loss and 1 where the loss has its label. p: zeros. */
static ur_status chances(struct lines *l, const ur_tensor *e, const int32_t *labels, ur_real *p)
{
    const int T = l->in.T, K = ur_dim(e, 2), dim[] = {T, 1, K}, square[] = {K, K};
    const ur_crf_layer *c = l->chain;
    ur_tape *tape = l->chances;
    ur_tape_reset(tape);
    ur_tensor *loss = ur_crf_loss(
        ur_variable(tape, 3, dim, ur_data(e), p),
        ur_constant(tape, 2, square, ur_param_data(c->params, c->transitions)),
        ur_constant(tape, 1, square, ur_param_data(c->params, c->start)),
        ur_constant(tape, 1, square, ur_param_data(c->params, c->end)),
        (ur_ids){labels, T, 1}, NULL);
    UR__TRY(ur_backward(tape, loss));
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K; k++) {
            ur_real *x = &p[(size_t)t * (size_t)K + (size_t)k];
            *x = *x * (ur_real)T + (k == labels[t]);
            *x = *x < 0 ? 0 : *x > 1 ? 1 : *x;
        }
    return UR_OK;
}

static ur_status answer_chain(struct lines *l, ur_tensor *e, struct ur__answer *to)
{
    const int K = ur_dim(e, 2);
    ur_status status = UR_OK;
    ur_chain chain;
    ur_chain_init(&chain);
    chain.T = l->in.T;
    chain.B = 1;
    chain.K = K;
    chain.scores = ur_data(e);
    int32_t *labels = ur__scratch_take(&l->labels, (size_t)l->in.T, sizeof *labels, &status);
    ur_real *p = ur__scratch_take(&l->numbers, ur_size(e), sizeof *p, &status);
    UR__TRY(status);
    UR__TRY(ur_crf_decode(l->chain, &chain, labels, NULL));
    UR__TRY(chances(l, e, labels, p));
    for (int t = 0; t < l->in.T; t++, p += K)
        UR__TRY(put_place(l, labels[t], p, to));
    return UR_OK;
}

/* To the example at hand. */
static ur_status answer(struct lines *l, struct ur__answer *to)
{
    ur_tensor *scores;
    UR__TRY(score(l, &scores));
    return l->chain ? answer_chain(l, scores, to) : answer_rows(l, scores, to);
}

static ur_status answer_line(void *inside, const char *line, size_t n, struct ur__answer *to)
{
    struct lines *l = inside;
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

#define BOTH                                                                                      \
    .size = sizeof(struct lines), .figure = "p", .close = lines_close, .line = answer_line,       \
    .frames = answer_frames, .files = open_files, .next = answer_next

const struct ur__predict_plug ur__classify_lines = {
    .places = "labels", .open = classify_open, BOTH,
};

const struct ur__predict_plug ur__tag_lines = {
    .places = "tokens", .open = tag_open, BOTH,
};
