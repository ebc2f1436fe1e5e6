/* SPDX-License-Identifier: MIT */
/*
 * Labelled texts, as a network of labels reads them in training: BATCHES batches, which every
 * program makes for itself from the random numbers of row.h (peer_torch_labels.py the same ones).
 *
 * Lengths are from T/25 to T, most of them short: mean T/3, median T/4, as sentences have. The
 * MIX rows draw the sequences of a batch from all; the others have sorted them by length first, as
 * training does. Words are as frequent as in texts, the n-th about 1/n of the first.
 */
#ifndef UR_BENCH_BATCHES_H
#define UR_BENCH_BATCHES_H

#include "row.h"

enum {
    BATCHES = 8,
    WORDS = 10000, LETTERS = 100, CLASSES = 2, TAGS = 17,   /* of rt-polarity and EWT */
    EMBED = 64, LETTER_EMBED = 32, LETTER_UNITS = 64,
    MOST_LETTERS = 10
};

struct batch {
    int T, B;
    int32_t *ids;               /* [T,B], 0 past a sequence's length */
    int32_t *target;            /* [1,B], or [T,B] with −1 there */
    int *lengths;               /* [B] */
    /* Of a tagger: its distinct words as letters. */
    int C, W;
    int32_t *letters, *spelling;    /* [C,W]; [T,B] which of the W */
    int *letter_lengths;            /* [W] */
};

/* Whether rows of this kind label each step. */
bool batch_is_tagged(const struct row *row);
/* The k-th of BATCHES. False: out of memory, and nothing is taken. */
bool batch_make(const struct row *row, int k, struct batch *batch);
void batch_free(struct batch *batch);

/* Multiply-adds of all batches forward, living steps alone; 0: out of memory. */
double batches_products(const struct row *row);

#endif
