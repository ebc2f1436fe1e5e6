/* SPDX-License-Identifier: MIT */
/*
 * Beam search (Graves 2012; Sutskever et al. 2014). Each step extends every live
 * hypothesis by every token and keeps the `width` likeliest; those of them that end here leave.
 * Each live hypothesis has a row of the runner, and rows change places as they are kept.
 *
 * A log probability only falls, so the search is over when no live hypothesis can still rank
 * before the last one to be returned.
 */
#include "decode/beam.h"

#include <string.h>

#include "base/arena.h"
#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "kernel/select.h"
#include "model/arch.h"
#include "unroll/decode.h"

#define MOST_TOKENS 1000000
#define MOST_POWER 5            /* a float has the longest length to that power */

/* All live hypotheses have the same length n. */
struct ur_beam {
    ur_runner *runner;
    ur_beam_options o;
    int V;
    int32_t unknown;            /* never a part of a hypothesis; −1: there is none */
    int n, alive, found;
    double *log_p;              /* [width] of the live ones, the likeliest first */
    int32_t *ids, *spare;       /* [width,most] its tokens */
    ur_hypothesis *end;         /* [best] what has ended, in order */
    int32_t *end_ids;           /* [best,most] where each has its tokens, in any order */
    struct ur__step *step;      /* [width] */
    int32_t *fed;               /* [width] */
    int *from;                  /* [width] */
    ur_real *share;             /* [V] */
    ur_real *length;            /* [most+1] n^length_power */
    void *block;
};

static const ur_beam_options defaults = {
    .size = sizeof(ur_beam_options), .width = 4, .best = 1, .most = 256,
};

