/* SPDX-License-Identifier: MIT */
/*
 * JSON values as a tree of our own. jansson only parses: its tree is copied and
 * dropped. So a failed insertion can be remembered where it happened, writing is
 * ours to make deterministic (jansson has no shortest reals), and the values lie
 * in the library's heap. jansson itself allocates from libc: its allocator is one
 * for the process and belongs to the host.
 */
#include "io/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/locale.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/json_tree.h"

static bool is_list(const struct ur__json *j)
{
    return j && (j->kind == UR__JSON_ARRAY || j->kind == UR__JSON_OBJECT);
}

/* ---- values ------------------------------------------------------------ */

static struct ur__json *new_value(enum ur__json_kind kind)
{
    struct ur__json *j = ur__calloc(1, sizeof *j);
    if (j)
        j->kind = kind;
    return j;
}

static struct ur__json *new_integer(int64_t value)
{
    struct ur__json *j = new_value(UR__JSON_INT);
    if (j)
        j->u.integer = value;
    return j;
}

/* JSON has no word for what is not finite. */
static struct ur__json *new_real(double value)
{
    struct ur__json *j = new_value(isfinite(value) ? UR__JSON_REAL : UR__JSON_NULL);
    if (j && j->kind == UR__JSON_REAL)
        j->u.real = value;
    return j;
}

static struct ur__json *new_boolean(bool value)
{
    struct ur__json *j = new_value(UR__JSON_BOOL);
    if (j)
        j->u.boolean = value;
    return j;
}

static struct ur__json *new_string(const char *value)
{
    struct ur__json *j = new_value(UR__JSON_STRING);
    if (!j)
        return NULL;
    j->u.string = ur__strdup(value);
    if (j->u.string)
        return j;
    ur__free(j);
    return NULL;
}

struct ur__json *ur__json_new_object(void)
{
    return new_value(UR__JSON_OBJECT);
}

struct ur__json *ur__json_new_array(void)
{
    return new_value(UR__JSON_ARRAY);
}

void ur__json_free(struct ur__json *j)
{
    if (!j)
        return;
    if (j->kind == UR__JSON_STRING)
        ur__free(j->u.string);
    for (size_t i = 0; is_list(j) && i < j->u.list.n; i++) {
        ur__free(j->u.list.members[i].key);
        ur__json_free(j->u.list.members[i].value);
    }
    if (is_list(j))
        ur__free(j->u.list.members);
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

/* ---- parsing ----------------------------------------------------------- */

/* The same value in our heap; NULL without memory. jansson bounds the depth. */
static struct ur__json *copy_value(json_t *from)
{
    const char *key;
    json_t *value;
    size_t i;
    struct ur__json *to;
    ur_status status = UR_OK;
    switch (json_typeof(from)) {
    case JSON_NULL:
        return new_value(UR__JSON_NULL);
    case JSON_TRUE:
    case JSON_FALSE:
        return new_boolean(json_is_true(from));
    case JSON_INTEGER:
        return new_integer(json_integer_value(from));
    case JSON_REAL:
        return new_real(json_real_value(from));
    case JSON_STRING:
        return new_string(json_string_value(from));
    case JSON_ARRAY:
        to = new_value(UR__JSON_ARRAY);
        for (i = 0; to && status == UR_OK && i < json_array_size(from); i++)
            status = push(to, NULL, copy_value(json_array_get(from, i)));
        break;
    case JSON_OBJECT:
    default:
        to = new_value(UR__JSON_OBJECT);
        json_object_foreach(from, key, value) {
            if (to && status == UR_OK)
                status = push(to, key, copy_value(value));
        }
        break;
    }
    if (status == UR_OK)
        return to;
    ur__json_free(to);
    return NULL;
}

ur_status ur__json_parse(struct ur__json **out, const char *text, size_t n)
{
    *out = NULL;
    /* jansson rejects a zero byte too, but its message ends there. */
    const char *zero = n ? memchr(text, '\0', n) : NULL;
    if (zero)
        return ur__fail(UR_EFORMAT, "json: a zero byte at offset %zu", (size_t)(zero - text));
    json_error_t error = {0};
    void *old = ur__locale_c();     /* jansson reads reals by strtod */
    json_t *parsed = json_loadb(n ? text : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    ur__locale_restore(old);
    /* Most of its failed allocations jansson does not name: it then says nothing at all. */
    if (!parsed && (json_error_code(&error) == json_error_out_of_memory || !error.text[0]))
        return ur__fail(UR_ENOMEM, "out of memory: parsing json");
    if (!parsed)
        return ur__fail(UR_EFORMAT, "json: line %d, column %d: %s",
                        error.line, error.column, error.text);
    *out = copy_value(parsed);
    json_decref(parsed);
    return *out ? UR_OK : UR_ENOMEM;
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
    const struct ur__json *value = ur__json_get(j, key);
    if (!value || value->kind != UR__JSON_BOOL)
        return false;
    *out = value->u.boolean;
    return true;
}

bool ur__json_is_object(const struct ur__json *j)
{
    return j && j->kind == UR__JSON_OBJECT;
}

bool ur__json_is_array(const struct ur__json *j)
{
    return j && j->kind == UR__JSON_ARRAY;
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
    if (j && !value)
        remember(j, UR_ENOMEM);
    else if (j && (j->kind != UR__JSON_OBJECT || !ur__is_utf8(key)))
        remember(j, UR_EINVAL);
    if (!j || !value || j->kind != UR__JSON_OBJECT || !ur__is_utf8(key)) {
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
    if (array && !value)
        remember(array, UR_ENOMEM);
    else if (array && array->kind != UR__JSON_ARRAY)
        remember(array, UR_EINVAL);
    if (!array || !value || array->kind != UR__JSON_ARRAY)
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
    if (j)
        ur__json_set(j, key, new_integer(value));
}

void ur__json_set_real(struct ur__json *j, const char *key, double value)
{
    if (j)
        ur__json_set(j, key, new_real(value));
}

void ur__json_set_bool(struct ur__json *j, const char *key, bool value)
{
    if (j)
        ur__json_set(j, key, new_boolean(value));
}

void ur__json_add_int(struct ur__json *array, int64_t value)
{
    if (array)
        ur__json_add(array, new_integer(value));
}

void ur__json_add_real(struct ur__json *array, double value)
{
    if (array)
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
