/* SPDX-License-Identifier: MIT */
/* A decoder without a tape: rows that step side by side, in the bits of one pass over all steps. */
#include <string.h>

#include "base/arena.h"
#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/gemm.h"
#include "kernel/select.h"
#include "layer/attention.h"
#include "layer/recurrent.h"
#include "layer/state.h"
#include "model/arch.h"
#include "model/decoder.h"
#include "tape/tape.h"

/* The steps of one sequence, as rows look back at them. */
struct memory {
    int S, rows;                /* steps; how many rows share it, 0: it is free */
    size_t room;                /* reals that fit in the block */
    ur_real *keys, *values;     /* [S,Q], [S,M] of the block */
    void *block;
};

struct ur__decoder_rows {
    const struct ur__decoder *d;
    ur_team *team;
    int rows, capacity, E, H, M;
    ur_state *state;
    struct memory *memory;      /* [capacity] */
    int *of, *of_next;          /* [capacity] a row's memory; −1: none yet */
    ur_real *x;                 /* [capacity,E+fed] */
    ur_real *both;              /* [capacity,M+H] what was read, and h */
    ur_real *h, *a;             /* [capacity,H] */
    ur_real *fed, *fed_next;    /* [capacity,H] a of the step before; NULL: it is not read */
    ur_real *query;             /* [capacity,H] */
    void *scratch;              /* of products */
    void *block;
    int S;                      /* steps that there is room for */
    ur_real *weights, *work;    /* [capacity,S], [S,H], of a block of their own */
    void *long_block;
};

/* ---- making ------------------------------------------------------------ */

static void place(struct ur__decoder_rows *r, struct ur__carve *c)
{
    const size_t n = (size_t)r->capacity, E = (size_t)r->E, H = (size_t)r->H, M = (size_t)r->M;
    const bool feeds = r->d->o->feeding, attends = r->d->attention;
    r->memory = ur__carve(c, n, sizeof *r->memory);
    r->of = ur__carve(c, n, sizeof *r->of);
    r->of_next = ur__carve(c, n, sizeof *r->of_next);
    r->x = ur__carve(c, n * (E + (feeds ? H : 0)), sizeof *r->x);
    r->h = ur__carve(c, n * H, sizeof *r->h);
    r->a = ur__carve(c, n * H, sizeof *r->a);
    r->both = ur__carve(c, attends ? n * (M + H) : 0, sizeof *r->both);
    r->query = ur__carve(c, attends ? n * H : 0, sizeof *r->query);
    r->fed = ur__carve(c, feeds ? n * H : 0, sizeof *r->fed);
    r->fed_next = ur__carve(c, feeds ? n * H : 0, sizeof *r->fed_next);
    r->scratch = ur__carve(c, ur__gemm_scratch(ur__kernel(), 1), 1);
}

static void place_long(struct ur__decoder_rows *r, int S, struct ur__carve *c)
{
    r->weights = ur__carve(c, (size_t)r->capacity * (size_t)S, sizeof *r->weights);
    r->work = ur__carve(c, (size_t)S * (size_t)r->H, sizeof *r->work);
}

static struct ur__decoder_rows shape(const struct ur__decoder *d, int rows, ur_team *team)
{
    return (struct ur__decoder_rows){
        .d = d, .team = team, .rows = rows, .capacity = rows, .E = d->token->E, .H = d->out->I,
        .M = d->attention ? d->attention->memory : 0,
    };
}

static ur_status open(struct ur__decoder_rows *r)
{
    struct ur__carve count = {0};
    place(r, &count);
    struct ur__carve c = {.base = r->block = ur__calloc(count.used, 1)};
    if (!r->block)
        return UR_ENOMEM;
    place(r, &c);
    for (int i = 0; i < r->capacity; i++)
        r->of[i] = -1;
    return ur_state_new(&r->state, r->d->rnn, r->capacity, r->team);
}

ur_status ur__decoder_rows_new(struct ur__decoder_rows **out, const struct ur__decoder *d, int rows,
                               ur_team *team)
{
    struct ur__decoder_rows *r = *out = ur__calloc(1, sizeof *r);
    if (!r)
        return UR_ENOMEM;
    *r = shape(d, rows, team);
    ur_status status = open(r);
    if (status != UR_OK) {
        ur__decoder_rows_free(r);
        *out = NULL;
    }
    return status;
}

