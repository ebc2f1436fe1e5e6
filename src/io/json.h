/* SPDX-License-Identifier: MIT */
/* JSON (RFC 8259): strict in reading, deterministic in writing (keys in order of
 * insertion, reals in the shortest form that reads back to the same double, non-finite as
 * null). Rejected are duplicate keys, bad UTF-8, zeros, trailing text, depth beyond 32, more
 * than 65536 lists and objects or UR__JSON_MAX_VALUES: a text takes at most 64 times its size and
 * 1 MiB. Values are borrowed from their document or container. */
#ifndef UR_IO_JSON_H
#define UR_IO_JSON_H

#include "base/text.h"

#define UR__JSON_MAX_VALUES ((size_t)1 << 18)   /* four times the largest vocabulary */

struct ur__json;    /* an object, array or scalar */

/* Parses n bytes. UR_EFORMAT names line and column. Free with ur__json_free. */
ur_status ur__json_parse(struct ur__json **out, const char *text, size_t n);
/* Where the string that begins at text[at] has its closing quote; n if it has none. */
size_t ur__json_string_end(const char *text, size_t n, size_t at);
void ur__json_free(struct ur__json *j);

/* Typed look-ups in an object; false if absent or of another type. */
bool ur__json_get_string(const struct ur__json *j, const char *key, const char **out);
bool ur__json_get_int(const struct ur__json *j, const char *key, int64_t *out);
bool ur__json_get_real(const struct ur__json *j, const char *key, double *out); /* integers too */
bool ur__json_get_bool(const struct ur__json *j, const char *key, bool *out);
const struct ur__json *ur__json_get(const struct ur__json *j, const char *key);   /* NULL: absent */

bool ur__json_is_object(const struct ur__json *j);
bool ur__json_is_array(const struct ur__json *j);
bool ur__json_is_null(const struct ur__json *j);
size_t ur__json_size(const struct ur__json *j);     /* members or elements */
const struct ur__json *ur__json_at(const struct ur__json *j, size_t i);     /* of an array */
bool ur__json_string(const struct ur__json *j, const char **out);
bool ur__json_int(const struct ur__json *j, int64_t *out);
bool ur__json_real(const struct ur__json *j, double *out);
bool ur__json_bool(const struct ur__json *j, bool *out);
/* Calls fn for each member of an object, in order; stops at the first failure. */
ur_status ur__json_each(const struct ur__json *j,
                        ur_status (*fn)(void *user, const char *key, const struct ur__json *value),
                        void *user);

/* Building. A failed set (out of memory, text that is no UTF-8, into what was parsed) is
 * remembered and reported by ur__json_dump. j NULL is ignored. A value that is taken belongs to its
 * container and is gone if that failed: fill it first, then hand it over. */
struct ur__json *ur__json_new_object(void);
struct ur__json *ur__json_new_array(void);
void ur__json_set_string(struct ur__json *j, const char *key, const char *value);
void ur__json_set_int(struct ur__json *j, const char *key, int64_t value);
/* A number that may be beyond the integers of JSON (2^63): then a text. */
void ur__json_set_seed(struct ur__json *j, const char *key, uint64_t value);
void ur__json_set_real(struct ur__json *j, const char *key, double value);
void ur__json_set_bool(struct ur__json *j, const char *key, bool value);
void ur__json_set(struct ur__json *j, const char *key, struct ur__json *value); /* takes value */
void ur__json_add_int(struct ur__json *array, int64_t value);
void ur__json_add_real(struct ur__json *array, double value);
void ur__json_add_string(struct ur__json *array, const char *value);
void ur__json_add(struct ur__json *array, struct ur__json *value);              /* takes value */
/* Appends the text on one line. */
ur_status ur__json_dump(const struct ur__json *j, struct ur__buf *to);

#endif
