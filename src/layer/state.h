/* SPDX-License-Identifier: MIT */
/* The inside of a state. */
#ifndef UR_LAYER_STATE_H
#define UR_LAYER_STATE_H

#include "layer/recurrent.h"

/* One buffer of state. */
struct ur__held {
    ur_real *data;                  /* [B,size] */
    ur_tensor *in;                  /* given by ur_state_put */
    ur_tensor *out;                 /* left by ur_rnn_forward */
};
struct ur__slot_state {
    struct ur__held at[UR__BUFFERS];
};

struct ur_state {
    const ur_rnn *rnn;
    int capacity, B;                /* rows there is room for; rows there are */
    ur_team *team;
    void *block;                    /* of all numbers; NULL: the state is one without, which holds
                                       tensors alone */
    ur_real *data;                  /* all buffers of B rows, one after the other */
    ur_real *spare;                 /* where rows are put in another order */
    size_t row;                     /* numbers of one sequence */
    struct ur__slot_state *slot;    /* [slots] */
    ur_real *start;                 /* [row] the learned initial states that rows last started
                                       from; NULL: they are zeros */
    uint64_t round;                 /* of the tape that the tensors live on; 0: none */
    int64_t steps;
    bool busy;                      /* an observer is being called */
    int every;
    ur_observer see;
    void *user;
    ur_real *seen;                  /* [B,max P] what an observer sees, side by side; D = 2 */
    ur_observer see_gradients;
    void *gradients_user;
    /* running without a tape: room for `piece` steps */
    int piece;
    void *memory;
    ur_tape *tape;                  /* of cells written on the tape; does not record */
    ur_real *out;                   /* [piece,B,O] where the caller wants no output */
};

/* ur_state_new and ur__state_measure without the tape that tape cells need to run. */
ur_status ur__state_make(ur_state **out, const ur_rnn *rnn, int B, ur_team *team);
ur_status ur__state_make_empty(ur_state **out, const ur_rnn *rnn, int B, ur_team *team,
                               size_t *bytes);
/* A state without numbers, for a measuring tape: its net need be neither built nor prepared.
 * *bytes: what a real one takes. */
ur_status ur__state_measure(ur_state **out, const ur_rnn *rnn, int B, ur_team *team,
                            size_t *bytes);
/* UR_EINVAL or UR_ESHAPE unless a pass over [T,B] is possible, with this state or none. */
ur_status ur__rnn_check_pass(const ur_tape *tape, const ur_rnn *rnn, int T, int B,
                             const int *lengths, const ur_state *state);
/* Whether the numbers are the untouched learned initial states, or there are no numbers: then they
 * are updated from the parameters, and a tape must let gradients through to those. */
bool ur__state_starts(ur_state *state);
/* The tensor that a buffer continues from; NULL: its numbers. A tensor that the last call left
 * counts only while it agrees with the numbers: after a step or a write the numbers count. */
ur_tensor *ur__held_tensor(const struct ur__held *held);
/* A learned initial state for all rows; gradients reach the parameter. */
ur_tensor *ur__state_learned(ur_tape *tape, const ur_rnn *rnn, const ur_param *p, int B);
/* The final state out[slot].at[].out of a round: numbers, and tensors for the next call. */
void ur__state_leave(ur_state *state, const ur_tape *tape, const struct ur__slot_state *out);
/* UR_EINVAL while an observer is called: the state is incomplete then. */
ur_status ur__state_idle(const ur_state *state);
/* Shows the hidden states of a pass of T steps to the observer, h(pass, slot, t) [B,P] side by
 * side, and counts the steps. */
void ur__state_advance(ur_state *state, int T,
                       const ur_real *(*h)(const ur_state *state, const void *pass, int slot,
                                           int t), const void *pass);
/* The same for a pass of fused layers. */
void ur__state_advance_job(ur_state *state, const struct ur__stack_job *job);

#endif
