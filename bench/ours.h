/* SPDX-License-Identifier: MIT */
/* Our side of the comparison: one struct for all kinds of rows. Public calls alone do the
 * work that is timed. */
#ifndef UR_BENCH_OURS_H
#define UR_BENCH_OURS_H

#include "unroll.h"
#include "worker.h"

struct net {
    struct row row;
    int hidden[8];
    ur_team *team;
    ur_params *params;
    ur_rnn *rnn;
    ur_state *state;
    ur_tape *tape;
    float *x, *y, *dx;          /* [T,B,I], [T,B,D·H], [T,B,I] */
    int32_t *ids;               /* [T+1,B] */
    /* models */
    ur_linear_layer decoder;
    ur_optimizer *optimizer;
    int64_t updates;
    double loss;
    ur_model *model;            /* ROW_SAMPLE alone */
    ur_session *session;
    ur_sample_options draw;
    int *lengths;               /* [B]; ROW_RAGGED alone */
    struct labels *labels;      /* networks of labels alone */
};

/* Layers of `inputs` inputs, and the decoder of a model; all but the team, which is set. */
ur_status net_make(struct net *n, int inputs, bool decoder);
/* Every parameter from its stream. */
void net_fill(const struct row *row, ur_params *params);
/* Gradients of every parameter under "d.NAME", the prefix "rnn." dropped. */
void net_write_gradients(const struct net *n, FILE *to);

/* What each kind does; to, where it is not NULL, gets the results. */
ur_status train_call(struct net *n, FILE *to);
ur_status infer_call(struct net *n, FILE *to);
ur_status step_call(struct net *n, FILE *to);
ur_status cell_call(struct net *n, FILE *to);
ur_status lm_call(struct net *n, FILE *to);
ur_status sample_call(struct net *n, FILE *to);
ur_status labels_call(struct net *n, FILE *to);

/* Makes a model with a session, for ROW_SAMPLE. */
ur_status sample_make(struct net *n);
/* A network of labels and its batches. */
ur_status labels_make(struct net *n);
void labels_free(struct net *n);

#endif
