/* SPDX-License-Identifier: MIT */
/*
 * Language models: predict the next token of a text.
 *
 *     train   tokens [0, n−h) in B rows side by side, T steps at a time, the state
 *             carried from batch to batch within an epoch (char-rnn's way)
 *     valid   tokens [n−h, n), h = ⌊val·n⌋, or a file of its own: R rows side by side,
 *             R = tokens/256 within 1..32, each from the zero state
 *
 * The vocabulary of bytes and characters is that of all of the data, the part held out
 * included; that of words is of the part to train on.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/stream.h"
#include "tape/tape.h"
#include "task/lm_score.h"
#include "task/list.h"
#include "task/text.h"
#include "unroll/decode.h"

#define VALID_ROW 256       /* tokens that make a row of validation worth while */
#define VALID_ROWS 32       /* and the most rows */

struct lm {
    ur_team *team;
    uint64_t seed;
    struct ur__text text;
    ur_model *model;
    struct ur__stream train, valid;
    ur_state *state;
    int32_t *inputs, *targets;      /* [T,B] */
    struct ur__lm_score score;
    ur_state *look;                 /* of lm_reach, made when it is first called */
    double *reach;                  /* [layers,distances] */
    int distances;
};

/* ---- opening ----------------------------------------------------------- */

/* Steps of the largest batch. */
static int longest(const struct ur__stream *s)
{
    return s->T < s->row ? s->T : (int)s->row;
}

static size_t batch_bytes(const struct ur__stream *s)
{
    return (size_t)longest(s) * (size_t)s->B * sizeof(int32_t);
}

/* Sees dh_t [B,H] of one layer and step; the last step has no distance. */
static void see_gradient(void *user, int layer, int64_t t, int B, int H, const ur_real *dh)
{
    struct lm *lm = user;
    int64_t k = lm->distances - t;
    double sum = 0;
    for (size_t i = 0; i < (size_t)B * (size_t)H; i++)
        sum += (double)dh[i] * (double)dh[i];
    if (k > 0)
        lm->reach[layer * lm->distances + k - 1] = sqrt(sum);
}

/* The largest batch, for a measuring tape. */
static ur_tensor *largest(ur_tape *tape, void *arg)
{
    const struct lm *lm = arg;
    ur_ids ids = {UR__NOWHERE, longest(&lm->train), lm->train.B};
    return ur_model_loss(tape, lm->model, ids, NULL, lm->state, ids);
}

static ur_status find_need(struct lm *lm, bool reach, struct ur__need *need)
{
    size_t state;
    UR__TRY(ur__model_state_measure(&lm->state, lm->model, lm->train.B, lm->team, &state));
    if (reach)
        ur_state_observe_gradients(lm->state, see_gradient, lm);
    ur_status status = ur__tape_measure_round(&need->step, largest, lm, true, lm->team);
    need->state = 2 * batch_bytes(&lm->train) + (reach ? 2 : 1) * state;
    ur_state_data(lm->state, &need->carried);
    ur_state_free(lm->state);
    lm->state = NULL;
    if (status == UR_OK && lm->text.valid.tokens > 0)
        status = ur__lm_score_bytes(&need->valid, lm->model, lm->valid.B, lm->team);
    return status;
}

static ur_status open_parts(struct lm *lm, const struct ur__job *job, struct ur__facts *facts)
{
    const struct ur__part *train = &lm->text.train, *valid = &lm->text.valid;
    UR__TRY(ur__text_open(&lm->text, job, &lm->model));
    UR__TRY(ur__stream_init(&lm->train, train->corpus, train->begin, train->tokens,
                            job->seq_length, job->batch));
    UR__TRY(ur__text_check_step(longest(&lm->train), job->batch));
    if (valid->tokens > 0) {
        int64_t rows = valid->tokens / VALID_ROW;
        int B = rows < 1 ? 1 : rows > VALID_ROWS ? VALID_ROWS : (int)rows;
        UR__TRY(ur__stream_init(&lm->valid, valid->corpus, valid->begin, valid->tokens,
                                ur__lm_score_piece(lm->model, B), B));
    }
    UR__TRY(ur__text_facts(&lm->text, lm->model, lm->train.steps, facts));
    return find_need(lm, job->report_gradients, &facts->need);
}

static ur_status lm_build(void *run)
{
    struct lm *lm = run;
    UR__TRY(ur__model_build(lm->model, lm->seed));
    lm->inputs = ur__alloc(batch_bytes(&lm->train), 1);
    lm->targets = ur__alloc(batch_bytes(&lm->train), 1);
    if (!lm->inputs || !lm->targets)
        return UR_ENOMEM;
    UR__TRY(ur_model_state_new(&lm->state, lm->model, lm->train.B, lm->team));
    if (lm->text.valid.tokens == 0)
        return UR_OK;
    return ur__lm_score_open(&lm->score, lm->model, lm->valid.B, lm->team);
}

static void lm_close(void *run)
{
    struct lm *lm = run;
    if (!lm)
        return;
    ur__lm_score_close(&lm->score);
    ur_state_free(lm->look);
    ur__free(lm->reach);
    ur_state_free(lm->state);
    ur__free(lm->inputs);
    ur__free(lm->targets);
    ur_model_free(lm->model);
    ur__text_close(&lm->text);
    ur__free(lm);
}

