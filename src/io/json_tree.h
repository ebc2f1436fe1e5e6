/* SPDX-License-Identifier: MIT */
/* The tree that ur__json is, for the files that build, read and write it.
 * Invariant: every value has one owner, its container or the caller; but the values of
 * a parsed text lie in one block, which begins with the root and is freed with it. */
#ifndef UR_IO_JSON_TREE_H
#define UR_IO_JSON_TREE_H

#include "unroll/base.h"

enum ur__json_kind {
    UR__JSON_NULL, UR__JSON_BOOL, UR__JSON_INT, UR__JSON_REAL, UR__JSON_STRING,
    UR__JSON_ARRAY, UR__JSON_OBJECT
};

struct ur__json_member {
    char *key;                  /* NULL in an array */
    struct ur__json *value;
};

struct ur__json {
    enum ur__json_kind kind : 8;
    bool parsed : 1;            /* the root of a block */
    ur_status failed;           /* of the first insertion that failed here */
    union {
        bool boolean;
        int64_t integer;
        double real;
        char *string;
        struct {
            struct ur__json_member *members;
            size_t n, capacity;
        } list;
    } u;
};

#endif
