/* SPDX-License-Identifier: MIT */
/* What is measured: the grid, its names, its costs, and the numbers that every program
 * fills its weights and inputs with. */
#ifndef UR_BENCH_ROW_H
#define UR_BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unroll/rnn.h"

enum row_kind {
    ROW_TRAIN,      /* layers: forward, backward with every gradient, that of x among them */
    ROW_INFER,      /* layers: a sequence from the zero state */
    ROW_STEP,       /* layers: one step after another, the state carried */
    ROW_LM,         /* one update of a character model */
    ROW_SAMPLE,     /* characters drawn one after the other */
    ROW_CELL,       /* ROW_TRAIN, the cell written with the operations of the tape */
    ROW_RAGGED,     /* ROW_TRAIN, sequences of unequal lengths */
    ROW_CLASSIFY, ROW_CLASSIFY_MIX,     /* updates of a network of labels (batches.h) */
    ROW_TAG, ROW_TAG_MIX
};

enum {
    VOCABULARY = 65,    /* as many characters as tiny Shakespeare has */
    STEPS_A_CALL = 100, /* of ROW_STEP and ROW_SAMPLE */
    ROW_TEXT = 64
};

/* I = H in the layers alone; a model reads VOCABULARY one-hot characters. D directions. */
struct row {
    enum row_kind kind;
    ur_cell cell;
    int T, B, H, L, D;
    bool quick;         /* a part of the short run */
};

/* The grid; *n rows. */
const struct row *row_grid(int *n);

/* "train lstm 64 64 512 1": kind, cell, T, B, H, L; D behind them where it is not 1. */
bool row_parse(const char *text, struct row *row);
void row_name(const struct row *row, char to[ROW_TEXT]);

/* Units of work in one call: steps or characters of ROW_STEP and ROW_SAMPLE, examples of networks
 * of labels, else 1. */
int row_units(const struct row *row);

/* What one unit costs at least. */
struct row_cost {
    double flop;        /* counted: 2·T·B·(I+H)·G·H a layer, three times with backward; steps
                           past a sequence's length do not count */
    double batched;     /* the part of it that runs at the speed of multiply-adds */
    double reads;       /* passes over `bytes` of weights, one after the other */
    double bytes;
};
struct row_cost row_cost(const struct row *row);

/* Element i of stream s is a function of both, uniform in ±scale; the same in worker.py. */
void row_fill(float *to, size_t n, uint32_t stream, double scale);
/* The same as characters; the random number itself. */
void row_characters(int32_t *to, size_t n, uint32_t stream);
uint32_t row_random(uint32_t i, uint32_t stream);
/* Lengths [B] of ROW_RAGGED: 1 to T, evenly spread, in no order. Returns their sum. */
int row_lengths(const struct row *row, int *lengths);

/* Streams: parameters in the order of their declaration from 0, then these. */
enum { STREAM_X = 100, STREAM_IDS = 101, STREAM_RARE, STREAM_LABEL, STREAM_LONG, STREAM_LETTER };

#endif