ur_status ur__decoder_rows_measure(const struct ur__decoder *d, const struct ur__decoder_size *size,
                                   ur_team *team, size_t *bytes)
{
    struct ur__decoder_rows r = shape(d, size->rows, team);
    const size_t memory = (size_t)size->S * (size_t)(r.H + r.M) * sizeof(ur_real);
    struct ur__carve count = {0};
    size_t moved;
    place(&r, &count);
    if (d->attention)
        place_long(&r, size->S, &count);
    UR__TRY(ur__state_measure(&r.state, d->rnn, size->rows, team, bytes));
    ur_state_data(r.state, &moved);     /* once more, while rows are moved */
    ur_state_free(r.state);
    *bytes += sizeof r + count.used + moved * sizeof(ur_real)
        + (d->attention ? (size_t)size->B * memory : 0);
    return UR_OK;
}

void ur__decoder_rows_free(struct ur__decoder_rows *r)
{
    if (!r)
        return;
    for (int i = 0; r->block && i < r->capacity; i++)
        ur__free(r->memory[i].block);
    ur_state_free(r->state);
    ur__free(r->block);
    ur__free(r->long_block);
    ur__free(r);
}

ur_state *ur__decoder_rows_state(struct ur__decoder_rows *r)
{
    return r->state;
}

/* ---- beginning --------------------------------------------------------- */

/* Room for what depends on the number of steps. */
static ur_status reserve(struct ur__decoder_rows *r, int S)
{
    if (S <= r->S)
        return UR_OK;
    struct ur__decoder_rows to = *r;
    struct ur__carve count = {0};
    place_long(&to, S, &count);
    struct ur__carve c = {.base = to.long_block = ur__alloc(count.used, 1)};
    if (!to.long_block)     /* rows that were begun go on */
        return UR_ENOMEM;
    place_long(&to, S, &c);
    to.S = S;
    ur__free(r->long_block);
    *r = to;
    return UR_OK;
}

static ur_status make_room(struct memory *m, size_t need)
{
    if (m->block && need <= m->room)
        return UR_OK;
    ur__free(m->block);
    *m = (struct memory){.block = ur__alloc(need, sizeof(ur_real)), .room = need};
    return m->block ? UR_OK : UR_ENOMEM;
}

ur_status ur__decoder_rows_reserve(struct ur__decoder_rows *r, const struct ur__decoder_size *size)
{
    for (int i = 0; r->d->attention && i < size->B; i++)
        UR__TRY(make_room(&r->memory[i], (size_t)size->S * (size_t)(r->H + r->M)));
    return r->d->attention ? reserve(r, size->S) : UR_OK;
}

static ur_status remember(struct ur__decoder_rows *r, int row, const ur_attention_memory *from,
                          int b, int length)
{
    const size_t S = (size_t)ur_dim(from->keys, 1), n = (size_t)length, H = (size_t)r->H;
    const size_t M = (size_t)r->M;
    int at = 0;
    while (r->memory[at].rows > 0)      /* as many as rows: one is free */
        at++;
    struct memory *m = &r->memory[at];
    UR__TRY(reserve(r, length));
    UR__TRY(make_room(m, n * (H + M)));
    m->keys = m->block;
    m->values = m->keys + n * H;
    memcpy(m->keys, ur_data(from->keys) + (size_t)b * S * H, n * H * sizeof *m->keys);
    memcpy(m->values, ur_data(from->values) + (size_t)b * S * M, n * M * sizeof *m->values);
    m->S = length;
    m->rows = 1;
    r->of[row] = at;
    return UR_OK;
}

/* Row `row` of the decoder's state from row b of the tensors. */
static void enter(struct ur__decoder_rows *r, int row, ur_tensor *const *state, int b)
{
    const ur_rnn *rnn = r->d->rnn;
    for (int i = 0, at = 0; i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++, at++) {
            const size_t size = (size_t)rnn->buffers[i].at[j].size;
            ur_real *to = ur_state_buffer(r->state, i, rnn->buffers[i].at[j].name, NULL);
            memcpy(to + (size_t)row * size, ur_data(state[at]) + (size_t)b * size,
                   size * sizeof *to);
        }
}

