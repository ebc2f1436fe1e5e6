/* SPDX-License-Identifier: MIT */
/*
 * One loop over several tensors that broadcast: shapes are merged into as few
 * dimensions as their stretching allows: equal shapes become one, [T,B,N] + [N]
 * two. The innermost is one call of a row function.
 *
 * Workers share a dimension along which what they write is not stretched, so that
 * no sum into a stretched operand is split.
 */
#ifndef UR_TAPE_WALK_H
#define UR_TAPE_WALK_H

#include "tape/op.h"

/* Three operands and a result. */
enum { UR__WALK_SIDES = 4 };

/* The last side is the result. stride[side][d]: 0 where that side is stretched. */
struct ur__walk {
    int sides, rank;
    size_t dim[UR_MAX_RANK];
    size_t stride[UR__WALK_SIDES][UR_MAX_RANK];
};

/* The shape to which n operands stretch; false if there is none. */
bool ur__walk_shape(int n, const struct ur__shape *x, int *rank, int *dim);
/* x [sides]: operands and result. */
void ur__walk_make(struct ur__walk *w, int sides, const struct ur__shape *x);

/* n elements along the last dimension; at[side]: where each side's begin. */
typedef void (*ur__walk_row)(const void *arg, size_t n, const size_t *at);
/* This worker's part of the loop; side: whose elements are written. Rows are cut at
 * multiples of grain. */
void ur__walk_share(const struct ur__walk *w, int side, const struct ur__worker *worker,
                    size_t grain, ur__walk_row row, const void *arg);

/* True if that side is stretched along rows: one element serves a row. */
static inline bool ur__walk_flat(const struct ur__walk *w, int side)
{
    return !w->stride[side][w->rank - 1];
}
/* m <= UR__OP_CHUNK elements of a row from element i on; those of a stretched row are
 * spread into memory. */
const ur_real *ur__walk_spread(const struct ur__walk *w, int side, const ur_real *row, size_t i,
                               size_t m, ur_real *memory);

#endif
