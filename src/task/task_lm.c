/* SPDX-License-Identifier: MIT */
/*
 * Language models: predict the next token of a text.
 *
 *     train   tokens [0, n−h) in B rows side by side, T steps at a time, the state
 *             carried from batch to batch within an epoch (char-rnn's way)
 *     valid   tokens [n−h, n), h = ⌊val·n⌋, or a file of its own: R rows side by side,
 *             R = tokens/256 within 1..32, each from the zero state
 *     stream  all of a text in one row
 *     window  predictions [256w, 256w+256) from the zero state at token 256w, 32 such
 *             windows side by side; the last may be shorter
 *
 * The vocabulary of bytes and characters is that of all of the data, the part held out
 * included; that of words is of the part to train on.
 *
 * Losses are added in double in the order in which batches are read, windows' in that of the
 * text: the figures do not depend on the team or on how the work was cut.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "data/stream.h"
#include "metric/text.h"
#include "task/list.h"
#include "task/score.h"
#include "task/text.h"
#include "unroll/decode.h"

#define VALID_ROW 256       /* tokens that make a row of validation worth while */
#define VALID_ROWS 32       /* and the most rows */
#define PIECE_ROWS 128      /* of logits, scored at a time: enough for the decoder's speed */
#define WINDOW 256
#define WINDOWS 32          /* side by side */

struct options {
    struct ur__text_options text;
};

struct lm {
    const ur_model *model;          /* NULL before build */
    ur_team *team;
    struct options options;
    struct ur__text text;
    int V;
    struct ur__stream train, valid;
    int windows;                    /* measured side by side, by windows; 0: as a stream */
    int piece;                      /* steps of the largest batch that is scored */
    int rows;                       /* and its rows */
    int32_t *inputs, *targets;      /* [T,B] of training */
    int32_t *seen, *wanted;         /* [piece,rows] of scoring */
    int32_t *window;                /* [windows,WINDOW+1] tokens */
    ur_real *loss;                  /* [windows,WINDOW] in the order of the text */
    unsigned char *hit;             /* the same */
    struct ur__score score;
    void *block;                    /* memory of all these arrays */
};

static const ur_option option_rows[] = {
    UR__TEXT_ROWS(struct options, text, "char"),
};

static const ur_option_table table = {
    .name = "lm", .what = "task", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows,
    .size = sizeof(struct options),
};

/* ---- opening ----------------------------------------------------------- */

/* Steps of the largest batch. */
static int longest(const struct ur__stream *s)
{
    return s->T < s->row ? s->T : (int)s->row;
}

static void lm_close(void *run)
{
    struct lm *lm = run;
    if (!lm)
        return;
    ur__score_close(&lm->score);
    ur__free(lm->block);
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
    memcpy(&lm->options, ur__options_read(job->options), sizeof lm->options);
    ur_status status = ur__text_open(&lm->text, job, &lm->options.text, facts);
    if (status != UR_OK) {
        lm_close(lm);
        return status;
    }
    lm->V = ur_vocab_size(facts->vocab[0]);
    *run = lm;
    return UR_OK;
}

/* What is scored is R rows side by side, a few steps at a time. */
static void cut_pieces(struct lm *lm, int R)
{
    lm->rows = R;
    lm->piece = ur__score_rows(lm->V, R, PIECE_ROWS) / R;
}

/* The part held out as one stream of R rows. */
static ur_status cut_valid(struct lm *lm, int R)
{
    const struct ur__part *valid = &lm->text.valid;
    cut_pieces(lm, R);
    UR__TRY(ur__stream_init(&lm->valid, valid->corpus, valid->begin, valid->tokens, lm->piece, R));
    lm->piece = longest(&lm->valid);
    return UR_OK;
}

static ur_status lm_cut(void *run, int batch, struct ur__facts *facts)
{
    struct lm *lm = run;
    const struct ur__part *train = &lm->text.train, *valid = &lm->text.valid;
    UR__TRY(ur__stream_init(&lm->train, train->corpus, train->begin, train->tokens,
                            lm->options.text.seq_length, batch));
    UR__TRY(ur__text_check_step(longest(&lm->train), batch));
    facts->epoch_steps = lm->train.steps;
    facts->rows = batch;
    if (valid->tokens == 0)
        return UR_OK;
    int64_t rows = valid->tokens / VALID_ROW;
    return cut_valid(lm, rows < 1 ? 1 : rows > VALID_ROWS ? VALID_ROWS : (int)rows);
}

static ur_status fields(ur_batch *batch, int T, int B, const int32_t *inputs,
                        const int32_t *targets)
{
    batch->items = (int64_t)T * B;
    UR__TRY(ur_batch_ids(batch, "input", T, B, inputs, NULL));
    return ur_batch_ids(batch, "target", T, B, targets, NULL);
}

static void lm_largest(void *run, ur_batch *batch)
{
    const struct lm *lm = run;
    fields(batch, longest(&lm->train), lm->train.B, UR__NOWHERE, UR__NOWHERE);
}

