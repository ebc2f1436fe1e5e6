/* SPDX-License-Identifier: MIT */
/* A cell written on the tape, unrolled through time. */
#include "layer/cell_unroll.h"

#include <string.h>

#include "base/status.h"
#include "tape/tape.h"

enum { MAX_STATES = 16 };

/* One step of the cell itself; false with a poisoned tape. */
static bool call(const struct ur__unroll *u, const ur_step *at, int t, ur_tensor **next)
{
    const uint64_t round = ur__tape_round(u->tape);
    for (int i = 0; i < u->n; i++)
        next[i] = NULL;
    u->y[t] = u->cell(at, u->params, ur_at(u->x, t), u->state, next);
    if (ur__tape_round(u->tape) != round) {     /* x and y are gone */
        ur__tape_fail(u->tape, UR_EINVAL, "unroll: the cell reset the tape at step %d", t);
        return false;
    }
    if (!u->y[t] && !ur__tape_poisoned(u->tape))
        ur__tape_fail(u->tape, UR_EINVAL, "unroll: the cell gave no output at step %d", t);
    for (int i = 0; i < u->n; i++)
        if (!next[i] && !ur__tape_poisoned(u->tape))
            ur__tape_fail(u->tape, UR_EINVAL, "unroll: the cell gave no state %d at step %d", i, t);
    return !ur__tape_poisoned(u->tape);
}

/* ---- padding ----------------------------------------------------------- */

/* Rows of a state that have ended keep what the previous step left. */
struct hold {
    ur_tensor *new;
    ur_tensor *old;
    const ur_real *alive;       /* [rows] */
    int rows;
};

/* The gradient of a row that has ended belongs to the old state. */
static ur_status hold_back(ur_tape *tape, void *saved)
{
    const struct hold *h = saved;
    const size_t n = h->new->size / (size_t)h->rows;
    if (!h->new->grad)
        return UR_OK;
    ur_real *old = ur__grad(h->old);
    for (int r = 0; r < h->rows && !ur__tape_measures(tape); r++) {
        ur_real *row = h->new->grad + (size_t)r * n;
        if (h->alive[r] != 0)
            continue;
        for (size_t i = 0; i < n; i++) {
            if (old)
                old[(size_t)r * n + i] += row[i];
            row[i] = 0;
        }
    }
    return UR_OK;
}

/* Whether x was made after `last` and no other tensor shares its numbers. */
static bool is_own(const ur_tensor *x, const ur_tensor *last)
{
    const ur_tensor *made = last->later;
    while (made && made != x)
        made = made->later;
    return made && x->base == x && !x->next && !x->sink;
}

/* The new state with rows of the old one where they have ended: in place where that can be, so that
 * the gradients of all other rows are the same sums as without padding. */
static ur_tensor *hold(const ur_step *at, ur_tensor *new, ur_tensor *old, bool own)
{
    if (new == old)
        return new;
    if (!own || new->size != old->size || (old->needs_grad && !new->needs_grad))
        return ur_where(at->alive, new, old);
    struct hold *h = ur__tape_record_alloc(at->tape, 1, sizeof *h);
    if (!h)
        return NULL;
    *h = (struct hold){new, old, at->alive->data, at->alive->dim[0]};
    const size_t n = new->size / (size_t)h->rows;
    for (int r = 0; r < h->rows && !ur__tape_measures(at->tape); r++)
        if (h->alive[r] == 0)
            memcpy(new->data + (size_t)r * n, old->data + (size_t)r * n, n * sizeof *new->data);
    return new->needs_grad && ur__tape_record(at->tape, hold_back, h) != UR_OK ? NULL : new;
}

static bool is_alone(ur_tensor *const *next, int n, int i)
{
    for (int j = 0; j < n; j++)
        if (j != i && next[j] == next[i])
            return false;
    return true;
}

static bool all_go_on(const ur_tensor *alive)
{
    bool all = !ur__tape_measures(alive->tape);     /* which counts the worst case */
    for (size_t i = 0; all && i < alive->size; i++)
        all = alive->data[i] != 0;
    return all;
}

bool ur__unroll(const struct ur__unroll *u)
{
    ur_tensor *next[MAX_STATES];
    const int T = ur_dim(u->x, 0);
    ur_step at = {.tape = u->tape, .training = ur__tape_training(u->tape)};
    for (int k = 0; k < T; k++) {
        int t = u->reverse ? T - 1 - k : k;
        at.t = u->t + t;
        at.alive = u->mask ? ur_at(u->mask, t) : NULL;
        if (ur__tape_poisoned(u->tape))
            return false;
        if (at.alive && all_go_on(at.alive))
            at.alive = NULL;
        const ur_tensor *last = at.alive;
        if (!call(u, &at, t, next))
            return false;
        for (int i = 0; at.alive && i < u->n; i++) {
            bool own = is_own(next[i], last) && is_alone(next, u->n, i);
            next[i] = hold(&at, next[i], u->state[i], own);
        }
        for (int i = 0; i < u->n; i++)
            u->state[i] = next[i];
        if (u->h)
            u->h[t] = u->state[0];
    }
    return !ur__tape_poisoned(u->tape);
}

ur_tensor *ur_unroll(ur_tape *tape, ur_step_function cell, void *params, ur_tensor *x, int n,
                     ur_tensor **state)
{
    if (!x)
        return NULL;
    if (!tape || x->tape != tape)
        return ur__tape_fail(x->tape, UR_EINVAL, "unroll: x is of another tape");
    if (n < 0 || n > MAX_STATES)
        return ur__tape_fail(tape, UR_EINVAL, "unroll: %d states, not 0 to %d", n, MAX_STATES);
    if (!cell || (n > 0 && !state))
        return ur__tape_fail(tape, UR_EINVAL, "unroll: the %s NULL", cell ? "states are"
                                                                          : "cell is");
    struct ur__unroll u = {
        .tape = tape, .cell = cell, .params = params, .x = x, .n = n, .state = state,
        .y = ur__tape_record_alloc(tape, (size_t)ur_dim(x, 0), sizeof *u.y),
    };
    return u.y && ur__unroll(&u) ? ur_stack(tape, ur_dim(x, 0), u.y) : NULL;
}
