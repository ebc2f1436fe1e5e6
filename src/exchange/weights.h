/* SPDX-License-Identifier: MIT */
/* The inside of ur_weights, for the files of this floor. */
#ifndef UR_EXCHANGE_WEIGHTS_H
#define UR_EXCHANGE_WEIGHTS_H

#include "unroll/exchange.h"

struct ur_weights {
    struct ur__st_file *file;
    const char *path;       /* of the file, or what memory is called; borrowed from it */
    int n;
    ur_weight *list;        /* in the file's order: place i is the file's tensor i */
};

#endif
