/* SPDX-License-Identifier: MIT */
/* Figures of predictions of tokens, from sums that add up over parts of a text. */
#ifndef UR_METRIC_TEXT_H
#define UR_METRIC_TEXT_H

#include "unroll/metric.h"

enum { UR__TEXT_LOSS, UR__TEXT_HITS, UR__TEXT_N, UR__TEXT_UNKNOWN, UR__TEXT_SUMS };

/* loss (nats a prediction), bpc (bits; of one-character tokens), perplexity, accuracy, unk (of
 * words), n. unit: "byte", "character", "word". */
void ur__text_figures(const double sums[UR__TEXT_SUMS], const char *unit, bool words,
                      ur_metrics *out);
/* Loss of guessing among n tokens without knowing anything. */
double ur__text_uniform(int n);

#endif
