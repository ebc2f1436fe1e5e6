/* SPDX-License-Identifier: MIT */
/*
 * Beam search (Graves 2012; Sutskever et al. 2014). Each step extends every live
 * hypothesis by every token and keeps the `width` likeliest; those of them that end here leave.
 * Each live hypothesis has a row of the runner, and rows change places as they are kept.
 *
 * A log probability only falls, so the search of a sequence is over when no live hypothesis can
 * still rank before the last one to be returned; or, where it was asked for, when enough have
 * ended.
 *
 * Several sequences are searched side by side. None sees the others: rows have the bits that they
 * would have alone.
 */
#include "decode/beam.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/fpmode.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sized.h"
#include "base/status.h"
#include "decode/runner.h"
#include "decode/sample.h"
#include "kernel/select.h"
#include "model/arch.h"
#include "model/batch.h"
#include "unroll/decode.h"

#define MOST_TOKENS 1000000
#define MOST_ROWS (1 << 20)
#define MOST_POWER 5            /* a float has the longest length to that power */

/* One of the sequences that are searched side by side. Its live hypotheses, the likeliest first,
 * are neighbours among the rows. */
struct search {
    int alive;                  /* 0: it is over */
    int most;                   /* tokens of a hypothesis */
    int ended;                  /* hypotheses that have, kept or not */
    int found;
    ur_hypothesis *end;         /* [best] what is kept of them, in order */
    int32_t *end_ids;           /* [best,most] where each has its tokens, in any order */
};

/* All live hypotheses have the same length n. */
struct ur_beam {
    ur_runner *runner;
    ur_beam_options o;
    int V, rows;                /* sequences·width */
    int32_t barred;             /* never a part of a hypothesis; −1: there is none */
    int n;
    struct search *search;      /* [sequences] */
    double *log_p, *next;       /* [rows] */
    int32_t *ids, *spare;       /* [rows,most] tokens */
    ur_hypothesis *end;         /* [sequences,best] */
    int32_t *end_ids;           /* [sequences,best,most] */
    struct ur__step *step;      /* [width] */
    int32_t *fed;               /* [rows] */
    int *from;                  /* [rows] */
    ur_real *share;             /* [V] */
    ur_sample_options draw;     /* if o.draw is there */
    struct ur__sample_work work;
    ur_real *length;            /* [most+1] n^length_power */
    void *block;
};

static const ur_beam_options defaults = {
    .size = sizeof(ur_beam_options), .width = 4, .best = 1, .most = 256, .sequences = 1,
};

