/* SPDX-License-Identifier: MIT */
/* What a net remembers: buffers of rows. */
#include "layer/state.h"

#include <limits.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "tape/tape.h"

/* Steps in a piece: enough rows for the register tile when the batch is small. */
enum { PIECE_ROWS = 64, PIECE_STEPS = 16 };

static const struct ur__buffers *buffers(const ur_state *s, int slot)
{
    return &s->rnn->buffers[slot];
}

/* Numbers of one row of a slot's j-th buffer. */
static size_t width(const ur_state *s, int slot, int j)
{
    return (size_t)buffers(s, slot)->at[j].size;
}

/* The buffers of B rows follow each other in data. */
static void bind_slots(ur_state *s)
{
    ur_real *at = s->data;
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; j++) {
            s->slot[i].at[j].data = at;
            at += (size_t)s->B * width(s, i, j);
        }
}

static size_t size_of(const ur_state *s)
{
    return (size_t)s->B * s->row;
}

static void measure(ur_state *s)
{
    s->piece = PIECE_ROWS / s->B;
    s->piece = s->piece < 1 ? 1 : s->piece > PIECE_STEPS ? PIECE_STEPS : s->piece;
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; j++)
            s->row += width(s, i, j);
}

/* Lays out the numbers. */
static void place(ur_state *s, struct ur__carve *c)
{
    const ur_rnn *rnn = s->rnn;
    size_t widest = 0, B = (size_t)s->B;
    bool fused = !rnn->tape_cell;
    const struct ur__stack_job job = {.k = rnn->k, .stack = &rnn->stack, .T = s->piece, .B = s->B};
    for (int i = 0; i < rnn->slots; i++) {
        size_t P = (size_t)rnn->layer[i].P;
        widest = P > widest ? P : widest;
    }
    s->data = ur__carve(c, size_of(s), sizeof *s->data);
    s->start = ur__carve(c, ur__rnn_learns_state(rnn) ? s->row : 0, sizeof *s->start);
    s->seen = ur__carve(c, B * widest, sizeof *s->seen);
    s->memory = ur__carve(c, fused ? ur__stack_bytes(&job) : 0, 1);
    s->out = ur__carve(c, (size_t)s->piece * B, (size_t)ur_rnn_output(rnn) * sizeof *s->out);
}

/* ---- initial states ---------------------------------------------------- */

/* Updates the row that sequences start from: adds the parameters to zeros, as the tape does. */
static void update_start(ur_state *s)
{
    unsigned mode = ur__fpmode_default();   /* zeros are added */
    ur_real *to = s->start;
    for (int i = 0; s->start && i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; to += width(s, i, j), j++) {
            const ur_real *from = ur_param_data(s->rnn->params, buffers(s, i)->at[j].start);
            for (size_t k = 0; k < width(s, i, j); k++)
                to[k] = 0 + from[k];
        }
    ur__fpmode_restore(mode);
}

/* Row b of all buffers of a state, which have n rows each. */
struct row {
    const ur_real *data;
    int n, b;
};

/* Row b of every buffer in `data`, whose buffers have n rows each: copied from a row of other
 * data, or, if that is NULL, to its start. */
static void set_row(const ur_state *s, ur_real *data, int n, int b, struct row other)
{
    const ur_real *start = s->start, *from = other.data;
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; j++) {
            size_t size = width(s, i, j);
            ur_real *to = data + (size_t)b * size;
            if (from)
                memcpy(to, from + (size_t)other.b * size, size * sizeof *to);
            else if (start)
                memcpy(to, start, size * sizeof *to);
            else
                memset(to, 0, size * sizeof *to);
            data += (size_t)n * size;
            from = from ? from + (size_t)other.n * size : NULL;
            start = start ? start + size : NULL;
        }
}

static void fill_start(ur_state *s)
{
    update_start(s);
    for (int b = 0; b < s->B; b++)
        set_row(s, s->data, s->B, b, (struct row){0});
}

/* Whether every row still has its initial state. */
static bool untouched(const ur_state *s)
{
    const ur_real *start = s->start;
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; start += width(s, i, j), j++)
            for (int b = 0; b < s->B; b++)
                if (memcmp(s->slot[i].at[j].data + (size_t)b * width(s, i, j), start,
                           width(s, i, j) * sizeof *start) != 0)
                    return false;
    return true;
}

bool ur__state_starts(ur_state *s)
{
    if (!s->block)
        return true;
    if (!s->start || s->steps || !untouched(s))
        return false;
    fill_start(s);
    return true;
}

