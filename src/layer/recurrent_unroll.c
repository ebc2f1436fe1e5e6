/* SPDX-License-Identifier: MIT */
/* A recurrent net whose cells are written on the tape, layer by layer, step by step: the same calls
 * as for fused layers. */
#include <string.h>

#include "base/status.h"
#include "layer/cell_unroll.h"
#include "layer/state.h"
#include "tape/tape.h"

/* One call, kept in the arena. */
struct pass {
    const ur_rnn *rnn;
    int T, B;
    const int *lengths;             /* [B] or NULL */
    ur_tensor *mask;                /* [T,B,1] or NULL */
    ur_tensor **h;                  /* [slots·T] */
    struct ur__slot_state *slot;    /* [slots]: the tensors in and out */
    ur_observer see;                /* of gradients; the state may be gone when it is called */
    void *user;
};

/* ---- inputs ------------------------------------------------------------ */

ur_tensor *ur__rnn_one_hot(ur_tape *tape, const ur_rnn *rnn, ur_ids ids)
{
    const int I = ur_rnn_input(rnn), dim[3] = {ids.T, ids.B, I};
    const size_t n = (size_t)ids.T * (size_t)ids.B;
    const bool measures = ur__tape_measures(tape);
    ur_status status = measures ? UR_OK : ur__rnn_check_ids(rnn, n, ids.id);
    if (status != UR_OK)
        return ur__tape_failed(tape, status);
    ur_tensor *x = ur_copy_in(tape, 3, dim, NULL);
    for (size_t i = 0; x && !measures && i < n; i++)
        x->data[i * (size_t)I + (size_t)ids.id[i]] = 1;
    return x;
}

/* 1 where a sequence goes on, 0 in padding. */
static ur_tensor *mask_of(ur_tape *tape, const struct pass *p)
{
    const int dim[3] = {p->T, p->B, 1};
    ur_tensor *mask = p->lengths ? ur_copy_in(tape, 3, dim, NULL) : NULL;
    for (int t = 0; mask && !ur__tape_measures(tape) && t < p->T; t++)
        for (int b = 0; b < p->B; b++)
            mask->data[t * p->B + b] = t < p->lengths[b];
    return mask;
}

/* x with zeros in padding, where it may be anything. */
static ur_tensor *sound(ur_tape *tape, const struct pass *p, ur_tensor *x)
{
    const int one = 1;
    return p->mask ? ur_where(p->mask, x, ur_copy_in(tape, 1, &one, NULL)) : x;
}

/* ---- gradients seen ---------------------------------------------------- */

/* The gradient of one h_t; zeros where none arrived or the sequence is over. */
static const ur_real *gradient(const struct pass *p, int slot, int t, ur_real *room)
{
    const ur_tensor *h = p->h[slot * p->T + t];
    const size_t P = (size_t)p->rnn->layer[slot].P;
    for (int b = 0; b < p->B; b++) {
        ur_real *to = room + (size_t)b * P;
        if (h->grad && !(p->lengths && t >= p->lengths[b]))
            memcpy(to, h->grad + (size_t)b * P, P * sizeof *to);
        else
            memset(to, 0, P * sizeof *to);
    }
    return room;
}

/* The first node of the pass, and so the last to run back: all gradients are whole. */
static ur_status show_gradients(ur_tape *tape, void *saved)
{
    const struct pass *p = saved;
    for (int i = 0; i < p->rnn->slots; i++) {
        const int P = p->rnn->layer[i].P;
        ur_real *room = ur__tape_alloc(tape, (size_t)p->B * (size_t)P, sizeof *room);
        if (!room)
            return ur_tape_status(tape);
        for (int t = 0; !ur__tape_measures(tape) && t < p->T; t++)
            p->see(p->user, i, t, p->B, P, gradient(p, i, t, room));
    }
    return UR_OK;
}

/* ---- states ------------------------------------------------------------ */

/* What a slot's buffers start from: tensors given, learned states, the state's numbers, zeros. */
static void enter(ur_tape *tape, const struct pass *p, int slot, const ur_state *s, bool starts)
{
    const struct ur__buffers *b = &p->rnn->buffers[slot];
    p->slot[slot] = (struct ur__slot_state){0};
    for (int j = 0; j < b->n; j++) {
        const struct ur__held *from = s ? &s->slot[slot].at[j] : NULL;
        const int dim[2] = {p->B, b->at[j].size};
        ur_tensor *x = from ? ur__held_tensor(from) : NULL;
        if (!x && starts && b->at[j].start)
            x = ur__state_learned(tape, p->rnn, b->at[j].start, p->B);
        else if (!x)
            x = ur_copy_in(tape, 2, dim, from ? from->data : NULL);
        p->slot[slot].at[j].out = x;
    }
}

