/* SPDX-License-Identifier: MIT */
/* The inside of a state. */
#ifndef UR_LAYER_STATE_H
#define UR_LAYER_STATE_H

#include "layer/recurrent.h"

struct ur__layer_state {
    ur_real *h, *c;                 /* [B,P] [B,H]; c NULL unless the cell has one */
    ur_tensor *h_in, *c_in;         /* given by ur_state_put */
    ur_tensor *h_out, *c_out;       /* left by ur_rnn_forward */
};

struct ur_state {
    const ur_rnn *rnn;
    int B;
    ur_team *team;
    void *block;                    /* of all numbers; NULL: the state is one without */
    ur_real *data;                  /* all h and c */
    size_t size;
    struct ur__layer_state *layer;  /* [slots] */
    ur_real *start;                 /* [size] the learned initial states that were last put into
                                       data; NULL: they are zeros */
    uint64_t round;                 /* of the tape that the tensors live on; 0: none */
    int64_t steps;
    bool busy;                      /* an observer is being called */
    int every;
    ur_observer see;
    void *user;
    ur_real *row;                   /* [B,max P] what an observer sees, side by side; D = 2 */
    ur_observer see_gradients;
    void *gradients_user;
    /* running without a tape: room for `piece` steps */
    int piece;
    void *memory, *scratch;
    ur_real *out;                   /* [piece,B,O] where the caller wants no output */
    ur_real *in;                    /* room that a model takes for its inputs, or NULL */
};

/* A state without numbers, for a measuring tape: its net need be neither built nor prepared.
 * *bytes: what a real one takes. */
ur_status ur__state_measure(ur_state **out, const ur_rnn *rnn, int B, ur_team *team,
                            size_t *bytes);
/* Whether the numbers are the learned initial states, untouched: then they are brought up to
 * the parameters, and a tape must let gradients through to those. */
bool ur__state_starts(ur_state *state);
/* UR_EINVAL while an observer is called: what is being computed is not whole. */
ur_status ur__state_idle(const ur_state *state);
/* Shows a pass's hidden states to the observer and counts its steps. */
void ur__state_advance(ur_state *state, const struct ur__stack_job *job);

#endif
