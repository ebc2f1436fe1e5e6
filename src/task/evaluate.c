/* SPDX-License-Identifier: MIT */
/*
 * Measuring a language model on a text of n tokens, n−1 predictions.
 *
 *     stream  one row from the zero state to the end
 *     window  predictions [256w, 256w+256) from the zero state at token 256w, 32 such
 *             windows side by side; the last may be shorter
 *
 * Losses are those of the kernel, one a prediction, added in double in text order: the
 * figures do not depend on the team or on how the work was cut.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "task/lm_score.h"
#include "task/list.h"
#include "task/text.h"

#define WINDOW 256
#define SIDE_BY_SIDE 32

struct evaluation {
    const ur_model *model;
    const ur_eval_options *options;
    struct ur__corpus *corpus;
    struct ur__part part;
    struct ur__lm_score score;
    int32_t *text;                  /* [B,WINDOW+1] tokens; stream: [piece+1] */
    ur_real *loss;                  /* [B,WINDOW] of windows, in text order */
    unsigned char *hit;             /* [B,WINDOW] */
    double sum;
    int64_t hits, n;
};

/* ---- protocols --------------------------------------------------------- */

static ur_status tell(const struct evaluation *e)
{
    const ur_eval_options *o = e->options;
    if (o->on_progress && !o->on_progress(o->user, (double)e->n / (double)(e->part.tokens - 1)))
        return ur__fail(UR_ECANCELED, "stopped after %lld of %lld predictions", (long long)e->n,
                        (long long)e->part.tokens - 1);
    return UR_OK;
}

static void add(struct evaluation *e, int n, const ur_real *loss, const unsigned char *hit)
{
    for (int i = 0; i < n; i++) {
        e->sum += (double)loss[i];
        e->hits += hit[i];
    }
    e->n += n;
}

static ur_status run_stream(struct evaluation *e)
{
    struct ur__lm_score *s = &e->score;
    UR__TRY(ur__lm_score_open(s, e->model, 1, e->options->team));
    e->text = ur__alloc((size_t)s->piece + 1, sizeof *e->text);
    if (!e->text)
        return UR_ENOMEM;
    while (e->n < e->part.tokens - 1) {
        int64_t left = e->part.tokens - 1 - e->n;
        int T = left < s->piece ? (int)left : s->piece;
        UR__TRY(ur__corpus_read(e->corpus, e->part.begin + e->n, T + 1, e->text));
        memcpy(s->inputs, e->text, (size_t)T * sizeof *e->text);
        memcpy(s->targets, e->text + 1, (size_t)T * sizeof *e->text);
        UR__TRY(ur__lm_score_run(s, T));
        add(e, T, s->loss, s->hit);
        UR__TRY(tell(e));
    }
    return UR_OK;
}

/* Predictions of the window that begins at token `first` of the part; 0 behind its end. */
static int window_length(const struct evaluation *e, int64_t first)
{
    int64_t left = e->part.tokens - 1 - first;
    return left < 0 ? 0 : left < WINDOW ? (int)left : WINDOW;
}

/* Scores steps [t0,t0+T) of the windows in text. Rows behind a window's end read token
 * 0 and score nothing: no row sees its neighbours. */
static ur_status run_piece(struct evaluation *e, const int *length, int t0, int T)
{
    struct ur__lm_score *s = &e->score;
    for (int t = 0; t < T; t++) {
        for (int b = 0; b < s->B; b++) {
            const int32_t *at = e->text + (size_t)b * (WINDOW + 1) + t0 + t;
            bool inside = t0 + t < length[b];
            s->inputs[t * s->B + b] = inside ? at[0] : 0;
            s->targets[t * s->B + b] = inside ? at[1] : -1;
        }
    }
    UR__TRY(ur__lm_score_run(s, T));
    for (int t = 0; t < T; t++) {
        for (int b = 0; b < s->B; b++) {
            e->loss[(size_t)b * WINDOW + (size_t)(t0 + t)] = s->loss[t * s->B + b];
            e->hit[(size_t)b * WINDOW + (size_t)(t0 + t)] = s->hit[t * s->B + b];
        }
    }
    return UR_OK;
}

static ur_status run_windows(struct evaluation *e, int64_t first)
{
    struct ur__lm_score *s = &e->score;
    int length[SIDE_BY_SIDE];
    for (int b = 0; b < s->B; b++) {
        int64_t at = first + (int64_t)b * WINDOW;
        length[b] = window_length(e, at);
        if (length[b])
            UR__TRY(ur__corpus_read(e->corpus, e->part.begin + at, length[b] + 1,
                                    e->text + (size_t)b * (WINDOW + 1)));
    }
    ur_state_zero(s->state);
    for (int t0 = 0; t0 < length[0]; t0 += s->piece) {
        int left = length[0] - t0;
        UR__TRY(run_piece(e, length, t0, left < s->piece ? left : s->piece));
    }
    for (int b = 0; b < s->B; b++)
        add(e, length[b], e->loss + (size_t)b * WINDOW, e->hit + (size_t)b * WINDOW);
    return tell(e);
}

static ur_status run_window(struct evaluation *e)
{
    int64_t windows = (e->part.tokens - 1 + WINDOW - 1) / WINDOW;
    int B = windows < SIDE_BY_SIDE ? (int)windows : SIDE_BY_SIDE;
    UR__TRY(ur__lm_score_open(&e->score, e->model, B, e->options->team));
    e->text = ur__alloc((size_t)B * (WINDOW + 1), sizeof *e->text);
    e->loss = ur__alloc((size_t)B * WINDOW, sizeof *e->loss);
    e->hit = ur__alloc((size_t)B * WINDOW, 1);
    if (!e->text || !e->loss || !e->hit)
        return UR_ENOMEM;
    for (int64_t first = 0; first < e->part.tokens - 1; first += (int64_t)B * WINDOW)
        UR__TRY(run_windows(e, first));
    return UR_OK;
}

/* ---- the call ---------------------------------------------------------- */

static ur_status evaluate(struct evaluation *e, ur_metrics *out)
{
    UR__TRY(ur__text_find_part(&e->corpus, &e->part, 2, e->model, e->options));
    switch (e->options->protocol) {
    case UR_PROTOCOL_STREAM: UR__TRY(run_stream(e)); break;
    case UR_PROTOCOL_WINDOW: UR__TRY(run_window(e)); break;
    default: return ur__fail(UR_EINVAL, "there is no protocol %d", (int)e->options->protocol);
    }
    const struct ur__part predicted = {e->corpus, e->part.begin + 1, e->part.tokens - 1};
    return ur__text_metrics(out, e->model, &predicted, e->sum, e->hits);
}

ur_status ur__lm_evaluate(const ur_model *model, const ur_eval_options *options,
                          ur_metrics *out)
{
    struct evaluation e = {.model = model, .options = options};
    unsigned mode = ur__fpmode_default();
    ur_status status = evaluate(&e, out);
    ur__fpmode_restore(mode);
    ur__lm_score_close(&e.score);
    ur__corpus_free(e.corpus);
    ur__free(e.text);
    ur__free(e.loss);
    ur__free(e.hit);
    return status;
}
