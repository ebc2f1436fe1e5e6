/* SPDX-License-Identifier: MIT */
/*
 * A batch of sequences of unequal length, without its padding. Sequences are sorted by length,
 * the longest first; a sequence's place among them is its row in every pass. So those that are
 * alive at a step are the first rows of it, and the living rows of all steps lie one step after
 * the other without gaps: whatever runs over rows runs over the living alone.
 */
#ifndef UR_RNN_RAGGED_H
#define UR_RNN_RAGGED_H

#include "base/team.h"
#include "kernel/kernel.h"

struct ur__carve;

struct ur__ragged {
    int *row;           /* [B] place to row of the padded batch */
    int *length;        /* [B] by place */
    int *alive;         /* [T] living rows of a step */
    ptrdiff_t *at;      /* [T+1] living rows before it: where its own begin */
    ptrdiff_t *before;  /* [B+1] living rows, over all steps, of the places before */
    int32_t *own;       /* [T·B] stored rows of each place's worker, in order of time */
};

/* Takes memory for T steps of B rows; what it holds depends on the lengths. */
struct ur__ragged ur__ragged_carve(struct ur__carve *p, int T, int B);
/* Whether any of the lengths [B] falls short of T. */
bool ur__ragged_needed(int T, int B, const int *lengths);
void ur__ragged_fill(struct ur__ragged *r, int T, int B, const int *lengths);

/* The places [*b0,*b1) of a worker: about as many living rows for each. */
void ur__ragged_share(const struct ur__ragged *r, int B, const struct ur__worker *w, int *b0,
                      int *b1);
/* Notes the stored rows of places [b0,b1) in own[before[b0]] to own[before[b1]]. */
void ur__ragged_note(const struct ur__ragged *r, int b0, int b1);

/* Rows of `bytes` between a padded batch [T,B] and living rows, places [b0,b1); of split work,
 * this worker's (NULL: all). Spreading clears the padding. */
struct ur__rows {
    const struct ur__ragged *r;
    int T, B, b0, b1;
    const struct ur__worker *split;
};
void ur__ragged_gather(const struct ur__rows *rows, size_t bytes, const void *padded, void *living);
void ur__ragged_spread(const struct ur__rows *rows, size_t bytes, const void *living, void *padded);

#endif
