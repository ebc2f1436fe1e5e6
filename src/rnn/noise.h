/* SPDX-License-Identifier: MIT */
/* Random masks on what a cell remembers: recurrent dropout (Gal and Ghahramani 2016) and
 * zoneout (Krueger et al. 2017). Every mask is a function of (seed, stream, step, index). */
#ifndef UR_RNN_NOISE_H
#define UR_RNN_NOISE_H

#include "rnn/sequence.h"

/* The chance that a number of the i-th buffer of state stays as it was, and how long the buffer
 * is for one row. */
double ur__zoneout(const struct ur__rnn_layer *d, int i);
size_t ur__buffer_size(const struct ur__rnn_layer *d, int i);

/* Draws recurrent dropout's mask of rows [b0,b1), one for all steps. */
void ur__draw_drop(const struct ur__sequence *s, int b0, int b1);
/* h_read = mask∘h_prev on the rows of a step from row b on. */
void ur__drop_read(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b);
/* dh += mask∘dh_read, which becomes 0, on rows [b,end). */
void ur__drop_back(const struct ur__sequence *s, int b, int end);

/* Draws the masks of a step's rows in training, then lets numbers of h (and c) stay. */
void ur__zone(const struct ur__sequence *s, const struct ur__cell_step *c, int t, int b);
/* Before the cell: the part of dh (and dc) that stayed is set aside in stay.
 * After the cell: it is added to the gradients of the step before. */
void ur__zone_back_open(const struct ur__sequence *s, int t, int b, int end);
void ur__zone_back_close(const struct ur__sequence *s, int b, int end);

#endif
