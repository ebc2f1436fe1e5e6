/* SPDX-License-Identifier: MIT */
/* The best labels under a linear-chain CRF (Viterbi 1967), in double: sums of floats that no
 * order of evaluation changes by much, and ties that are ties. */
#include <math.h>

#include "base/arena.h"
#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "unroll/tensor.h"

#define NEVER (-(double)INFINITY)

struct search {
    const ur_chain *c;
    double *now, *next;     /* [K] the best path to each label, at a step and at the one after */
    int32_t *back;          /* [T,K] the label before it on that path */
};

/* Whether label j may follow i; i == K: the start, j == K: the end. */
static bool allowed(const ur_chain *c, int i, int j)
{
    return !c->forbidden || !c->forbidden[(ptrdiff_t)i * (c->K + 1) + j];
}

static const ur_real *scores_at(const ur_chain *c, int t, int b)
{
    return c->scores + ((ptrdiff_t)t * c->B + b) * c->K;
}

/* The first of the best labels to come from to j; NaN counts as the best. */
static int best_before(const struct search *s, int j, double *score)
{
    const ur_chain *c = s->c;
    int best = 0;
    *score = NEVER;
    for (int i = 0; i < c->K; i++) {
        double to = j == c->K ? (double)c->end[i] : (double)c->transitions[(ptrdiff_t)i * c->K + j];
        double v = allowed(c, i, j) ? s->now[i] + to : NEVER;
        if (v > *score || (isnan(v) && !isnan(*score))) {
            *score = v;
            best = i;
        }
    }
    return best;
}

/* The best path of sequence b, n >= 1 steps, and its score. */
static double decode(struct search *s, int b, int n, int32_t *labels)
{
    const ur_chain *c = s->c;
    for (int j = 0; j < c->K; j++)
        s->now[j] = allowed(c, c->K, j) ? (double)c->start[j] + (double)scores_at(c, 0, b)[j]
                                        : NEVER;
    for (int t = 1; t < n; t++) {
        for (int j = 0; j < c->K; j++) {
            s->back[(ptrdiff_t)t * c->K + j] = best_before(s, j, &s->next[j]);
            s->next[j] += (double)scores_at(c, t, b)[j];
        }
        double *swap = s->now;
        s->now = s->next;
        s->next = swap;
    }
    double score;
    int label = best_before(s, c->K, &score);
    for (int t = n - 1; t >= 0; t--) {
        labels[(ptrdiff_t)t * c->B + b] = label;
        if (t > 0)
            label = s->back[(ptrdiff_t)t * c->K + label];
    }
    return score;
}

static ur_status check(const ur_chain *c)
{
    const struct { const void *at; const char *name; } needed[] = {
        {c->scores, "scores"}, {c->transitions, "transitions"},
        {c->start, "start"}, {c->end, "end"},
    };
    for (int i = 0; i < 4; i++)
        if (!needed[i].at)
            return ur__fail(UR_EINVAL, "viterbi: %s is NULL", needed[i].name);
    if (c->T < 1 || c->B < 1 || c->K < 1)
        return ur__fail(UR_ESHAPE, "viterbi: scores [%d,%d,%d] are empty", c->T, c->B, c->K);
    for (int b = 0; c->lengths && b < c->B; b++)
        if (c->lengths[b] < 0 || c->lengths[b] > c->T)
            return ur__fail(UR_ESHAPE, "viterbi: sequence %d has length %d, not 0 to %d", b,
                            c->lengths[b], c->T);
    return UR_OK;
}

static ur_status decode_all(struct search *s, int32_t *labels, double *best)
{
    const ur_chain *c = s->c;
    for (int b = 0; b < c->B; b++) {
        int n = c->lengths ? c->lengths[b] : c->T;
        double score = n ? decode(s, b, n, labels) : 0;
        for (int t = n; t < c->T; t++)
            labels[(ptrdiff_t)t * c->B + b] = -1;
        if (score == NEVER)
            return ur__fail(UR_EINVAL, "viterbi: sequence %d has no path of %d steps that is "
                            "allowed", b, n);
        if (best)
            best[b] = score;
    }
    return UR_OK;
}

static const ur_chain none = {.size = sizeof none};

void ur_chain_init_size(ur_chain *chain, size_t size)
{
    ur__sized_init(chain, size, &none, sizeof none);
}

ur_status ur_viterbi(const ur_chain *chain, int32_t *labels, double *best)
{
    UR__NEED(chain, "chain");
    UR__NEED(labels, "labels");
    ur_chain own;
    UR__TRY(ur__sized_read(&own, chain, &none, sizeof none, "ur_chain_init"));
    UR__TRY(check(&own));
    struct search s = {.c = &own};
    struct ur__carve room = {NULL, 0};
    for (int pass = 0; pass < 2; pass++) {
        s.now = ur__carve(&room, (size_t)own.K, sizeof *s.now);
        s.next = ur__carve(&room, (size_t)own.K, sizeof *s.next);
        s.back = ur__carve(&room, (size_t)own.T, (size_t)own.K * sizeof *s.back);
        if (pass > 0)
            break;
        room = (struct ur__carve){ur__alloc(room.used, 1), 0};
        if (!room.base)
            return UR_ENOMEM;
    }
    unsigned mode = ur__fpmode_default();
    ur_status status = decode_all(&s, labels, best);
    ur__fpmode_restore(mode);
    ur__free(room.base);
    return status;
}
