/* SPDX-License-Identifier: MIT */
/* source<TAB>target, a pair a line. Each side is a set of texts (data/examples.h); what belongs
 * together has one number. Sources that are equal are one group, so that they are held out
 * together; their targets are references of each other. */
#ifndef UR_DATA_PAIRS_H
#define UR_DATA_PAIRS_H

#include "data/sequences.h"

enum { UR__PAIR_SOURCE, UR__PAIR_TARGET, UR__PAIR_SIDES };

struct ur__pairs {
    struct ur__examples *side[UR__PAIR_SIDES];  /* groups are the sources' */
};

/* Reads all files. Zeroed it may be freed. UR_EDATA with FILE:LINE: no tab or two, an empty side,
 * what is no text; no pair. */
ur_status ur__pairs_open(struct ur__pairs *p, const char *const *paths, int n_paths,
                         bool any_bytes);
void ur__pairs_free(struct ur__pairs *p);
static inline int64_t ur__pairs_count(const struct ur__pairs *p)
{
    return p->side[UR__PAIR_SOURCE]->n;
}

#endif
