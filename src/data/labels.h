/* SPDX-License-Identifier: MIT */
/* Labels: short names, numbered from 0. A model keeps them as a vocabulary of words, whose first
 * two tokens are no labels: label k is its token UR__FIRST_LABEL + k. */
#ifndef UR_DATA_LABELS_H
#define UR_DATA_LABELS_H

#include "data/vocab.h"
#include "data/word_table.h"

#define UR__FIRST_LABEL (UR__LINE_END + 1)

/* What a label is called: white space and controls within it as one low line, none around it.
 * to: room for UR__WORD_MAX bytes. Returns its bytes; 0: it has none; -1: it is longer, or no
 * UTF-8. */
int ur__label_name(const char *text, size_t n, char to[UR__WORD_MAX]);

/* The labels of a table as a vocabulary: in the order of their values where all are whole
 * numbers, else of their bytes. order [table->n] gets the label of each number of the table.
 * UR_EDATA: there are too many. */
ur_status ur__labels_settle(ur_vocab **out, const struct ur__word_table *table, int32_t *order);
/* The label of a name, -1: none. */
int32_t ur__label_find(const ur_vocab *labels, const char *name, size_t n);
int ur__label_count(const ur_vocab *labels);
/* Borrowed, *n bytes. */
const char *ur__label_text(const ur_vocab *labels, int32_t label, size_t *n);
/* Bytes of all names, a zero after each (a vocabulary has none), and copies of them there: name
 * [count]. */
size_t ur__label_names_size(const ur_vocab *labels);
void ur__label_names(const ur_vocab *labels, char *to, const char **name);

#endif