static const ur_real *h_of(const ur_state *s, const void *pass, int slot, int t)
{
    const struct pass *p = pass;
    const ur_real *h = p->h[slot * p->T + t]->data;
    const size_t P = (size_t)p->rnn->layer[slot].P;
    if (!p->lengths)
        return h;
    for (int b = 0; b < p->B; b++) {
        ur_real *to = s->seen + (size_t)b * P;
        if (t < p->lengths[b])
            memcpy(to, h + (size_t)b * P, P * sizeof *to);
        else
            memset(to, 0, P * sizeof *to);
    }
    return s->seen;
}

/* ---- layers ------------------------------------------------------------ */

/* Direction d of layer l over x -> [T,B,O]. */
static ur_tensor *run_slot(ur_tape *tape, const struct pass *p, int slot, ur_tensor *x,
                           const ur_state *s)
{
    ur_tensor *state[UR__BUFFERS];
    const int n = p->rnn->buffers[slot].n;
    for (int j = 0; j < n; j++)
        state[j] = p->slot[slot].at[j].out;
    struct ur__unroll u = {
        .tape = tape, .cell = p->rnn->tape_cell->step, .params = p->rnn->cells[slot], .x = x,
        .mask = p->mask, .reverse = p->rnn->layer[slot].reverse, .t = s ? s->steps : 0,
        .n = n, .state = state, .h = p->h + (ptrdiff_t)slot * p->T,
        .y = ur__tape_record_alloc(tape, (size_t)p->T, sizeof *u.y),
    };
    if (!u.y || !ur__unroll(&u))
        return NULL;
    for (int j = 0; j < n; j++)
        p->slot[slot].at[j].out = state[j];
    return sound(tape, p, ur_stack(tape, p->T, u.y));
}

/* Between layers; variational: one mask for all steps. */
static ur_tensor *drop(ur_tape *tape, const struct pass *p, ur_tensor *x)
{
    const struct ur__stack *stack = &p->rnn->stack;
    if (!stack->variational || stack->dropout == 0 || !ur__tape_training(tape))
        return ur_dropout(x, stack->dropout);
    const int dim[2] = {p->B, ur_dim(x, -1)};
    return ur_mul(x, ur_dropout(ur_affine(ur_copy_in(tape, 2, dim, NULL), 1, 1), stack->dropout));
}

static ur_tensor *run_layers(ur_tape *tape, const struct pass *p, ur_tensor *x, const ur_state *s)
{
    const int L = p->rnn->stack.layers, D = p->rnn->stack.directions;
    for (int l = 0; l < L; l++) {
        ur_tensor *y[2] = {NULL, NULL};
        for (int d = 0; d < D; d++)
            y[d] = run_slot(tape, p, l * D + d, x, s);
        x = D > 1 ? ur_concat(tape, 2, y, -1) : y[0];
        if (l + 1 < L)
            x = drop(tape, p, x);
    }
    return x;
}

static struct pass *begin(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int *lengths,
                          ur_state *s)
{
    struct pass *p = ur__tape_record_alloc(tape, 1, sizeof *p);
    const size_t slots = (size_t)rnn->slots, B = (size_t)ur_dim(x, 1);
    if (!p)
        return NULL;
    *p = (struct pass){.rnn = rnn, .T = ur_dim(x, 0), .B = ur_dim(x, 1)};
    p->h = ur__tape_record_alloc(tape, slots * (size_t)p->T, sizeof *p->h);
    p->slot = ur__tape_record_alloc(tape, slots, sizeof *p->slot);
    p->lengths = ur__tape_copy(tape, lengths, B, sizeof *lengths);
    if (!p->h || !p->slot || (lengths && !p->lengths))
        return NULL;
    if (s && s->see_gradients) {
        p->see = s->see_gradients;
        p->user = s->gradients_user;
        if (ur__tape_record(tape, show_gradients, p) != UR_OK)
            return NULL;
    }
    p->mask = mask_of(tape, p);
    bool starts = ur__rnn_learns_state(rnn)
        && (!s || ur__tape_measures(tape) || ur__state_starts(s));
    for (int i = 0; i < rnn->slots; i++)
        enter(tape, p, i, s, starts);
    return p;
}

ur_tensor *ur__rnn_unroll(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int *lengths,
                          ur_state *s)
{
    if (!x)
        return NULL;
    ur_status status = ur__rnn_check_pass(tape, rnn, ur_dim(x, 0), ur_dim(x, 1), lengths, s);
    if (status != UR_OK)
        return ur__tape_failed(tape, status);
    struct pass *p = begin(tape, rnn, x, lengths, s);
    ur_tensor *y = p ? run_layers(tape, p, sound(tape, p, x), s) : NULL;
    if (!y)
        return NULL;
    if (s)
        ur__state_leave(s, tape, p->slot);
    if (s && !ur__tape_measures(tape))
        ur__state_advance(s, p->T, h_of, p);
    return y;
}
