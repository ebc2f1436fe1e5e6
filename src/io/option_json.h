/* SPDX-License-Identifier: MIT */
/* Options as members of a JSON object: a row's name with underscores for dashes. */
#ifndef UR_IO_OPTION_JSON_H
#define UR_IO_OPTION_JSON_H

#include "base/option.h"
#include "io/json.h"

/* A row's key. */
enum { UR__OPTION_KEY = 64 };
const char *ur__option_key(const ur_option *o, char to[UR__OPTION_KEY]);

/* Sets a row's member. */
void ur__option_to_json(const ur_option *o, const void *values, struct ur__json *j);
/* Sets a member for each row but those that are implied or have a flag of `without`, and sparse
 * ones at their default. */
void ur__options_to_json(const ur_option_table *table, const void *values, unsigned without,
                         struct ur__json *j);
/* Reads one member's value. False: it is impossible. */
bool ur__option_from_json(const ur_option *o, const struct ur__json *value, void *values);
/* Values from an object, over the defaults. Every member but `other` (or NULL) must be a row, and
 * every row a member unless it is sparse. UR_EFORMAT names the key. */
ur_status ur__options_from_json(const ur_option_table *table, const struct ur__json *j,
                                const char *other, void *values);
/* Values that an object of more than options has, over the defaults; what is impossible stays at
 * its default. Texts belong to the object. */
void ur__options_recall(const ur_option_table *table, const struct ur__json *j, void *values);

#endif