static ur_status lm_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    struct lm *lm = ur__calloc(1, sizeof *lm);
    if (!lm)
        return UR_ENOMEM;
    lm->team = job->team;
    lm->seed = job->seed;
    ur_status status = open_parts(lm, job, facts);
    if (status != UR_OK) {
        lm_close(lm);
        return status;
    }
    *run = lm;
    return UR_OK;
}

/* ---- training ---------------------------------------------------------- */

static ur_status lm_begin_epoch(void *run, int64_t epoch)
{
    struct lm *lm = run;
    (void)epoch;    /* each reads the text from its beginning */
    ur_state_zero(lm->state);
    return UR_OK;
}

static ur_status lm_loss(void *run, ur_tape *tape, int64_t step, ur_tensor **loss, int64_t *items)
{
    struct lm *lm = run;
    int t, B = lm->train.B;
    UR__TRY(ur__stream_batch(&lm->train, step, lm->inputs, lm->targets, &t));
    ur_ids inputs = {lm->inputs, t, B}, targets = {lm->targets, t, B};
    *loss = ur_model_loss(tape, lm->model, inputs, NULL, lm->state, targets);
    *items = (int64_t)t * B;
    return UR_OK;
}

static void lm_end_step(void *run)
{
    struct lm *lm = run;
    ur_state_detach(lm->state);
}

static ur_real *lm_carried(void *run, size_t *n)
{
    struct lm *lm = run;
    return ur_state_data(lm->state, n);
}

/* ---- looking ----------------------------------------------------------- */

/* Sums in the order in which the batches are read: step by step, row by row. */
static ur_status lm_validate(void *run, const struct ur__watch *watch, double *loss)
{
    struct lm *lm = run;
    struct ur__lm_score *s = &lm->score;
    double sum = 0;
    ur_state_zero(s->state);
    for (int64_t step = 0; step < lm->valid.steps; step++) {
        int t;
        UR__TRY(ur__stream_batch(&lm->valid, step, s->inputs, s->targets, &t));
        UR__TRY(ur__lm_score_run(s, t));
        for (int i = 0; i < t * s->B; i++)
            sum += (double)s->loss[i];
        if (!watch->go_on(watch->user, (double)(step + 1) / (double)lm->valid.steps))
            return ur__fail(UR_ECANCELED, "validation stopped");
    }
    *loss = sum / ((double)lm->valid.row * (double)s->B);
    return UR_OK;
}

static ur_status open_look(struct lm *lm)
{
    if (!lm->look)
        UR__TRY(ur_model_state_new(&lm->look, lm->model, lm->train.B, lm->team));
    ur__free(lm->reach);
    lm->reach = ur__calloc((size_t)ur_rnn_layers(ur_model_rnn(lm->model))
                           * (size_t)lm->distances, sizeof *lm->reach);
    return lm->reach || lm->distances == 0 ? UR_OK : UR_ENOMEM;
}

/* From the state that training is in, which a copy stands for. */
static ur_status lm_reach(void *run, ur_tape *tape, int64_t step, const double **reach,
                          int *layers, int *distances)
{
    struct lm *lm = run;
    int t, B = lm->train.B;
    size_t n;
    UR__TRY(ur__stream_batch(&lm->train, step, lm->inputs, lm->targets, &t));
    for (int i = 0; i < (t - 1) * B; i++)
        lm->targets[i] = -1;
    lm->distances = t - 1;
    UR__TRY(open_look(lm));
    ur_state_zero(lm->look);
    const ur_real *carried = ur_state_data(lm->state, &n);
    if (step > 0)
        memcpy(ur_state_data(lm->look, &n), carried, n * sizeof *carried);
    ur_state_observe_gradients(lm->look, see_gradient, lm);
    ur_ids inputs = {lm->inputs, t, B}, targets = {lm->targets, t, B};
    ur_status status = ur_backward(tape, ur_model_loss(tape, lm->model, inputs, NULL, lm->look,
                                                       targets));
    ur_state_detach(lm->look);
    *reach = lm->reach;
    *layers = ur_rnn_layers(ur_model_rnn(lm->model));
    *distances = lm->distances;
    return status;
}

static ur_status draw(ur_session *session, const ur_vocab *vocab, uint64_t seed, int length,
                      struct ur__buf *text)
{
    ur_sample_options options = UR_SAMPLE_OPTIONS_INIT;
    options.seed = seed;
    ur_join join = {false, false};
    UR__TRY(ur_session_begin(session));
    for (int i = 0; i < length; i++) {
        int32_t id;
        size_t n;
        UR__TRY(ur_session_draw(session, &options, &id));
        const char *bytes = ur_vocab_join(vocab, &join, id, &n);
        UR__TRY(ur__buf_put(text, bytes, n));
        UR__TRY(ur_session_feed(session, id));
    }
    return UR_OK;
}

static ur_status lm_sample(void *run, uint64_t seed, int length, struct ur__buf *text)
{
    struct lm *lm = run;
    ur_session *session;
    UR__TRY(ur_session_new(&session, lm->model, lm->team));
    ur_status status = draw(session, ur_model_vocab(lm->model), seed, length, text);
    ur_session_free(session);
    return status;
}

const struct ur__task ur__task_lm = {
    .name = "lm",
    .open = lm_open,
    .build = lm_build,
    .close = lm_close,
    .begin_epoch = lm_begin_epoch,
    .loss = lm_loss,
    .end_step = lm_end_step,
    .validate = lm_validate,
    .carried = lm_carried,
    .reach = lm_reach,
    .sample = lm_sample,
};
