/* SPDX-License-Identifier: MIT */
/* The numbers that a model carries from step to step: one part for each of its stacks. */
#ifndef UR_TRAIN_CARRIED_H
#define UR_TRAIN_CARRIED_H

#include "model/model.h"

struct ur__carried {
    int parts;
    ur_real *part[UR__MAX_BLOCKS];
    size_t n[UR__MAX_BLOCKS];
};

/* state NULL: nothing is carried. */
struct ur__carried ur__carried_of(const ur_model_state *state);
size_t ur__carried_size(const struct ur__carried *c);
/* All of them to and from one run of numbers. */
void ur__carried_keep(const struct ur__carried *c, ur_real *to);
void ur__carried_give_back(const struct ur__carried *c, const ur_real *from);

#endif