static void lm_largest_scored(void *run, ur_batch *batch)
{
    const struct lm *lm = run;
    if (lm->rows)
        fields(batch, lm->piece, lm->rows, UR__NOWHERE, UR__NOWHERE);
}

static void place(struct lm *lm, struct ur__carve *c)
{
    size_t n = lm->train.B ? (size_t)longest(&lm->train) * (size_t)lm->train.B : 0;
    size_t windows = (size_t)lm->windows;
    lm->score.n = (size_t)lm->piece * (size_t)lm->rows;
    lm->inputs = ur__carve(c, n, sizeof *lm->inputs);
    lm->targets = ur__carve(c, n, sizeof *lm->targets);
    lm->seen = ur__carve(c, lm->score.n, sizeof *lm->seen);
    lm->wanted = ur__carve(c, lm->score.n, sizeof *lm->wanted);
    ur__score_place(&lm->score, c);
    lm->window = ur__carve(c, windows, (WINDOW + 1) * sizeof *lm->window);
    lm->loss = ur__carve(c, windows, WINDOW * sizeof *lm->loss);
    lm->hit = ur__carve(c, windows, WINDOW);
}

static size_t lm_memory(void *run)
{
    struct ur__carve c = {0};
    place(run, &c);
    return c.used;
}

static ur_status lm_build(void *run, const ur_model *model)
{
    struct lm *lm = run;
    struct ur__carve c = {.base = lm->block = ur__alloc(lm_memory(lm), 1)};
    ur_batch scored;
    ur_batch_init(&scored);
    lm->model = model;
    if (!lm->block)
        return UR_ENOMEM;
    place(lm, &c);
    lm_largest_scored(lm, &scored);
    return scored.n ? ur__score_open(&lm->score, model, &scored, true, lm->team) : UR_OK;
}

/* ---- training ---------------------------------------------------------- */

static ur_status lm_begin_epoch(void *run, int64_t epoch)
{
    (void)run;
    (void)epoch;    /* each reads the text from its beginning */
    return UR_OK;
}

static ur_status lm_batch(void *run, int64_t step, struct ur__shard shard, ur_batch *batch)
{
    struct lm *lm = run;
    struct ur__stream_rows rows;
    int t;
    ur__share(lm->train.B, 1, shard.index, shard.of, &rows.begin, &rows.end);
    UR__TRY(ur__stream_batch(&lm->train, step, rows, lm->inputs, lm->targets, &t));
    return fields(batch, t, rows.end - rows.begin, lm->inputs, lm->targets);
}

/* ---- scoring ----------------------------------------------------------- */

static void add(double *sums, size_t n, const ur_real *loss, const unsigned char *hit)
{
    for (size_t i = 0; i < n; i++) {
        sums[UR__TEXT_LOSS] += (double)loss[i];
        sums[UR__TEXT_HITS] += hit[i];
    }
}