/* All but the numbers. */
static ur_status make(ur_state **out, const ur_rnn *rnn, int B, ur_team *team)
{
    *out = NULL;
    if (B < 1 || B > (1 << 24))
        return ur__fail(UR_EINVAL, "a state cannot be for %d sequences", B);
    ur_state *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    *s = (ur_state){.rnn = rnn, .B = B, .capacity = B, .team = team};
    s->slot = ur__calloc((size_t)rnn->slots, sizeof *s->slot);
    if (!s->slot) {
        ur_state_free(s);
        return UR_ENOMEM;
    }
    measure(s);
    *out = s;
    return UR_OK;
}

ur_status ur__state_make(ur_state **out, const ur_rnn *rnn, int B, ur_team *team)
{
    *out = NULL;
    UR__TRY(ur__rnn_ready(rnn));
    UR__TRY(make(out, rnn, B, team));
    struct ur__carve c = {0};
    place(*out, &c);
    c = (struct ur__carve){.base = ur__alloc(c.used, 1)};
    (*out)->block = c.base;
    if (!c.base) {
        ur_state_free(*out);
        *out = NULL;
        return UR_ENOMEM;
    }
    place(*out, &c);
    bind_slots(*out);
    fill_start(*out);
    return UR_OK;
}

ur_status ur__state_make_empty(ur_state **out, const ur_rnn *rnn, int B, ur_team *team,
                               size_t *bytes)
{
    struct ur__carve c = {.base = UR__NOWHERE};
    UR__TRY(make(out, rnn, B, team));
    place(*out, &c);
    bind_slots(*out);
    *bytes = c.used + sizeof **out + (size_t)rnn->slots * sizeof *(*out)->slot;
    return UR_OK;
}

void ur_state_free(ur_state *s)
{
    if (!s)
        return;
    ur__free(s->block);
    ur__free(s->spare);
    ur__free(s->slot);
    ur_tape_free(s->tape);
    ur__free(s);
}

ur_status ur__state_idle(const ur_state *s)
{
    if (s->busy)
        return ur__fail(UR_EINVAL, "the state is in use: an observer of it called back");
    return UR_OK;
}

void ur_state_zero(ur_state *s)
{
    UR__NEED_OR(s, "state", );
    if (ur__state_idle(s) != UR_OK)
        return;
    fill_start(s);
    s->steps = 0;
    ur_state_detach(s);
}

/* ---- rows -------------------------------------------------------------- */

int ur_state_rows(const ur_state *s)
{
    UR__NEED_OR(s, "state", 0);
    return s->B;
}

ur_status ur_state_copy(ur_state *to, const ur_state *from)
{
    UR__NEED(to, "to");
    UR__NEED(from, "from");
    if (to->rnn != from->rnn)
        return ur__fail(UR_EINVAL, "the states belong to different nets");
    if (from->B > to->capacity)
        return ur__fail(UR_EINVAL, "a state of %d sequences has no room for %d", to->capacity,
                        from->B);
    UR__TRY(ur__state_idle(to));
    UR__TRY(ur__state_idle(from));
    ur_state_detach(to);
    to->B = from->B;
    to->steps = from->steps;
    bind_slots(to);
    memmove(to->data, from->data, size_of(from) * sizeof *to->data);
    if (from->start)
        memmove(to->start, from->start, from->row * sizeof *to->start);
    return UR_OK;
}

/* Whether each row stays in its place or restarts there. */
static bool stays(const ur_state *s, int n, const int *from)
{
    for (int i = 0; i < n; i++)
        if (from[i] >= 0 && from[i] != i)
            return false;
    return n == s->B;
}

static void restart(ur_state *s, const int *from)
{
    bool all = true;
    update_start(s);
    for (int i = 0; i < s->B; i++) {
        if (from[i] < 0)
            set_row(s, s->data, s->B, i, (struct row){0});
        all = all && from[i] < 0;
    }
    if (all)
        s->steps = 0;
}

static ur_status reorder(ur_state *s, int n, const int *from)
{
    if (!s->spare && !(s->spare = ur__alloc((size_t)s->capacity * s->row, sizeof *s->spare)))
        return UR_ENOMEM;
    update_start(s);
    for (int i = 0; i < n; i++)
        set_row(s, s->spare, n, i,
                (struct row){from[i] < 0 ? NULL : s->data, s->B, from[i]});
    s->B = n;
    memcpy(s->data, s->spare, size_of(s) * sizeof *s->data);
    bind_slots(s);
    return UR_OK;
}

