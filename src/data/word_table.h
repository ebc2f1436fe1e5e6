/* SPDX-License-Identifier: MIT */
/* Distinct words, numbered from 0 as they are added: text of all of them in one block,
 * and a hash table that finds the number of a text. */
#ifndef UR_DATA_WORD_TABLE_H
#define UR_DATA_WORD_TABLE_H

#include "unroll/base.h"

#define UR__WORD_PROBES 256     /* slots that a search looks at, at most */

/* Zeroed it is empty. Each word stands in text after a space, where at says. */
struct ur__word_table {
    int32_t n;
    char *text;
    size_t size, capacity;
    size_t *at;             /* [n+1] places of the spaces; at[n] is the end */
    int32_t room;           /* of at, less one */
    int32_t *slot;          /* [slots] number + 1, 0: none; slots is a power of two */
    size_t slots;
    uint64_t key[2];        /* of the hash; keyed: it is set, by a test if not by the table */
    bool keyed;
};
void ur__word_table_free(struct ur__word_table *t);
/* The number of a word, −1 if it is not there. */
int32_t ur__word_find(const struct ur__word_table *t, const char *word, size_t n);
/* The number of a word that is there or is added. */
ur_status ur__word_add(struct ur__word_table *t, const char *word, size_t n, int32_t *number);
/* A word's text and its bytes. The character before it is a space. */
const char *ur__word_at(const struct ur__word_table *t, int32_t number, size_t *n);

#endif