void ur_beam_options_init_size(ur_beam_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

static void place(ur_beam *b, struct ur__carve *c)
{
    size_t width = (size_t)b->o.width, best = (size_t)b->o.best, most = (size_t)b->o.most;
    b->log_p = ur__carve(c, width, sizeof *b->log_p);
    b->ids = ur__carve(c, width, most * sizeof *b->ids);
    b->spare = ur__carve(c, width, most * sizeof *b->spare);
    b->end = ur__carve(c, best, sizeof *b->end);
    b->end_ids = ur__carve(c, best, most * sizeof *b->end_ids);
    b->step = ur__carve(c, width, sizeof *b->step);
    b->fed = ur__carve(c, width, sizeof *b->fed);
    b->from = ur__carve(c, width, sizeof *b->from);
    b->share = ur__carve(c, (size_t)b->V, sizeof *b->share);
    b->length = ur__carve(c, most + 1, sizeof *b->length);
}

static ur_status check(const ur_beam_options *o, const ur_model *model)
{
    int V = ur_vocab_size(ur__steps_vocab(model));
    if (!ur__steps_in_tokens(model))
        return ur__fail(UR_EINVAL, "architecture %s has no steps from token to token",
                        model->arch->name);
    if (o->width < 1 || o->width > UR_BEAM_MOST)
        return ur__fail(UR_EINVAL, "a beam is 1 to %d wide, not %d", UR_BEAM_MOST, o->width);
    if (o->best < 1 || o->best > o->width)
        return ur__fail(UR_EINVAL, "a beam of width %d gives 1 to %d hypotheses, not %d", o->width,
                        o->width, o->best);
    if (o->most < 1 || o->most > MOST_TOKENS)
        return ur__fail(UR_EINVAL, "a hypothesis has 1 to %d tokens at most, not %d", MOST_TOKENS,
                        o->most);
    if (o->begin < 0 || o->begin >= V || o->end < 0 || o->end >= V)
        return ur__fail(UR_EINVAL, "a beam begins with token %ld and ends with %ld, of %d",
                        (long)o->begin, (long)o->end, V);
    if (!(o->length_power >= 0 && o->length_power <= MOST_POWER))
        return ur__fail(UR_EINVAL, "the power of a length is 0 to %d, not %g", MOST_POWER,
                        o->length_power);
    return UR_OK;
}

/* exp(power · log n) without libm. */
static void find_lengths(ur_beam *b)
{
    const struct ur__kernel *k = ur__kernel();
    size_t n = (size_t)b->o.most + 1;
    for (size_t i = 0; i < n; i++)
        b->length[i] = (ur_real)(i ? i : 1);
    k->log(n, b->length, b->length);
    for (size_t i = 0; i < n; i++)
        b->length[i] *= (ur_real)b->o.length_power;
    k->exp(n, b->length, b->length);
}

static ur_status open(ur_beam *b, const ur_model *model, ur_team *team)
{
    struct ur__carve count = {0};
    b->V = ur_vocab_size(ur__steps_vocab(model));
    b->unknown = ur_vocab_unknown(ur__steps_vocab(model));
    place(b, &count);
    struct ur__carve c = {.base = b->block = ur__alloc(count.used, 1)};
    if (!b->block)
        return UR_ENOMEM;
    place(b, &c);
    unsigned mode = ur__fpmode_default();
    find_lengths(b);
    ur__fpmode_restore(mode);
    return ur_runner_new(&b->runner, model, b->o.width, team);
}

ur_status ur_beam_new(ur_beam **out, const ur_model *model, const ur_beam_options *options,
                      ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    UR__NEED(options, "options");
    ur_beam_options o;
    UR__TRY(ur__sized_read(&o, options, &defaults, sizeof defaults, "ur_beam_options_init"));
    UR__TRY(check(&o, model));
    ur_beam *b = ur__calloc(1, sizeof *b);
    if (!b)
        return UR_ENOMEM;
    b->o = o;
    ur_status status = open(b, model, team);
    if (status != UR_OK) {
        ur_beam_free(b);
        return status;
    }
    *out = b;
    return UR_OK;
}

void ur_beam_free(ur_beam *b)
{
    if (!b)
        return;
    ur_runner_free(b->runner);
    ur__free(b->block);
    ur__free(b);
}

/* ---- searching --------------------------------------------------------- */

void ur__keep_step(struct ur__step *step, int most, int *n, struct ur__step s)
{
    int at = *n;
    if (at == most && s.log_p <= step[at - 1].log_p)
        return;
    if (at < most)
        ++*n;
    else
        at--;
    for (; at > 0 && step[at - 1].log_p < s.log_p; at--)
        step[at] = step[at - 1];
    step[at] = s;
}

static int choose(ur_beam *b)
{
    int n = 0;
    for (int row = 0; row < b->alive; row++) {
        ur__kernel()->log_softmax(b->V, ur_runner_output(b->runner, row), b->share);
        for (int32_t id = 0; id < b->V; id++)
            if (id != b->unknown)
                ur__keep_step(b->step, b->o.width, &n,
                              ur__step_of(row, id, b->log_p[row], b->share[id]));
    }
    return n;
}

static int32_t *tokens(const ur_beam *b, int32_t *ids, int row)
{
    return ids + (size_t)row * (size_t)b->o.most;
}

static void add_end(ur_beam *b, const struct ur__step *s)
{
    int n = b->n + 1, at = b->found;
    double score = s->log_p / (double)b->length[n];
    if (at == b->o.best && score <= b->end[at - 1].score)
        return;
    int32_t *ids = tokens(b, b->end_ids, at);
    if (at < b->o.best)
        b->found++;
    else
        ids = b->end_ids + (b->end[--at].ids - b->end_ids);     /* the last one's place */
    for (; at > 0 && b->end[at - 1].score < score; at--)
        b->end[at] = b->end[at - 1];
    memcpy(ids, tokens(b, b->ids, s->row), (size_t)b->n * sizeof *ids);
    ids[b->n] = s->id;
    b->end[at] = (ur_hypothesis){.ids = ids, .n = n, .log_p = s->log_p, .score = score};
}

static ur_status extend(ur_beam *b)
{
    int n = choose(b), alive = 0;
    for (int i = 0; i < n; i++) {
        const struct ur__step *s = &b->step[i];
        if (s->id == b->o.end || b->n + 1 == b->o.most) {
            add_end(b, s);
            continue;
        }
        int32_t *ids = tokens(b, b->spare, alive);
        memcpy(ids, tokens(b, b->ids, s->row), (size_t)b->n * sizeof *ids);
        ids[b->n] = b->fed[alive] = s->id;
        b->from[alive] = s->row;
        b->log_p[alive++] = s->log_p;
    }
    int32_t *ids = b->ids;
    b->ids = b->spare;
    b->spare = ids;
    b->n++;
    b->alive = alive;
    if (!alive)
        return UR_OK;
    UR__TRY(ur_runner_select(b->runner, alive, b->from));
    return ur_runner_step(b->runner, b->fed);
}

/* No live one can still rank before the last one to be returned, however long it gets. */
static bool is_settled(const ur_beam *b)
{
    return b->found == b->o.best &&
           b->log_p[0] / (double)b->length[b->o.most] <= b->end[b->found - 1].score;
}

static ur_status search(ur_beam *b, const ur_batch *given)
{
    const int fresh = -1;
    UR__TRY(ur_runner_select(b->runner, 1, &fresh));
    UR__TRY(ur_runner_begin(b->runner, 0, given));
    UR__TRY(ur_runner_step(b->runner, &b->o.begin));
    b->n = b->found = 0;
    b->alive = 1;
    b->log_p[0] = 0;
    while (b->alive && !is_settled(b))
        UR__TRY(extend(b));
    return UR_OK;
}

ur_status ur_beam_search(ur_beam *b, const ur_batch *given, const ur_hypothesis **found, int *n)
{
    UR__NEED(found, "found");
    *found = NULL;
    UR__NEED(n, "n");
    *n = 0;
    UR__NEED(b, "beam");
    unsigned mode = ur__fpmode_default();
    ur_status status = search(b, given);
    ur__fpmode_restore(mode);
    if (status != UR_OK)
        return status;
    *found = b->end;
    *n = b->found;
    return UR_OK;
}