ur_status ur__decoder_rows_begin(struct ur__decoder_rows *r, int row, ur_tape *tape,
                                 const struct ur__decoder_start *start)
{
    const struct ur__decoder *d = r->d;
    ur_tensor **state = ur__tape_record_alloc(tape, (size_t)ur_rnn_states(d->rnn),
                                              sizeof(ur_tensor *));
    ur_attention_memory memory = {0};
    if (d->attention)
        ur_attention_remember(tape, d->attention, start->steps, start->lengths, &memory);
    if (!state || !start->summary || !ur__decoder_begin(tape, d, start->summary, state))
        return ur_tape_status(tape);
    const int B = ur_dim(start->summary, 0);
    for (int b = 0; b < B; b++) {
        enter(r, row + b, state, b);
        if (d->attention)
            UR__TRY(remember(r, row + b, &memory, b, start->lengths ? start->lengths[b]
                                                                    : ur_dim(memory.keys, 1)));
    }
    return UR_OK;
}

ur_status ur__decoder_rows_select(struct ur__decoder_rows *r, int n, const int *from)
{
    UR__TRY(ur_state_select(r->state, n, from));
    for (int i = 0; i < r->capacity; i++)
        r->memory[i].rows = 0;
    for (int i = 0; i < n; i++) {
        r->of_next[i] = from[i] < 0 ? -1 : r->of[from[i]];
        if (r->of_next[i] >= 0)
            r->memory[r->of_next[i]].rows++;
    }
    int *of = r->of;
    r->of = r->of_next;
    r->of_next = of;
    if (r->fed)
        ur__rows_select(&r->fed, &r->fed_next, (size_t)r->H, n, from);
    r->rows = n;
    return UR_OK;
}

/* ---- stepping ---------------------------------------------------------- */

static ur_status read_tokens(struct ur__decoder_rows *r, const int32_t *ids)
{
    const size_t E = (size_t)r->E, H = (size_t)r->H;
    if (!r->fed)
        return ur_embed_run(r->d->token, (size_t)r->rows, ids, r->x);
    for (int i = 0; i < r->rows; i++) {
        ur_real *x = r->x + (size_t)i * (E + H);
        UR__TRY(ur_embed_run(r->d->token, 1, ids + i, x));
        memcpy(x + E, r->fed + (size_t)i * H, H * sizeof *x);
    }
    return UR_OK;
}

/* Rows that share a memory stand side by side where a search has put them: they ask together. */
static ur_status look_back(struct ur__decoder_rows *r)
{
    const size_t M = (size_t)r->M, H = (size_t)r->H, both = M + H;
    UR__TRY(ur__attention_queries(r->d->attention, r->team, r->rows, r->h, r->query));
    for (int i = 0, end; i < r->rows; i = end) {
        for (end = i + 1; end < r->rows && r->of[end] == r->of[i]; )
            end++;
        if (r->of[i] < 0)
            return ur__fail(UR_EINVAL, "row %d has nothing to look back at: it was not begun", i);
        const struct memory *m = &r->memory[r->of[i]];
        const struct ur__attention_rows rows = {
            .n = end - i, .S = m->S, .query = r->query + (size_t)i * H, .keys = m->keys,
            .values = m->values, .weights = r->weights, .context = r->both + (size_t)i * both,
            .apart = (ptrdiff_t)both, .work = r->work,
        };
        ur__attention_run(r->d->attention, &rows, r->scratch);
    }
    for (size_t i = 0; i < (size_t)r->rows; i++)
        memcpy(r->both + i * both + M, r->h + i * H, H * sizeof *r->h);
    UR__TRY(ur_linear_run(r->d->combine, r->team, r->rows, r->both, r->a));
    ur__kernel()->tanh((size_t)r->rows * H, r->a, r->a);
    return UR_OK;
}

static ur_status step(struct ur__decoder_rows *r, const int32_t *ids, ur_real *out)
{
    UR__TRY(read_tokens(r, ids));
    UR__TRY(ur_rnn_step(r->d->rnn, r->state, r->x, r->h));
    if (r->d->attention)
        UR__TRY(look_back(r));
    if (r->fed)
        memcpy(r->fed, r->a, (size_t)r->rows * (size_t)r->H * sizeof *r->fed);
    return ur_linear_run(r->d->out, r->team, r->rows, r->d->attention ? r->a : r->h, out);
}

ur_status ur__decoder_rows_step(struct ur__decoder_rows *r, const int32_t *ids, ur_real *out)
{
    unsigned mode = ur__fpmode_default();
    ur_status status = step(r, ids, out);
    ur__fpmode_restore(mode);
    return status;
}
