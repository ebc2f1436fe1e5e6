/* SPDX-License-Identifier: MIT */
/* A cell written on the tape as a layer of a stack. */
#ifndef UR_LAYER_TAPE_CELL_H
#define UR_LAYER_TAPE_CELL_H

#include "unroll/layer.h"

/* Buffers of state that a cell may have. */
enum { UR__BUFFERS = 4 };

struct ur__tape_cell {
    const char *name;
    ur_cell kind;
    ur_norm norm;
    const char *label;                  /* its layers' parameters are PREFIX.LABEL_lK.NAME */
    const char *const *options;         /* that it has but not every net; NULL-terminated */
    const char *state[UR__BUFFERS];     /* names of its buffers [B,H], the first one "h" */
    size_t bytes;                       /* of what it keeps of a layer */
    /* Declares the parameters of a layer under a prefix and keeps them in cell. */
    ur_status (*declare)(void *cell, ur_params *params, const char *prefix, int I, int H);
    /* One step; cell is what declare filled in. What it returns is passed up, [B,width]. */
    ur_step_function step;
    int (*width)(int H);                /* NULL: H */
};

/* The cell of a kind with that normalisation, or NULL. */
const struct ur__tape_cell *ur__tape_cell_of(ur_cell kind, ur_norm norm);
/* The i-th of all cells, fused or not, and its kind, for a table of options; NULL: no more. */
const char *ur__cell_choice(int i, int *kind);
bool ur__tape_cell_has(const struct ur__tape_cell *cell, const char *option);

#endif
