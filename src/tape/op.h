/* SPDX-License-Identifier: MIT */
/*
 * What the operations (op_*.c) share: ending with a record, running loops on the
 * team, moving blocks.
 *
 * Invariant: each element of a result is computed by one worker in one fixed order,
 * so no result depends on the size of the team.
 */
#ifndef UR_TAPE_OP_H
#define UR_TAPE_OP_H

#include "kernel/select.h"
#include "tape/tape.h"

/* Elements that an operation needs for a team to be faster than one thread. */
enum { UR__OP_TEAM = 16384 };
/* Reals of a chunk on the stack; whole blocks of the kernel's sums, so that chunked
 * sums follow the same rule. */
enum { UR__OP_CHUNK = 4096 };
/* A cut between workers that splits no cache line. */
enum { UR__OP_GRAIN = 64 };

/* True if both live on the same tape, else poisons both. Neither is NULL. */
bool ur__op_same_tape(const char *name, const ur_tensor *a, const ur_tensor *b);
/* True if all n tensors exist and live on this tape; poisons on different tapes. */
bool ur__op_all_on(const char *name, ur_tape *tape, int n, ur_tensor *const *x);

/* Ends an operation: records back with a copy of saved if y needs a gradient.
 * Returns y; NULL on failure. */
ur_tensor *ur__op_end(ur_tensor *y, ur__back back, const void *saved, size_t bytes);

/* Runs work on the team if it handles enough elements, else on this thread alone;
 * in either case in the default floating-point mode. */
void ur__op_run(ur_tape *tape, size_t elements, ur__work work, void *arg);
/* The part of [0,n) that falls to this worker, cut at multiples of grain. */
void ur__op_range(const struct ur__worker *w, size_t n, size_t grain, size_t *begin,
                  size_t *end);

/* y += s*x on n reals. */
void ur__op_axpy(ur_tape *tape, size_t n, ur_real s, const ur_real *x, ur_real *y);
/* Rows of n reals, of x ldx apart, of y ldy apart. */
struct ur__blocks {
    size_t rows, n;
    const ur_real *x;
    size_t ldx;
    ur_real *y;
    size_t ldy;
};
/* y = x;  y += x. */
void ur__op_copy(ur_tape *tape, const struct ur__blocks *b);
void ur__op_add(ur_tape *tape, const struct ur__blocks *b);

/* Elements from i on that fit a chunk. */
static inline size_t ur__op_chunk(size_t n, size_t i)
{
    return n - i < UR__OP_CHUNK ? n - i : UR__OP_CHUNK;
}

/* True if B lengths are in [0,most]; poisons, naming the first that is not. */
bool ur__op_lengths(const char *name, ur_tape *tape, const int *lengths, size_t B, int most);
/* A dimension counted from the end if negative; -1 with poison if there is none. */
int ur__op_dim(const char *name, const ur_tensor *x, int dim);
/* The product of dimensions [begin,end). */
size_t ur__op_extent(const ur_tensor *x, int begin, int end);

/* Counts the targets >= 0 of a cross entropy; false with poison if they do not fit the logits or
 * one is too large. */
bool ur__op_targets(ur_tape *tape, struct ur__shape logits, ur_ids targets, size_t *n_valid);

#endif