ur_status ur_state_select(ur_state *s, int n, const int *from)
{
    UR__NEED(s, "state");
    UR__NEED(from, "from");
    UR__TRY(ur__state_idle(s));
    if (n < 1 || n > s->capacity)
        return ur__fail(UR_EINVAL, "a state with room for %d sequences cannot hold %d", s->capacity,
                        n);
    for (int i = 0; i < n; i++)
        if (from[i] < -1 || from[i] >= s->B)
            return ur__fail(UR_EINVAL, "row %d comes from row %d, of %d", i, from[i], s->B);
    if (stays(s, n, from))
        restart(s, from);
    else
        UR__TRY(reorder(s, n, from));
    ur_state_detach(s);
    return UR_OK;
}

/* ---- buffers ----------------------------------------------------------- */

/* A slot's buffer of that name, or NULL; *place: which one it is. */
static struct ur__held *find(const ur_state *s, int slot, const char *name, int *place)
{
    *place = slot >= 0 && slot < s->rnn->slots ? ur__rnn_buffer(s->rnn, slot, name) : -1;
    return *place < 0 ? NULL : &s->slot[slot].at[*place];
}

const char *ur_state_name(const ur_state *s, int slot, int i)
{
    UR__NEED_OR(s, "state", NULL);
    bool there = slot >= 0 && slot < s->rnn->slots && i >= 0 && i < buffers(s, slot)->n;
    return there ? buffers(s, slot)->at[i].name : NULL;
}

ur_real *ur_state_buffer(ur_state *s, int slot, const char *name, size_t *size)
{
    int place;
    if (size)
        *size = 0;
    UR__NEED_OR(s, "state", NULL);
    UR__NEED_OR(name, "name", NULL);
    const struct ur__held *held = find(s, slot, name, &place);
    if (!held)
        return NULL;
    if (size)
        *size = (size_t)s->B * width(s, slot, place);
    return held->data;
}

ur_real *ur_state_data(ur_state *s, size_t *n)
{
    UR__NEED_OR(n, "n", NULL);
    *n = 0;
    UR__NEED_OR(s, "state", NULL);
    *n = size_of(s);
    return s->data;
}

int64_t ur_state_steps(const ur_state *s)
{
    UR__NEED_OR(s, "state", 0);
    return s->steps;
}

void ur_state_observe(ur_state *s, int every, ur_observer see, void *user)
{
    UR__NEED_OR(s, "state", );
    s->every = see && every > 0 ? every : 0;
    s->see = see;
    s->user = user;
}

void ur_state_observe_gradients(ur_state *s, ur_observer see, void *user)
{
    UR__NEED_OR(s, "state", );
    s->see_gradients = see;
    s->gradients_user = user;
}

ur_status ur_state_put(ur_state *s, int slot, const char *name, ur_tensor *x)
{
    UR__NEED(s, "state");
    UR__NEED(name, "name");
    if (slot < 0 || slot >= s->rnn->slots)
        return ur__fail(UR_EINVAL, "there is no slot %d of %d", slot, s->rnn->slots);
    int place;
    struct ur__held *held = find(s, slot, name, &place);
    if (!held)
        return ur__fail(UR_EINVAL, "slot %d has no state %s", slot, name);
    int size = (int)width(s, slot, place);
    if (x && (ur_rank(x) != 2 || ur_dim(x, 0) != s->B || ur_dim(x, 1) != size))
        return ur__fail(UR_ESHAPE, "slot %d: an initial %s is %s, not [%d,%d]", slot, name,
                        ur__shape_text(x), s->B, size);
    if (x && s->round && s->round != ur__tape_round(x->tape))
        return ur__fail(UR_EINVAL, "the state holds tensors of another tape or of one that was "
                        "reset: call ur_state_detach first");
    if (x)
        s->round = ur__tape_round(x->tape);
    held->in = x;
    return UR_OK;
}

ur_tensor *ur_state_tensor(const ur_state *s, int slot, const char *name)
{
    int place;
    UR__NEED_OR(s, "state", NULL);
    UR__NEED_OR(name, "name", NULL);
    const struct ur__held *held = find(s, slot, name, &place);
    return held ? held->out : NULL;
}

void ur_state_detach(ur_state *s)
{
    UR__NEED_OR(s, "state", );
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < UR__BUFFERS; j++)
            s->slot[i].at[j].in = s->slot[i].at[j].out = NULL;
    s->round = 0;
}

