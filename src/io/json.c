/* SPDX-License-Identifier: MIT */
/*
 * JSON values as a tree. A failed insertion is remembered where it happened and told when
 * the tree is written (json_dump.c); what json_parse.c makes is one block and not changed.
 */
#include "io/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json_tree.h"

static bool is_list(const struct ur__json *j)
{
    return j && (j->kind == UR__JSON_ARRAY || j->kind == UR__JSON_OBJECT);
}

/* ---- values ------------------------------------------------------------ */

static struct ur__json *new_value(struct ur__json value)
{
    struct ur__json *j = ur__alloc(1, sizeof *j);
    if (j)
        *j = value;
    return j;
}

static struct ur__json *new_integer(int64_t value)
{
    return new_value((struct ur__json){.kind = UR__JSON_INT, .u.integer = value});
}

/* JSON has no word for what is not finite. */
static struct ur__json *new_real(double value)
{
    if (!isfinite(value))
        return new_value((struct ur__json){.kind = UR__JSON_NULL});
    return new_value((struct ur__json){.kind = UR__JSON_REAL, .u.real = value});
}

static struct ur__json *new_string(const char *value)
{
    char *copy = ur__strdup(value);
    struct ur__json *j = NULL;
    if (copy)
        j = new_value((struct ur__json){.kind = UR__JSON_STRING, .u.string = copy});
    if (!j)
        ur__free(copy);
    return j;
}

struct ur__json *ur__json_new_object(void)
{
    return new_value((struct ur__json){.kind = UR__JSON_OBJECT});
}

struct ur__json *ur__json_new_array(void)
{
    return new_value((struct ur__json){.kind = UR__JSON_ARRAY});
}

void ur__json_free(struct ur__json *j)
{
    if (!j)
        return;
    if (j->kind == UR__JSON_STRING && !j->parsed)
        ur__free(j->u.string);
    if (is_list(j) && !j->parsed) {
        for (size_t i = 0; i < j->u.list.n; i++) {
            ur__free(j->u.list.members[i].key);
            ur__json_free(j->u.list.members[i].value);
        }
        ur__free(j->u.list.members);
    }
    ur__free(j);
}

/* Appends; takes value, also on failure. key NULL: to an array. */
static ur_status push(struct ur__json *j, const char *key, struct ur__json *value)
{
    char *copy = key ? ur__strdup(key) : NULL;
    bool ready = value && (copy || !key);
    if (ready && j->u.list.n == j->u.list.capacity) {
        size_t capacity = j->u.list.capacity ? 2 * j->u.list.capacity : 4;
        struct ur__json_member *larger = ur__realloc(j->u.list.members, capacity, sizeof *larger);
        ready = larger != NULL;
        if (larger) {
            j->u.list.members = larger;
            j->u.list.capacity = capacity;
        }
    }
    if (!ready) {
        ur__free(copy);
        ur__json_free(value);
        return UR_ENOMEM;
    }
    j->u.list.members[j->u.list.n++] = (struct ur__json_member){copy, value};
    return UR_OK;
}

/* ---- looking up -------------------------------------------------------- */

const struct ur__json *ur__json_get(const struct ur__json *j, const char *key)
{
    if (!ur__json_is_object(j))
        return NULL;
    for (size_t i = 0; i < j->u.list.n; i++) {
        if (strcmp(j->u.list.members[i].key, key) == 0)
            return j->u.list.members[i].value;
    }
    return NULL;
}

bool ur__json_string(const struct ur__json *j, const char **out)
{
    if (!j || j->kind != UR__JSON_STRING)
        return false;
    *out = j->u.string;
    return true;
}

bool ur__json_int(const struct ur__json *j, int64_t *out)
{
    if (!j || j->kind != UR__JSON_INT)
        return false;
    *out = j->u.integer;
    return true;
}

bool ur__json_real(const struct ur__json *j, double *out)
{
    if (!j || (j->kind != UR__JSON_REAL && j->kind != UR__JSON_INT))
        return false;
    *out = j->kind == UR__JSON_REAL ? j->u.real : (double)j->u.integer;
    return true;
}

bool ur__json_bool(const struct ur__json *j, bool *out)
{
    if (!j || j->kind != UR__JSON_BOOL)
        return false;
    *out = j->u.boolean;
    return true;
}

bool ur__json_get_string(const struct ur__json *j, const char *key, const char **out)
{
    return ur__json_string(ur__json_get(j, key), out);
}

