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
    ur_real *data;                  /* all buffers of B rows, one after the other */
    ur_real *spare;                 /* where rows are put in another order; NULL before */
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
    void *memory, *scratch;
    ur_real *out;                   /* [piece,B,O] where the caller wants no output */
    ur_real *in;                    /* room that a model takes for its inputs, or NULL */
};

/* Whether the numbers are the learned initial states, untouched: then they are brought up to
 * the parameters, and a tape must let gradients through to those. */
bool ur__state_starts(ur_state *state);
/* UR_EINVAL while an observer is called: what is being computed is not whole. */
ur_status ur__state_idle(const ur_state *state);
/* Shows a pass's hidden states to the observer and counts its steps. */
void ur__state_advance(ur_state *state, const struct ur__stack_job *job);

#endif
