/* SPDX-License-Identifier: MIT */
/* Counting entities of a sequence whose labels come one after the other. */
#ifndef UR_METRIC_ENTITIES_H
#define UR_METRIC_ENTITIES_H

#include "unroll/metric.h"

/* A prefix of B, I, E, S or O. */
struct ur__entity_label {
    char prefix;
    const char *type;
};

/* One side, and its entity that is open. */
struct ur__entity {
    struct ur__entity_label last;
    size_t begin;
    const char *type;       /* NULL: none is */
};

/* Labels are borrowed from when they come until the end. */
struct ur__entities {
    size_t at;              /* labels so far */
    struct ur__entity truth, guess;
};
void ur__entities_begin(struct ur__entities *e);
void ur__entities_next(struct ur__entities *e, const char *truth, const char *guess,
                       ur_entity_counts *counts);
/* Nothing follows: what is open ends here. */
void ur__entities_end(struct ur__entities *e, ur_entity_counts *counts);

#endif