static ur_status score_stream(struct lm *lm, const struct ur__watch *watch, double *sums)
{
    struct ur__score *s = &lm->score;
    ur_model_state_zero(s->state);
    for (int64_t step = 0; step < lm->valid.steps; step++) {
        ur_batch batch;
        ur_batch_init(&batch);
        const struct ur__stream_rows rows = {0, lm->rows};
        int t;
        UR__TRY(ur__stream_batch(&lm->valid, step, rows, lm->seen, lm->wanted, &t));
        UR__TRY(fields(&batch, t, lm->rows, lm->seen, lm->wanted));
        UR__TRY(ur__score_run(s, &batch));
        add(sums, (size_t)t * (size_t)lm->rows, s->loss, s->hit);
        if (!watch->go_on(watch->user, (double)(step + 1) / (double)lm->valid.steps))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    sums[UR__TEXT_N] += (double)lm->valid.row * (double)lm->rows;
    return UR_OK;
}

/* Predictions of the window that begins at token `first` of the part; 0 after its end. */
static int window_length(const struct lm *lm, int64_t first)
{
    int64_t left = lm->text.valid.tokens - 1 - first;
    return left < 0 ? 0 : left < WINDOW ? (int)left : WINDOW;
}

/* Scores steps [t0,t0+T) of the windows. Rows after a window's end read token 0 and score
 * nothing: no row sees its neighbours. */
static ur_status score_piece(struct lm *lm, const int *length, int t0, int T)
{
    const struct ur__score *s = &lm->score;
    int B = lm->windows;
    ur_batch batch;
    ur_batch_init(&batch);
    for (int t = 0; t < T; t++) {
        for (int b = 0; b < B; b++) {
            const int32_t *at = lm->window + (size_t)b * (WINDOW + 1) + t0 + t;
            bool inside = t0 + t < length[b];
            lm->seen[t * B + b] = inside ? at[0] : 0;
            lm->wanted[t * B + b] = inside ? at[1] : -1;
        }
    }
    UR__TRY(fields(&batch, T, B, lm->seen, lm->wanted));
    UR__TRY(ur__score_run(&lm->score, &batch));
    for (int t = 0; t < T; t++) {
        for (int b = 0; b < B; b++) {
            lm->loss[(size_t)b * WINDOW + (size_t)(t0 + t)] = s->loss[t * B + b];
            lm->hit[(size_t)b * WINDOW + (size_t)(t0 + t)] = s->hit[t * B + b];
        }
    }
    return UR_OK;
}

static ur_status score_windows(struct lm *lm, int64_t first, double *sums)
{
    int length[WINDOWS];
    for (int b = 0; b < lm->windows; b++) {
        int64_t at = first + (int64_t)b * WINDOW;
        length[b] = window_length(lm, at);
        if (length[b])
            UR__TRY(ur__corpus_read(lm->text.corpus, lm->text.valid.begin + at, length[b] + 1,
                                    lm->window + (size_t)b * (WINDOW + 1)));
    }
    ur_model_state_zero(lm->score.state);
    for (int t0 = 0, T; t0 < length[0]; t0 += T) {
        T = length[0] - t0 < lm->piece ? length[0] - t0 : lm->piece;
        UR__TRY(score_piece(lm, length, t0, T));
    }
    for (int b = 0; b < lm->windows; b++)
        add(sums, (size_t)length[b], lm->loss + (size_t)b * WINDOW, lm->hit + (size_t)b * WINDOW);
    return UR_OK;
}

static ur_status score_by_windows(struct lm *lm, const struct ur__watch *watch, double *sums)
{
    int64_t all = lm->text.valid.tokens - 1, each = (int64_t)lm->windows * WINDOW;
    for (int64_t first = 0; first < all; first += each) {
        int64_t done = first + each < all ? first + each : all;
        UR__TRY(score_windows(lm, first, sums));
        if (!watch->go_on(watch->user, (double)done / (double)all))
            return ur__fail(UR_ECANCELED, "measuring was stopped");
    }
    sums[UR__TEXT_N] += (double)all;
    return UR_OK;
}

/* Rows of a stream all go on from the one state, so shards would not be parts of it: the first
 * one scores it all. */
static ur_status lm_score(void *run, struct ur__shard shard, const struct ur__watch *watch,
                          double *sums)
{
    struct lm *lm = run;
    if (shard.index > 0)
        return UR_OK;
    UR__TRY(lm->windows ? score_by_windows(lm, watch, sums) : score_stream(lm, watch, sums));
    return ur__text_unknown(&lm->text.valid, 1, &sums[UR__TEXT_UNKNOWN]);
}

/* ---- measuring --------------------------------------------------------- */

static ur_status open_measure(struct lm *lm, const ur_eval_options *options)
{
    lm->V = ur_vocab_size(ur_model_vocab(lm->model, NULL));
    UR__TRY(ur__text_measure(&lm->text, lm->model, options));
    if (options->protocol == UR_PROTOCOL_STREAM) {
        UR__TRY(cut_valid(lm, 1));
        return lm_build(lm, lm->model);
    }
    if (options->protocol != UR_PROTOCOL_WINDOW)
        return ur__fail(UR_EINVAL, "there is no protocol %d", (int)options->protocol);
    int64_t windows = (lm->text.valid.tokens - 1 + WINDOW - 1) / WINDOW;
    lm->windows = windows < WINDOWS ? (int)windows : WINDOWS;
    cut_pieces(lm, lm->windows);
    return lm_build(lm, lm->model);
}

static ur_status lm_measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    *run = NULL;
    struct lm *lm = ur__calloc(1, sizeof *lm);
    if (!lm)
        return UR_ENOMEM;
    lm->model = model;
    lm->team = options->team;
    ur_status status = open_measure(lm, options);
    if (status != UR_OK) {
        lm_close(lm);
        return status;
    }
    *run = lm;
    return UR_OK;
}

/* ---- showing ----------------------------------------------------------- */

static ur_status draw(ur_session *session, const ur_vocab *vocab, uint64_t seed, int length,
                      struct ur__buf *text)
{
    ur_sample_options options;
    ur_sample_options_init(&options);
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

static ur_status lm_show(void *run, uint64_t seed, int length, struct ur__buf *text)
{
    struct lm *lm = run;
    ur_session *session;
    UR__TRY(ur_session_new(&session, lm->model, lm->team));
    ur_status status = draw(session, ur_model_vocab(lm->model, NULL), seed, length, text);
    ur_session_free(session);
    return status;
}

const struct ur__task ur__task_lm = {
    .name = "lm",
    .brief = "predict the next token",
    .arch = "lm",
    .options = &table,
    .carries = true,
    .n_sums = ur__text_sums,
    .open = lm_open,
    .cut = lm_cut,
    .largest = lm_largest,
    .largest_scored = lm_largest_scored,
    .memory = lm_memory,
    .build = lm_build,
    .close = lm_close,
    .begin_epoch = lm_begin_epoch,
    .batch = lm_batch,
    .score = lm_score,
    .figures = ur__text_metrics,
    .measure = lm_measure,
    .show = lm_show,
};