void ur__state_advance(ur_state *s, int T,
                       const ur_real *(*h)(const ur_state *, const void *, int, int),
                       const void *pass)
{
    s->busy = true;
    for (int i = 0; s->every && i < s->rnn->slots; i++) {
        for (int t = 0; t < T; t++)
            if ((s->steps + t) % s->every == 0)
                s->see(s->user, i, s->steps + t, s->B, s->rnn->layer[i].P, h(s, pass, i, t));
    }
    s->busy = false;
    s->steps += T;
}

/* h [B,P] of a slot at step t of a job, side by side. */
static const ur_real *rows_of(const ur_state *s, const void *pass, int slot, int t)
{
    const struct ur__sequence *q = &((const struct ur__stack_job *)pass)->layer[slot];
    const struct ur__ragged *r = q->ragged;
    ptrdiff_t P = q->d->P, ld = q->kept.ld_h;
    const ur_real *h = q->kept.h + (r ? r->at[t] : (ptrdiff_t)t * s->B) * ld;
    if (ld == P && !r)
        return h;
    for (ptrdiff_t b = 0; r && b < s->B; b++) {
        if (b < r->alive[t])
            memcpy(s->seen + r->row[b] * P, h + b * ld, (size_t)P * sizeof *h);
        else
            memset(s->seen + r->row[b] * P, 0, (size_t)P * sizeof *h);
    }
    for (ptrdiff_t b = 0; !r && b < s->B; b++)
        memcpy(s->seen + b * P, h + b * ld, (size_t)P * sizeof *h);
    return s->seen;
}

void ur__state_advance_job(ur_state *s, const struct ur__stack_job *job)
{
    ur__state_advance(s, job->T, rows_of, job);
}

/* ---- on a tape --------------------------------------------------------- */

ur_status ur__rnn_check_pass(const ur_tape *tape, const ur_rnn *rnn, int T, int B,
                             const int *lengths, const ur_state *s)
{
    bool measures = ur__tape_measures(tape);
    if (!measures)
        UR__TRY(ur__rnn_ready(rnn));
    if (s && s->round && s->round != ur__tape_round(tape))
        return ur__fail(UR_EINVAL, "the state holds tensors of another tape or of one that was "
                        "reset: call ur_state_detach first");
    if (s && s->rnn != rnn)
        return ur__fail(UR_EINVAL, "the state belongs to another net");
    if (s)
        UR__TRY(ur__state_idle(s));
    if (s && s->B != B)
        return ur__fail(UR_ESHAPE, "the state is for %d sequences, x has %d", s->B, B);
    if (T < 1 || B < 1)
        return ur__fail(UR_ESHAPE, "%d steps of %d sequences are empty", T, B);
    if ((int64_t)T * B > INT_MAX)
        return ur__fail(UR_ESHAPE, "%d steps of %d sequences are more than 2^31", T, B);
    for (int l = 0; l < rnn->stack.layers; l++)
        if ((int64_t)B * ur__stack_output(&rnn->stack, l) > INT_MAX)
            return ur__fail(UR_ESHAPE, "layer %d: %d sequences are too many", l, B);
    for (int b = 0; lengths && !measures && b < B; b++)
        if (lengths[b] < 0 || lengths[b] > T)
            return ur__fail(UR_ESHAPE, "sequence %d has length %d, not 0 to %d", b, lengths[b],
                            T);
    return UR_OK;
}

ur_tensor *ur__held_tensor(const struct ur__held *held)
{
    ur_tensor *in = held->in;
    if (!in || in != held->out || ur__tape_measures(in->tape))
        return in;
    return memcmp(in->data, held->data, in->size * sizeof *in->data) == 0 ? in : NULL;
}

ur_tensor *ur__state_learned(ur_tape *tape, const ur_rnn *rnn, const ur_param *p, int B)
{
    int dim[2] = {B, p->dim[0]};
    return ur_add(ur_copy_in(tape, 2, dim, NULL), ur_param_tensor(tape, rnn->params, p));
}

void ur__state_leave(ur_state *s, const ur_tape *tape, const struct ur__slot_state *out)
{
    s->round = ur__tape_round(tape);
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < buffers(s, i)->n; j++) {
            struct ur__held *to = &s->slot[i].at[j];
            to->in = to->out = out[i].at[j].out;
            if (to->data && !ur__tape_measures(tape))
                memcpy(to->data, to->out->data, to->out->size * sizeof *to->data);
        }
}
