/* SPDX-License-Identifier: MIT */
/* A net on the tape between tensors: the state that it starts from and the one that it leaves. */
#include "base/status.h"
#include "layer/state.h"
#include "tape/tape.h"

int ur_rnn_states(const ur_rnn *rnn)
{
    UR__NEED_OR(rnn, "rnn", 0);
    return rnn->slots * rnn->buffers[0].n;
}

int ur__rnn_numbers(const ur_rnn *rnn)
{
    int n = 0;
    for (int i = 0; i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++)
            n += rnn->buffers[i].at[j].size;
    return n;
}

/* A state of tensors alone, which lives as long as the round; NULL with a poisoned tape. */
static ur_state *put_all(ur_tape *tape, const ur_rnn *rnn, int B, ur_tensor *const *tensors)
{
    ur_state *s = ur__tape_record_alloc(tape, 1, sizeof *s);
    struct ur__slot_state *slot = ur__tape_record_alloc(tape, (size_t)rnn->slots, sizeof *slot);
    if (!s || !slot)
        return NULL;
    *s = (ur_state){.rnn = rnn, .capacity = B, .B = B, .slot = slot,
                    .round = ur__tape_round(tape)};
    for (int i = 0, at = 0; i < rnn->slots; i++) {
        slot[i] = (struct ur__slot_state){0};
        for (int j = 0; j < rnn->buffers[i].n; j++, at++) {
            ur_status status = ur_state_put(s, i, rnn->buffers[i].at[j].name, tensors[at]);
            if (status != UR_OK)
                return ur__tape_failed(tape, status);
        }
    }
    return s;
}

ur_tensor *ur_rnn_forward_from(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x, const int *lengths,
                               ur_tensor **state)
{
    if (!x)
        return NULL;
    if (!tape || x->tape != tape)
        return ur__tape_fail(x->tape, UR_EINVAL, "rnn: x is of another tape");
    if (!rnn || !state)
        return ur__tape_fail(tape, UR_EINVAL, "rnn: the %s NULL", rnn ? "tensors of the state are"
                                                                      : "net is");
    ur_state *s = put_all(tape, rnn, ur_dim(x, 1), state);
    ur_tensor *y = s ? ur_rnn_forward(tape, rnn, x, lengths, s) : NULL;
    for (int i = 0, at = 0; y && i < rnn->slots; i++)
        for (int j = 0; j < rnn->buffers[i].n; j++, at++)
            state[at] = s->slot[i].at[j].out;
    return y;
}
