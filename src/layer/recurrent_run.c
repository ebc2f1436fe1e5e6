/* SPDX-License-Identifier: MIT */
/* Running a net without a tape: the same passes as in training, a few steps at a time in memory
 * that was taken once; of cells written on the tape, step by step on a tape that does not
 * record. */
#include <string.h>

#include "base/status.h"
#include "layer/state.h"
#include "tape/tape.h"

static struct ur__stack_job job_of(const ur_state *s, int T)
{
    return (struct ur__stack_job){
        .k = s->rnn->k, .stack = &s->rnn->stack, .T = T, .B = s->B,
    };
}

static void run_piece(ur_state *s, int T, const ur_real *x, const int32_t *ids, ur_real *y)
{
    struct ur__stack_job job = job_of(s, T);
    job.x = x;
    job.ids = ids;
    job.y = y ? y : s->out;
    ur__stack_place(&job, s->memory);
    for (int i = 0; i < s->rnn->slots; i++) {
        struct ur__sequence *q = &job.layer[i];
        q->p = &s->rnn->packed[i];
        q->h0 = q->hT = s->slot[i].at[0].data;
        q->c0 = q->cT = s->slot[i].at[1].data;
    }
    ur__stack_forward(&job, s->team);
    ur__state_advance_job(s, &job);
}

/* One step of cells written on the tape. */
static ur_status run_on_tape(ur_state *s, const ur_real *x, const int32_t *id, ur_real *y)
{
    const int dim[3] = {1, s->B, ur_rnn_input(s->rnn)};
    ur_tape_reset(s->tape);
    ur_tensor *in = id ? ur__rnn_one_hot(s->tape, s->rnn, (ur_ids){id, 1, s->B})
                       : x ? ur_constant(s->tape, 3, dim, x) : ur_copy_in(s->tape, 3, dim, NULL);
    ur_tensor *out = ur__rnn_unroll(s->tape, s->rnn, in, NULL, s);
    if (!out)
        return ur_tape_status(s->tape);
    if (y)
        memcpy(y, out->data, out->size * sizeof *y);
    ur_state_detach(s);
    return UR_OK;
}

static ur_tensor *one_step(ur_tape *tape, void *state)
{
    ur_state *s = state;
    const int dim[3] = {1, s->B, ur_rnn_input(s->rnn)};
    return ur__rnn_unroll(tape, s->rnn, ur_copy_in(tape, 3, dim, NULL), NULL, s);
}

/* The memory that a step takes on a tape. */
static ur_status measure_step(ur_state *s, struct ur__room *room)
{
    ur_status status = ur__tape_measure_round(room, one_step, s, false, s->team);
    ur_state_detach(s);
    return status;
}

/* A tape that has seen a step allocates nothing for the next one. */
static ur_status warm_up(ur_state *s)
{
    struct ur__room room;
    UR__TRY(measure_step(s, &room));
    UR__TRY(ur_tape_new(&s->tape, s->team));
    UR__TRY(ur__tape_reserve(s->tape, room.arena));
    ur_tape_set_recording(s->tape, false);
    UR__TRY(run_on_tape(s, NULL, NULL, NULL));
    ur_tape_reset(s->tape);
    ur_state_zero(s);
    return UR_OK;
}

ur_status ur_state_new(ur_state **out, const ur_rnn *rnn, int B, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(rnn, "rnn");
    UR__TRY(ur__state_make(out, rnn, B, team));
    ur_status status = rnn->tape_cell ? warm_up(*out) : UR_OK;
    if (status != UR_OK) {
        ur_state_free(*out);
        *out = NULL;
    }
    return status;
}

ur_status ur__state_measure(ur_state **out, const ur_rnn *rnn, int B, ur_team *team,
                            size_t *bytes)
{
    struct ur__room room = {0};
    UR__TRY(ur__state_make_empty(out, rnn, B, team, bytes));
    ur_status status = rnn->tape_cell ? measure_step(*out, &room) : UR_OK;
    if (status != UR_OK) {
        ur_state_free(*out);
        *out = NULL;
    }
    *bytes += room.arena + room.scratch;
    return status;
}

/* Tensors were put and no forward call has read them. */
static bool waits(const ur_state *s)
{
    for (int i = 0; i < s->rnn->slots; i++)
        for (int j = 0; j < s->rnn->buffers[i].n; j++)
            if (s->slot[i].at[j].in && s->slot[i].at[j].in != s->slot[i].at[j].out)
                return true;
    return false;
}

ur_status ur_rnn_run(const ur_rnn *rnn, ur_state *s, int T, const ur_real *x, const int32_t *ids,
                     ur_real *y)
{
    UR__NEED(rnn, "rnn");
    UR__NEED(s, "state");
    ptrdiff_t B = s->B, I = ur_rnn_input(rnn), O = ur_rnn_output(rnn);
    UR__TRY(ur__rnn_ready(rnn));
    if (s->rnn != rnn)
        return ur__fail(UR_EINVAL, "the state belongs to another net");
    UR__TRY(ur__state_idle(s));
    if (rnn->stack.directions > 1)
        return ur__fail(UR_EINVAL, "a net of two directions needs the whole sequence: "
                        "use ur_rnn_forward");
    if (waits(s))
        return ur__fail(UR_EINVAL, "the state waits for ur_rnn_forward with tensors that "
                        "ur_state_put gave it: call ur_state_detach to drop them");
    if ((!x) == (!ids) || T < 0)
        return ur__fail(UR_EINVAL, "ur_rnn_run takes either x or ids, and at least 0 steps");
    if (ids)
        UR__TRY(ur__rnn_check_ids(rnn, (size_t)(T * B), ids));
    ur__state_starts(s);
    for (int t = 0; rnn->tape_cell && t < T; t++)
        UR__TRY(run_on_tape(s, x ? x + t * B * I : NULL, ids ? ids + t * B : NULL,
                            y ? y + t * B * O : NULL));
    for (int t = 0, steps; !rnn->tape_cell && t < T; t += steps) {
        steps = T - t < s->piece ? T - t : s->piece;
        run_piece(s, steps, x ? x + t * B * I : NULL, ids ? ids + t * B : NULL,
                  y ? y + t * B * O : NULL);
    }
    return UR_OK;
}

ur_status ur_rnn_step(const ur_rnn *rnn, ur_state *s, const ur_real *x, ur_real *y)
{
    UR__NEED(rnn, "rnn");
    UR__NEED(s, "state");
    UR__NEED(x, "x");
    return ur_rnn_run(rnn, s, 1, x, NULL, y);
}

ur_status ur_rnn_step_ids(const ur_rnn *rnn, ur_state *s, const int32_t *ids, ur_real *y)
{
    UR__NEED(rnn, "rnn");
    UR__NEED(s, "state");
    UR__NEED(ids, "ids");
    return ur_rnn_run(rnn, s, 1, NULL, ids, y);
}
