/* SPDX-License-Identifier: MIT */
/* Sound as log-mel frames: for each hop of samples the logarithms of the power in bands that
 * are evenly spaced in mel.
 *
 *   power  |FFT(Hann window (periodic), padded at both ends · samples)|^2; the first frame begins
 *          with the first sample, the last one ends within them
 *   mel    2595 log10(1 + f/700) (HTK), triangles of height 1 from f_min to f_max
 *   frame  log(max(sum of power in the band, 1e-6))
 */
#ifndef UR_DATA_MEL_H
#define UR_DATA_MEL_H

#include "unroll/base.h"

/* Zeroed: the usual. */
struct ur__mel_rule {
    int window, hop;        /* samples; 0: 1/40 and 1/100 of a second */
    int fft;                /* points, a power of two; 0: the smallest that holds the window */
    int bands;              /* 0: 40 */
    double f_min, f_max;    /* Hz; f_max 0: half the rate */
};

struct ur__mel;
/* UR_EINVAL: what the rule says is impossible at this rate (samples a second). */
ur_status ur__mel_new(struct ur__mel **out, const struct ur__mel_rule *rule, int rate);
void ur__mel_free(struct ur__mel *m);
/* Samples of a frame; samples to the next one; bands. */
int ur__mel_samples(const struct ur__mel *m);
int ur__mel_hop(const struct ur__mel *m);
int ur__mel_bands(const struct ur__mel *m);
/* One frame [bands] of its samples. Allocates nothing. */
void ur__mel_frame(struct ur__mel *m, const float *samples, float *frame);

#endif