void ur_beam_options_init_size(ur_beam_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

static void place(ur_beam *b, struct ur__carve *c)
{
    size_t width = (size_t)b->o.width, most = (size_t)b->o.most, rows = (size_t)b->rows;
    size_t best = (size_t)b->o.best * (size_t)b->o.sequences;
    b->search = ur__carve(c, (size_t)b->o.sequences, sizeof *b->search);
    b->log_p = ur__carve(c, rows, sizeof *b->log_p);
    b->next = ur__carve(c, rows, sizeof *b->next);
    b->ids = ur__carve(c, rows, most * sizeof *b->ids);
    b->spare = ur__carve(c, rows, most * sizeof *b->spare);
    b->end = ur__carve(c, best, sizeof *b->end);
    b->end_ids = ur__carve(c, best, most * sizeof *b->end_ids);
    b->step = ur__carve(c, width, sizeof *b->step);
    b->fed = ur__carve(c, rows, sizeof *b->fed);
    b->from = ur__carve(c, rows, sizeof *b->from);
    b->share = ur__carve(c, (size_t)b->V, sizeof *b->share);
    b->length = ur__carve(c, most + 1, sizeof *b->length);
    b->work.weight = ur__carve(c, b->o.draw ? (size_t)b->V : 0, sizeof *b->work.weight);
    b->work.order = ur__carve(c, b->o.draw ? (size_t)b->V : 0, sizeof *b->work.order);
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
    if (o->sequences < 1 || o->sequences > MOST_ROWS / o->width)
        return ur__fail(UR_EINVAL, "a beam of width %d searches 1 to %d sequences at once, not %d",
                        o->width, MOST_ROWS / o->width, o->sequences);
    if (o->ended < 0)
        return ur__fail(UR_EINVAL, "a search cannot be over after %d hypotheses", o->ended);
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

ur_status ur__beam_measure(const ur_model *model, const ur_beam_options *o, const ur_batch *given,
                           ur_team *team, size_t *bytes)
{
    ur_beam b = {.o = *o, .V = ur_vocab_size(ur__steps_vocab(model)),
                 .rows = o->width * o->sequences};
    const size_t rows = (size_t)b.rows, O = (size_t)ur__net_output(model);
    struct ur__carve count = {0};
    place(&b, &count);
    UR__TRY(model->arch->runner->measure(model, b.rows, given, team, bytes));
    *bytes += sizeof b + count.used + rows * (2 * O * sizeof(ur_real) + sizeof(int));
    return UR_OK;
}

ur_status ur__beam_reserve(ur_beam *b, const ur_batch *given)
{
    return ur__runner_reserve(b->runner, given);
}

static ur_status open(ur_beam *b, const ur_model *model, ur_team *team)
{
    struct ur__carve count = {0};
    b->V = ur_vocab_size(ur__steps_vocab(model));
    b->rows = b->o.width * b->o.sequences;
    b->barred = b->o.unknown ? -1 : ur_vocab_unknown(ur__steps_vocab(model));
    place(b, &count);
    struct ur__carve c = {.base = b->block = ur__alloc(count.used, 1)};
    if (!b->block)
        return UR_ENOMEM;
    place(b, &c);
    unsigned mode = ur__fpmode_default();
    find_lengths(b);
    ur__fpmode_restore(mode);
    return ur_runner_new(&b->runner, model, b->rows, team);
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
    ur_status status = o.draw ? ur__sample_options_read(&b->draw, o.draw) : UR_OK;
    if (status == UR_OK)
        status = open(b, model, team);
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

/* What a token's log probability must reach for a row's hypothesis to be kept by it, a little less:
 * most tokens need not be looked at closer. */
static ur_real least(const ur_beam *b, int row, int n)
{
    if (n < b->o.width)
        return -(ur_real)INFINITY;
    double due = b->step[n - 1].log_p - b->log_p[row];
    return (ur_real)(due - 1e-6 * (1 + fabs(due)));
}

/* The likeliest hypotheses of a sequence after one more token. */
static int choose(ur_beam *b, int first, int alive)
{
    int n = 0;
    for (int row = first; row < first + alive; row++) {
        ur__kernel()->log_softmax(b->V, ur_runner_output(b->runner, row), b->share);
        ur_real due = least(b, row, n);
        for (int32_t id = 0; id < b->V; id++) {
            if (b->share[id] < due || id == b->barred)
                continue;
            ur__keep_step(b->step, b->o.width, &n,
                          ur__step_of(row, id, b->log_p[row], b->share[id]));
            due = least(b, row, n);
        }
    }
    return n;
}

static int32_t *tokens(const ur_beam *b, int32_t *ids, int row)
{
    return ids + (size_t)row * (size_t)b->o.most;
}

static void add_end(const ur_beam *b, struct search *q, const struct ur__step *s)
{
    int n = b->n + 1, at = q->found;
    double score = s->log_p / (double)b->length[n];
    q->ended++;
    if (at == b->o.best && score <= q->end[at - 1].score)
        return;
    int32_t *ids = tokens(b, q->end_ids, at);
    if (at < b->o.best)
        q->found++;
    else
        ids = q->end_ids + (q->end[--at].ids - q->end_ids);     /* the last one's place */
    for (; at > 0 && q->end[at - 1].score < score; at--)
        q->end[at] = q->end[at - 1];
    memcpy(ids, tokens(b, b->ids, s->row), (size_t)b->n * sizeof *ids);
    ids[b->n] = s->id;
    q->end[at] = (ur_hypothesis){.ids = ids, .n = n, .log_p = s->log_p, .score = score};
}

/* One more token for each row of a sequence, drawn; at first for as many as are wanted. */
static ur_status draw(ur_beam *b, int first, int alive, int *n)
{
    const int32_t low = b->barred + 1;
    for (*n = 0; *n < (b->n ? alive : b->o.width); ++*n) {
        const int row = first + (b->n ? *n : 0);
        const ur_real *logits = ur_runner_output(b->runner, row);
        const double uniform = ur_random_uniform(b->draw.seed, UR__STREAM_SAMPLE, (uint64_t)b->n,
                                                 (uint32_t)*n);
        int32_t id;
        UR__TRY(ur__sample(b->V - low, logits + low, &b->draw, uniform, b->work, &id));
        id += low;
        ur__kernel()->log_softmax(b->V, logits, b->share);
        b->step[*n] = ur__step_of(row, id, b->log_p[row], b->share[id]);
    }
    return UR_OK;
}

/* Goes on with a sequence whose rows begin at `first`: what it keeps comes to be rows from `to`
 * on. */
static ur_status extend(ur_beam *b, struct search *q, int first, int to)
{
    int n;
    if (b->o.draw)
        UR__TRY(draw(b, first, q->alive, &n));
    else
        n = choose(b, first, q->alive);
    q->alive = 0;
    for (int i = 0; i < n; i++) {
        const struct ur__step *s = &b->step[i];
        if (s->id == b->o.end || b->n + 1 == q->most) {
            add_end(b, q, s);
            continue;
        }
        const int row = to + q->alive++;
        int32_t *ids = tokens(b, b->spare, row);
        memcpy(ids, tokens(b, b->ids, s->row), (size_t)b->n * sizeof *ids);
        ids[b->n] = b->fed[row] = s->id;
        b->from[row] = s->row;
        b->next[row] = s->log_p;
    }
    if (b->o.draw)
        return UR_OK;
    if (b->o.ended && q->ended >= b->o.ended)
        q->alive = 0;
    /* No live one can still rank before the last one to be returned, however long it gets. */
    if (q->alive && q->found == b->o.best &&
        b->next[to] / (double)b->length[q->most] <= q->end[q->found - 1].score)
        q->alive = 0;
    return UR_OK;
}

/* One step of all sequences that are not over; *rows: how many hypotheses go on. */
static ur_status go_on(ur_beam *b, int sequences, int *rows)
{
    int first = 0, to = 0;
    for (int i = 0; i < sequences; i++) {
        struct search *q = &b->search[i];
        const int alive = q->alive;
        if (alive)
            UR__TRY(extend(b, q, first, to));
        first += alive;
        to += q->alive;
    }
    int32_t *ids = b->ids;
    double *log_p = b->log_p;
    b->ids = b->spare;
    b->spare = ids;
    b->log_p = b->next;
    b->next = log_p;
    b->n++;
    *rows = to;
    if (!to)
        return UR_OK;
    UR__TRY(ur_runner_select(b->runner, to, b->from));
    return ur_runner_step(b->runner, b->fed);
}

static ur_status begin(ur_beam *b, const ur_batch *given, int sequences, const int *most)
{
    for (int i = 0; i < sequences; i++) {
        const size_t at = (size_t)i * (size_t)b->o.best;
        const int limit = most ? most[i] : b->o.most;
        if (limit < 1 || limit > b->o.most)
            return ur__fail(UR_EINVAL, "a hypothesis has 1 to %d tokens at most, not %d", b->o.most,
                            limit);
        b->search[i] = (struct search){.alive = 1, .most = limit, .end = b->end + at,
                                       .end_ids = b->end_ids + at * (size_t)b->o.most};
        b->from[i] = -1;
        b->fed[i] = b->o.begin;
        b->log_p[i] = 0;
    }
    b->n = 0;
    UR__TRY(ur_runner_select(b->runner, sequences, b->from));
    UR__TRY(ur_runner_begin(b->runner, 0, given));
    return ur_runner_step(b->runner, b->fed);
}

static ur_status search(ur_beam *b, const ur_batch *given, int sequences, const int *most)
{
    int rows = sequences;
    UR__TRY(begin(b, given, sequences, most));
    while (rows)
        UR__TRY(go_on(b, sequences, &rows));
    return UR_OK;
}

ur_status ur_beam_search_all(ur_beam *b, const ur_batch *given, const int *most,
                             const ur_hypothesis **found, int *n)
{
    UR__NEED(b, "beam");
    UR__NEED(given, "given");
    UR__NEED(found, "found");
    UR__NEED(n, "n");
    UR__TRY(ur__batch_check(given));
    const int B = given->n && given->field[0].rank > 1 ? given->field[0].dim[1] : 1;
    if (B > b->o.sequences)
        return ur__fail(UR_EINVAL, "%d sequences are more than the beam's %d", B, b->o.sequences);
    unsigned mode = ur__fpmode_default();
    ur_status status = search(b, given, B, most);
    ur__fpmode_restore(mode);
    for (int i = 0; i < B; i++) {
        found[i] = status == UR_OK ? b->search[i].end : NULL;
        n[i] = status == UR_OK ? b->search[i].found : 0;
    }
    return status;
}

ur_status ur_beam_search(ur_beam *b, const ur_batch *given, const ur_hypothesis **found, int *n)
{
    UR__NEED(found, "found");
    *found = NULL;
    UR__NEED(n, "n");
    *n = 0;
    UR__NEED(b, "beam");
    unsigned mode = ur__fpmode_default();
    ur_status status = search(b, given, 1, NULL);
    ur__fpmode_restore(mode);
    if (status != UR_OK)
        return status;
    *found = b->search->end;
    *n = b->search->found;
    return UR_OK;
}
