/* SPDX-License-Identifier: MIT */
/*
 * Labels that are fed back (Goodfellow, Bengio and Courville 2016, figure 10.10; Shen et al. 2017):
 * a recurrent layer reads, beside what is known of a step, the label of the step before.
 *
 *     d_t = layer([h_t ; label_embed.weight[y_{t−1}]], d_{t−1}),  y_0 = </s>
 *
 * A step without a label is read as <unk>.
 */
#ifndef UR_MODEL_FEEDBACK_H
#define UR_MODEL_FEEDBACK_H

#include "data/labels.h"
#include "model/block.h"

struct ur__feedback {
    ur_embedding *label;            /* [K+2,E] of the vocabulary of labels */
    ur_rnn *rnn;
    const ur_linear_layer *out;     /* d_t to a number for each token of that vocabulary */
    double dropout;
};

/* What the first step reads. */
enum { UR__LABEL_START = UR__FIRST_LABEL - 1 };

struct ur__feedback_shape {
    const ur_rnn_options *stack;    /* whose last layer this one is like */
    int I, E;                       /* numbers of a step, and of the vector of a label */
    int role;                       /* of the vocabulary of labels */
};
/* `out` is left to whoever declares what reads the layer. */
ur_status ur__feedback_declare(ur_model *m, struct ur__feedback *f,
                               const struct ur__feedback_shape *shape);
/* Outputs for labels [T,B,K] of steps h [T,B,I], each told the label before it. */
ur_tensor *ur__feedback_outputs(ur_tape *tape, const struct ur__feedback *f, ur_tensor *h,
                                ur_ids labels, const int *lengths);

#endif