bool ur__json_get_int(const struct ur__json *j, const char *key, int64_t *out)
{
    return ur__json_int(ur__json_get(j, key), out);
}

bool ur__json_get_real(const struct ur__json *j, const char *key, double *out)
{
    return ur__json_real(ur__json_get(j, key), out);
}

bool ur__json_get_bool(const struct ur__json *j, const char *key, bool *out)
{
    return ur__json_bool(ur__json_get(j, key), out);
}

bool ur__json_is_object(const struct ur__json *j)
{
    return j && j->kind == UR__JSON_OBJECT;
}

bool ur__json_is_array(const struct ur__json *j)
{
    return j && j->kind == UR__JSON_ARRAY;
}

bool ur__json_is_null(const struct ur__json *j)
{
    return j && j->kind == UR__JSON_NULL;
}

size_t ur__json_size(const struct ur__json *j)
{
    return is_list(j) ? j->u.list.n : 0;
}

const struct ur__json *ur__json_at(const struct ur__json *j, size_t i)
{
    return ur__json_is_array(j) && i < j->u.list.n ? j->u.list.members[i].value : NULL;
}

ur_status ur__json_each(const struct ur__json *j,
                        ur_status (*fn)(void *user, const char *key, const struct ur__json *value),
                        void *user)
{
    if (!ur__json_is_object(j))
        return ur__fail(UR_EFORMAT, "json: not an object");
    for (size_t i = 0; i < j->u.list.n; i++)
        UR__TRY(fn(user, j->u.list.members[i].key, j->u.list.members[i].value));
    return UR_OK;
}

/* ---- building ---------------------------------------------------------- */

static void remember(struct ur__json *j, ur_status status)
{
    if (j->failed == UR_OK)
        j->failed = status;
}

void ur__json_set(struct ur__json *j, const char *key, struct ur__json *value)
{
    bool fits = j && j->kind == UR__JSON_OBJECT && !j->parsed && ur__is_utf8(key);
    if (j && (!value || !fits))
        remember(j, value ? UR_EINVAL : UR_ENOMEM);
    if (!value || !fits) {
        ur__json_free(value);
        return;
    }
    for (size_t i = 0; i < j->u.list.n; i++) {
        struct ur__json_member *m = &j->u.list.members[i];
        if (strcmp(m->key, key) == 0) {
            ur__json_free(m->value);
            m->value = value;
            return;
        }
    }
    if (push(j, key, value) != UR_OK)
        remember(j, UR_ENOMEM);
}

void ur__json_add(struct ur__json *array, struct ur__json *value)
{
    bool fits = array && array->kind == UR__JSON_ARRAY && !array->parsed;
    if (array && (!value || !fits))
        remember(array, value ? UR_EINVAL : UR_ENOMEM);
    if (!value || !fits)
        ur__json_free(value);
    else if (push(array, NULL, value) != UR_OK)
        remember(array, UR_ENOMEM);
}

void ur__json_set_string(struct ur__json *j, const char *key, const char *value)
{
    if (!j)
        return;
    if (!ur__is_utf8(value))
        remember(j, UR_EINVAL);
    else
        ur__json_set(j, key, new_string(value));
}

void ur__json_set_int(struct ur__json *j, const char *key, int64_t value)
{
    ur__json_set(j, key, new_integer(value));
}

void ur__json_set_seed(struct ur__json *j, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    if (value <= INT64_MAX)
        ur__json_set_int(j, key, (int64_t)value);
    else
        ur__json_set_string(j, key, text);
}

void ur__json_set_real(struct ur__json *j, const char *key, double value)
{
    ur__json_set(j, key, new_real(value));
}

void ur__json_set_bool(struct ur__json *j, const char *key, bool value)
{
    ur__json_set(j, key, new_value((struct ur__json){.kind = UR__JSON_BOOL, .u.boolean = value}));
}

void ur__json_add_int(struct ur__json *array, int64_t value)
{
    ur__json_add(array, new_integer(value));
}

void ur__json_add_real(struct ur__json *array, double value)
{
    ur__json_add(array, new_real(value));
}

void ur__json_add_string(struct ur__json *array, const char *value)
{
    if (!array)
        return;
    if (!ur__is_utf8(value))
        remember(array, UR_EINVAL);
    else
        ur__json_add(array, new_string(value));
}
